package compat

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/wire"
)

// cibCall is what cibadmin was asked to do.
type cibCall struct {
	*call
	common
	cmd, scope, xpath, text, file, user       string
	pipe, force, create, all, local, bare, at bool
}

func cibadmin(c *call) int {
	a := &cibCall{call: c}
	own := []option{
		command('u', "upgrade", &a.cmd), command('Q', "query", &a.cmd), command('E', "erase", &a.cmd), command('B', "bump", &a.cmd),
		command('C', "create", &a.cmd), command('M', "modify", &a.cmd), command('P', "patch", &a.cmd), command('R', "replace", &a.cmd),
		command('D', "delete", &a.cmd), command('a', "empty", &a.cmd), command('5', "md5-sum", &a.cmd), command('6', "md5-sum-versioned", &a.cmd),
		{'d', "delete-all", none, func(string, bool) { a.cmd, a.all = "delete", true }},
		flagTo('f', "force", &a.force), textTo('t', "timeout", new(string)), textTo('U', "user", &a.user), flagTo('s', "sync-call", new(bool)),
		flagTo('l', "local", &a.local), flagTo('c', "allow-create", &a.create), flagTo('n', "no-children", &a.bare),
		textTo('X', "xml-text", &a.text), textTo('x', "xml-file", &a.file), flagTo('p', "xml-pipe", &a.pipe),
		textTo('o', "scope", &a.scope), textTo('A', "xpath", &a.xpath), flagTo('e', "node-path", &a.at), textTo('N', "node", new(string)),
		{'S', "show-access", attached, func(string, bool) {}},
	}
	rest, err := parseOptions(c.args, append(own, a.options()...))
	switch {
	case err != nil:
		return c.errorf(exitUsage, "%s; cibadmin --help lists what there is", err)
	case len(rest) > 0:
		return c.errorf(exitUsage, "non-option ARGV-elements: %s", strings.Join(rest, " "))
	case a.common.version:
		return c.version()
	case a.common.help:
		c.help(own, nil)
		return exitOK
	case a.cmd == "":
		c.help(own, nil)
		return exitUsage
	}
	return a.run()
}

func (a *cibCall) run() int {
	if !a.force && (a.cmd == "upgrade" || a.cmd == "erase" || a.all) {
		return a.dangerous(exitUnsafe)
	}
	switch a.cmd {
	case "empty":
		a.printf("%s", emptyCIB())
		return exitOK
	case "query":
		return a.query()
	case "bump":
		return a.done(a.bump())
	case "upgrade":
		return a.done(a.open().edit(cib.Edit{Op: "modify", XPath: "/cib", XML: `<cib validate-with="pacemaker-3.9"/>`}))
	case "erase":
		return a.done(a.open().edit(cib.Edit{Op: "replace", XPath: "/cib/configuration",
			XML: "<configuration><crm_config/><nodes/><resources/><constraints/></configuration>"}))
	}
	el, code := a.input()
	if code != exitOK {
		return code
	}
	switch a.cmd {
	case "md5-sum", "md5-sum-versioned":
		return a.plainErrorf(exitSoftware, "Cerco has no digests of whole documents")
	case "delete":
		return a.delete(el)
	}
	if el == nil {
		return a.plainErrorf(exitSoftware, "Call failed: Invalid argument")
	}
	switch a.cmd {
	case "create":
		return a.add(el)
	case "modify":
		return a.modify(el)
	case "patch":
		if a.outdated(el) {
			return a.done(cib.ErrVersion)
		}
		return a.done(a.open().edit(cib.Edit{Op: "patch", XML: el.String()}))
	}
	return a.replace(el)
}

// emptyCIB is a CIB without anything in it.
func emptyCIB() *cib.Element {
	section := func(name string) *cib.Element { return cib.NewElement(name, nil) }
	return cib.NewElement("cib", attrs("crm_feature_set", cib.FeatureSet, "validate-with", "pacemaker-3.9", "epoch", "1", "num_updates", "0", "admin_epoch", "0"),
		cib.NewElement("configuration", nil, section("crm_config"), section("nodes"), section("resources"), section("constraints")), section("status"))
}

// input reads the XML that comes with the call; nil if there is none.
func (a *cibCall) input() (*cib.Element, int) {
	text, from := a.text, "input string"
	switch {
	case a.text != "":
	case a.file != "":
		data, err := os.ReadFile(a.file)
		if err != nil {
			return nil, a.plainErrorf(exitConfig, "Couldn't parse input from %s.", a.file)
		}
		text, from = string(data), a.file
	case a.pipe:
		data, err := io.ReadAll(a.Stdin)
		if err != nil {
			return nil, a.plainErrorf(exitConfig, "Couldn't parse input from STDIN.")
		}
		text, from = string(data), "STDIN"
	default:
		return nil, exitOK
	}
	el, err := cib.Parse(from, []byte(text))
	if err != nil {
		a.detail(err)
		return nil, a.plainErrorf(exitConfig, "Couldn't parse input from %s.", from)
	}
	return el, exitOK
}

// done ends a change.
func (a *cibCall) done(err error) int {
	if err == nil {
		return exitOK
	}
	code, words := failureOf(err)
	switch code {
	case exitDisconnect:
		a.plainErrorf(0, "Could not connect to the CIB: %s", words)
		return a.plainErrorf(code, "Init failed, could not perform requested operations")
	case exitConfig:
		a.detail(err)
	case exitError:
		if strings.HasPrefix(words, "Update was older") {
			code = 103
		}
	}
	return a.plainErrorf(code, "Call failed: %s", words)
}

func (a *cibCall) notFound() int {
	return a.plainErrorf(exitNoSuch, "Call failed: No such device or address")
}

// sectionPath is the XPath of a section; of the whole for one that nobody knows.
func sectionPath(scope string) string {
	switch scope {
	case "configuration", "status":
		return "/cib/" + scope
	case "nodes", "resources", "constraints", "crm_config", "rsc_defaults", "op_defaults", "acls", "fencing-topology", "tags", "alerts":
		return "/cib/configuration/" + scope
	}
	return "/cib"
}

func (a *cibCall) query() int {
	expr := cmp.Or(a.xpath, sectionPath(a.scope))
	if expr == "/cib" && !a.bare && !a.at {
		return a.whole()
	}
	found, err := a.open().find(expr)
	if err != nil && disconnected(err) && a.open().live() != nil {
		return a.done(err)
	}
	if err != nil || len(found) == 0 {
		return a.notFound()
	}
	var els []*cib.Element
	seen := map[string]bool{}
	for _, f := range found {
		if seen[f.Path] {
			continue
		}
		seen[f.Path] = true
		if a.at {
			a.printf("%s\n", f.Path)
			continue
		}
		xml := f.XML
		if f.Attr != "" {
			if up, err := a.open().find(f.Path); err == nil && len(up) == 1 {
				xml = up[0].XML
			}
		}
		el, err := cib.Parse("", []byte(xml))
		if err != nil {
			return a.done(err)
		}
		if a.bare {
			el = el.WithChildren(nil)
		}
		els = append(els, el)
	}
	switch len(els) {
	case 0:
	case 1:
		a.printf("%s", els[0])
	default:
		a.printf("%s", cib.NewElement("xpath-query", nil, els...))
	}
	return exitOK
}

// whole prints the whole CIB.
func (a *cibCall) whole() int {
	if d := a.open().live(); d != nil {
		data, err := d.CIB(a.context(), a.local)
		if err != nil {
			return a.done(err)
		}
		a.Stdout.Write(data)
		return exitOK
	}
	doc, err := a.open().document()
	if err != nil {
		return a.done(err)
	}
	a.printf("%s", doc.Root)
	return exitOK
}

// parts are the elements that a change is about: what is in a section rather than the section, when that is how they came.
func (a *cibCall) parts(el *cib.Element) []*cib.Element {
	for el.Name == "cib" && a.scope != "" && a.scope != "cib" {
		el = cmp.Or(el.Child("configuration"), el.Child(a.scope), el)
		if el.Name == "cib" {
			break
		}
	}
	if el.Name == "configuration" && a.scope != "configuration" {
		if in := el.Child(a.scope); in != nil {
			el = in
		}
	}
	if el.Name == a.scope && a.scope != "configuration" {
		return slices.Collect(el.Elements())
	}
	return []*cib.Element{el}
}

func (a *cibCall) add(el *cib.Element) int {
	parent := sectionPath(a.scope)
	switch {
	case a.xpath != "":
		parent = a.xpath
	case a.scope == "":
		return a.notFound()
	}
	var edits []cib.Edit
	for _, p := range a.parts(el) {
		edits = append(edits, cib.Edit{Op: "create", Parent: cmp.Or(a.xpath, a.section(parent)), XML: p.String()})
	}
	err := a.open().edit(edits...)
	if code, _ := failureOf(err); code == exitExists {
		var failed []*cib.Element
		for _, p := range a.parts(el) {
			failed = append(failed, cib.NewElement("failed_update", attrs("id", p.ID(), "object_type", p.Name, "operation", "cib_create", "reason", "File exists"), p))
		}
		a.done(err)
		a.printf("%s", cib.NewElement("failed", nil, failed...))
		return code
	}
	return a.done(err)
}

// section is the name of a section rather than its path, so that one that is not there is made.
func (a *cibCall) section(path string) string {
	if rest, ok := strings.CutPrefix(path, "/cib/configuration/"); ok {
		return rest
	}
	return path
}

func (a *cibCall) modify(el *cib.Element) int {
	if a.xpath != "" {
		found, err := a.open().find(a.xpath)
		if err != nil || len(found) == 0 {
			return a.notFound()
		}
		return a.done(a.open().edit(cib.Edit{Op: "modify", XPath: found[0].Path, XML: el.String()}))
	}
	if el.Name == "cib" && (el.Attr("admin_epoch") != "" || el.Attr("epoch") != "") {
		return a.done(a.setVersion(el))
	}
	var edits []cib.Edit
	for _, p := range a.parts(el) {
		path, ok := a.pathOf(p)
		switch {
		case ok:
			edits = append(edits, cib.Edit{Op: "modify", XPath: path, XML: p.String()})
		case a.create:
			edits = append(edits, cib.Edit{Op: "create", Parent: a.scope, XML: p.String()})
		default:
			return a.notFound()
		}
	}
	return a.done(a.open().edit(edits...))
}

// pathOf is the path of the element of that name and id, in the section that is meant.
func (a *cibCall) pathOf(el *cib.Element) (string, bool) {
	expr := sectionPath(a.scope) + "//" + el.Name
	if el.Name == "cib" || "/cib/"+el.Name == sectionPath(el.Name) || "/cib/configuration/"+el.Name == sectionPath(el.Name) {
		expr = sectionPath(el.Name)
	} else if id := el.ID(); id != "" {
		expr += "[@id='" + id + "']"
	}
	found, err := a.open().find(expr)
	if err != nil || len(found) == 0 {
		return "", false
	}
	return found[0].Path, true
}

func (a *cibCall) replace(el *cib.Element) int {
	if a.xpath != "" {
		found, err := a.open().find(a.xpath)
		if err != nil || len(found) == 0 {
			return a.notFound()
		}
		return a.done(a.open().edit(cib.Edit{Op: "replace", XPath: found[0].Path, XML: el.String()}))
	}
	if el.Name == "cib" && (a.scope == "" || a.scope == "cib" || a.scope == "all") {
		return a.replaceAll(el)
	}
	if el.Name == "cib" {
		el = cmp.Or(el.Child(a.scope), el.Child("configuration"), el)
	}
	if el.Name == "configuration" && a.scope != "" && a.scope != "configuration" {
		el = cmp.Or(el.Child(a.scope), el)
	}
	path, ok := a.pathOf(el)
	if !ok {
		return a.notFound()
	}
	return a.done(a.open().edit(cib.Edit{Op: "replace", XPath: path, XML: el.String()}))
}

// replaceAll puts another document in the place of the whole, unless it was made from an older one.
func (a *cibCall) replaceAll(el *cib.Element) int {
	found, err := a.open().find("/cib")
	if err != nil {
		return a.done(err)
	}
	now, err := cib.Parse("", []byte(found[0].XML))
	if err != nil {
		return a.done(err)
	}
	have, given := cib.VersionOf(now), cib.VersionOf(el)
	have.NumUpdates, given.NumUpdates = 0, 0
	if given.Compare(have) < 0 {
		return a.done(cib.ErrVersion)
	}
	if f, ok := a.open().(*fileWorld); ok {
		return a.done(f.replace(el))
	}
	_, err = a.open().live().Edit(a.context(), wire.Edit{Base: have.String(), Edits: []cib.Edit{{Op: "replace", XML: el.String()}}}, client.Wait{})
	return a.done(err)
}

// outdated reports whether a diff leads to a version that is not newer than the one that there is.
func (a *cibCall) outdated(el *cib.Element) bool {
	p, err := cib.ReadPatch(el)
	if err != nil {
		return false
	}
	found, err := a.open().find("/cib")
	if err != nil || len(found) != 1 {
		return false
	}
	now, err := cib.Parse("", []byte(found[0].XML))
	return err == nil && p.Target.Compare(cib.VersionOf(now)) <= 0
}

// delete takes away the first element that matches, or all. That there is none is no error.
func (a *cibCall) delete(el *cib.Element) int {
	expr := a.xpath
	if expr == "" {
		if el == nil {
			return a.plainErrorf(exitSoftware, "Call failed: Invalid argument")
		}
		expr = sectionPath(a.scope) + "//" + el.Name + matching(el)
	}
	found, err := a.open().find(expr)
	if err != nil {
		if disconnected(err) && a.open().live() != nil {
			return a.done(err)
		}
		return a.notFound()
	}
	if !a.all && len(found) > 1 {
		found = found[:1]
	}
	var edits []cib.Edit
	for _, f := range slices.Backward(found) {
		edits = append(edits, cib.Edit{Op: "delete", XPath: f.Path})
	}
	if len(edits) == 0 {
		return exitOK
	}
	return a.done(a.open().edit(edits...))
}

// matching is a predicate for all attributes of an element.
func matching(el *cib.Element) string {
	var b strings.Builder
	for name, value := range el.Attrs() {
		quote := "'"
		if strings.Contains(value, quote) {
			quote = `"`
		}
		fmt.Fprintf(&b, "[@%s=%s%s%s]", name, quote, value, quote)
	}
	return b.String()
}

// bump raises the epoch though nothing changes.
func (a *cibCall) bump() error {
	if f, ok := a.open().(*fileWorld); ok {
		doc, err := f.document()
		if err != nil {
			return err
		}
		v := doc.Version
		return f.write(cib.WithVersion(doc.Root, cib.Version{AdminEpoch: v.AdminEpoch, Epoch: v.Epoch + 1}))
	}
	_, err := a.open().live().Edit(a.context(), wire.Edit{Bump: true}, client.Wait{})
	return err
}

// setVersion changes the version that is in a <cib> element, "NAME++" raises it.
func (a *cibCall) setVersion(el *cib.Element) error {
	f, ok := a.open().(*fileWorld)
	if !ok {
		return &cib.CommandError{What: "the version of a running cluster's CIB is not for anybody to set", Fix: "cibadmin --bump raises it"}
	}
	doc, err := f.document()
	if err != nil {
		return err
	}
	root := doc.Root
	for _, attr := range el.AttrList() {
		value := attr.Value
		if value == attr.Name+"++" {
			value = cib.FormatScore(parse(root.Attr(attr.Name)) + 1)
		}
		root = root.With(attr.Name, value)
	}
	return f.write(root)
}

func parse(s string) int {
	n, _ := cib.ParseScore(s)
	return n
}

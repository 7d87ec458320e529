package pcs

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/cibfile"
	"github.com/cerco-ha/cerco/internal/configure"
)

func clusterCIBNoun() *verb {
	return &verb{name: "cluster", what: "Manage the cluster and its nodes.", sub: []*verb{
		{name: "cib", args: "[FILE] [scope=SCOPE | --config]", options: []string{"config"}, run: clusterCIB,
			what: "Show the CIB, or a section of it, or write it into a file to work on with -f."},
		{name: "cib-push", args: "FILE [scope=SCOPE | --config | diff-against=ORIGINAL]", options: []string{"config", "wait", "force", "merge"}, run: cibPush,
			what: "Put a CIB in force that was worked on in a file. What others have changed meanwhile is shown and not overwritten; " +
				"--merge takes over what does not touch it."},
		{name: "cib-upgrade", run: cibUpgrade, what: "Have the CIB follow the newest schema."},
		{name: "edit", args: "[scope=SCOPE | --config]", options: []string{"config", "wait"}, run: clusterEdit,
			what: "Edit the CIB with $EDITOR; what was changed is put in force."},
		{name: "verify", options: []string{"full"}, run: clusterVerify, what: "Show everything that is wrong with the configuration; --full shows warnings, too."},
	}}
}

// scopes are the sections of the CIB that can be named alone.
func scopes() []string {
	return []string{"acls", "alerts", "configuration", "constraints", "crm_config", "fencing-topology", "nodes", "op_defaults", "resources",
		"rsc_defaults", "tags"}
}

// scoped parts words into files and what NAME=VALUE says, and checks the scope.
func (c *call) scoped(names ...string) (files []string, values map[string]string, err error) {
	values = map[string]string{}
	for _, w := range c.words {
		name, value, ok := strings.Cut(w, "=")
		switch {
		case !ok:
			files = append(files, w)
		case !slices.Contains(names, name) || value == "":
			return nil, nil, c.misused("'%s' does not know what to do with '%s'", strings.Join(c.path, " "), w)
		case values[name] != "" && values[name] != value:
			return nil, nil, c.misused("%s is given twice", name)
		default:
			values[name] = value
		}
	}
	if c.has("config") {
		if values["scope"] != "" {
			return nil, nil, c.misused("--config and scope=%s exclude each other", values["scope"])
		}
		values["scope"] = "configuration"
	}
	if s := values["scope"]; s != "" && !slices.Contains(scopes(), s) {
		return nil, nil, fmt.Errorf("invalid CIB scope '%s'%s: the sections are %s", s, didYouMean(s, scopes()), strings.Join(scopes(), ", "))
	}
	return files, values, nil
}

// part is a section of a document, nil if it is not there; the whole document for an empty scope.
func part(root *cib.Element, scope string) *cib.Element {
	switch scope {
	case "":
		return root
	case "configuration":
		return root.Child("configuration")
	}
	if conf := root.Child("configuration"); conf != nil {
		return conf.Child(scope)
	}
	return nil
}

// withPart puts a section in the place of that of a document.
func withPart(root, section *cib.Element, scope string) *cib.Element {
	if scope == "" {
		return section
	}
	put := func(e, child *cib.Element) *cib.Element {
		if old := e.Child(child.Name); old != nil {
			return e.Swap(old, child)
		}
		return e.WithChild(child)
	}
	if scope == "configuration" {
		return put(root, section)
	}
	conf := root.Child("configuration")
	if conf == nil {
		conf = cib.NewElement("configuration", nil)
	}
	return put(root, put(conf, section))
}

func clusterCIB(c *call) error {
	files, values, err := c.scoped("scope")
	if err != nil {
		return err
	}
	if len(files) > 1 {
		return c.misused("one file is enough, and %d are named: %s", len(files), strings.Join(files, ", "))
	}
	doc, err := c.latest()
	if err != nil {
		return err
	}
	e := part(doc.Root, values["scope"])
	if e == nil {
		return fmt.Errorf("unable to get the CIB: it has no section '%s'", values["scope"])
	}
	text := e.AppendXML(nil)
	if len(files) == 0 {
		_, err = c.Stdout.Write(text)
		return err
	}
	if slices.Contains(scopes(), files[0]) { // what the manuals mean where they print [scope]
		c.warnf("'%s' is taken for a file; scope=%s would show that section only", files[0], files[0])
	}
	return cibfile.Write(files[0], text)
}

// pushed reads a document or section that is to be put in force.
func pushed(file, scope string) (*cib.Element, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("unable to read what is to be pushed: %w", err)
	}
	root, err := cib.Parse(file, data)
	if err != nil {
		return nil, fmt.Errorf("unable to parse new cib: %w", err)
	}
	if root.Name == scope {
		return root, nil // the file is the section alone
	}
	e := part(root, scope)
	if e == nil || root.Name != "cib" {
		return nil, fmt.Errorf("unable to push cib, scope '%s' not present in new cib: %s begins with <%s>", cmp.Or(scope, "cib"), file, root.Name)
	}
	return e, nil
}

func cibPush(c *call) error {
	files, values, err := c.scoped("scope", "diff-against")
	switch {
	case err != nil:
		return err
	case len(files) != 1:
		return c.misused("one file is pushed, and %d are named", len(files))
	case values["scope"] != "" && values["diff-against"] != "":
		return c.misused("scope and diff-against exclude each other")
	}
	to, err := pushed(files[0], values["scope"])
	if err != nil {
		return err
	}
	w, doc, err := c.document()
	if err != nil {
		return err
	}
	var next *cib.Element
	switch original := values["diff-against"]; {
	case original != "":
		base, err := pushed(original, "")
		if err != nil {
			return err
		}
		if part(base, "configuration") == nil || part(to, "configuration") == nil {
			return fmt.Errorf("unable to push cib: %s and %s must both be whole CIBs, as '%s cluster cib' shows them", files[0], original, c.program)
		}
		if cib.Equal(part(base, "configuration"), part(to, "configuration")) {
			c.note("The new CIB is the same as the original CIB, nothing to push.")
			return nil
		}
		next, err = merged(base, to, doc.Root)
		if err != nil {
			return err
		}
	case values["scope"] != "":
		next = withPart(doc.Root, to, values["scope"])
	default:
		if next, err = c.pushWhole(to, doc); err != nil {
			return err
		}
	}
	if err := c.commit(w, doc, next); err != nil {
		return err
	}
	if !c.has("dry-run") {
		c.note("CIB updated")
	}
	return nil
}

// pushWhole is what is to be in force when a whole document is pushed. One that is older than what is there was made from an
// older one, and would undo what others have done. On a cluster only the configuration is pushed, so that a status which has gone
// on since counts for nothing.
func (c *call) pushWhole(to *cib.Element, doc *cib.CIB) (*cib.Element, error) {
	v := cib.VersionOf(to)
	if !c.onFile() {
		v.NumUpdates = doc.Version.NumUpdates
	}
	if v.Compare(doc.Version) >= 0 || c.has("force") {
		if c.onFile() {
			return to, nil
		}
		conf := part(to, "configuration")
		if conf == nil {
			return nil, errors.New("unable to push cib: it has no <configuration>")
		}
		return withPart(doc.Root, conf, "configuration"), nil
	}
	base, err := c.ancestor(cib.VersionOf(to))
	if err != nil {
		return nil, err
	}
	head := fmt.Sprintf("the pushed CIB (version %s) was made from one that is older than what there is (%s)", cib.VersionOf(to), doc.Version)
	if base == nil {
		return nil, fmt.Errorf("%s, and would undo what has been changed since. Say what you began with, and only your changes are taken over: "+
			"diff-against=ORIGINAL. Or overwrite the whole configuration: --config%s", head, changesText(to, doc.Root))
	}
	if c.has("merge") {
		return merged(base, to, doc.Root)
	}
	if _, err := merged(base, to, doc.Root); err != nil {
		return nil, fmt.Errorf("%s. %w", head, err)
	}
	return nil, fmt.Errorf("%s. None of your changes touches those of others: --merge takes them over. Changed by others:%s", head,
		changesText(base, doc.Root))
}

// ancestor is the CIB of an earlier version, from the plans that the cluster keeps; nil if it keeps none of it.
func (c *call) ancestor(v cib.Version) (*cib.Element, error) {
	if c.onFile() {
		return nil, nil
	}
	d, err := c.daemon()
	if err != nil {
		return nil, err
	}
	list, err := d.Transitions(c.context(), 0)
	if err != nil {
		return nil, err
	}
	for _, t := range list { // newest first
		data, err := d.TransitionCIB(c.context(), t.ID)
		if err != nil {
			return nil, err
		}
		root, err := cib.Parse(t.ID, data)
		if err != nil {
			return nil, err
		}
		was := cib.VersionOf(root)
		if was.NumUpdates = v.NumUpdates; was == v { // of the configuration the rest of the version tells all
			return root, nil
		}
		if was.Compare(v) < 0 {
			break
		}
	}
	return nil, nil
}

// changesText lists where two configurations differ, the first ten places.
func changesText(from, to *cib.Element) string {
	var b strings.Builder
	n := 0
	for _, ch := range cib.Diff(from, to).Changes {
		if !strings.HasPrefix(ch.Path, "/cib/configuration") {
			continue
		}
		if n++; n > 10 {
			b.WriteString("\n  ...")
			break
		}
		path := ch.Path
		if ch.Op == cib.Create {
			path += "/" + ch.Element.Name
			if id := ch.Element.ID(); id != "" {
				path += "[@id='" + id + "']"
			}
		}
		fmt.Fprintf(&b, "\n  %s %s", ch.Op, path)
	}
	return b.String()
}

// merged takes over into now what leads from base to mine. What both sides have changed is a conflict, and nothing is done then.
func merged(base, mine, now *cib.Element) (*cib.Element, error) {
	const section = "configuration"
	for _, e := range []*cib.Element{base, mine, now} {
		if part(e, section) == nil {
			return nil, errors.New("a CIB without a <configuration> cannot be compared")
		}
	}
	next, conflicts := cib.MergeThree(part(base, section), part(mine, section), part(now, section))
	if len(conflicts) == 0 {
		return withPart(now, next, section), nil
	}
	var b strings.Builder
	for _, x := range conflicts {
		fmt.Fprintf(&b, "\n  %s", x)
	}
	return nil, fmt.Errorf("others have changed the same places as you, so nothing is done (\"here\" is what you want, \"there\" the cluster):%s", b.String())
}

func cibUpgrade(c *call) error {
	if err := c.want(0, 0); err != nil {
		return err
	}
	if err := c.change(func(d *configure.Draft) error { d.Upgrade(); return nil }); err != nil {
		return err
	}
	c.note("Cluster CIB has been upgraded to latest version")
	return nil
}

// note says something that is neither the answer nor a warning.
func (c *call) note(format string, args ...any) { fmt.Fprintf(c.Stderr, format+"\n", args...) }

func clusterVerify(c *call) error {
	if err := c.want(0, 1); err != nil {
		return err
	}
	if len(c.words) == 1 { // as pcs 0.9 had it
		c.options["f"] = []string{c.words[0]}
	}
	_, doc, err := c.document()
	if err != nil {
		return err
	}
	r := &configure.Refusal{}
	hidden := 0
	for _, p := range cib.Check(doc) {
		switch {
		case p.Severity == cib.Error:
			r.List = append(r.List, configure.Problem{Text: strings.Replace(p.String(), " error:", "", 1)})
		case c.has("full"):
			c.warnf("%s", strings.Replace(p.String(), " warning:", "", 1))
		default:
			hidden++
		}
	}
	if hidden > 0 {
		c.note("Warnings: %d; --full shows them", hidden)
	}
	if len(r.List) > 0 {
		return r
	}
	return nil
}

// clusterEdit has the user edit the CIB, and puts in force what was changed. What the editor leaves is kept when it
// cannot be put in force.
func clusterEdit(c *call) error {
	files, values, err := c.scoped("scope")
	if err != nil {
		return err
	}
	if len(files) > 0 {
		return c.misused("what is '%s'? scope=%s edits a section only", files[0], files[0])
	}
	editor := ""
	if c.Getenv != nil {
		editor = cmp.Or(c.Getenv("EDITOR"), c.Getenv("VISUAL"))
	}
	if editor == "" {
		return errors.New("$EDITOR environment variable is not set: it names the editor, such as EDITOR=vi")
	}
	w, doc, err := c.document()
	if err != nil {
		return err
	}
	e := part(doc.Root, values["scope"])
	if e == nil {
		return fmt.Errorf("the CIB has no section '%s'", values["scope"])
	}
	f, err := os.CreateTemp("", "cib-*.xml")
	if err != nil {
		return err
	}
	_, err = f.Write(e.AppendXML(nil))
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	cmd := exec.CommandContext(c.context(), "/bin/sh", "-c", editor+` "$1"`, "sh", f.Name()) // an editor may come with arguments
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Stdin, c.Stdout, c.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("the editor %s: %w; nothing was changed", editor, err)
	}
	to, err := pushed(f.Name(), values["scope"])
	if err == nil {
		if cib.Equal(to, e) {
			c.note("CIB not updated, no changes detected")
			return os.Remove(f.Name())
		}
		if err = c.commit(w, doc, withPart(doc.Root, part0(to, values["scope"]), cmp.Or(values["scope"], "configuration"))); err == nil {
			c.note("CIB updated")
			return os.Remove(f.Name())
		}
	}
	return fmt.Errorf("%w\nYour text is in %s", err, f.Name())
}

// part0 is what is put in force of an edited text: of a whole CIB, its configuration.
func part0(e *cib.Element, scope string) *cib.Element {
	if scope == "" {
		return part(e, "configuration")
	}
	return e
}

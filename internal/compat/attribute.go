package compat

import (
	"cmp"
	"fmt"
	"regexp"

	"github.com/cerco-ha/cerco/internal/cib"
)

// attributeCall is what crm_attribute was asked to do.
type attributeCall struct {
	*call
	common
	id, name, pattern, promotion, set string
	deletes, queries, updates         bool
	value, standard                   string
	hasStandard, promotes             bool
	lifetime, node, section           string
	utilization, quiet                bool

	scope string // section that is meant, in the end: crm_config, nodes, status, ...
}

func crmAttribute(c *call) int {
	a := &attributeCall{call: c}
	own := []option{
		textTo('i', "id", &a.id), textTo(0, "attr-id", &a.id), textTo('n', "name", &a.name), textTo(0, "attr-name", &a.name),
		textTo('P', "pattern", &a.pattern), textTo('s', "set-name", &a.set),
		{'p', "promotion", optional, func(v string, _ bool) { a.promotes, a.promotion = true, v }},
		flagTo('D', "delete", &a.deletes), flagTo(0, "delete-attr", &a.deletes),
		flagTo('G', "query", &a.queries), flagTo(0, "get-value", &a.queries),
		{'v', "update", required, func(v string, _ bool) { a.updates, a.value = true, v }},
		{0, "attr-value", required, func(v string, _ bool) { a.updates, a.value = true, v }},
		{'d', "default", required, func(v string, _ bool) { a.hasStandard, a.standard = true, v }},
		textTo('l', "lifetime", &a.lifetime), textTo('N', "node", &a.node), textTo('U', "uname", &a.node),
		textTo('t', "type", &a.section), flagTo('z', "utilization", &a.utilization),
		flagTo('q', "quiet", &a.quiet), flagTo('Q', "Quiet", &a.quiet),
		flagTo('!', "inhibit-policy-engine", new(bool)),
	}
	_, code, done := c.parse(&a.common, own)
	if done {
		return code
	}
	return a.run()
}

func (a *attributeCall) run() int {
	if code := a.prepare(); code != exitOK {
		return code
	}
	switch {
	case a.deletes:
		return a.delete()
	case a.updates:
		return a.update()
	}
	return a.query()
}

// fail ends the call with an error in the words of the tools.
func (a *attributeCall) fail(code int, words string) int {
	return a.say(code, "Error performing operation: "+words)
}

func (a *attributeCall) say(code int, text string) int {
	if a.outputAs == "xml" {
		return a.result(code, a.call.name+": "+text)
	}
	return a.errorf(code, "%s", text)
}

// prepare finds out which section and node are meant.
func (a *attributeCall) prepare() int {
	if a.promotes {
		if a.promotion == "" {
			a.promotion = a.Getenv("OCF_RESOURCE_INSTANCE")
		}
		if a.promotion == "" {
			return a.say(exitUsage, "-p/--promotion must be called from an OCF resource agent or with a resource ID specified")
		}
		a.name = promotionScoreOf(a.promotion)
		a.lifetime = cmp.Or(a.lifetime, "reboot")
	}
	a.scope = cmp.Or(a.section, a.lifetime)
	switch {
	case a.scope == "reboot":
		a.scope = "status"
	case a.scope == "forever":
		a.scope = "nodes"
	case a.scope == "" && (a.node != "" || a.utilization):
		a.scope = "nodes"
	case a.scope == "":
		a.scope = "crm_config"
	}
	if a.section == "nodes" && a.lifetime == "reboot" {
		a.scope = "status"
	}
	if a.utilization {
		a.scope = "nodes"
	}
	switch a.scope {
	case "nodes", "status":
		return a.findNode()
	case "crm_config", "rsc_defaults", "op_defaults", "tickets":
		return exitOK
	}
	return a.fail(exitProtocol, "No message of desired type")
}

// findNode makes sure that the node is there: no attribute is made for a node that nobody knows.
func (a *attributeCall) findNode() int {
	node, err := a.targetNode(a.node)
	if err != nil {
		return a.worldError(err)
	}
	a.node = node
	if a.open().live() != nil { // the daemon knows the node, or says so
		return exitOK
	}
	doc, err := a.open().document()
	if err != nil {
		return a.worldError(err)
	}
	if nodeID(doc, node) == "" {
		return a.say(exitNoSuch, fmt.Sprintf("Could not map name=%s to a UUID", node))
	}
	return exitOK
}

// nodeID is the id of a node, also of a guest that only its connection tells of; empty if there is no such node.
func nodeID(doc *cib.CIB, name string) string {
	if n := doc.NodeByName(name); n != nil {
		return n.ID
	}
	for _, s := range doc.Status.Nodes {
		if s.Name == name {
			return s.ID
		}
	}
	for r := range doc.AllResources() {
		if r.ID == name && r.Class == "ocf" && r.Provider == "pacemaker" && r.Type == "remote" {
			return name
		}
		for _, set := range r.Meta {
			for _, p := range set.Pairs {
				if p.Name == "remote-node" && p.Value == name {
					return name
				}
			}
		}
	}
	return ""
}

// worldError ends the call when the cluster or the file does not answer.
func (a *attributeCall) worldError(err error) int {
	code, words := failureOf(err)
	switch {
	case code == exitDisconnect:
		return a.say(code, "Could not connect to the CIB: "+words)
	case code == exitConfig || code == exitNoSuch:
		return a.say(exitNoSuch, "Could not map name="+a.node+" to a UUID")
	}
	return a.fail(code, words)
}

// found is one attribute or option.
type found struct{ set, id, name, value string }

// matching lists what the call is about, in the order of the document.
func (a *attributeCall) matching() ([]found, error) {
	wanted := func(name string) bool { return a.name == "" || name == a.name }
	if a.pattern != "" {
		re, err := regexp.CompilePOSIX(a.pattern)
		if err != nil {
			return nil, err
		}
		wanted = re.MatchString
	}
	var list []found
	add := func(f found) {
		if wanted(f.name) && (a.set == "" || a.set == f.set) && (a.id == "" || a.id == f.id) {
			list = append(list, f)
		}
	}
	if a.scope == "nodes" || a.scope == "status" {
		attrs, err := a.open().attributes(a.node, "")
		for _, f := range attrs {
			if f.Permanent == (a.scope == "nodes") && f.Utilized == a.utilization {
				add(found{f.Set, f.ID, f.Name, f.Value})
			}
		}
		return list, err
	}
	matches, err := a.open().find("//cib/" + a.path())
	if err != nil {
		return nil, err
	}
	for _, m := range matches {
		set, err := cib.Parse("", []byte(m.XML))
		if err != nil {
			return nil, err
		}
		for p := range set.Elements() {
			if p.Name == "nvpair" {
				add(found{set.ID(), p.ID(), p.Attr("name"), p.Attr("value")})
			}
		}
	}
	return list, nil
}

// path is the XPath of the sets of a section that belongs to no node.
func (a *attributeCall) path() string {
	switch a.scope {
	case "crm_config":
		return "configuration/crm_config/cluster_property_set"
	case "tickets":
		return "status/tickets/instance_attributes"
	}
	return "configuration/" + a.scope + "/meta_attributes"
}

func (a *attributeCall) query() int {
	list, err := a.matching()
	if err != nil {
		return a.worldError(err)
	}
	if len(list) == 0 && a.hasStandard {
		list = []found{{name: a.name, value: a.standard}}
	}
	if len(list) == 0 {
		return a.fail(exitNoSuch, "No such device or address")
	}
	var els []*cib.Element
	for _, f := range list {
		switch {
		case a.outputAs == "xml":
			els = append(els, cib.NewElement("attribute", []cib.Attr{{Name: "name", Value: f.name}, {Name: "value", Value: f.value}, {Name: "scope", Value: a.scope}}))
		case a.quiet:
			a.printf("%s\n", f.value)
		default:
			a.printf("scope=%s  name=%s value=%s\n", a.scope, f.name, f.value)
		}
	}
	if a.outputAs == "xml" {
		return a.result(exitOK, "", els...)
	}
	return exitOK
}

// done ends a change.
func (a *attributeCall) done(err error) int {
	if err != nil {
		if code, _ := failureOf(err); code == exitDisconnect || a.scope == "nodes" || a.scope == "status" {
			return a.worldError(err)
		}
		code, _ := failureOf(err)
		a.detail(err)
		return a.fail(code, exitWords(code))
	}
	if a.outputAs == "xml" {
		return a.result(exitOK, "")
	}
	return exitOK
}

func (a *attributeCall) update() int {
	switch {
	case a.pattern != "" && a.scope != "status":
		return a.say(exitUsage, "Error: pattern can only be used with query, or with till-reboot update or delete")
	case a.name == "" && a.pattern == "":
		return a.say(exitUsage, "Error: must specify attribute name or pattern to update")
	case a.scope == "status" && a.set == "" && a.id == "":
		return a.done(a.open().setAttributes(a.nodeUpdate()))
	}
	a.open().fresh()
	list, err := a.matching()
	if err != nil {
		return a.worldError(err)
	}
	switch {
	case len(list) > 1:
		a.several(list)
		return exitMultiple
	case a.scope == "nodes" || a.scope == "status":
		u := a.nodeUpdate()
		if len(list) == 1 {
			u.Set = list[0].set
		}
		return a.done(a.open().setAttributes(u))
	case len(list) == 1:
		return a.done(a.open().edit(cib.Edit{Op: "modify", XPath: "//nvpair[@id='" + list[0].id + "']",
			XML: cib.NewElement("nvpair", []cib.Attr{{Name: "value", Value: a.value}}).String()}))
	}
	return a.done(a.open().edit(a.create()...))
}

// nodeUpdate is the change of a node's attribute.
func (a *attributeCall) nodeUpdate() cib.AttributeUpdate {
	u := cib.AttributeUpdate{Node: a.node, Name: a.name, Value: a.value, Set: a.set, Permanent: a.scope == "nodes", Utilized: a.utilization}
	if a.pattern != "" {
		u.Name, u.Pattern = a.pattern, true
	}
	return u
}

// several tells of more than one match.
func (a *attributeCall) several(list []found) {
	if !a.deletes {
		a.errorf(0, "Please choose from one of the matches below and supply the 'id' with --attr-id")
	}
	a.printf("Multiple attributes match name=%s\n", a.name)
	for _, f := range list {
		a.printf("  Value: %s \t(id=%s)\n", f.value, f.id)
	}
}

// create makes an option that is not there, and the set for it if need be.
func (a *attributeCall) create() []cib.Edit {
	setName, standard := "meta_attributes", a.scope+"-options"
	switch a.scope {
	case "crm_config":
		setName, standard = "cluster_property_set", "cib-bootstrap-options"
	case "tickets":
		setName, standard = "instance_attributes", "status-tickets"
	}
	set := cmp.Or(a.set, standard)
	pair := cib.NewElement("nvpair", []cib.Attr{{Name: "id", Value: cmp.Or(a.id, set+"-"+a.name)}, {Name: "name", Value: a.name}, {Name: "value", Value: a.value}})
	where := "//" + setName + "[@id='" + set + "']"
	if m, err := a.open().find(where); err == nil && len(m) == 1 {
		return []cib.Edit{{Op: "create", Parent: where, XML: pair.String()}}
	}
	return []cib.Edit{{Op: "create", Parent: a.scope, XML: cib.NewElement(setName, []cib.Attr{{Name: "id", Value: set}}, pair).String()}}
}

func (a *attributeCall) delete() int {
	switch {
	case a.name == "" && a.pattern == "":
		return a.say(exitUsage, "Error: must specify attribute name or pattern to delete")
	case a.pattern != "" && a.scope != "status":
		return a.say(exitUsage, "Error: pattern can only be used with query, or with till-reboot update or delete")
	}
	u := a.nodeUpdate()
	u.Delete, u.Value = true, ""
	if a.scope == "status" && a.open().live() != nil {
		return a.done(a.open().setAttributes(u))
	}
	a.open().fresh()
	list, err := a.matching()
	switch {
	case err != nil:
		return a.worldError(err)
	case len(list) == 0:
		return a.done(nil)
	case len(list) > 1 && a.pattern == "":
		a.several(list)
		return exitOK
	}
	kind := "attribute"
	if a.scope == "crm_config" {
		kind = "option"
	}
	if a.scope == "nodes" || a.scope == "status" {
		err = a.open().setAttributes(u)
	} else {
		err = a.open().edit(cib.Edit{Op: "delete", XPath: "//nvpair[@id='" + list[0].id + "']"})
	}
	if err == nil && a.outputAs != "xml" {
		a.printf("Deleted %s %s: id=%s name=%s\n", a.scope, kind, list[0].id, list[0].name)
	}
	return a.done(err)
}

// promotionScoreOf is the name of the attribute that is the promotion score of a resource, or of an instance of it.
func promotionScoreOf(resource string) string { return "master-" + resource }

// plainName takes the instance number off a name.
func plainName(id string) string {
	for i := len(id) - 1; i > 0; i-- {
		if id[i] == ':' && i+1 < len(id) {
			return id[:i]
		}
		if id[i] < '0' || id[i] > '9' {
			break
		}
	}
	return id
}

// crmMaster is crm_attribute for promotion scores, with its own defaults.
func crmMaster(c *call) int {
	a := &attributeCall{call: c, quiet: false}
	resource := ""
	c.name = "crm_attribute" // that is who complains
	own := []option{
		flagTo('G', "query", &a.queries), flagTo(0, "get-value", &a.queries),
		{'v', "update", required, func(v string, _ bool) { a.updates, a.value = true, v }},
		{0, "attr-value", required, func(v string, _ bool) { a.updates, a.value = true, v }},
		flagTo('D', "delete", &a.deletes), flagTo(0, "delete-attr", &a.deletes),
		textTo('N', "node", &a.node), textTo('U', "uname", &a.node), textTo('l', "lifetime", &a.lifetime),
		textTo('i', "id", &a.id), textTo(0, "attr-id", &a.id), textTo('r', "resource", &resource),
		flagTo('q', "quiet", &a.quiet), flagTo('Q', "Quiet", &a.quiet),
	}
	if _, err := parseOptions(c.args, append(own, a.options()...)); err != nil {
		c.name = "crm_master"
		return c.errorf(exitError, "%s\n\nUsage: crm_master COMMAND [OPTION...]; use crm_attribute --promotion instead", err)
	}
	switch {
	case a.common.version:
		return c.version()
	case a.common.help:
		c.help(own, nil)
		return exitOK
	}
	if resource == "" {
		resource = c.Getenv("OCF_RESOURCE_INSTANCE")
	}
	if resource == "" {
		return c.plainErrorf(exitError, "error: No resource specified\n\nUsage: crm_master COMMAND [OPTION...]; use crm_attribute --promotion instead")
	}
	a.name = promotionScoreOf(resource)
	a.lifetime = cmp.Or(a.lifetime, "forever")
	return a.run()
}

package compat

import (
	"bytes"
	"cmp"
	"fmt"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/status"
)

// resourceCall is what crm_resource was asked to do.
type resourceCall struct {
	*call
	common
	cmd, param, value, resource, node      string
	set, pair, lifetime, operation, every  string
	element, timeout                       string
	hasValue, meta, utilization, recursive bool
	promoted, expired, force, quiet        bool

	doc  *cib.CIB
	view *scheduler.View
}

func crmResource(c *call) int {
	r := &resourceCall{call: c, cmd: "list"}
	if _, code, done := c.parse(&r.common, r.ownOptions()); done {
		return code
	}
	return r.run()
}

// ownOptions are crm_resource's.
func (r *resourceCall) ownOptions() []option {
	list := []option{
		textTo('r', "resource", &r.resource), textTo('N', "node", &r.node), textTo('H', "host-uname", &r.node),
		flagTo('Q', "quiet", &r.quiet), flagTo('f', "force", &r.force), flagTo('m', "meta", &r.meta), flagTo('z', "utilization", &r.utilization),
		flagTo(0, "recursive", &r.recursive), flagTo(0, "promoted", &r.promoted), flagTo(0, "master", &r.promoted),
		flagTo('e', "expired", &r.expired), textTo('u', "lifetime", &r.lifetime), textTo('s', "set-name", &r.set),
		textTo('i', "nvpair", &r.pair), textTo('n', "operation", &r.operation), textTo('I', "interval", &r.every),
		textTo('t', "resource-type", &r.element), textTo('T', "timeout", &r.timeout),
		{'v', "parameter-value", required, func(v string, _ bool) { r.value, r.hasValue = v, true }},
		{'v', "property-value", required, func(v string, _ bool) { r.value, r.hasValue = v, true }},
	}
	for _, cmd := range []struct {
		short byte
		long  string
	}{{'L', "list"}, {'l', "list-raw"}, {'c', "list-cts"}, {'O', "list-operations"}, {'o', "list-all-operations"}, {'q', "query-xml"},
		{'w', "query-xml-raw"}, {'W', "locate"}, {'a', "constraints"}, {'A', "stack"}, {'Y', "why"}, {'C', "cleanup"}, {'R', "refresh"},
		{'P', "reprobe"}, {'M', "move"}, {'B', "ban"}, {'U', "clear"}, {'D', "delete"}, {'F', "fail"}, {0, "restart"}, {0, "wait"},
		{0, "list-standards"}, {0, "digests"}} {
		list = append(list, command(cmd.short, cmd.long, &r.cmd))
	}
	for _, cmd := range []struct {
		short byte
		long  string
	}{{'g', "get-parameter"}, {'G', "get-property"}, {'p', "set-parameter"}, {'S', "set-property"}, {'d', "delete-parameter"},
		{0, "list-agents"}, {0, "show-metadata"}} {
		list = append(list, commandWith(cmd.short, cmd.long, &r.cmd, &r.param))
	}
	for _, long := range []string{"list-ocf-providers", "list-ocf-alternatives"} {
		list = append(list, option{0, long, optional, func(v string, _ bool) { r.cmd, r.param = long, v }})
	}
	return list
}

// run does what was asked for.
func (r *resourceCall) run() int {
	switch r.cmd {
	case "list-standards", "list-agents", "list-ocf-providers", "list-ocf-alternatives", "show-metadata":
		return r.agents()
	case "wait":
		return r.wait()
	}
	if code := r.load(); code != exitOK {
		return code
	}
	switch r.cmd {
	case "list":
		return r.list()
	case "list-raw", "list-cts":
		return r.listRaw()
	case "list-operations", "list-all-operations":
		return r.operations()
	case "why":
		return r.why()
	case "cleanup":
		return r.cleanup(true)
	case "refresh", "reprobe":
		return r.cleanup(false)
	}
	if r.resource == "" {
		return r.usage("Must supply a resource id with -r")
	}
	if r.cmd == "delete" {
		return r.deleteResource()
	}
	if r.cmd == "fail" {
		return r.fail()
	}
	v := r.find(r.resource)
	if v == nil {
		return r.noSuch("Resource '" + r.resource + "' not found")
	}
	switch r.cmd {
	case "locate":
		return r.locate(v)
	case "query-xml", "query-xml-raw":
		return r.queryXML(v)
	case "constraints", "stack":
		return r.constraints(v)
	case "get-parameter", "get-property":
		return r.getParameter()
	case "set-parameter", "set-property":
		return r.setParameter()
	case "delete-parameter":
		return r.deleteParameter()
	case "restart":
		return r.restart(v)
	case "move":
		return r.move(v)
	case "ban":
		return r.ban(v)
	case "clear":
		return r.clear()
	}
	return r.usage(r.cmd + " is not done by Cerco")
}

func (r *resourceCall) usage(text string) int {
	if r.outputAs == "xml" {
		return r.result(exitUsage, r.call.name+": "+text)
	}
	return r.errorf(exitUsage, "%s", text)
}

// noSuch ends the call since something is not there.
func (r *resourceCall) noSuch(text string) int {
	if r.outputAs == "xml" {
		return r.result(exitNoSuch, r.call.name+": "+text+"\nError performing operation: "+exitWords(exitNoSuch))
	}
	r.errorf(0, "%s", text)
	return r.plainErrorf(exitNoSuch, "Error performing operation: %s", exitWords(exitNoSuch))
}

// load reads the CIB, and looks at the cluster as the scheduler sees it.
func (r *resourceCall) load() int {
	doc, err := r.open().document()
	if err != nil {
		return r.worldError(err)
	}
	r.doc = doc
	r.view = scheduler.Look(doc, scheduler.Options{Now: r.Now()})
	if r.node != "" && r.nodeView(r.node) == nil && r.cmd != "fail" {
		return r.noSuch("Node '" + r.node + "' not found")
	}
	return exitOK
}

func (r *resourceCall) worldError(err error) int {
	code, words := failureOf(err)
	if code == exitDisconnect {
		r.errorf(0, "Could not connect to the CIB: %s", words)
		return r.plainErrorf(code, "Error performing operation: %s", exitWords(code))
	}
	r.detail(err)
	return r.errorf(code, "Error performing operation: %s", cmp.Or(exitWords(code), words))
}

// done ends a change.
func (r *resourceCall) done(err error) int {
	if err != nil {
		return r.worldError(err)
	}
	if r.outputAs == "xml" {
		return r.result(exitOK, "")
	}
	return exitOK
}

func (r *resourceCall) nodeView(name string) *scheduler.NodeView {
	for _, n := range r.view.Nodes {
		if n.Name == name || n.ID == name {
			return n
		}
	}
	return nil
}

// find is the resource of that id or name, nil if there is none. The instance of an anonymous clone may be named with its number or
// without.
func (r *resourceCall) find(id string) *scheduler.ResourceView {
	var found *scheduler.ResourceView
	r.each(func(v *scheduler.ResourceView, _ []*scheduler.ResourceView) bool {
		if v.ID == id || v.Name == id {
			found = v
		}
		return found == nil
	})
	return found
}

// each calls f with every resource and what it is in, outermost first, until f says no.
func (r *resourceCall) each(f func(v *scheduler.ResourceView, in []*scheduler.ResourceView) bool) {
	walkViews(r.view.Resources, nil, f)
}

func walkViews(list, in []*scheduler.ResourceView, f func(v *scheduler.ResourceView, in []*scheduler.ResourceView) bool) bool {
	for _, v := range list {
		if v == nil {
			continue
		}
		if !f(v, in) {
			return false
		}
		children := v.Children
		for _, rep := range v.Replicas {
			children = append(children, rep.IP, rep.Child, rep.Container, rep.Remote)
		}
		if !walkViews(children, append(in[:len(in):len(in)], v), f) {
			return false
		}
	}
	return true
}

// list prints all resources.
func (r *resourceCall) list() int {
	if r.outputAs == "xml" {
		return r.result(exitOK, "", status.XML(r.view, false)[1])
	}
	if len(r.view.Resources) == 0 {
		r.printf("NO resources configured\n")
		return exitOK
	}
	if err := status.ResourceList(r.Stdout, r.view); err != nil {
		return exitError
	}
	return exitOK
}

// listRaw prints the ids of all instances.
func (r *resourceCall) listRaw() int {
	var items []*cib.Element
	r.each(func(v *scheduler.ResourceView, _ []*scheduler.ResourceView) bool {
		if v.Kind == "primitive" {
			if r.outputAs == "xml" {
				items = append(items, cib.NewElement("item", attrs("name", "resource"), cib.NewText(v.ID)))
			} else {
				r.printf("%s\n", v.ID)
			}
		}
		return true
	})
	switch {
	case r.outputAs == "xml":
		return r.result(exitOK, "", cib.NewElement("list", attrs("name", "resource names", "count", fmt.Sprint(len(items))), items...))
	case len(r.view.Resources) == 0:
		r.plainErrorf(0, "NO resources configured")
	}
	return exitOK
}

// place is where a resource runs, and in which role.
type place struct{ node, role string }

// places lists where a resource is: a clone, or the plain name of an instance, wherever its instances are.
func (r *resourceCall) places(v *scheduler.ResourceView) []place {
	of := []*scheduler.ResourceView{v}
	if v.Kind == "clone" {
		of = v.Children
	} else if v.ID != r.resource { // an instance was asked for by the name it shares with others
		of = nil
		r.each(func(o *scheduler.ResourceView, _ []*scheduler.ResourceView) bool {
			if o.Name == r.resource {
				of = append(of, o)
			}
			return true
		})
	}
	var list []place
	for _, o := range of {
		for _, n := range o.On {
			p := place{node: n.Name}
			if o.Role == "Promoted" {
				p.role = "Promoted"
			}
			list = append([]place{p}, list...)
		}
		if o.Kind == "bundle" {
			for _, rep := range o.Replicas {
				for _, n := range rep.Container.On {
					list = append([]place{{node: n.Name}}, list...)
				}
			}
		}
	}
	return list
}

func (r *resourceCall) locate(v *scheduler.ResourceView) int {
	list := r.places(v)
	var els []*cib.Element
	for _, p := range list {
		switch {
		case r.outputAs == "xml":
			els = append(els, cib.NewElement("node", attrs("state", map[bool]string{true: "promoted"}[p.role != ""]), cib.NewText(p.node)))
		case r.quiet:
			r.printf("%s\n", p.node)
		case p.role != "":
			r.printf("resource %s is running on: %s %s\n", r.resource, p.node, p.role)
		default:
			r.printf("resource %s is running on: %s\n", r.resource, p.node)
		}
	}
	switch {
	case r.outputAs == "xml":
		return r.result(exitOK, "", cib.NewElement("nodes", attrs("resource", r.resource), els...))
	case len(list) == 0:
		r.plainErrorf(0, "resource %s is NOT running", r.resource)
	}
	return exitOK
}

// queryXML prints a resource's state and its configuration, after or before its template is filled in.
func (r *resourceCall) queryXML(v *scheduler.ResourceView) int {
	conf := r.configured(v)
	if conf == nil {
		return r.noSuch("Resource '" + r.resource + "' not found")
	}
	el := conf.El
	if r.cmd == "query-xml" && conf.Template != "" {
		el = expanded(r.doc, conf)
	}
	if r.outputAs == "xml" {
		var b bytes.Buffer
		b.WriteString(el.String())
		return r.result(exitOK, "", cib.NewElement("resource_config", nil, status.ResourceXML(v), cib.NewElement("xml", nil, cib.NewText(b.String()))))
	}
	if err := status.Resource(r.Stdout, v); err != nil {
		return exitError
	}
	r.printf("Resource XML:\n%s", el)
	return exitOK
}

// expanded is a primitive's element with what its template says.
func expanded(doc *cib.CIB, conf *cib.Resource) *cib.Element {
	t := doc.Templates[conf.Template]
	if t == nil {
		return conf.El
	}
	el := cib.NewElement("primitive", conf.El.AttrList(), t.El.Children...).Without("template")
	for _, a := range t.El.AttrList() {
		if a.Name != "id" {
			el = el.With(a.Name, a.Value)
		}
	}
	for _, child := range conf.El.Children {
		if child.Name == "operations" && el.Child("operations") != nil {
			at := el.Index(el.Child("operations"))
			el = el.Replace(at, el.Children[at].WithChildren(append(el.Children[at].Children[:len(el.Children[at].Children):len(el.Children[at].Children)], child.Children...)))
			continue
		}
		el = el.WithChild(child)
	}
	return el
}

// configured is the configuration of a resource, nil for an orphan or a part of a bundle.
func (r *resourceCall) configured(v *scheduler.ResourceView) *cib.Resource {
	if conf := r.doc.Resource(v.ID); conf != nil {
		return conf
	}
	return r.doc.Resource(plainName(v.ID))
}

package pcs

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/configure"
	"github.com/cerco-ha/cerco/internal/scheduler"
)

// newerNouns are verbs that came with pcs 0.12.
func newerNouns() []*verb {
	describe := func(noun string) *verb {
		return &verb{name: noun, sub: []*verb{{name: "description", args: "ID [TEXT]", run: description,
			what: "Show the description of an element, or set it. An empty one removes it."}}}
	}
	element := describe("element")
	element.what = "Manage what is said of an element."
	return []*verb{
		{name: "cib", what: "Manage the CIB as such.", sub: []*verb{element}},
		describe("resource"), describe("stonith"),
		{name: "status", sub: []*verb{
			{name: "wait", args: "[TIME]", live: true, run: statusWait, what: "Wait until the cluster has come to rest."},
			{name: "query", what: "Ask whether something is so.", sub: []*verb{{name: "resource",
				args: "ID exists | is-stonith | is-type primitive|group|clone|bundle | get-type | is-state STATE [on-node NODE] | get-nodes | get-members | " +
					"is-in-group [GROUP] | is-in-clone [CLONE] | is-in-bundle [ID]",
				options: []string{"quiet"}, run: statusQuery, what: "Answer True or False, with the exit code 0 or 2, or list what is asked for. --quiet says it with the exit code alone."}}},
		}},
	}
}

func description(c *call) error {
	if err := c.want(1, 2); err != nil {
		return err
	}
	id := c.words[0]
	if len(c.words) == 2 {
		return c.change(func(d *configure.Draft) error { return configure.Describe(d, id, c.words[1]) })
	}
	_, doc, err := c.document()
	if err != nil {
		return err
	}
	p := configure.Of(doc).Find(id, configure.Describable()...)
	if p == nil {
		return fmt.Errorf("there is no element '%s' that can have a description", id)
	}
	if text := p.Last().Attr("description"); text != "" {
		fmt.Fprintln(c.Stdout, text)
	}
	return nil
}

func statusWait(c *call) error {
	if err := c.want(0, 1); err != nil {
		return err
	}
	c.options["wait"] = []string{strings.Join(c.words, "")}
	w, err := c.wait()
	if err != nil {
		return err
	}
	d, err := c.daemon()
	if err != nil {
		return err
	}
	rest, err := d.Rest(c.context(), w)
	if err != nil {
		return err
	}
	if rest.Settled {
		return nil
	}
	var waiting []string
	for _, x := range rest.Waiting {
		waiting = append(waiting, x.What)
	}
	return fmt.Errorf("the cluster has not come to rest: it waits for %s", strings.Join(waiting, ", "))
}

// exitFalse is the exit code of a question whose answer is no.
const exitFalse = 2

// statusQuery answers a question about a resource.
func statusQuery(c *call) error {
	if err := c.want(2, -1); err != nil {
		return err
	}
	doc, v, err := c.view()
	if err != nil {
		return err
	}
	id, question, rest := c.words[0], c.words[1], c.words[2:]
	r := doc.Resource(id)
	if question == "exists" {
		return c.truth(r != nil)
	}
	if r == nil {
		return fmt.Errorf("there is no resource '%s'", id)
	}
	shown := seen(v, id)
	switch question {
	case "is-stonith":
		return c.truth(r.Class == "stonith")
	case "is-type":
		if len(rest) == 0 {
			return c.misused("is-type needs a type: primitive, group, clone or bundle")
		}
		return c.truth(resourceKind(r) == rest[0])
	case "get-type":
		return c.each(resourceKind(r))
	case "get-members":
		var ids []string
		for _, m := range r.Children {
			ids = append(ids, m.ID)
		}
		return c.each(ids...)
	case "get-nodes":
		return c.each(nodesOf(shown)...)
	case "is-state":
		return c.queryState(shown, rest)
	case "is-in-group", "is-in-clone", "is-in-bundle":
		kind := strings.TrimPrefix(question, "is-in-")
		for p := r.Parent; p != nil; p = p.Parent {
			if resourceKind(p) == kind {
				return c.truth(len(rest) == 0 || rest[0] == p.ID)
			}
		}
		return c.truth(false)
	}
	return c.misused("'%s' is no question that can be asked of a resource%s", question,
		didYouMean(question, words("exists is-stonith is-type get-type get-members get-nodes is-state is-in-group is-in-clone is-in-bundle")))
}

// resourceKind is what pcs calls a kind of resource.
func resourceKind(r *cib.Resource) string {
	return [...]string{cib.Primitive: "primitive", cib.Group: "group", cib.Clone: "clone", cib.Bundle: "bundle"}[r.Kind]
}

// truth says yes or no.
func (c *call) truth(yes bool) error {
	if !c.has("quiet") {
		fmt.Fprintln(c.Stdout, map[bool]string{true: "True", false: "False"}[yes])
	}
	if !yes {
		return exit(exitFalse)
	}
	return nil
}

// each prints words, a line each.
func (c *call) each(list ...string) error {
	for _, x := range list {
		fmt.Fprintln(c.Stdout, x)
	}
	return nil
}

// seen are the views of all primitives and instances that have that id or are inside of what has it.
func seen(v *scheduler.View, id string) []*scheduler.ResourceView {
	var out []*scheduler.ResourceView
	each(v, id, func(r *scheduler.ResourceView) { out = append(out, r) })
	return out
}

// nodesOf are the nodes where any of them is active.
func nodesOf(rs []*scheduler.ResourceView) []string {
	var names []string
	for _, r := range rs {
		for _, n := range r.On {
			if !slices.Contains(names, n.Name) {
				names = append(names, n.Name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// queryState tells whether a resource is in a state, on a node if one is named.
func (c *call) queryState(rs []*scheduler.ResourceView, rest []string) error {
	if len(rest) != 1 && (len(rest) != 3 || rest[1] != "on-node") {
		return c.misused("is-state needs a state: is-state STATE [on-node NODE]")
	}
	state := map[string]func(r *scheduler.ResourceView) bool{
		"started": func(r *scheduler.ResourceView) bool {
			return r.Role == "Started" || r.Role == "Promoted" || r.Role == "Unpromoted"
		},
		"stopped":  func(r *scheduler.ResourceView) bool { return r.Role == "Stopped" },
		"promoted": func(r *scheduler.ResourceView) bool { return r.Role == "Promoted" }, "unpromoted": func(r *scheduler.ResourceView) bool { return r.Role == "Unpromoted" },
		"failed": func(r *scheduler.ResourceView) bool { return r.Failed }, "blocked": func(r *scheduler.ResourceView) bool { return r.Blocked },
		"managed": func(r *scheduler.ResourceView) bool { return r.Managed }, "unmanaged": func(r *scheduler.ResourceView) bool { return !r.Managed },
		"disabled": func(r *scheduler.ResourceView) bool { return r.Disabled }, "enabled": func(r *scheduler.ResourceView) bool { return !r.Disabled },
		"active":      func(r *scheduler.ResourceView) bool { return len(r.On) > 0 },
		"orphaned":    func(r *scheduler.ResourceView) bool { return r.Orphaned },
		"maintenance": func(r *scheduler.ResourceView) bool { return r.Maintenance },
	}
	is, known := state[rest[0]]
	if !known {
		return c.misused("'%s' is no state; those that there are: %s", rest[0], strings.Join(sortedKeys(state), ", "))
	}
	return c.truth(slices.ContainsFunc(rs, func(r *scheduler.ResourceView) bool {
		return is(r) && (len(rest) == 1 || slices.ContainsFunc(r.On, func(n *scheduler.NodeView) bool { return n.Name == rest[2] }))
	}))
}

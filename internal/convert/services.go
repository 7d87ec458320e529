package convert

import (
	"slices"
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// domain is a failover domain of rgmanager.
type domain struct {
	nodes                           []domainNode
	ordered, restricted, noFailback bool
}

type domainNode struct {
	name     string
	priority int
}

// services converts rgmanager's part: domains, resources, services and virtual machines.
func (r *Result) services(rm *cib.Element) {
	domains := map[string]*domain{}
	for d := range rm.Child("failoverdomains").Elements() {
		domains[d.Attr("name")] = r.domain(d)
	}
	pool := map[string]*cib.Element{} // shared resources, by kind and name
	for e := range rm.Child("resources").Elements() {
		pool[e.Name+"\x00"+identity(e)] = e
	}
	s := &servicing{Result: r, pool: pool, domains: domains, taken: map[string]bool{}, referred: map[string]bool{}}
	for e := range rm.Elements() {
		switch e.Name {
		case "failoverdomains", "resources":
		case "service", "vm":
			s.service(e)
		default:
			r.note(Dropped, int(e.Line), "<%s> in <rm> is not known", e.Name)
		}
	}
	for _, key := range slices.Sorted(keys(pool)) {
		if !s.referred[key] {
			e := pool[key]
			r.note(Dropped, int(e.Line), "the resource %s %s is used by no service", e.Name, identity(e))
		}
	}
}

func keys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m { //house:unordered sorted by the caller
			if !yield(k) {
				return
			}
		}
	}
}

func (r *Result) domain(e *cib.Element) *domain {
	truth := func(name string) bool { v, _ := cib.ParseBool(e.Attr(name)); return v }
	d := &domain{ordered: truth("ordered"), restricted: truth("restricted"), noFailback: truth("nofailback")}
	for n := range e.Elements() {
		p := 1
		if v := n.Attr("priority"); v != "" {
			var err error
			if p, err = strconv.Atoi(v); err != nil {
				r.note(Wrong, int(n.Line), "priority=%q is no number: 1 is used", v)
				p = 1
			}
		}
		d.nodes = append(d.nodes, domainNode{n.Attr("name"), p})
	}
	return d
}

// servicing is the conversion of services.
type servicing struct {
	*Result
	pool     map[string]*cib.Element
	domains  map[string]*domain
	taken    map[string]bool // ids
	referred map[string]bool // resources of the pool that are used
}

// free is an id that is not taken yet.
func (s *servicing) free(text string) string {
	id := name(text)
	for i := 1; s.taken[id]; i++ {
		id = name(text) + "-" + strconv.Itoa(i)
	}
	s.taken[id] = true
	return id
}

// service makes a group of a service, or a resource of one that has only one, and says where it may run.
func (s *servicing) service(e *cib.Element) {
	var list []resource
	if e.Name == "vm" {
		list = []resource{{e, counterparts()["vm"], s.free(e.Attr("name"))}}
	} else {
		list = s.tree(e, e.Attr("name"), nil)
	}
	if len(list) == 0 {
		s.note(Dropped, int(e.Line), "the service %s has no resource that can be carried over", e.Attr("name"))
		return
	}
	id := list[0].id
	if len(list) > 1 {
		id = s.free(e.Attr("name"))
		words := []string{"resource", "group", "add", id}
		for _, r := range list {
			words = append(words, r.id)
		}
		s.command(words...)
	}
	s.meta(e, id)
	if name := e.Attr("domain"); name != "" {
		if d := s.domains[name]; d != nil {
			s.place(id, d, e)
		} else {
			s.note(Wrong, int(e.Line), "%s: there is no failover domain %q", id, name)
		}
	}
	if v, _ := cib.ParseBool(e.Attr("exclusive")); v {
		s.note(Changed, int(e.Line), "%s: exclusive: keep others off its node with 'pcs constraint colocation add OTHER with %s -INFINITY'", id, id)
	}
	if v := e.Attr("depend"); v != "" {
		other := strings.TrimPrefix(strings.TrimPrefix(v, "service:"), "vm:")
		s.command("constraint", "order", "start", name(other), "then", "start", id)
		s.note(Changed, int(e.Line), "%s: depend=%s: it starts after that, and stops before", id, v)
	}
}

// tree makes the resources below an element: those side by side in the order of rgmanager, what is inside of a
// resource after it.
func (s *servicing) tree(e *cib.Element, service string, parents []resource) []resource {
	var here []resource
	for c := range e.Elements() {
		full := c
		if ref := c.Attr("ref"); ref != "" {
			key := c.Name + "\x00" + ref
			shared := s.pool[key]
			if shared == nil {
				s.note(Wrong, int(c.Line), "%s: ref=%q: there is no such %s among the resources", service, ref, c.Name)
				continue
			}
			s.referred[key] = true
			full = shared.WithChildren(append(slices.Clone(shared.Children), c.Children...))
		}
		kind, known := counterparts()[c.Name]
		if !known {
			s.note(Dropped, int(c.Line), "%s: <%s %s> has no counterpart: find an agent for it with 'pcs resource list'", service, c.Name, identity(full))
			here = append(here, resource{el: full})
			continue
		}
		here = append(here, resource{full, kind, s.free(service + "_" + c.Name + "_" + identity(full))})
	}
	slices.SortStableFunc(here, func(a, b resource) int { return a.kind.rank - b.kind.rank })
	var out []resource
	for _, res := range here {
		if res.id != "" {
			s.create(res, parents)
			out = append(out, res)
		}
		out = append(out, s.tree(res.el, service, append(slices.Clone(parents), res))...)
	}
	return out
}

func (s *servicing) create(res resource, parents []resource) {
	words := append([]string{"resource", "create", res.id, s.agentOf(res)}, s.params(res, parents)...)
	s.command(append(words, "--force")...)
}

// meta says how failures of a service are met, and whether it starts by itself.
func (s *servicing) meta(e *cib.Element, id string) {
	if e.Name == "vm" {
		res := resource{e, counterparts()["vm"], id}
		meta := []string{}
		if e.Attr("migrate") != "pause" {
			meta = []string{"meta", "allow-migrate=true"}
		}
		s.command(append(append([]string{"resource", "create", id, res.kind.agent}, s.params(res, nil)...), append(meta, "--force")...)...)
	}
	var meta []string
	if v, ok := cib.ParseBool(e.Attr("autostart")); ok && !v {
		meta = append(meta, "target-role=Stopped")
	}
	switch e.Attr("recovery") {
	case "relocate":
		meta = append(meta, "migration-threshold=1")
	case "disable":
		s.note(Changed, int(e.Line), "%s: recovery=disable: it is moved once, and stops when it fails there too: 'pcs resource update' with "+
			"'op monitor on-fail=stop' keeps it stopped at once", id)
		meta = append(meta, "migration-threshold=1")
	default:
		if v := e.Attr("max_restarts"); v != "" && v != "0" {
			meta = append(meta, "migration-threshold="+v)
		}
	}
	if v := e.Attr("restart_expire_time"); v != "" && v != "0" {
		meta = append(meta, "failure-timeout="+v)
	}
	if v := e.Attr("priority"); v != "" {
		meta = append(meta, "priority="+v)
	}
	stickiness := "INFINITY" // it stays where it is, unless a domain says who is preferred
	if d := s.domains[e.Attr("domain")]; d != nil && d.ordered && !d.noFailback {
		stickiness = "0"
	}
	meta = append(meta, "resource-stickiness="+stickiness)
	s.command(append([]string{"resource", "meta", id}, meta...)...)
}

// place says on which nodes of a domain a service prefers to run.
func (s *servicing) place(id string, d *domain, e *cib.Element) {
	in := map[string]bool{}
	for _, n := range d.nodes {
		in[n.name] = true
		score := 1000
		if d.ordered {
			score = 1000 - 10*(n.priority-1)
		}
		s.command("constraint", "location", id, "prefers", n.name+"="+strconv.Itoa(max(score, 1)))
	}
	if d.restricted {
		for _, n := range s.Nodes {
			if !in[n.Name] {
				s.command("constraint", "location", id, "avoids", n.Name)
			}
		}
	}
	if len(d.nodes) == 0 {
		s.note(Wrong, int(e.Line), "the failover domain of %s has no nodes", id)
	}
}

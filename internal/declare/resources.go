package declare

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/configure"
)

// resourceTags are the elements that define resources.
func resourceTags() []string {
	return []string{"primitive", "template", "group", "clone", "master", "bundle"}
}

// resource reads what stands under the id of a resource. Which key it has tells what it is: an agent, template, like, group,
// clone, master or bundle.
func (r *reader) resource(e entry) (*cib.Element, error) {
	what := "resource " + e.key
	if isXML(e.value) {
		return r.xml(e.value, what, e.key, resourceTags()...)
	}
	list, err := r.entries(e.value, what)
	if err != nil {
		return nil, err
	}
	b := newBody(e.key)
	tag, engine := "", ""
	kind := func(k entry, t string) error {
		if tag != "" {
			return r.at(k.at, "%s: it is a %s already; '%s' makes it a %s", what, tag, k.key, t)
		}
		tag = t
		return nil
	}
	for _, k := range list {
		switch k.key {
		case "agent":
			if err = kind(k, "primitive"); err == nil {
				err = r.agent(b, k.value, what)
			}
		case "template":
			if err = kind(k, "template"); err == nil {
				err = r.agent(b, k.value, what)
			}
		case "like":
			if err = kind(k, "primitive"); err == nil {
				err = r.attr(b, "template", k.value, what)
			}
		case "group", "clone", "master":
			if err = kind(k, k.key); err == nil {
				err = r.members(b, k, what)
			}
		case "bundle":
			if err = kind(k, "bundle"); err == nil && !contains([]string{"docker", "podman", "rkt"}, k.value.Value) {
				err = r.at(k.value, "%s: a bundle is of docker, podman or rkt, not '%s'", what, k.value.Value)
			}
			engine = k.value.Value
		case "container", "network", "storage", "resource":
			if tag != "bundle" {
				err = r.at(k.at, "%s: '%s' belongs to a bundle, and the key bundle comes first", what, k.key)
			} else {
				err = r.bundlePart(b, k, engine, what)
			}
		case "description":
			err = r.attr(b, "description", k.value, what)
		case "options", "meta", "utilization":
			err = r.blocks(b, k, e.key, what)
		case "ops":
			err = r.operations(b, k.value, e.key, what)
		default:
			err = r.unknown(k, what, append([]string{"agent", "template", "like", "group", "clone", "master", "bundle", "description", "options", "meta",
				"utilization", "ops"}, bundleKeys()...))
		}
		if err != nil {
			return nil, err
		}
	}
	if tag == "" {
		return nil, r.at(e.at, "%s: what is it? Give it an agent (agent: ocf:heartbeat:IPaddr2), like, template, group, clone, master or bundle", what)
	}
	return b.element(tag), nil
}

// agent reads CLASS:[PROVIDER:]TYPE.
func (r *reader) agent(b *body, n *yaml.Node, what string) error {
	text, err := r.text(n, what)
	if err != nil {
		return err
	}
	class, rest, ok := strings.Cut(text, ":")
	if !ok || class == "" || rest == "" {
		return r.at(n, "%s: '%s' is no agent: write its class and type, such as ocf:heartbeat:IPaddr2, systemd:httpd or stonith:fence_ipmilan", what, text)
	}
	b.set("class", class)
	if provider, typ, ok := strings.Cut(rest, ":"); ok && class == "ocf" {
		b.set("provider", provider)
		rest = typ
	}
	b.set("type", rest)
	return nil
}

// members reads the resources in a group or clone.
func (r *reader) members(b *body, k entry, what string) error {
	list, err := r.entries(k.value, what)
	if err != nil {
		return err
	}
	for _, m := range list {
		e, err := r.resource(m)
		if err != nil {
			return err
		}
		b.add(e)
	}
	return nil
}

// blocks reads options, meta or utilization of what has that id.
func (r *reader) blocks(b *body, k entry, id, what string) error {
	for _, kind := range setKinds() {
		if kind[1] != k.key {
			continue
		}
		sets, err := r.sets(k.value, kind[0], id+"-"+kind[0], what+": "+k.key)
		if err != nil {
			return err
		}
		b.add(sets...)
	}
	return nil
}

// writeBlocks writes the blocks of an element, where it has some.
func writeBlocks(m *yaml.Node, e *cib.Element, id string) {
	for _, kind := range setKinds() {
		var list []*cib.Element
		for c := range e.Elements() {
			if c.Name == kind[0] {
				list = append(list, c)
			}
		}
		if len(list) > 0 {
			putNode(m, kind[1], writeSets(list, kind[0], id+"-"+kind[0]))
		}
	}
}

// opAttrs are what can be said of an operation.
func opAttrs() []string {
	return []string{"id", "name", "interval", "timeout", "role", "on-fail", "start-delay", "interval-origin", "enabled", "record-pending", "requires", "description"}
}

func (r *reader) operations(b *body, n *yaml.Node, rsc, what string) error {
	ops := &body{}
	if n.Kind == yaml.MappingNode { // operations that have an id, or are those of another resource
		list, err := r.entries(n, what+": ops")
		if err != nil {
			return err
		}
		n = &yaml.Node{Kind: yaml.SequenceNode}
		for _, k := range list {
			switch k.key {
			case "id":
				err = r.attr(ops, "id", k.value, what)
			case "ref":
				err = r.attr(ops, "id-ref", k.value, what)
			case "list":
				n = k.value
			default:
				err = r.unknown(k, what+": ops", []string{"id", "ref", "list"})
			}
			if err != nil {
				return err
			}
		}
	}
	items, err := r.list(n, what+": ops")
	if err != nil {
		return err
	}
	taken := map[string]bool{}
	for _, item := range items {
		op, err := r.operation(item, rsc, what, taken)
		if err != nil {
			return err
		}
		taken[op.ID()] = true
		ops.add(op)
	}
	b.add(ops.element("operations"))
	return nil
}

func (r *reader) operation(n *yaml.Node, rsc, what string, taken map[string]bool) (*cib.Element, error) {
	what += ": ops"
	if isXML(n) {
		return r.xml(n, what, "", "op")
	}
	list, err := r.entries(n, what)
	if err != nil {
		return nil, err
	}
	said := map[string]string{"interval": "0s"}
	for _, k := range list {
		said[k.key] = k.value.Value
	}
	if said["name"] == "" {
		return nil, r.at(n, "%s: an operation needs a name, such as {name: monitor, interval: 10s}", what)
	}
	id := said["id"]
	if id == "" {
		id = opID(rsc, said["name"], said["interval"], taken)
	}
	b := newBody(id)
	for _, k := range list {
		switch k.key {
		case "id":
		case "options", "meta":
			err = r.blocks(b, k, id, what)
		default:
			if !contains(opAttrs(), k.key) {
				return nil, r.unknown(k, what, append(opAttrs(), "options", "meta"))
			}
			err = r.attr(b, k.key, k.value, what)
		}
		if err != nil {
			return nil, err
		}
	}
	if _, given := b.element("op").Lookup("interval"); !given {
		b.set("interval", said["interval"])
	}
	return b.element("op"), nil
}

// opID is the id of an operation that has none of its own.
func opID(rsc, name, interval string, taken map[string]bool) string {
	id := configure.SanitizeID(rsc + "-" + name + "-interval-" + interval)
	free := id
	for i := 1; taken[free]; i++ {
		free = fmt.Sprintf("%s-%d", id, i)
	}
	return free
}

// writeResource is how a resource is written: in words if they say it all, else as XML.
func writeResource(e *cib.Element) *yaml.Node {
	m := mapping()
	switch e.Name {
	case "primitive", "template":
		key := map[string]string{"primitive": "agent", "template": "template"}[e.Name]
		if like, ok := e.Lookup("template"); ok {
			put(m, "like", like)
		} else {
			put(m, key, strings.Join(compact(e.Attr("class"), e.Attr("provider"), e.Attr("type")), ":"))
		}
	case "group", "clone", "master":
		putNode(m, e.Name, writeResources(e))
	case "bundle":
		writeBundle(m, e)
	}
	if text, ok := e.Lookup("description"); ok {
		put(m, "description", text)
	}
	writeBlocks(m, e, e.ID())
	if ops := e.Child("operations"); ops != nil {
		putNode(m, "ops", writeOps(ops, e.ID()))
	}
	if got, err := (&reader{}).resource(entry{e.ID(), scalar(e.ID()), m}); err != nil || !same(got, e) {
		return xmlNode(e)
	}
	return m
}

// writeResources are the resources in an element.
func writeResources(in *cib.Element) *yaml.Node {
	m := mapping()
	for e := range in.Elements() {
		if contains(resourceTags(), e.Name) {
			putNode(m, e.ID(), writeResource(e))
		}
	}
	return m
}

func writeOps(ops *cib.Element, rsc string) *yaml.Node {
	seq := &yaml.Node{Kind: yaml.SequenceNode}
	if len(ops.Children) == 0 && len(ops.AttrList()) == 0 {
		return flow(seq)
	}
	taken := map[string]bool{}
	for op := range ops.Elements() {
		n := writeOp(op, rsc, taken)
		if got, err := (&reader{}).operation(n, rsc, "", taken); err != nil || !same(got, op) {
			n = xmlNode(op)
		}
		taken[op.ID()] = true
		seq.Content = append(seq.Content, n)
	}
	if len(ops.AttrList()) == 0 {
		return seq
	}
	m := mapping()
	if id, ok := ops.Lookup("id"); ok {
		put(m, "id", id)
	}
	if ref, ok := ops.Lookup("id-ref"); ok {
		put(m, "ref", ref)
	}
	if len(seq.Content) > 0 {
		putNode(m, "list", seq)
	}
	return m
}

func writeOp(op *cib.Element, rsc string, taken map[string]bool) *yaml.Node {
	m := mapping()
	put(m, "name", op.Attr("name"))
	if op.Attr("interval") != "0s" {
		put(m, "interval", op.Attr("interval"))
	}
	if op.ID() != opID(rsc, op.Attr("name"), op.Attr("interval"), taken) {
		put(m, "id", op.ID())
	}
	putAttrs(m, op, "id", "name", "interval")
	if len(op.Children) == 0 {
		m.Style = yaml.FlowStyle
	}
	writeBlocks(m, op, op.ID())
	return m
}

// compact are the words that are not empty.
func compact(list ...string) []string {
	var out []string
	for _, w := range list {
		if w != "" {
			out = append(out, w)
		}
	}
	return out
}

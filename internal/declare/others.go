package declare

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/cerco-ha/cerco/internal/cib"
)

// node reads what stands under the name of a node.
func (r *reader) node(e entry) (*cib.Element, error) {
	what := "node " + e.key
	if isXML(e.value) {
		return r.xml(e.value, what, "", "node")
	}
	list, err := r.entries(e.value, what)
	if err != nil {
		return nil, err
	}
	id := e.key
	for _, k := range list {
		if k.key == "id" {
			if id, err = r.text(k.value, what); err != nil {
				return nil, err
			}
		}
	}
	b := newBody(id)
	b.set("uname", e.key)
	for _, k := range list {
		var sets []*cib.Element
		switch k.key {
		case "id":
		case "type", "description", "score":
			err = r.attr(b, k.key, k.value, what)
		case "attributes":
			sets, err = r.sets(k.value, "instance_attributes", "nodes-"+id, what+": attributes")
		case "utilization":
			sets, err = r.sets(k.value, "utilization", "nodes-"+id+"-utilization", what+": utilization")
		default:
			err = r.unknown(k, what, []string{"id", "type", "description", "score", "attributes", "utilization"})
		}
		if err != nil {
			return nil, err
		}
		b.add(sets...)
	}
	return b.element("node"), nil
}

func writeNode(e *cib.Element) *yaml.Node {
	m := mapping()
	name := e.Attr("uname")
	if e.ID() != name {
		put(m, "id", e.ID())
	}
	putAttrs(m, e, "id", "uname")
	for _, kind := range [][3]string{{"instance_attributes", "attributes", "nodes-" + e.ID()}, {"utilization", "utilization", "nodes-" + e.ID() + "-utilization"}} {
		var list []*cib.Element
		for c := range e.Elements() {
			if c.Name == kind[0] {
				list = append(list, c)
			}
		}
		if len(list) > 0 {
			putNode(m, kind[1], writeSets(list, kind[0], kind[2]))
		}
	}
	if len(m.Content) == 0 || len(e.Children) == 0 {
		flow(m)
	}
	return checked(e, name, m, (*reader).node)
}

// checked is how an element is written if it is read back as what it is, else its XML.
func checked(e *cib.Element, key string, n *yaml.Node, read func(*reader, entry) (*cib.Element, error)) *yaml.Node {
	if got, err := read(&reader{}, entry{key, scalar(key), n}); err != nil || !same(got, e) {
		return xmlNode(e)
	}
	return n
}

// level reads a fencing level.
func (r *reader) level(e entry) (*cib.Element, error) {
	what := "fencing level " + e.key
	if isXML(e.value) {
		return r.xml(e.value, what, e.key, "fencing-level")
	}
	list, err := r.entries(e.value, what)
	if err != nil {
		return nil, err
	}
	b := newBody(e.key)
	for _, k := range list {
		switch k.key {
		case "level":
			err = r.attr(b, "index", k.value, what)
		case "target", "target-pattern", "target-attribute", "target-value":
			err = r.attr(b, k.key, k.value, what)
		case "devices":
			var devices []string
			if devices, err = r.words(k.value, what); err == nil {
				b.set("devices", strings.Join(devices, ","))
			}
		default:
			err = r.unknown(k, what, []string{"target", "target-pattern", "target-attribute", "target-value", "level", "devices"})
		}
		if err != nil {
			return nil, err
		}
	}
	return b.element("fencing-level"), nil
}

func writeLevel(e *cib.Element) *yaml.Node {
	m := flow(mapping())
	putAttrs(m, e, "id", "index", "devices")
	put(m, "level", e.Attr("index"))
	putNode(m, "devices", words(strings.Split(e.Attr("devices"), ",")))
	return checked(e, e.ID(), m, (*reader).level)
}

// tag reads a tag: the list of what it stands for.
func (r *reader) tag(e entry) (*cib.Element, error) {
	if isXML(e.value) {
		return r.xml(e.value, "tag "+e.key, e.key, "tag")
	}
	return r.refs(newBody(e.key), e, "tag", "obj_ref")
}

// refs reads a list of ids into an element.
func (r *reader) refs(b *body, e entry, tag, child string) (*cib.Element, error) {
	ids, err := r.words(e.value, tag+" "+e.key)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		b.add(newBody(id).element(child))
	}
	return b.element(tag), nil
}

func writeRefs(e *cib.Element) *yaml.Node {
	var ids []string
	for c := range e.Elements() {
		ids = append(ids, c.ID())
	}
	return words(ids)
}

func writeTag(e *cib.Element) *yaml.Node { return checked(e, e.ID(), writeRefs(e), (*reader).tag) }

// alert reads an alert.
func (r *reader) alert(e entry) (*cib.Element, error) {
	what := "alert " + e.key
	if isXML(e.value) {
		return r.xml(e.value, what, e.key, "alert")
	}
	list, err := r.entries(e.value, what)
	if err != nil {
		return nil, err
	}
	b := newBody(e.key)
	for _, k := range list {
		switch k.key {
		case "path", "description":
			err = r.attr(b, k.key, k.value, what)
		case "options", "meta":
			err = r.blocks(b, k, e.key, what)
		case "recipients":
			var all []entry
			all, err = r.entries(k.value, what)
			for _, one := range all {
				var to *cib.Element
				if to, err = r.recipient(one, what); err != nil {
					break
				}
				b.add(to)
			}
		default:
			err = r.unknown(k, what, []string{"path", "description", "options", "meta", "recipients"})
		}
		if err != nil {
			return nil, err
		}
	}
	return b.element("alert"), nil
}

func (r *reader) recipient(e entry, what string) (*cib.Element, error) {
	what += ": recipient " + e.key
	b := newBody(e.key)
	if isXML(e.value) {
		return r.xml(e.value, what, e.key, "recipient")
	}
	if e.value.Kind == yaml.ScalarNode {
		err := r.attr(b, "value", e.value, what)
		return b.element("recipient"), err
	}
	list, err := r.entries(e.value, what)
	if err != nil {
		return nil, err
	}
	for _, k := range list {
		switch k.key {
		case "value", "description":
			err = r.attr(b, k.key, k.value, what)
		case "options", "meta":
			err = r.blocks(b, k, e.key, what)
		default:
			err = r.unknown(k, what, []string{"value", "description", "options", "meta"})
		}
		if err != nil {
			return nil, err
		}
	}
	return b.element("recipient"), nil
}

func writeAlert(e *cib.Element) *yaml.Node {
	m, to := mapping(), mapping()
	putAttrs(m, e, "id")
	writeBlocks(m, e, e.ID())
	for c := range e.Elements() {
		if c.Name != "recipient" {
			continue
		}
		n := scalar(c.Attr("value"))
		if len(c.AttrList()) > 2 || len(c.Children) > 0 {
			n = mapping()
			putAttrs(n, c, "id")
			writeBlocks(n, c, c.ID())
		}
		putNode(to, c.ID(), n)
	}
	if len(to.Content) > 0 {
		putNode(m, "recipients", to)
	}
	return checked(e, e.ID(), m, (*reader).alert)
}

// aclKinds are the parts of the access rules: the key, the element, and the child of those that have roles.
func aclKinds() [][2]string {
	return [][2]string{{"roles", "acl_role"}, {"users", "acl_target"}, {"groups", "acl_group"}}
}

// acls reads the access rules: roles, and who has them.
func (r *reader) acls(n *yaml.Node) ([]*cib.Element, error) {
	parts, err := r.entries(n, "acls")
	if err != nil {
		return nil, err
	}
	var out []*cib.Element
	for _, part := range parts {
		tag := ""
		for _, k := range aclKinds() {
			if k[0] == part.key {
				tag = k[1]
			}
		}
		if tag == "" {
			return nil, r.unknown(part, "acls", []string{"roles", "users", "groups"})
		}
		list, err := r.entries(part.value, "acls: "+part.key)
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			one, err := r.acl(e, tag)
			if err != nil {
				return nil, err
			}
			out = append(out, one)
		}
	}
	return out, nil
}

func (r *reader) acl(e entry, tag string) (*cib.Element, error) {
	if isXML(e.value) {
		return r.xml(e.value, "acls: "+e.key, e.key, tag)
	}
	if tag == "acl_role" {
		return r.role(e)
	}
	return r.refs(newBody(e.key), e, tag, "role")
}

func (r *reader) role(e entry) (*cib.Element, error) {
	what := "role " + e.key
	list, err := r.entries(e.value, what)
	if err != nil {
		return nil, err
	}
	b := newBody(e.key)
	for _, k := range list {
		switch k.key {
		case "description":
			err = r.attr(b, k.key, k.value, what)
		case "permissions":
			var items []*yaml.Node
			items, err = r.list(k.value, what)
			taken := map[string]bool{}
			for _, item := range items {
				var p *cib.Element
				if p, err = r.permission(item, e.key, what, taken); err != nil {
					return nil, err
				}
				taken[p.ID()] = true
				b.add(p)
			}
		default:
			err = r.unknown(k, what, []string{"description", "permissions"})
		}
		if err != nil {
			return nil, err
		}
	}
	return b.element("acl_role"), nil
}

// permission reads {read: {xpath: X}} and the like.
func (r *reader) permission(n *yaml.Node, role, what string, taken map[string]bool) (*cib.Element, error) {
	if isXML(n) {
		return r.xml(n, what, "", "acl_permission")
	}
	list, err := r.entries(n, what)
	if err != nil {
		return nil, err
	}
	known := []string{"id", "kind", "xpath", "reference", "object-type", "attribute", "description"}
	b := &body{}
	for _, k := range list {
		if !contains(known, k.key) {
			return nil, r.unknown(k, what, known)
		}
		if err := r.attr(b, k.key, k.value, what); err != nil {
			return nil, err
		}
	}
	e := b.element("acl_permission")
	if e.ID() == "" {
		e = e.With("id", permissionID(role, e.Attr("kind"), taken))
	}
	return e, nil
}

func permissionID(role, kind string, taken map[string]bool) string {
	id := role + "-" + kind
	for i := 1; taken[id]; i++ {
		id = fmt.Sprintf("%s-%s-%d", role, kind, i)
	}
	return id
}

func writeACLs(section *cib.Element) *yaml.Node {
	m := mapping()
	for _, kind := range aclKinds() {
		part := mapping()
		for e := range section.Elements() {
			if e.Name != kind[1] {
				continue
			}
			n := writeRefs(e)
			if e.Name == "acl_role" {
				n = writeRole(e)
			}
			putNode(part, e.ID(), checked(e, e.ID(), n, func(r *reader, x entry) (*cib.Element, error) { return r.acl(x, e.Name) }))
		}
		if len(part.Content) > 0 {
			putNode(m, kind[0], part)
		}
	}
	return m
}

func writeRole(e *cib.Element) *yaml.Node {
	m, list := mapping(), &yaml.Node{Kind: yaml.SequenceNode}
	putAttrs(m, e, "id")
	taken := map[string]bool{}
	for p := range e.Elements() {
		n := flow(mapping())
		if p.ID() != permissionID(e.ID(), p.Attr("kind"), taken) {
			put(n, "id", p.ID())
		}
		taken[p.ID()] = true
		putAttrs(n, p, "id")
		list.Content = append(list.Content, n)
	}
	if len(list.Content) > 0 {
		putNode(m, "permissions", list)
	}
	return m
}

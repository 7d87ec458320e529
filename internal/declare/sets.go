package declare

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/configure"
)

// setKinds are the blocks of name/value pairs, and what they are called.
func setKinds() [][2]string {
	return [][2]string{{"instance_attributes", "options"}, {"meta_attributes", "meta"}, {"utilization", "utilization"}}
}

// pairID is the id that a pair has unless the file gives it another.
func pairID(set, name string) string { return configure.SanitizeID(set + "-" + name) }

// sets reads blocks of name/value pairs: a mapping for one block with the id that it has by default, or a list of blocks.
func (r *reader) sets(n *yaml.Node, tag, id, what string) ([]*cib.Element, error) {
	if n.Kind != yaml.SequenceNode {
		set, err := r.pairs(newBody(id), n, what)
		if err != nil {
			return nil, err
		}
		return []*cib.Element{set.element(tag)}, nil
	}
	items, err := r.list(n, what)
	if err != nil {
		return nil, err
	}
	var list []*cib.Element
	for _, item := range items {
		set, err := r.set(item, tag, id, what)
		if err != nil {
			return nil, err
		}
		list = append(list, set)
	}
	return list, nil
}

// set reads one block of a list.
func (r *reader) set(n *yaml.Node, tag, id, what string) (*cib.Element, error) {
	if isXML(n) {
		return r.xml(n, what, "", tag)
	}
	list, err := r.entries(n, what)
	if err != nil {
		return nil, err
	}
	b := &body{}
	if !slices.ContainsFunc(list, func(e entry) bool { return e.key == "id" || e.key == "ref" }) {
		b.set("id", id)
	}
	for _, e := range list {
		switch e.key {
		case "id":
			err = r.attr(b, "id", e.value, what)
			id = e.value.Value
		case "ref":
			err = r.attr(b, "id-ref", e.value, what)
		case "score":
			err = r.attr(b, "score", e.value, what)
		case "rule", "values":
		default:
			err = r.unknown(e, what, []string{"id", "ref", "score", "rule", "values"})
		}
		if err != nil {
			return nil, err
		}
	}
	for _, e := range list { // now that the id is known
		switch e.key {
		case "rule":
			rule, err := r.rule(e.value, id+"-rule", ofSets(), what)
			if err != nil {
				return nil, err
			}
			b.add(rule)
		case "values":
			values, err := r.pairs(newBody(id), e.value, what)
			if err != nil {
				return nil, err
			}
			b.add(values.children...)
		}
	}
	return b.element(tag), nil
}

// pairs reads NAME: VALUE, or NAME: {id: ID, value: VALUE}, into a block.
func (r *reader) pairs(b *body, n *yaml.Node, what string) (*body, error) {
	list, err := r.entries(n, what)
	if err != nil {
		return nil, err
	}
	set := b.attrs[0].Value
	for _, e := range list {
		p := &body{}
		name, value, id := e.key, e.value, pairID(set, e.key)
		if value.Kind == yaml.MappingNode {
			parts, err := r.entries(value, what+": "+name)
			if err != nil {
				return nil, err
			}
			for _, part := range parts {
				switch part.key {
				case "id":
					if id, err = r.text(part.value, what+": "+name); err != nil {
						return nil, err
					}
				case "value":
					value = part.value
				default:
					return nil, r.unknown(part, what+": "+name, []string{"id", "value"})
				}
			}
		}
		p.set("id", id)
		p.set("name", name)
		if err := r.attr(p, "value", value, what+": "+name); err != nil {
			return nil, err
		}
		b.add(p.element("nvpair"))
	}
	return b, nil
}

// writeSets is how blocks of one kind are written: as a mapping if that says it all, else as a list.
func writeSets(list []*cib.Element, tag, id string) *yaml.Node {
	r := &reader{}
	if len(list) == 1 {
		short := writePairs(list[0])
		if got, err := r.sets(short, tag, id, ""); err == nil && same(got[0], list[0]) {
			return short
		}
	}
	seq := &yaml.Node{Kind: yaml.SequenceNode}
	for _, e := range list {
		n := writeSet(e, id)
		if got, err := r.set(n, tag, id, ""); err != nil || !same(got, e) {
			n = xmlNode(e)
		}
		seq.Content = append(seq.Content, n)
	}
	return seq
}

func writeSet(e *cib.Element, id string) *yaml.Node {
	m := mapping()
	if v, ok := e.Lookup("id"); ok && v != id {
		put(m, "id", v)
	}
	if v, ok := e.Lookup("id-ref"); ok {
		put(m, "ref", v)
	}
	if v, ok := e.Lookup("score"); ok {
		put(m, "score", v)
	}
	if rule := e.Child("rule"); rule != nil {
		putNode(m, "rule", writeRule(rule, e.ID()+"-rule", ofSets()))
	}
	if e.Child("nvpair") != nil {
		putNode(m, "values", writePairs(e))
	}
	return m
}

func writePairs(set *cib.Element) *yaml.Node {
	m := mapping()
	for p := range set.Elements() {
		if p.Name != "nvpair" {
			continue
		}
		name := p.Attr("name")
		if p.ID() == pairID(set.ID(), name) {
			put(m, name, p.Attr("value"))
			continue
		}
		long := flow(mapping())
		put(long, "id", p.ID())
		put(long, "value", p.Attr("value"))
		putNode(m, name, long)
	}
	return m
}

// writer builds YAML. What it cannot say it writes as XML.
func mapping() *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode} }

func flow(n *yaml.Node) *yaml.Node { n.Style = yaml.FlowStyle; return n }

func put(m *yaml.Node, key, value string) { putNode(m, key, scalar(value)) }

func putNode(m *yaml.Node, key string, value *yaml.Node) {
	m.Content = append(m.Content, scalar(key), value)
}

// putAttrs writes attributes under their own names.
func putAttrs(m *yaml.Node, e *cib.Element, except ...string) {
	for name, value := range e.Attrs() {
		if !slices.Contains(except, name) {
			put(m, name, value)
		}
	}
}

// scalar is a value as the reader will read it: letter by letter.
func scalar(value string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: value}
	plain := value != "" && value != "~" && !strings.EqualFold(value, "null") && !strings.HasPrefix(value, "<")
	for _, c := range value {
		plain = plain && c >= ' ' && c < 0x7f
	}
	if !plain {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

func words(list []string) *yaml.Node {
	seq := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, w := range list {
		seq.Content = append(seq.Content, scalar(w))
	}
	return seq
}

// xmlNode is an element as XML.
func xmlNode(e *cib.Element) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: strings.TrimRight(string(e.AppendXML(nil)), "\n"), Style: yaml.LiteralStyle}
	for line := range strings.Lines(n.Value) {
		if strings.TrimRight(line, " \t\r\n") != strings.TrimSuffix(line, "\n") {
			n.Style = yaml.DoubleQuotedStyle
		}
	}
	for _, c := range n.Value {
		if c != '\n' && (c < ' ' || c >= 0x7f) {
			n.Style = yaml.DoubleQuotedStyle
		}
	}
	return n
}

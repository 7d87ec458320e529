package declare

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/cerco-ha/cerco/internal/cib"
)

// reader takes YAML apart.
type reader struct{ file string }

// at is an error about what a node says.
func (r *reader) at(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", r.file, n.Line, fmt.Sprintf(format, args...))
}

// entry is a key of a mapping and what it stands for.
type entry struct {
	key   string
	at    *yaml.Node // the key
	value *yaml.Node
}

// entries are those of a mapping, in their order. what is what the mapping is about, for errors.
func (r *reader) entries(n *yaml.Node, what string) ([]entry, error) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil, nil
	}
	if n.Kind != yaml.MappingNode {
		return nil, r.at(n, "%s: here must be a mapping, lines of NAME: VALUE", what)
	}
	var list []entry
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind != yaml.ScalarNode || v.Kind == yaml.AliasNode || k.Tag == "!!merge" || v.Anchor != "" {
			return nil, r.at(k, "%s: anchors, aliases and keys that are no words are not understood: write it out", what)
		}
		if line, twice := seen[k.Value]; twice {
			return nil, r.at(k, "%s: '%s' is there twice, in line %d too", what, k.Value, line)
		}
		seen[k.Value] = k.Line
		list = append(list, entry{k.Value, k, v})
	}
	return list, nil
}

// text is what a scalar says, as it is written: yes, 010 and 1.0 are what they are.
func (r *reader) text(n *yaml.Node, what string) (string, error) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" && n.Style == 0 {
		return "", r.at(n, "%s: here must be a value; one that is empty is written ''", what)
	}
	return n.Value, nil
}

// list are the items of a sequence.
func (r *reader) list(n *yaml.Node, what string) ([]*yaml.Node, error) {
	if n.Kind != yaml.SequenceNode {
		return nil, r.at(n, "%s: here must be a list, [A, B] or lines that begin with -", what)
	}
	for _, item := range n.Content {
		if item.Kind == yaml.AliasNode || item.Anchor != "" {
			return nil, r.at(item, "%s: anchors and aliases are not understood: write it out", what)
		}
	}
	return n.Content, nil
}

// words are the items of a list of single values.
func (r *reader) words(n *yaml.Node, what string) ([]string, error) {
	items, err := r.list(n, what)
	if err != nil {
		return nil, err
	}
	words := make([]string, len(items))
	for i, item := range items {
		if words[i], err = r.text(item, what); err != nil {
			return nil, err
		}
	}
	return words, nil
}

func (r *reader) unknown(e entry, what string, known []string) error {
	return r.at(e.at, "%s: '%s' is not known%s; what may be here: %s", what, e.key, meant(e.key, known), strings.Join(known, ", "))
}

// isXML reports whether a node is XML of the CIB.
func isXML(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && strings.HasPrefix(strings.TrimSpace(n.Value), "<")
}

// xml reads XML that stands for what. It must be an element of one of these names, with that id if id is not empty.
func (r *reader) xml(n *yaml.Node, what, id string, names ...string) (*cib.Element, error) {
	e, err := cib.Parse("", []byte(n.Value))
	var bad *cib.SyntaxError
	switch {
	case errors.As(err, &bad):
		line := n.Line + bad.Line - 1
		if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
			line++ // the text begins below
		}
		return nil, fmt.Errorf("%s:%d: the XML of %s: %s", r.file, line, what, bad.What)
	case err != nil:
		return nil, r.at(n, "the XML of %s: %v", what, err)
	case len(names) > 0 && !slices.Contains(names, e.Name):
		return nil, r.at(n, "the XML of %s is a <%s>; here may be: <%s>", what, e.Name, strings.Join(names, ">, <"))
	case id != "" && e.ID() != id:
		return nil, r.at(n, "the XML of %s has the id '%s'", what, e.ID())
	}
	return e, nil
}

// body collects attributes and children of an element that is being read.
type body struct {
	attrs    []cib.Attr
	children []*cib.Element
}

func (b *body) set(name, value string) {
	b.attrs = append(b.attrs, cib.Attr{Name: name, Value: value})
}

func (b *body) add(list ...*cib.Element) { b.children = append(b.children, list...) }

func (b *body) element(name string) *cib.Element { return cib.NewElement(name, b.attrs, b.children...) }

// newBody is one with an id.
func newBody(id string) *body { return &body{attrs: []cib.Attr{{Name: "id", Value: id}}} }

// attr reads a value into an attribute.
func (r *reader) attr(b *body, name string, n *yaml.Node, what string) error {
	v, err := r.text(n, what+": "+name)
	if err != nil {
		return err
	}
	for _, c := range v {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0xfffe || c == 0xffff {
			return r.at(n, "%s: %s has a character in it that XML does not allow (%U)", what, name, c)
		}
	}
	b.set(name, v)
	return nil
}

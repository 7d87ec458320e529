package declare

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/configure"
	"github.com/cerco-ha/cerco/internal/listing"
)

// rule reads a rule: in the words of pcs, as a mapping with those words under "when" and attributes besides, or as XML. id is
// that which it has by default.
func (r *reader) rule(n *yaml.Node, id string, about []configure.RuleFor, what string) (*cib.Element, error) {
	what += ": rule"
	if isXML(n) {
		return r.xml(n, what, "", "rule")
	}
	more := []cib.Attr{{Name: "score", Value: "INFINITY"}}
	when := n
	if n.Kind == yaml.MappingNode {
		list, err := r.entries(n, what)
		if err != nil {
			return nil, err
		}
		b := &body{}
		known := []string{"when", "id", "score", "score-attribute", "role"}
		when = nil
		for _, k := range list {
			switch {
			case k.key == "when":
				when = k.value
			case k.key == "id":
				id, err = r.text(k.value, what)
			case contains(known, k.key):
				err = r.attr(b, k.key, k.value, what)
			default:
				err = r.unknown(k, what, known)
			}
			if err != nil {
				return nil, err
			}
		}
		if when == nil {
			return nil, r.at(n, "%s: when does it hold? {when: \"#uname eq n1\"}", what)
		}
		more = b.attrs
	}
	text, err := r.text(when, what)
	if err != nil {
		return nil, err
	}
	for _, c := range text + id {
		if c < ' ' || c == 0xfffe || c == 0xffff {
			return nil, r.at(when, "%s: it has a character in it that XML does not allow (%U)", what, c)
		}
	}
	for _, one := range about {
		var rule *configure.Rule
		if rule, err = configure.ParseRule([]string{text}, one); err == nil {
			return noIDs().NewRule(id, rule, about[0], more...), nil
		}
	}
	return nil, r.at(when, "%s: %v", what, err)
}

// ofConstraints and ofSets are what rules may decide about; the first says how they are written.
func ofConstraints() []configure.RuleFor { return []configure.RuleFor{configure.LocationRule} }

func ofSets() []configure.RuleFor {
	return []configure.RuleFor{configure.OperationDefaultsRule, configure.ResourceDefaultsRule, configure.LocationRule}
}

// noIDs is a draft in which every id is free: those of a file are told apart when it is applied.
func noIDs() *configure.Draft {
	doc, err := cib.DecodeRoot("", cib.NewElement("cib", nil, cib.NewElement("configuration", nil)))
	if err != nil {
		panic(err) // an empty document decodes
	}
	return configure.Of(doc)
}

// writeRule is how a rule is written: in words if they say it all, else as XML.
func writeRule(e *cib.Element, id string, about []configure.RuleFor) *yaml.Node {
	text := scalar(strings.TrimSpace(listing.RuleString(e)))
	long := flow(mapping())
	putNode(long, "when", text)
	if e.ID() != id {
		put(long, "id", e.ID())
	}
	putAttrs(long, e, "id", "boolean-op")
	for _, n := range []*yaml.Node{text, long} {
		if got, err := (&reader{}).rule(n, id, about, ""); err == nil && same(got, e) {
			return n
		}
	}
	return xmlNode(e)
}

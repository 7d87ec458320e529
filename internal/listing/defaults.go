package listing

import (
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// DefaultsKind tells defaults of resources from those of operations.
type DefaultsKind string

const (
	ResourceDefaults  DefaultsKind = "rsc_defaults"
	OperationDefaults DefaultsKind = "op_defaults"
)

// Defaults shows the sets of defaults with their rules; expired ones only when asked for All. When Now is zero
// nothing is looked at, and all are shown.
func Defaults(c *cib.CIB, kind DefaultsKind, o RuleOptions) Lines {
	known := effectsOf(c, o.Now)
	var out Lines
	found := false
	for set := range section(c, string(kind)).Elements() {
		title := map[string]string{"meta_attributes": "Meta Attrs", "instance_attributes": "Attributes"}[set.Name]
		if title == "" {
			continue
		}
		found = true
		t := ruleText{RuleOptions: o, quoted: true, mark: mark(known[set.Child("rule")])}
		if set.Child("rule") != nil && known[set.Child("rule")] == cib.Expired && !o.All {
			continue
		}
		head := title + t.mark + ": " + set.ID()
		if options := otherAttrs(set, "id"); len(options) > 0 {
			head += " " + strings.Join(words(options), " ")
		}
		out = append(out, head)
		out = append(out, Lines(words(byName(pairsOf(set)))).In(2)...)
		for _, rule := range children(set, "rule") {
			out = append(out, t.lines(rule).In(2)...)
		}
	}
	switch {
	case !found:
		return Lines{"No defaults set"}
	case len(out) == 0: // there are some, and none of them counts any more
		return Lines{""}
	}
	return out
}

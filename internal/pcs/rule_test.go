package pcs

import (
	"strings"
	"testing"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/configure"
	"github.com/cerco-ha/cerco/internal/listing"
)

// FuzzRuleRoundTrip holds that a rule reads back as it is shown.
func FuzzRuleRoundTrip(f *testing.F) {
	for _, text := range []string{"a eq b", "( a gt b or c ne d ) and date-spec hours=1-5", "op monitor interval=10s and resource ::Dummy",
		"date in_range 2020-01-01 to duration months=3", "defined x and not_defined y or date lt 2030-01-01", `"a b" eq string "c d"`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsAny(text, "\\'\n\t=()\"") && !strings.Contains(text, "-spec") && !strings.Contains(text, "duration") {
			return // a word can hold what no quotes keep apart
		}
		rule, err := configure.ParseRule([]string{text}, configure.OperationDefaultsRule)
		if err != nil {
			return
		}
		shown := listing.RuleString(ruleElement(t, rule))
		again, err := configure.ParseRule([]string{shown}, configure.OperationDefaultsRule)
		if err != nil {
			t.Fatalf("%q is shown as %q: %v", text, shown, err)
		}
		if a, b := ruleElement(t, rule).String(), ruleElement(t, again).String(); a != b {
			t.Fatalf("%q is shown as %q, which is\n%snot\n%s", text, shown, b, a)
		}
	})
}

func ruleElement(t *testing.T, rule *configure.Rule) *cib.Element {
	c, err := cib.Decode("", []byte(emptyCIB))
	if err != nil {
		t.Fatal(err)
	}
	return configure.Of(c).NewRule("r", rule, configure.OperationDefaultsRule)
}

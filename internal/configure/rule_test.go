package configure

import (
	"strings"
	"testing"

	"github.com/cerco-ha/cerco/internal/cib"
)

const emptyCIB = `<cib validate-with="pacemaker-3.9"><configuration><crm_config/><nodes/><resources/><constraints/></configuration><status/></cib>`

func emptyDraft(t testing.TB) *Draft {
	c, err := cib.Decode("", []byte(emptyCIB))
	if err != nil {
		t.Fatal(err)
	}
	return Of(c)
}

func TestRulesOfDefaults(t *testing.T) {
	for _, c := range []struct {
		about RuleFor
		text  string
		want  string // of the element, or of the error
	}{
		{ResourceDefaultsRule, "resource ::Dummy", `<rsc_expression id="r-rsc-Dummy" type="Dummy"/>`},
		{ResourceDefaultsRule, "resource ::Dummy", `<rule id="r" boolean-op="and">`},
		{ResourceDefaultsRule, "op monitor", "op can not be used"},
		{ResourceDefaultsRule, "a eq b", "node attributes can not be used"},
		{LocationRule, "resource ::Dummy", "can not be used"},
		{OperationDefaultsRule, "op monitor interval=10s", `<op_expression id="r-op-monitor" name="monitor" interval="10s"/>`},
		{OperationDefaultsRule, "(op monitor or op start) and resource ::Dummy", `<rule id="r-rule" boolean-op="or" score="0">`},
		{OperationDefaultsRule, "(a eq b and c eq d) and e eq f", `<expression id="r-rule-expr-1" attribute="c" operation="eq" value="d"/>`},
		{OperationDefaultsRule, "date in_range to 2030-01-01", `<date_expression id="r-expr" operation="in_range" end="2030-01-01"/>`},
		{OperationDefaultsRule, "date in_range 2031-01-01 to 2030-01-01", "is not sooner than"},
		{OperationDefaultsRule, "op monitor interval=often", "no interval"},
		{LocationRule, strings.Repeat("(", 40) + "a eq b" + strings.Repeat(")", 40), "more than 32 parentheses"},
	} {
		rule, err := ParseRule([]string{c.text}, c.about)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = emptyDraft(t).NewRule("r", rule, c.about).String()
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s:\n%s\nwant %s", c.text, got, c.want)
		}
	}
}

// FuzzParseRule holds that what is read can be written, with ids of its own for everything, and that it means the same
// as a rule for defaults as it does for a location, where both may say it.
func FuzzParseRule(f *testing.F) {
	for _, text := range []string{"a eq b", "( a gt b or c ne d ) and date-spec hours=1-5", "op monitor interval=10s and resource ::Dummy",
		"date in_range 2020-01-01 to duration months=3", "defined x and not_defined y or date lt 2030-01-01", `a eq "b c"`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, about := range []RuleFor{LocationRule, ResourceDefaultsRule, OperationDefaultsRule} {
			rule, err := ParseRule(strings.Fields(text), about)
			if err != nil {
				continue
			}
			el := emptyDraft(t).NewRule("r", rule, about)
			ids := map[string]bool{}
			for e := range el.All() {
				if ids[e.ID()] {
					t.Fatalf("%q: the id %s comes twice:\n%s", text, e.ID(), el)
				}
				ids[e.ID()] = true
			}
			if _, err := cib.Parse("", []byte(el.String())); err != nil {
				t.Fatalf("%q: %v:\n%s", text, err, el)
			}
		}
	})
}

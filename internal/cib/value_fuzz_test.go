package cib

import (
	"testing"
	"time"
)

// FuzzValues reads scores, durations, booleans and node ids as they stand in CIBs: what can be read is within bounds.
func FuzzValues(f *testing.F) {
	for _, s := range []string{"INFINITY", "-INFINITY", "+5", "99999999999999999999", "10s", "PT1H", "P1Y2M3DT4H5M6S", "5min", "-1", "true", "P99999999999Y", "1.5e9s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if score, ok := ParseScore(s); ok && (score > Infinity || score < -Infinity) {
			t.Errorf("%q is the score %d", s, score)
		}
		if ms, ok := ParseDuration(s); ok && (ms < 0 || ms > 101*366*24*3600*1000) {
			t.Errorf("%q takes %d ms", s, ms)
		}
		if c := CompareVersions(s, s); c != 0 {
			t.Errorf("as a version, %q is %d beside itself", s, c)
		}
		_, _ = ParseBool(s)
		_, _ = memberNumber(s)
	})
}

// FuzzRule holds rules against a node, an operation and the time: the same rule always says the same, and never that
// it changes in the past.
func FuzzRule(f *testing.F) {
	for _, s := range []string{
		`<rule boolean-op="or"><expression attribute="a" operation="lt" value="5" type="number"/></rule>`,
		`<rule><date_expression operation="in_range" start="2020-01-01" end="2030-01-01"/></rule>`,
		`<rule><date_expression operation="date_spec"><date_spec hours="9-16" weekdays="1-5" moon="4" weekyears="2026"/></date_expression></rule>`,
		`<rule><date_expression operation="in_range" start="2020-01-01"><duration months="99999999999" years="1"/></date_expression></rule>`,
		`<rule><rule><op_expression name="monitor" interval="10s"/></rule><rsc_expression class="ocf"/></rule>`,
		`<rule><expression attribute="%1-%9" operation="eq" value="x" value-source="meta"/></rule>`,
	} {
		f.Add(s, int64(1.7e9))
	}
	f.Fuzz(func(t *testing.T, s string, unix int64) {
		e, err := Parse("", []byte(s))
		if err != nil || unix < -6e10 || unix > 2e11 {
			return
		}
		in := &RuleInput{Now: time.Unix(unix, 0).UTC(), NodeAttr: func(string) (string, bool) { return "5", true },
			Rsc: &RscMatch{"ocf", "pacemaker", "Dummy"}, Op: &OpMatch{"monitor", 10000}, Match: []string{"web-a", "a"}}
		r := (&decoder{}).rule(e)
		if first, second := r.Holds(in), r.Holds(in); first != second {
			t.Error("twice asked, two answers")
		}
		if next := r.NextChange(in); !next.IsZero() && next.Before(in.Now) {
			t.Errorf("it changes at %v, before %v", next, in.Now)
		}
	})
}

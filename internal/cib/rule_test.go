package cib

import (
	"os"
	"strings"
	"testing"
	"time"
)

// tableRows returns the lines of a table in testdata that are not comments.
func tableRows(t *testing.T, file string) []string {
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimRight(line, "\n"); !strings.HasPrefix(line, "#") {
			rows = append(rows, line)
		}
	}
	return rows
}

const testTime = "2006-01-02 15:04:05Z"

func TestParseTime(t *testing.T) {
	for _, row := range tableRows(t, "times.txt") {
		written, want, _ := strings.Cut(row, " => ")
		got := "INVALID"
		if at, ok := ParseTime(written); ok {
			got = at.Format(testTime)
		}
		if got != want {
			t.Errorf("%q: %s, want %s", written, got, want)
		}
	}
}

func TestDateExpressions(t *testing.T) {
	rows := tableRows(t, "date_expressions.txt")
	var nows []time.Time
	for now := range strings.SplitSeq(strings.TrimPrefix(rows[0], "now: "), "|") {
		at, _ := ParseTime(now)
		nows = append(nows, at)
	}
	for _, row := range rows[1:] {
		expr, want, _ := strings.Cut(row, "\t")
		e, err := Parse("", []byte(expr))
		if err != nil {
			t.Fatal(err)
		}
		x, got := dateExpr(e), ""
		for _, now := range nows {
			if x.eval(&RuleInput{Now: now}, nil) {
				got += "1"
			} else {
				got += "."
			}
		}
		if got != want {
			t.Errorf("%s: %s, want %s", expr, got, want)
		}
	}
}

func TestAttributeExpressions(t *testing.T) {
	for _, row := range tableRows(t, "attribute_expressions.txt") {
		part := strings.SplitN(row, `"`, 5)
		have, want := part[1], part[3]
		kind, holding, _ := strings.Cut(strings.TrimSpace(part[4]), " ")
		for _, op := range []string{"lt", "lte", "eq", "ne", "gte", "gt"} {
			x := &AttrExpr{Attribute: "a", Operation: op, Value: want, Type: strings.Trim(kind, "-")}
			got := x.eval(&RuleInput{NodeAttr: func(string) (string, bool) { return have, true }}, nil)
			if got != strings.Contains(holding+" ", op+" ") {
				t.Errorf("%q %s %q as %s: %v", have, op, want, kind, got)
			}
		}
	}
}

func TestRules(t *testing.T) {
	const uname = `<expression attribute="#uname" operation="eq" value="n1"/>`
	const other = `<expression attribute="#uname" operation="eq" value="n2"/>`
	cases := []struct {
		name, rule string
		want       bool
	}{
		{"no expression", `<rule/>`, true},
		{"no alternative", `<rule boolean-op="or"/>`, false},
		{"and is the default", `<rule>` + uname + other + `</rule>`, false},
		{"or", `<rule boolean-op="or">` + other + uname + `</rule>`, true},
		{"nested", `<rule>` + uname + `<rule boolean-op="OR">` + other + uname + `</rule></rule>`, true},
		{"undefined", `<rule><expression attribute="no" operation="not_defined"/></rule>`, true},
		{"ne of undefined", `<rule><expression attribute="no" operation="ne" value="x"/></rule>`, true},
		{"eq of undefined", `<rule><expression attribute="no" operation="eq" value="x"/></rule>`, false},
		{"parameter", `<rule><expression attribute="#uname" operation="eq" value-source="param" value="host"/></rule>`, true},
		{"meta attribute", `<rule><expression attribute="#uname" operation="eq" value-source="meta" value="host"/></rule>`, false},
		{"submatch", `<rule><expression attribute="host-%1" operation="eq" value="web-a"/></rule>`, true},
		{"agent", `<rule><rsc_expression class="ocf" type="Dummy"/></rule>`, true},
		{"other agent", `<rule><rsc_expression class="ocf" provider="heartbeat"/></rule>`, false},
		{"operation", `<rule><op_expression name="monitor"/></rule>`, true},
		{"interval", `<rule><op_expression name="monitor" interval="10000ms"/></rule>`, true},
		{"other interval", `<rule><op_expression name="monitor" interval="11"/></rule>`, false},
		{"unknown operation", `<rule><expression attribute="#uname" operation="is" value="n1"/></rule>`, false},
	}
	attrs := map[string]string{"#uname": "n1", "host-a": "web-a"}
	in := &RuleInput{
		NodeAttr: func(name string) (string, bool) { v, ok := attrs[name]; return v, ok },
		Params:   map[string]string{"host": "n1"},
		Rsc:      &RscMatch{"ocf", "pacemaker", "Dummy"},
		Op:       &OpMatch{"monitor", 10000},
		Match:    []string{"web-a", "a"},
	}
	for _, c := range cases {
		e, err := Parse(c.name, []byte(c.rule))
		if err != nil {
			t.Fatal(err)
		}
		if got := (&decoder{}).rule(e).Holds(in); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestNextChange(t *testing.T) {
	now, _ := ParseTime("2005-06-15 12:30:00Z")
	cases := []struct{ rule, want string }{
		{`<date_expression operation="gt" start="2005-06-15 13:00:00Z"/>`, "2005-06-15 13:00:01Z"},
		{`<date_expression operation="gt" start="2005-06-15 11:00:00Z"/>`, ""},
		{`<date_expression operation="lt" end="2005-06-15 13:00:00Z"/>`, "2005-06-15 13:00:00Z"},
		{`<date_expression operation="lt" end="2005-06-15 12:30:00Z"/>`, ""},
		{`<date_expression operation="in_range" start="2005-06-15 13:00:00Z"/>`, "2005-06-15 13:00:00Z"},
		{`<date_expression operation="in_range" start="2005-06-15 12:30:00Z" end="2006-01-01"/>`, "2006-01-01 00:00:01Z"},
		{`<date_expression operation="in_range" start="2005-06-15 12:00:00Z"><duration hours="2"/></date_expression>`, "2005-06-15 14:00:01Z"},
		{`<date_expression operation="date_spec"><date_spec hours="9-17"/></date_expression>`, ""},
		{`<date_expression operation="gt" start="2005-06-15 13:00:00Z"/><date_expression operation="lt" end="2005-06-15 12:45:00Z"/>`, "2005-06-15 13:00:01Z"},
		{`<date_expression operation="lt" end="2005-06-15 14:00:00Z"/><date_expression operation="gt" start="2005-06-15 13:00:00Z"/>`, "2005-06-15 13:00:01Z"},
	}
	for _, c := range cases {
		e, err := Parse("", []byte("<rule>"+c.rule+"</rule>"))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if at := (&decoder{}).rule(e).NextChange(&RuleInput{Now: now}); !at.IsZero() {
			got = at.Format(testTime)
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.rule, got, c.want)
		}
	}
}

package driver

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Problem is something that is wrong with the parameters of a resource.
type Problem struct {
	Parameter string
	Message   string // what is wrong, and what to do
	Fatal     bool   // the agent cannot work so; otherwise it will not do what is meant
}

// Validate holds parameters against what the agent says of itself. The agent may know more: its action
// "validate-all" looks at the host too.
func (m *Metadata) Validate(params []cib.Attr) []Problem {
	var out []Problem
	given := map[string]bool{}
	for _, a := range params {
		if !isParameter(a.Name) {
			continue
		}
		given[a.Name] = true
		p := m.Parameter(a.Name)
		if p == nil {
			out = append(out, Problem{a.Name, fmt.Sprintf("agent %s has no parameter %q%s", m.Name, a.Name, m.nearest(a.Name)), false})
			continue
		}
		if p.Deprecated && p.ReplacedBy != "" {
			out = append(out, Problem{a.Name, fmt.Sprintf("parameter %q is deprecated; use %q", a.Name, p.ReplacedBy), false})
			given[p.ReplacedBy] = true
		}
		if msg := p.wrong(a.Value); msg != "" {
			out = append(out, Problem{a.Name, msg, true})
		}
	}
	for i := range m.Parameters {
		p := &m.Parameters[i]
		if p.Required && !given[p.Name] && !p.Deprecated {
			out = append(out, Problem{p.Name, fmt.Sprintf("agent %s needs the parameter %q (%s)", m.Name, p.Name, p.Short), true})
		}
	}
	return out
}

// isParameter tells parameters from what the cluster adds to them.
func isParameter(name string) bool {
	return name != "crm_feature_set" && !strings.HasPrefix(name, "CRM_meta_") && !strings.HasPrefix(name, "OCF_CHECK_LEVEL")
}

// wrong says what is wrong with a value; empty: nothing that can be told from here.
func (p *Parameter) wrong(value string) string {
	ok, want := true, p.Type
	switch p.Type {
	case "integer":
		f, err := strconv.ParseFloat(value, 64)
		ok = err == nil && f == math.Trunc(f) || value == ""
	case "boolean":
		ok = slices.Contains([]string{"1", "0", "true", "false", "yes", "no", "on", "off", "y", "n", "ja", "t", "f", ""}, strings.ToLower(value))
	case "select":
		ok = len(p.Options) == 0 || slices.Contains(p.Options, value) || p.HasDefault && value == p.Default
		want = "one of " + strings.Join(p.Options, ", ")
	}
	if ok {
		return ""
	}
	return fmt.Sprintf("parameter %q is %q, but must be %s", p.Name, value, want)
}

// nearest is a hint at the parameter that may have been meant.
func (m *Metadata) nearest(name string) string {
	best, at := "", 3
	for i := range m.Parameters {
		if d := distance(name, m.Parameters[i].Name); d < at {
			best, at = m.Parameters[i].Name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; is %q meant?", best)
}

// distance is how many letters must be changed, added or taken out (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		last := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := last
			if a[i-1] != b[j-1] {
				cost = 1 + min(last, row[j], row[j-1])
			}
			last, row[j] = row[j], cost
		}
	}
	return row[len(b)]
}

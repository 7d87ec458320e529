package doctor

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Severity is how much a broken rule matters.
type Severity int

// From the least to the worst. They are the exit codes of the command, too.
const (
	Information Severity = iota // a fact to know
	Advice
	Warning
	Unsupported // it is not supported, or cannot work
)

var severities = [...]string{"information", "advice", "warning", "unsupported"}

func (s Severity) String() string { return severities[s] }

// MarshalText implements encoding.TextMarshaler.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Rule is one rule of the field.
type Rule struct {
	ID       string
	Severity Severity
	Says     string // the rule
	Why      string
	Remedy   string
	check    func(d *Description, v *verdict)
}

// Finding is a rule that a description breaks, at one place.
type Finding struct {
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	What     string   `json:"what"` // where and how it is broken
	Says     string   `json:"says"`
	Why      string   `json:"why"`
	Remedy   string   `json:"remedy"`
}

// Unjudged is a rule whose facts are not all known.
type Unjudged struct {
	Rule  string   `json:"rule"`
	Says  string   `json:"says"`
	Needs []string `json:"needs"`
}

// Report is the result of an examination.
type Report struct {
	Findings []Finding  `json:"findings"` // the worst first, then by rule
	Unjudged []Unjudged `json:"unjudged"`
	Kept     []string   `json:"kept"` // rules that are kept, or that do not apply
	Losses   []Loss     `json:"losses,omitempty"`
}

// verdict collects what one rule finds.
type verdict struct {
	rule     *Rule
	findings []Finding
	needs    []string
}

// broken records where the rule is broken.
func (v *verdict) broken(format string, args ...any) { v.broke(v.rule.Severity, format, args...) }

// broke is broken with a severity that depends on the case.
func (v *verdict) broke(s Severity, format string, args ...any) {
	v.findings = append(v.findings, Finding{Rule: v.rule.ID, Severity: s, What: fmt.Sprintf(format, args...), Says: v.rule.Says, Why: v.rule.Why, Remedy: v.rule.Remedy})
}

// need records a fact that the rule needs and that is not known.
func (v *verdict) need(format string, args ...any) {
	if n := fmt.Sprintf(format, args...); !slices.Contains(v.needs, n) {
		v.needs = append(v.needs, n)
	}
}

// Examine applies all rules.
func Examine(d *Description) Report {
	r := Report{Findings: []Finding{}, Unjudged: []Unjudged{}, Kept: []string{}, Losses: losses(d)}
	for _, rule := range Rules() {
		v := &verdict{rule: &rule}
		rule.check(d, v)
		r.Findings = append(r.Findings, v.findings...)
		if len(v.needs) > 0 {
			r.Unjudged = append(r.Unjudged, Unjudged{Rule: rule.ID, Says: rule.Says, Needs: v.needs})
		}
		if len(v.findings) == 0 && len(v.needs) == 0 {
			r.Kept = append(r.Kept, rule.ID)
		}
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return cmp.Compare(b.Severity, a.Severity) })
	return r
}

// Rules are all rules, in the order of their names.
func Rules() []Rule {
	return slices.Concat(platformRules(), backendRules(), fencingRules(), keyRules(), storageRules(), topologyRules())
}

// Worst is the worst severity that was found.
func (r Report) Worst() Severity {
	worst := Information
	for _, f := range r.Findings {
		worst = max(worst, f.Severity)
	}
	return worst
}

// WriteJSON writes the report for programs.
func (r Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// WriteText writes the report for people.
func (r Report) WriteText(w io.Writer) error {
	var b strings.Builder
	for i, f := range r.Findings {
		fmt.Fprintf(&b, "%s %s: %s\n", strings.ToUpper(f.Severity.String()), f.Rule, f.What)
		if i > 0 && r.Findings[i-1].Rule == f.Rule {
			continue // the same reason and remedy
		}
		fmt.Fprintf(&b, "    rule:   %s\n    why:    %s\n    remedy: %s\n", f.Says, f.Why, f.Remedy)
	}
	for _, l := range r.Losses {
		fmt.Fprintf(&b, "If %s is lost: %s\n", l.Host, l.text())
	}
	if len(r.Unjudged) > 0 {
		b.WriteString("Not judged, for want of facts:\n")
		for _, u := range r.Unjudged {
			fmt.Fprintf(&b, "    %-4s %s\n", u.Rule, strings.Join(u.Needs, "; "))
		}
	}
	fmt.Fprintf(&b, "%d broken, %d kept, %d not judged\n", len(r.brokenRules()), len(r.Kept), len(r.Unjudged))
	_, err := io.WriteString(w, b.String())
	return err
}

func (r Report) brokenRules() []string {
	var out []string
	for _, f := range r.Findings {
		if !slices.Contains(out, f.Rule) {
			out = append(out, f.Rule)
		}
	}
	return out
}

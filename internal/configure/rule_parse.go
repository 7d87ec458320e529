package configure

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// RuleFor tells what a rule decides about: that says which expressions it may hold and how it is written.
type RuleFor uint8

const (
	LocationRule          RuleFor = iota // a location constraint
	ResourceDefaultsRule                 // defaults of resources
	OperationDefaultsRule                // defaults of operations
)

// Rule is a rule as somebody typed it: one expression, or several joined by "and" or "or".
type Rule struct {
	op      string  // "and" or "or"; empty: an expression
	parts   []*Rule // of and, or
	grouped bool    // it stood in parentheses

	tag   string     // of an expression: its element,
	attrs []cib.Attr // its attributes but the id,
	inner string     // the element in it, "date_spec" or "duration",
	spec  []cib.Attr // and that one's attributes
}

// ParseRule reads a rule. Words that hold several words are taken apart when the rule makes no sense otherwise. The
// error says what was found instead of what.
//
//	RULE = TERM [(and|or) TERM]...          from the left, without precedence
//	TERM = (RULE) | defined|not_defined ATTRIBUTE | ATTRIBUTE lt|gt|lte|gte|eq|ne [string|integer|number|version] VALUE
//	     | date gt|lt DATE | date in_range [DATE] to DATE | date in_range DATE to duration NAME=VALUE...
//	     | date-spec NAME=VALUE... | resource CLASS:PROVIDER:TYPE | op NAME [interval=TIME]
func ParseRule(words []string, about RuleFor) (*Rule, error) {
	rule, err := parseRule(words, about)
	if err == nil {
		return rule, nil
	}
	if apart := splitWords(words); len(apart) != len(words) {
		if rule, err = parseRule(apart, about); err == nil {
			return rule, nil
		}
	}
	return nil, fmt.Errorf("'%s' is not a valid rule expression: %w", strings.Join(words, " "), err)
}

func parseRule(words []string, about RuleFor) (*Rule, error) {
	p := &ruleParser{about: about}
	for _, w := range words {
		p.tokens = append(p.tokens, parentheses(w)...)
	}
	if len(p.tokens) == 0 {
		return nil, fmt.Errorf("there is nothing in it")
	}
	rule, err := p.rule(0)
	if err == nil && p.at < len(p.tokens) {
		err = fmt.Errorf("unexpected '%s' after '%s'", p.tokens[p.at], strings.Join(p.tokens[:p.at], " "))
	}
	return rule, err
}

// parentheses takes those at the ends of a word off, as words of their own.
func parentheses(word string) []string {
	var before, after []string
	for strings.HasPrefix(word, "(") {
		before, word = append(before, "("), word[1:]
	}
	for strings.HasSuffix(word, ")") {
		after, word = append(after, ")"), word[:len(word)-1]
	}
	if word != "" {
		before = append(before, word)
	}
	return append(before, after...)
}

// splitWords takes words apart at blanks; quotes keep some together.
func splitWords(words []string) []string {
	var out []string
	for _, w := range words {
		var quote rune
		var b strings.Builder
		some := false
		for _, r := range w {
			switch {
			case r == quote:
				quote = 0
			case quote == 0 && (r == '"' || r == '\''):
				quote, some = r, true
			case quote == 0 && (r == ' ' || r == '\t' || r == '\n'):
				if some {
					out = append(out, b.String())
				}
				b.Reset()
				some = false
			default:
				b.WriteRune(r)
				some = true
			}
		}
		if some {
			out = append(out, b.String())
		}
	}
	return out
}

type ruleParser struct {
	tokens []string
	at     int
	about  RuleFor
}

// maxRuleDepth limits parentheses in parentheses.
const maxRuleDepth = 32

// peek is the word so many ahead, empty behind the end.
func (p *ruleParser) peek(ahead int) string {
	if p.at+ahead < len(p.tokens) {
		return p.tokens[p.at+ahead]
	}
	return ""
}

// next takes a word.
func (p *ruleParser) next(what string) (string, error) {
	if p.at == len(p.tokens) {
		return "", fmt.Errorf("it ends where %s is missing", what)
	}
	p.at++
	return p.tokens[p.at-1], nil
}

func isOperator(word string) bool {
	return strings.EqualFold(word, "and") || strings.EqualFold(word, "or")
}

func isComparison(word string) bool {
	return slices.Contains([]string{"lt", "gt", "lte", "gte", "eq", "ne"}, strings.ToLower(word))
}

func (p *ruleParser) rule(depth int) (*Rule, error) {
	if depth > maxRuleDepth {
		return nil, fmt.Errorf("there are more than %d parentheses in each other", maxRuleDepth)
	}
	left, err := p.term(depth)
	for err == nil && isOperator(p.peek(0)) {
		op := strings.ToLower(p.tokens[p.at])
		p.at++
		var right *Rule
		if right, err = p.term(depth); err == nil {
			left = left.join(op, right, p.about)
		}
	}
	return left, err
}

// join is a rule and a term behind it. Rules of locations are kept flat where that means the same.
func (r *Rule) join(op string, term *Rule, about RuleFor) *Rule {
	var parts []*Rule
	for i, x := range []*Rule{r, term} {
		chain := i == 0 && !x.grouped || about == LocationRule
		if x.op == op && chain {
			parts = append(parts, x.parts...)
		} else {
			parts = append(parts, x)
		}
	}
	return &Rule{op: op, parts: parts}
}

func (p *ruleParser) term(depth int) (*Rule, error) {
	if p.peek(0) == "(" && !isComparison(p.peek(1)) {
		p.at++
		inner, err := p.rule(depth + 1)
		if err != nil {
			return nil, err
		}
		if word, err := p.next("')'"); err != nil || word != ")" {
			return nil, fmt.Errorf("')' is missing after '%s'", strings.Join(p.tokens[:min(p.at, len(p.tokens))], " "))
		}
		inner.grouped = true
		return inner, nil
	}
	word := strings.ToLower(p.peek(0))
	switch {
	case word == "":
		_, err := p.next("an expression")
		return nil, err
	case word == "date" && slices.Contains([]string{"gt", "lt", "in_range"}, strings.ToLower(p.peek(1))):
		return p.date()
	case isComparison(p.peek(1)):
		return p.comparison()
	case word == "defined", word == "not_defined":
		return p.defined()
	case word == "date-spec":
		return p.dateSpec()
	case word == "resource" && strings.Contains(p.peek(1), ":"):
		return p.resource()
	case word == "op" && p.peek(1) != "" && p.peek(1) != ")":
		return p.operation()
	}
	return nil, p.unexpected()
}

// unexpected says what cannot begin or go on an expression.
func (p *ruleParser) unexpected() error {
	word, following := p.peek(0), p.peek(1)
	switch {
	case following == "" && !isOperator(word) && word != ")":
		return fmt.Errorf("after '%s' one of eq, ne, lt, gt, lte, gte is missing", word)
	case isOperator(word) || word == ")" || following == "":
		return fmt.Errorf("unexpected '%s' where an expression should begin", word)
	}
	return fmt.Errorf("unexpected '%s' after '%s': one of eq, ne, lt, gt, lte, gte should be there", following, word)
}

func (p *ruleParser) allow(what string, where ...RuleFor) error {
	if slices.Contains(where, p.about) {
		return nil
	}
	return fmt.Errorf("%s can not be used in a rule here", what)
}

func (p *ruleParser) defined() (*Rule, error) {
	if err := p.allow("node attributes", LocationRule, OperationDefaultsRule); err != nil {
		return nil, err
	}
	operation, _ := p.next("")
	attribute, err := p.next("the name of an attribute")
	if err != nil || attribute == ")" {
		return nil, fmt.Errorf("the name of an attribute is missing after '%s'", operation)
	}
	return &Rule{tag: "expression", attrs: []cib.Attr{{Name: "attribute", Value: attribute}, {Name: "operation", Value: strings.ToLower(operation)}}}, nil
}

func (p *ruleParser) comparison() (*Rule, error) {
	if err := p.allow("node attributes", LocationRule, OperationDefaultsRule); err != nil {
		return nil, err
	}
	attribute, operation, kind := p.tokens[p.at], strings.ToLower(p.tokens[p.at+1]), ""
	p.at += 2
	if k := strings.ToLower(p.peek(0)); slices.Contains([]string{"string", "integer", "number", "version"}, k) {
		if v := p.peek(1); v != "" && v != ")" && !isOperator(v) {
			kind = k
			p.at++
		}
	}
	value, err := p.next("a value")
	if err != nil || value == ")" {
		return nil, fmt.Errorf("a value is missing after '%s %s'", attribute, operation)
	}
	attrs := []cib.Attr{{Name: "attribute", Value: attribute}, {Name: "operation", Value: operation}, {Name: "value", Value: value}}
	if kind != "" {
		if !fitsType(kind, value) {
			return nil, fmt.Errorf("invalid %s value '%s'", kind, value)
		}
		attrs = append(attrs, cib.Attr{Name: "type", Value: kind})
	}
	return &Rule{tag: "expression", attrs: attrs}, nil
}

func fitsType(kind, value string) bool {
	switch kind {
	case "integer":
		_, err := strconv.ParseInt(value, 10, 64)
		return err == nil
	case "number":
		_, err := strconv.ParseFloat(value, 64)
		return err == nil
	case "version":
		for part := range strings.SplitSeq(value, ".") {
			if part == "" || strings.Trim(part, "0123456789") != "" {
				return false
			}
		}
	}
	return true
}

func (p *ruleParser) resource() (*Rule, error) {
	if err := p.allow("resource", ResourceDefaultsRule, OperationDefaultsRule); err != nil {
		return nil, err
	}
	agent := p.tokens[p.at+1]
	p.at += 2
	parts := strings.Split(agent, ":")
	if len(parts) != 3 {
		return nil, fmt.Errorf("'%s' should be CLASS:PROVIDER:TYPE, of which some may be left empty", agent)
	}
	rule := &Rule{tag: "rsc_expression"}
	for i, name := range []string{"class", "provider", "type"} {
		if parts[i] != "" {
			rule.attrs = append(rule.attrs, cib.Attr{Name: name, Value: parts[i]})
		}
	}
	return rule, nil
}

func (p *ruleParser) operation() (*Rule, error) {
	if err := p.allow("op", OperationDefaultsRule); err != nil {
		return nil, err
	}
	rule := &Rule{tag: "op_expression", attrs: []cib.Attr{{Name: "name", Value: p.tokens[p.at+1]}}}
	p.at += 2
	if interval, ok := strings.CutPrefix(p.peek(0), "interval="); ok {
		if _, ok := cib.ParseDuration(interval); !ok {
			return nil, fmt.Errorf("'%s' is no interval: write 10s, 5min, 2h", interval)
		}
		rule.attrs = append(rule.attrs, cib.Attr{Name: "interval", Value: interval})
		p.at++
	}
	return rule, nil
}

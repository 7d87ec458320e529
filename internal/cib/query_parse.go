package cib

import (
	"fmt"
	"strconv"
	"strings"
)

// queryParser reads an XPath expression from left to right.
type queryParser struct {
	expr, rest string
	depth      int
}

func (q *queryParser) errorf(format string, args ...any) error {
	return fmt.Errorf("XPath %q: %s", q.expr, fmt.Sprintf(format, args...))
}

// take reads a token if it is next, after blanks.
func (q *queryParser) take(token string) bool {
	rest, ok := strings.CutPrefix(strings.TrimLeft(q.rest, " \t\n"), token)
	if ok {
		q.rest = strings.TrimLeft(rest, " \t\n")
	}
	return ok
}

// path reads a path; one that does not begin with a slash is searched for everywhere.
func (q *queryParser) path() ([]step, error) {
	var steps []step
	for first := true; ; first = false {
		deep := q.take("//")
		if !deep && !q.take("/") {
			if !first {
				return steps, nil
			}
			deep = true
		}
		s, err := q.step()
		if err != nil {
			return nil, err
		}
		s.deep = deep
		steps = append(steps, s)
		if s.attribute && (strings.HasPrefix(q.rest, "/") || len(s.predicates) > 0) {
			return nil, q.errorf("nothing can follow an attribute")
		}
	}
}

func (q *queryParser) step() (step, error) {
	var s step
	s.attribute = q.take("@")
	switch {
	case q.take("*"):
		s.name = "*"
	case !s.attribute && q.take(".."):
		s.name = ".."
	default:
		s.name = q.name()
		if s.name == "" {
			return s, q.errorf("a name is missing before %q", q.rest)
		}
		if q.take("()") {
			if s.name != "text" && s.name != "comment" && s.name != "processing-instruction" {
				return s, q.errorf("%s() is not understood", s.name)
			}
			s.name += "()"
		}
	}
	for q.take("[") {
		p, err := q.or()
		if err != nil {
			return s, err
		}
		if !q.take("]") {
			return s, q.errorf("']' is missing before %q", q.rest)
		}
		s.predicates = append(s.predicates, p)
	}
	return s, nil
}

func (q *queryParser) name() string {
	name := nameAt(q.rest, 0)
	q.rest = strings.TrimLeft(q.rest[len(name):], " \t\n")
	return name
}

// word reads a word that is an operator.
func (q *queryParser) word(word string) bool {
	if nameAt(q.rest, 0) != word {
		return false
	}
	return q.take(word)
}

func (q *queryParser) or() (predicate, error) {
	if q.depth++; q.depth > maxDepth {
		return nil, q.errorf("too many brackets")
	}
	defer func() { q.depth-- }()
	left, err := q.and()
	for err == nil && q.word("or") {
		var right predicate
		a := left
		right, err = q.and()
		left = func(p Path, i, n int) bool { return a(p, i, n) || right(p, i, n) }
	}
	return left, err
}

func (q *queryParser) and() (predicate, error) {
	left, err := q.term()
	for err == nil && q.word("and") {
		var right predicate
		a := left
		right, err = q.term()
		left = func(p Path, i, n int) bool { return a(p, i, n) && right(p, i, n) }
	}
	return left, err
}

// term reads what "and" and "or" join.
func (q *queryParser) term() (predicate, error) {
	switch {
	case q.take("("):
		p, err := q.or()
		if err == nil && !q.take(")") {
			err = q.errorf("')' is missing before %q", q.rest)
		}
		return p, err
	case q.take("last()"):
		return func(_ Path, i, n int) bool { return i == n }, nil
	case q.take("position()"):
		if !q.take("=") {
			return nil, q.errorf("'=' is missing before %q", q.rest)
		}
		return q.position()
	case startsWithDigit(q.rest):
		return q.position()
	}
	name := nameAt(q.rest, 0)
	if call, ok := strings.CutPrefix(q.rest[len(name):], "("); ok && name != "text" && name != "comment" {
		q.rest = strings.TrimLeft(call, " \t\n")
		return q.function(name)
	}
	return q.comparison()
}

func (q *queryParser) position() (predicate, error) {
	value, n := digits(q.rest, 9)
	if n == 0 {
		return nil, q.errorf("a number is missing before %q", q.rest)
	}
	q.rest = strings.TrimLeft(q.rest[n:], " \t\n")
	return func(_ Path, i, _ int) bool { return i == value }, nil
}

// function reads the arguments of a function that decides.
func (q *queryParser) function(name string) (predicate, error) {
	switch name {
	case "not":
		inner, err := q.or()
		if err == nil && !q.take(")") {
			err = q.errorf("')' is missing before %q", q.rest)
		}
		return func(p Path, i, n int) bool { return !inner(p, i, n) }, err
	case "starts-with", "contains":
		values, err := q.values()
		if err != nil {
			return nil, err
		}
		if !q.take(",") {
			return nil, q.errorf("',' is missing before %q", q.rest)
		}
		part, err := q.literal()
		if err == nil && !q.take(")") {
			err = q.errorf("')' is missing before %q", q.rest)
		}
		test := strings.HasPrefix
		if name == "contains" {
			test = strings.Contains
		}
		return func(p Path, _, _ int) bool {
			list := values(p)
			return len(list) > 0 && test(list[0], part)
		}, err
	}
	return nil, q.errorf("%s() is not understood", name)
}

// comparison reads a relative path, and what its values are compared with.
func (q *queryParser) comparison() (predicate, error) {
	values, err := q.values()
	if err != nil {
		return nil, err
	}
	different := q.take("!=")
	if !different && !q.take("=") {
		return func(p Path, _, _ int) bool { return len(values(p)) > 0 }, nil
	}
	want, err := q.literal()
	return func(p Path, _, _ int) bool {
		for _, v := range values(p) {
			if (v == want) != different {
				return true
			}
		}
		return false
	}, err
}

// values reads a path from the element at hand, and returns what gives the values it finds.
func (q *queryParser) values() (func(Path) []string, error) {
	var steps []step
	for {
		s, err := q.step()
		if err != nil {
			return nil, err
		}
		steps = append(steps, s)
		if s.deep = false; s.attribute || !q.take("/") {
			break
		}
	}
	return func(p Path) []string {
		at := []Path{p}
		for _, s := range steps {
			if s.attribute {
				return attrValues(at, s.name)
			}
			var next []Path
			for _, c := range at {
				next = append(next, s.from(p[0], c)...)
			}
			at = next
		}
		var list []string
		for _, c := range at {
			list = append(list, textOf(c.Last()))
		}
		return list
	}, nil
}

func attrValues(at []Path, name string) []string {
	var list []string
	for _, c := range at {
		for n, v := range c.Last().Attrs() {
			if name == "*" || n == name {
				list = append(list, v)
			}
		}
	}
	return list
}

// textOf is all text in an element.
func textOf(e *Element) string {
	if e.Kind != KindElement {
		return e.body
	}
	var b strings.Builder
	for _, c := range e.Children {
		if c.Kind == KindElement || c.Kind == KindText {
			b.WriteString(textOf(c))
		}
	}
	return b.String()
}

// literal reads a string in quotes, or a number.
func (q *queryParser) literal() (string, error) {
	if q.rest != "" && (q.rest[0] == '\'' || q.rest[0] == '"') {
		end := strings.IndexByte(q.rest[1:], q.rest[0])
		if end < 0 {
			return "", q.errorf("the quote of %q does not end", q.rest)
		}
		value := q.rest[1 : 1+end]
		q.rest = strings.TrimLeft(q.rest[end+2:], " \t\n")
		return value, nil
	}
	if value, n := digits(q.rest, 9); n > 0 {
		q.rest = strings.TrimLeft(q.rest[n:], " \t\n")
		return strconv.Itoa(value), nil
	}
	return "", q.errorf("a value in quotes is missing before %q", q.rest)
}

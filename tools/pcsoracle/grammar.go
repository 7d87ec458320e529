package main

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// A grammar is read from text, a rule a line:
//
//	name = template        what <name> stands for
//	WEIGHT: template       a call, as often as its weight says among the weights of all calls
//
// In a template [x] is x or nothing, (x|y) one of them, {x} one to three times x, <name> a rule or a slot of the
// configuration. White space parts the words of a call. A call's first word may be +C, about a corosync.conf too, or -F,
// about a corosync.conf alone. "\" takes its meaning from what follows; a line that begins with "#" is a remark.
type grammar struct {
	rules map[string]node
	calls []weighted
	total int
}

type weighted struct {
	weight int
	tree   node
}

// node is a piece of a template. It appends what it stands for; space parts words.
type node interface {
	say(s *speaker, out *strings.Builder)
}

const space = "\x00"

type (
	literal string
	ref     string
	choice  []node
	seq     []node
	maybe   struct{ of node }
	repeat  struct{ of node }
)

// speaker says a call about a configuration.
type speaker struct {
	*rand.Rand
	grammar *grammar
	slots   func(name string) (string, bool)
	depth   int
}

func (l literal) say(_ *speaker, out *strings.Builder) { out.WriteString(string(l)) }

func (r ref) say(s *speaker, out *strings.Builder) {
	if value, ok := s.slots(string(r)); ok {
		out.WriteString(value)
		return
	}
	rule, ok := s.grammar.rules[string(r)]
	if !ok {
		panic("the grammar has no rule and no slot <" + string(r) + ">")
	}
	if s.depth++; s.depth < 8 {
		rule.say(s, out)
	}
	s.depth--
}

func (c choice) say(s *speaker, out *strings.Builder) { c[s.IntN(len(c))].say(s, out) }

func (q seq) say(s *speaker, out *strings.Builder) {
	for _, n := range q {
		n.say(s, out)
	}
}

func (m maybe) say(s *speaker, out *strings.Builder) {
	if s.IntN(10) < 4 {
		m.of.say(s, out)
	}
}

func (r repeat) say(s *speaker, out *strings.Builder) {
	for i := range 1 + max(0, s.IntN(5)-2) {
		if i > 0 {
			out.WriteString(space)
		}
		r.of.say(s, out)
	}
}

// call says one call.
func (s *speaker) call() []string {
	at := s.IntN(s.grammar.total)
	for _, c := range s.grammar.calls {
		if at -= c.weight; at < 0 {
			var out strings.Builder
			c.tree.say(s, &out)
			return strings.FieldsFunc(out.String(), func(r rune) bool { return r == 0 })
		}
	}
	panic("the weights do not add up")
}

func parseGrammar(text string) (*grammar, error) {
	g := &grammar{rules: map[string]node{}}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		head, body, isCall := strings.Cut(line, ": ")
		weight, err := strconv.Atoi(head)
		isCall = isCall && err == nil
		if !isCall {
			var ok bool
			if head, body, ok = strings.Cut(line, " = "); !ok {
				return nil, fmt.Errorf("line %d: neither NAME = TEMPLATE nor WEIGHT: TEMPLATE", number)
			}
		}
		p := &templates{text: body}
		tree, err := p.alternatives()
		if err == nil && p.at < len(p.text) {
			err = fmt.Errorf("%q is closed but never opened", p.text[p.at])
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if isCall {
			g.calls, g.total = append(g.calls, weighted{weight, tree}), g.total+weight
		} else {
			g.rules[strings.TrimSpace(head)] = tree
		}
	}
	return g, nil
}

// templates parses one template.
type templates struct {
	text string
	at   int
}

func (p *templates) alternatives() (node, error) {
	var all choice
	for {
		n, err := p.sequence()
		if err != nil {
			return nil, err
		}
		all = append(all, n)
		if p.at == len(p.text) || p.text[p.at] != '|' {
			break
		}
		p.at++
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return all, nil
}

func (p *templates) sequence() (node, error) {
	var all seq
	for p.at < len(p.text) {
		switch c := p.text[p.at]; c {
		case ' ':
			p.at++
			all = append(all, literal(space))
		case '(', '[', '{':
			n, err := p.enclosed(c)
			if err != nil {
				return nil, err
			}
			all = append(all, n)
		case '<':
			end := strings.IndexByte(p.text[p.at:], '>')
			if end < 0 {
				return nil, fmt.Errorf("%q is not closed", p.text[p.at:])
			}
			all = append(all, ref(p.text[p.at+1:p.at+end]))
			p.at += end + 1
		case '|', ')', ']', '}':
			return all, nil
		case '\\':
			all = append(all, literal(p.text[p.at+1:p.at+2]))
			p.at += 2
		default:
			end := p.at + 1
			for end < len(p.text) && !strings.ContainsRune(" ([{<|)]}\\", rune(p.text[end])) {
				end++
			}
			all = append(all, literal(p.text[p.at:end]))
			p.at = end
		}
	}
	return all, nil
}

func (p *templates) enclosed(open byte) (node, error) {
	p.at++
	n, err := p.alternatives()
	if err != nil {
		return nil, err
	}
	closing := map[byte]byte{'(': ')', '[': ']', '{': '}'}[open]
	if p.at == len(p.text) || p.text[p.at] != closing {
		return nil, fmt.Errorf("a %q is not closed", open)
	}
	p.at++
	switch open {
	case '[':
		return maybe{n}, nil
	case '{':
		return repeat{n}, nil
	}
	return n, nil
}

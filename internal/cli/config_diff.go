package cli

import (
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/secret"
)

// said is what one configuration says of an owner: its aspects in order, and their values.
type said struct {
	exists  bool
	what    string // description of the owner
	aspects []string
	value   map[string]string
}

// byOwner sorts facts by what they are about; the owners come in order.
func byOwner(list []fact) (order []string, m map[string]*said) {
	m = map[string]*said{}
	for _, f := range list {
		s := m[f.owner]
		if s == nil {
			s = &said{value: map[string]string{}}
			m[f.owner] = s
			order = append(order, f.owner)
		}
		if f.aspect == "" {
			s.exists, s.what = true, f.value
			continue
		}
		if _, known := s.value[f.aspect]; !known {
			s.aspects = append(s.aspects, f.aspect)
			s.value[f.aspect] = f.value
		}
	}
	return order, m
}

// diffFacts tells in lines what one configuration says that another does not: "+" what is new, "-" what
// is gone, "~" what is different. Aspects of what is new are shown with it; of what is gone, only that it is.
// What is new comes behind its predecessor in the second configuration.
func diffFacts(before, after []fact) []string {
	oldOrder, old := byOwner(before)
	newOrder, new := byOwner(after)
	follows := map[string][]string{} // owner -> new ones that come after it
	at := ""
	for _, owner := range newOrder {
		if old[owner] != nil {
			at = owner
		} else {
			follows[at] = append(follows[at], owner)
		}
	}
	nothing := &said{}
	var lines []string
	tell := func(owner string) {
		a, b := old[owner], new[owner]
		if a == nil {
			a = nothing
		}
		if b == nil {
			b = nothing
		}
		lines = append(lines, diffOwner(owner, a, b)...)
	}
	for _, owner := range append([]string{""}, oldOrder...) {
		if owner != "" {
			tell(owner)
		}
		for _, f := range follows[owner] {
			tell(f)
		}
	}
	return lines
}

func diffOwner(owner string, a, b *said) []string {
	var lines []string
	switch {
	case a.exists && !b.exists:
		return []string{"- " + describe(owner, a.what)}
	case b.exists && !a.exists:
		lines = append(lines, "+ "+describe(owner, b.what))
		for _, aspect := range b.aspects {
			lines = append(lines, "    "+assign(aspect, shown(aspect, b.value[aspect])))
		}
		return lines
	case a.what != b.what:
		lines = append(lines, "~ "+owner+": "+a.what+" -> "+b.what)
	}
	for _, aspect := range a.aspects {
		from := a.value[aspect]
		to, has := b.value[aspect]
		switch {
		case !has:
			lines = append(lines, "- "+owner+": "+aspect+when(from != "", " (was "+shown(aspect, from)+")"))
		case from != to:
			lines = append(lines, "~ "+owner+": "+aspect+": "+orDefault(shown(aspect, from), "(empty)")+" -> "+orDefault(shown(aspect, to), "(empty)"))
		}
	}
	for _, aspect := range b.aspects {
		if !slices.Contains(a.aspects, aspect) {
			lines = append(lines, "+ "+owner+": "+assign(aspect, shown(aspect, b.value[aspect])))
		}
	}
	return lines
}

// shown is the value of an aspect ("parameter passwd, when ...") as everybody may see it.
func shown(aspect, value string) string {
	name, _, _ := strings.Cut(aspect, ", when ")
	name = name[strings.LastIndexByte(name, ' ')+1:]
	if value != "" && secret.Is(name) {
		return secret.Mask
	}
	return value
}

func describe(owner, value string) string {
	if value == "" {
		return owner
	}
	return owner + ": " + value
}

func assign(aspect, value string) string {
	if value == "" {
		return aspect
	}
	if strings.HasPrefix(aspect, "operation ") {
		return aspect + " with " + value
	}
	return aspect + " = " + value
}

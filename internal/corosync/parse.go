// Package corosync is corosync.conf: read, checked, changed, and written the way pcs 0.11 writes it.
//
// It owns the file's grammar and what the options of its sections may be. It promises that what it does not know of, comments
// among it, is still there after a change, and that an error names the file and the line. It reads and writes no
// file itself, and decides nothing about a cluster of Cerco: corosync.conf is what others left behind, or want.
package corosync

import (
	"bytes"
	"fmt"
	"strings"
)

// Pair is "key: value", with the comment lines above it.
type Pair struct {
	Key, Value string
	notes      []string
}

// Section is "name { ... }", or the whole file, which has no name.
type Section struct {
	Name     string
	Pairs    []Pair
	Sections []*Section
	notes    []string // comment lines above it
	last     []string // comment lines before its end
}

// SyntaxError is a line that cannot be read.
type SyntaxError struct {
	File string
	Line int
	What string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.What) }

// depthMost is far more than any corosync.conf nests.
const depthMost = 32

// Parse reads a corosync.conf. file is for messages. Errors are of type *SyntaxError.
func Parse(file string, data []byte) (*Section, error) {
	root := &Section{}
	open := []*Section{root}
	var lines []int // of what is open
	var notes []string
	fail := func(line int, format string, args ...any) (*Section, error) {
		return nil, &SyntaxError{file, line, fmt.Sprintf(format, args...)}
	}
	for i, raw := range strings.Split(string(data), "\n") {
		line, n := strings.TrimSpace(raw), i+1
		in := open[len(open)-1]
		switch {
		case line == "":
		case line[0] == '#':
			notes = append(notes, line)
		case line == "}":
			if len(open) == 1 {
				return fail(n, "} closes nothing: a section was closed before it was opened")
			}
			in.last, notes = notes, nil
			open, lines = open[:len(open)-1], lines[:len(lines)-1]
		case strings.HasSuffix(line, "{"):
			name := strings.TrimSpace(strings.TrimSuffix(line, "{"))
			if name == "" || strings.ContainsAny(name, "{}:") {
				return fail(n, "a section needs a name before its {")
			}
			if len(open) > depthMost {
				return fail(n, "sections are nested too deep")
			}
			s := &Section{Name: name, notes: notes}
			notes = nil
			in.Sections = append(in.Sections, s)
			open, lines = append(open, s), append(lines, n)
		default:
			key, value, ok := strings.Cut(line, ":")
			key, value = strings.TrimSpace(key), strings.TrimSpace(value)
			if !ok || key == "" || strings.ContainsAny(key, "{}") {
				return fail(n, "%q is neither \"key: value\", nor opens a section (name {), nor closes one (})", line)
			}
			in.Pairs = append(in.Pairs, Pair{key, value, notes})
			notes = nil
		}
	}
	if len(open) > 1 {
		return fail(lines[len(lines)-1], "the section %s is not closed", open[len(open)-1].Name)
	}
	root.last = notes
	return root, nil
}

// Append writes a section, or a whole file, to the end of b: pairs first, then sections, a blank line between.
func (s *Section) Append(b []byte) []byte { return s.append(b, 0) }

// String is the section as it stands in a file.
func (s *Section) String() string { return string(s.Append(nil)) }

func (s *Section) append(b []byte, depth int) []byte {
	inner := depth
	if s.Name != "" {
		b = appendLine(appendNotes(b, s.notes, depth), depth, s.Name+" {")
		inner++
	}
	for _, p := range s.Pairs {
		b = appendLine(appendNotes(b, p.notes, inner), inner, p.Key+": "+p.Value)
	}
	for i, c := range s.Sections {
		if i > 0 || len(s.Pairs) > 0 {
			b = append(b, '\n')
		}
		b = c.append(b, inner)
	}
	b = appendNotes(b, s.last, inner)
	if s.Name != "" {
		b = appendLine(b, depth, "}")
	}
	return b
}

func appendNotes(b []byte, notes []string, depth int) []byte {
	for _, n := range notes {
		b = appendLine(b, depth, n)
	}
	return b
}

func appendLine(b []byte, depth int, line string) []byte {
	b = append(b, bytes.Repeat([]byte("    "), depth)...)
	return append(append(b, line...), '\n')
}

// Get returns the value of a key, the last one if there are several.
func (s *Section) Get(key string) string {
	v, _ := s.Lookup(key)
	return v
}

// Lookup is Get, and whether the key is there. A nil section has nothing.
func (s *Section) Lookup(key string) (string, bool) {
	if s == nil {
		return "", false
	}
	for i := len(s.Pairs) - 1; i >= 0; i-- {
		if s.Pairs[i].Key == key {
			return s.Pairs[i].Value, true
		}
	}
	return "", false
}

// Set gives a key a value, where it stands or at the end; an empty value takes the key out.
func (s *Section) Set(key, value string) {
	kept, done := s.Pairs[:0], value == ""
	for _, p := range s.Pairs {
		switch {
		case p.Key != key:
		case done:
			continue
		default:
			p.Value, done = value, true
		}
		kept = append(kept, p)
	}
	if s.Pairs = kept; !done {
		s.Pairs = append(s.Pairs, Pair{Key: key, Value: value})
	}
}

// All returns the sections of a name.
func (s *Section) All(name string) []*Section {
	var list []*Section
	if s != nil {
		for _, c := range s.Sections {
			if c.Name == name {
				list = append(list, c)
			}
		}
	}
	return list
}

// Child returns the last section of a name, nil if there is none.
func (s *Section) Child(name string) *Section {
	list := s.All(name)
	if len(list) == 0 {
		return nil
	}
	return list[len(list)-1]
}

// Make is Child, and makes the section where there is none.
func (s *Section) Make(name string) *Section {
	if c := s.Child(name); c != nil {
		return c
	}
	c := &Section{Name: name}
	s.Sections = append(s.Sections, c)
	return c
}

// Remove takes all sections of a name out.
func (s *Section) Remove(name string) {
	kept := s.Sections[:0]
	for _, c := range s.Sections {
		if c.Name != name {
			kept = append(kept, c)
		}
	}
	s.Sections = kept
}

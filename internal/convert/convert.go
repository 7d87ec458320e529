// Package convert takes over what other cluster managers left behind: the cluster.conf of CMAN and rgmanager, and a
// corosync.conf.
//
// It owns what each element of those files means, and what has a counterpart. It promises that everything that a file says
// is accounted for: it is carried over, changed in a way that is told, or named as having no counterpart. What it makes
// are commands in the language of pcs, so that a reader sees what will be done and can change it. It reads no
// file and carries nothing out.
package convert

import (
	"fmt"
	"slices"
	"strings"
)

// Kind tells what became of something.
type Kind uint8

const (
	Changed Kind = iota // it is there, in another way
	Dropped             // it has no counterpart
	Wrong               // it cannot be right as it stands
)

func (k Kind) String() string { return [...]string{"changed", "dropped", "wrong"}[k] }

// Note is something that a reader must know about a conversion.
type Note struct {
	Kind Kind
	Line int // in the file; 0: none in particular
	Text string
}

// Node is a member of the cluster that was.
type Node struct {
	Name  string
	Addrs []string // link 0 first; empty: the name
	Votes int
}

// Result is what a file comes to.
type Result struct {
	Cluster  string
	Nodes    []Node
	Quorum   []string   // options of the cluster: "wait_for_all=1"
	Commands [][]string // in the language of pcs, without its name, in their order
	Notes    []Note

	exports int // of NFS, so far: each needs a number
}

func (r *Result) note(kind Kind, line int, format string, args ...any) {
	r.Notes = append(r.Notes, Note{kind, line, fmt.Sprintf(format, args...)})
}

// command adds a command, without its empty words.
func (r *Result) command(words ...string) {
	r.Commands = append(r.Commands, slices.DeleteFunc(words, func(w string) bool { return w == "" }))
}

// option is NAME=VALUE, nothing for an empty value.
func option(name, value string) string {
	if value == "" {
		return ""
	}
	return name + "=" + value
}

// name makes a name fit for a resource's id.
func name(text string) string {
	text = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' || r == '.' {
			return r
		}
		return '-'
	}, text)
	if text == "" || !(text[0] >= 'a' && text[0] <= 'z' || text[0] >= 'A' && text[0] <= 'Z' || text[0] == '_') {
		return "r" + text
	}
	return text
}

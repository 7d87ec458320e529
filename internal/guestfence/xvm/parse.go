package xvm

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// parseArgs reads a command line as getopt does: flags may stand together, an argument may be joined to its flag,
// and what is no option is passed over. It returns what getopt complains about.
func (o *options) parseArgs(name string, args []string) (complaints []string) {
	all := table()
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		if word == "--" {
			return complaints
		}
		if len(word) < 2 || word[0] != '-' {
			continue
		}
		for rest := word[1:]; rest != ""; {
			p := find(all, name, rest[0])
			flag := rest[0]
			rest = rest[1:]
			if p == nil {
				complaints = append(complaints, fmt.Sprintf("invalid option -- '%c'", flag))
				o.help = true
				continue
			}
			value := "1"
			switch {
			case p.arg == "":
			case rest != "" || p.optional:
				value, rest = rest, ""
			case len(args) > 0:
				value, args = args[0], args[1:]
			default:
				complaints = append(complaints, fmt.Sprintf("option requires an argument -- '%c'", flag))
				o.help = true
				continue
			}
			if flag == 'd' {
				value = "" // one more
			}
			o.apply(p, value)
		}
	}
	return complaints
}

func find(all []option, name string, flag byte) *option {
	for i := range all {
		if p := &all[i]; p.flag == flag && (p.of(name) || flag == 'M') {
			return p
		}
	}
	return nil
}

func (o *options) apply(p *option, value string) {
	if err := p.set(o, value); err != nil {
		o.problems = append(o.problems, err.Error())
	}
}

// maxLine is how long a line of input may be.
const maxLine = 1 << 12

// parseInput reads lines name=value. Names that nobody knows are passed over and returned. A value ends at the
// first blank; lines that begin with # are comments.
func (o *options) parseInput(name string, in io.Reader) (unknown []string) {
	all := table()
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		line := strings.TrimLeft(lines.Text(), " \t")
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, _ := strings.Cut(line, "=")
		key = strings.ToLower(strings.TrimRight(key, " \t"))
		if i := strings.IndexAny(value, " \t\r"); i >= 0 {
			value = value[:i]
		}
		switch key {
		case "agent", "self", "nodename":
			continue // the caller's own
		}
		known := false
		for i := range all {
			if p := &all[i]; p.name == key && p.of(name) {
				o.apply(p, value)
				known = true
				break
			}
		}
		if !known {
			unknown = append(unknown, key)
		}
	}
	return unknown
}

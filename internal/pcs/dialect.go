package pcs

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// spelling is an older way to say something: the words that it begins with, and what it is now. to gets the words behind
// the old ones and returns all the new ones, or nil if this is not the old spelling after all; it may change options.
type spelling struct {
	old []string
	to  func(p *parsed, rest []string) []string
}

// renamed is a spelling of which only the first words are others now.
func renamed(old, now string) spelling {
	return spelling{strings.Fields(old), func(_ *parsed, rest []string) []string { return append(strings.Fields(now), rest...) }}
}

// withoutWords is renamed that holds only if nothing follows.
func withoutWords(old, now string) spelling {
	return spelling{strings.Fields(old), func(_ *parsed, rest []string) []string {
		if len(rest) > 0 {
			return nil
		}
		return strings.Fields(now)
	}}
}

// spellings are those of pcs 0.9 and 0.10 that are others now. The first that fits counts.
func spellings() []spelling {
	return []spelling{
		renamed("cluster standby", "node standby"),
		renamed("cluster unstandby", "node unstandby"),
		{[]string{"cluster", "auth"}, func(_ *parsed, rest []string) []string {
			if len(rest) == 0 {
				return nil
			}
			return append([]string{"host", "auth"}, rest...)
		}},
		{[]string{"cluster", "setup"}, oldSetup},
		renamed("cluster quorum unblock", "quorum unblock"),
		renamed("cluster remote-node add", "cluster node add-guest"),
		renamed("cluster remote-node remove", "cluster node remove-guest"),
		renamed("cluster uidgid rm", "cluster uidgid delete"),
		renamed("cluster certkey", "pcsd certkey"),
		renamed("cluster pcsd-status", "pcsd status"),
		withoutWords("resource show", "resource status"),
		renamed("resource show", "resource config"),
		withoutWords("stonith show", "stonith status"),
		renamed("stonith show", "stonith config"),
		{[]string{"resource", "master"}, oldMaster},
		{[]string{"resource", "create"}, oldCreate},
		{[]string{"resource", "failcount", "reset"}, func(_ *parsed, rest []string) []string { return append(words("resource cleanup"), onNode(rest)...) }},
		{[]string{"resource", "failcount", "show"}, func(_ *parsed, rest []string) []string {
			if len(rest) != 2 || strings.Contains(rest[1], "=") {
				return nil
			}
			return append(words("resource failcount show"), onNode(rest)...)
		}},
		withoutWords("status groups", "resource group list"),
		{[]string{"property", "set"}, oldNodeProperty},
		{[]string{"property", "unset"}, oldNodeProperty},
		{[]string{"constraint", "colocation", "add"}, oldColocation},
		renamed("config import-cman", "import"),
	}
}

func words(text string) []string { return strings.Fields(text) }

// rewrite puts the newest spelling in the place of an older one, and says so once.
func (c *call) rewrite(p *parsed) error {
	before := slices.Clone(p.words)
	options := maps.Clone(p.options)
	for _, s := range spellings() {
		if len(p.words) < len(s.old) || !slices.Equal(p.words[:len(s.old)], s.old) {
			continue
		}
		if now := s.to(p, slices.Clone(p.words[len(s.old):])); now != nil {
			p.words = now
			break
		}
	}
	notes := oldOptions(p)
	if !slices.Equal(before, p.words) {
		for _, name := range sortedKeys(options) {
			if values := options[name]; p.options[name] == nil && len(values) > 0 {
				before = append(before, strings.TrimSpace("--"+name+" "+values[len(values)-1]))
			}
		}
		notes = append(notes, fmt.Sprintf("'%s %s' is now: %s %s", c.program, strings.Join(before, " "), c.program, strings.Join(p.words, " ")))
	}
	for _, n := range notes {
		fmt.Fprintf(c.Stderr, "Deprecation Warning: %s\n", n)
	}
	return nil
}

// oldOptions replaces options that have another name now.
func oldOptions(p *parsed) []string {
	var notes []string
	if values, ok := p.options["master"]; ok {
		delete(p.options, "master")
		p.options["promoted"] = values
		notes = append(notes, "'--master' is now: --promoted")
	}
	return notes
}

// onNode is RESOURCE [NODE] the way it is said now.
func onNode(rest []string) []string {
	if len(rest) == 2 && !strings.Contains(rest[1], "=") {
		rest[1] = "node=" + rest[1]
	}
	return rest
}

// oldSetup is cluster setup --name NAME NODE[,ALTADDR]...
func oldSetup(p *parsed, rest []string) []string {
	name, ok := p.options["name"]
	if !ok {
		return nil
	}
	delete(p.options, "name")
	now := append(words("cluster setup"), name[len(name)-1])
	for _, n := range rest {
		node, alternative, two := strings.Cut(n, ",")
		now = append(now, node)
		if two {
			now = append(now, "addr="+node, "addr="+alternative)
		}
	}
	return now
}

// oldMaster is resource master [ID] RESOURCE [NAME=VALUE...]: the id came first.
func oldMaster(_ *parsed, rest []string) []string {
	n := slices.IndexFunc(rest, func(w string) bool { return strings.Contains(w, "=") })
	if n < 0 {
		n = len(rest)
	}
	if n > 1 && rest[1] != "meta" {
		rest[0], rest[1] = rest[1], rest[0]
	}
	for i, w := range rest {
		rest[i] = promotedName(w)
	}
	return append(words("resource promotable"), rest...)
}

// promotedName is a clone option by its newer name.
func promotedName(word string) string {
	for _, name := range []string{"max", "node-max"} {
		if value, ok := strings.CutPrefix(word, "master-"+name+"="); ok {
			return "promoted-" + name + "=" + value
		}
	}
	return word
}

// oldCreate is resource create ... master|--master|--clone [OPTIONS].
func oldCreate(p *parsed, rest []string) []string {
	changed := false
	for i, w := range rest {
		if w == "master" && i > 1 {
			rest[i], changed = "promotable", true
		}
	}
	for option, word := range map[string]string{"master": "promotable", "clone": "clone"} {
		if _, ok := p.options[option]; ok {
			delete(p.options, option)
			rest, changed = append(rest, word), true
		}
	}
	if !changed {
		return nil
	}
	for i := range rest {
		rest[i] = promotedName(rest[i])
	}
	return append(words("resource create"), rest...)
}

// oldNodeProperty is property set|unset --node=NODE.
func oldNodeProperty(p *parsed, rest []string) []string {
	node, ok := p.options["node"]
	if !ok {
		return nil
	}
	delete(p.options, "node")
	unset := p.words[1] == "unset"
	for i, w := range rest {
		if unset && !strings.HasSuffix(w, "=") {
			rest[i] = w + "="
		}
	}
	return append(words("node attribute "+node[0]), rest...)
}

// oldColocation is constraint colocation add A B, without the word between them.
func oldColocation(_ *parsed, rest []string) []string {
	if slices.Contains(rest, "with") {
		return nil
	}
	at := 1
	if len(rest) > 0 && isRole(rest[0]) {
		at = 2
	}
	if len(rest) <= at || strings.Contains(rest[at], "=") {
		return nil
	}
	return append(words("constraint colocation add"), slices.Insert(rest, at, "with")...)
}

func isRole(word string) bool {
	return slices.Contains([]string{"master", "slave", "promoted", "unpromoted", "started", "stopped"}, strings.ToLower(word))
}

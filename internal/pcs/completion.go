package pcs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

func completionNoun() *verb {
	return &verb{name: "completion", what: "Complete commands in a shell.", sub: []*verb{
		{name: "bash", run: completionScript, what: "Print what bash needs: source <(cerco completion bash)"},
		{name: "zsh", run: completionScript, what: "Print what zsh needs: source <(cerco completion zsh)"},
		{name: "fish", run: completionScript, what: "Print what fish needs: cerco completion fish | source"},
		{name: "words", args: "[--] WORD...", run: func(c *call) error { return c.completions(c.words) },
			what: "List what the last WORD can become, a line each, with what it means behind a tab."},
	}}
}

func completionScript(c *call) error {
	text := map[string]string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}[c.path[len(c.path)-1]]
	_, err := c.Stdout.Write([]byte(text))
	return err
}

// completing reports whether a command line asks for completions. Its words are those of an unfinished command, and are taken as they are.
func completing(args []string) (words []string, ok bool) {
	if len(args) < 2 || args[0] != "completion" || args[1] != "words" {
		return nil, false
	}
	words = args[2:]
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	return words, true
}

// files stands for the names of files, which the shell knows best.
const files = ":files"

// candidate is what a word can become.
type candidate struct{ text, what string }

func asCandidates(list []string) []candidate {
	var out []candidate
	for _, w := range list {
		out = append(out, candidate{text: w})
	}
	return out
}

// completions prints what the last of some words can become.
func (c *call) completions(words []string) error {
	if len(words) == 0 {
		words = []string{""}
	}
	if (words[0] == "pcs" || words[0] == "help") && len(words) > 1 {
		words = words[1:]
	}
	last := words[len(words)-1]
	for _, x := range c.candidates(words[:len(words)-1], last) {
		if x.text == files {
			fmt.Fprintln(c.Stdout, files)
			continue
		}
		if strings.HasPrefix(x.text, last) {
			fmt.Fprintln(c.Stdout, strings.TrimSuffix(x.text+"\t"+x.what, "\t"))
		}
	}
	return nil
}

// candidates are what the word behind others can be; last is what there is of it.
func (c *call) candidates(before []string, last string) []candidate {
	words := c.takeOptions(before)
	if len(before) > 0 {
		if list, is := optionValues(strings.TrimLeft(before[len(before)-1], "-"), before[len(before)-1]); is {
			return list
		}
	}
	path, at, rest := route(words)
	if strings.HasPrefix(last, "-") {
		return c.optionNames(at, last)
	}
	if at != nil && len(path) > len(words) { // the verb that is meant without a word: others can be
		path, at = path[:len(words)], find(nounOf(words), words[len(words)-1])
	}
	switch {
	case at == nil && len(words) == 0:
		return c.below(nouns(), true)
	case at == nil:
		return nil
	case len(rest) == 0 && len(at.sub) > 0:
		return append(c.below(at.sub, false), c.arguments(at, path, nil, last)...)
	}
	return c.arguments(at, path, rest, last)
}

// nounOf are the verbs among which the last of some words was found.
func nounOf(words []string) []*verb {
	list := nouns()
	for _, w := range words[:len(words)-1] {
		v := find(list, w)
		if v == nil {
			return nil
		}
		list = v.sub
	}
	return list
}

// below are the verbs of a list, and at the top the commands besides the tree.
func (c *call) below(list []*verb, top bool) []candidate {
	var out []candidate
	for _, v := range list {
		out = append(out, candidate{v.name, firstSentence(v.what)})
	}
	if top && c.Others != nil && c.program == "cerco" {
		for _, o := range c.Others() {
			out = append(out, candidate{o.Name, o.What})
		}
	}
	return out
}

// takeOptions leaves options out of words, and keeps -f.
func (c *call) takeOptions(words []string) []string {
	kinds, short := optionKinds(), shortOptions()
	c.options = map[string][]string{}
	var out []string
	for i := 0; i < len(words); i++ {
		w := words[i]
		switch name, _, given := strings.Cut(strings.TrimPrefix(w, "--"), "="); {
		case w == "-f" && i+1 < len(words):
			c.options["f"] = []string{words[i+1]}
			i++
		case strings.HasPrefix(w, "--") && kinds[name] == valued && !given:
			i++
		case strings.HasPrefix(w, "--"):
		case len(w) == 2 && w[0] == '-' && kinds[short[w[1]]] == valued:
			i++
		case len(w) > 1 && w[0] == '-' && !isNegative(w):
		default:
			out = append(out, w)
		}
	}
	return out
}

// optionValues are the values of an option that was named just before, if it takes one.
func optionValues(name, word string) ([]candidate, bool) {
	if word == "-f" || word == "-o" {
		return []candidate{{text: files}}, true
	}
	if !strings.HasPrefix(word, "--") || optionKinds()[name] != valued {
		return nil, false
	}
	values := map[string][]string{"output-format": {"text", "cmd", "json"}, "output-as": {"text", "xml", "json"}, "output": {"yaml", "xml"}}
	if list, ok := values[name]; ok {
		return asCandidates(list), true
	}
	return []candidate{{text: files}}, true
}

// optionNames are the options of a verb. Behind a "=" stand their values.
func (c *call) optionNames(at *verb, last string) []candidate {
	if name, _, ok := strings.Cut(strings.TrimPrefix(last, "--"), "="); ok {
		list, _ := optionValues(name, "--"+name)
		for i := range list {
			if list[i].text != files {
				list[i].text = "--" + name + "=" + list[i].text
			}
		}
		return list
	}
	names := everywhere()
	if at != nil {
		names = append(slices.Clone(at.options), names...)
	}
	var out []candidate
	kinds := optionKinds()
	for _, n := range names {
		suffix := ""
		if kinds[n] == valued {
			suffix = "="
		}
		out = append(out, candidate{text: "--" + n + suffix})
	}
	return append(out, candidate{"-f", "work on the CIB in a file"})
}

// tokens are the words of a verb's usage, without brackets.
func tokens(args string) (list []string, more bool) {
	more = strings.Contains(args, "...")
	return strings.FieldsFunc(args, func(r rune) bool { return strings.ContainsRune(" []()|{}", r) || r == '.' }), more
}

func isPlace(token string) bool {
	return token != "" && token == strings.ToUpper(token) && !strings.Contains(token, "=") && !strings.HasPrefix(token, "-")
}

// arguments are what can stand behind a verb, as its usage shows: names of what there is, keywords, and NAME=.
func (c *call) arguments(v *verb, path, rest []string, last string) []candidate {
	list, more := tokens(v.args)
	if name, _, ok := strings.Cut(last, "="); ok { // the value of a pair
		for _, t := range list {
			if n, place, _ := strings.Cut(t, "="); n == name {
				var out []candidate
				for _, x := range c.things(place, path) {
					out = append(out, candidate{name + "=" + x.text, x.what})
				}
				return out
			}
		}
		return nil
	}
	var out []candidate
	var places []string
	for i, t := range list {
		switch name, _, pair := strings.Cut(t, "="); {
		case strings.HasPrefix(t, "-"):
		case pair && name == strings.ToLower(name):
			out = append(out, candidate{text: name + "="})
		case isPlace(t):
			places = append(places, t)
		case t == strings.ToLower(t):
			out = append(out, candidate{text: t})
			if len(rest) > 0 && rest[len(rest)-1] == t && i+1 < len(list) && isPlace(list[i+1]) { // behind its keyword
				return c.things(list[i+1], path)
			}
		}
	}
	done := 0
	for _, w := range rest {
		if !isPair(w) {
			done++
		}
	}
	if len(places) > 0 && (done < len(places) || more) {
		out = append(c.things(places[min(done, len(places)-1)], path), out...)
	}
	return out
}

// patience is how long a shell may wait for the names of what there is.
const patience = 500 * time.Millisecond

// things are the names of what a word in a usage stands for.
func (c *call) things(place string, path []string) []candidate {
	switch place {
	case "FILE", "DEST", "PATH", "ORIGINAL":
		return []candidate{{text: files}}
	case "CLASS", "TYPE", "AGENT":
		class := ""
		if path[0] == "stonith" {
			class = "stonith"
		}
		agents, err := c.all(class)
		if err != nil {
			return nil
		}
		var out []candidate
		for _, a := range agents {
			if class == "stonith" {
				out = append(out, candidate{text: a.Type})
			} else {
				out = append(out, candidate{text: a.String()})
			}
		}
		return out
	case "ID":
		place = map[string]string{"constraint": "CONSTRAINT", "alert": "ALERT", "tag": "TAG", "acl": "ROLE", "stonith": "DEVICE"}[path[0]]
	}
	ids := c.ids()
	return asCandidates(ids[place])
}

// ids are the names of what there is in the CIB, by the word that stands for them. There are none where nothing can be read.
func (c *call) ids() map[string][]string {
	conf := c.known()
	if conf == nil {
		return nil
	}
	out := map[string][]string{}
	add := func(id string, places ...string) {
		for _, p := range places {
			if id != "" && !slices.Contains(out[p], id) {
				out[p] = append(out[p], id)
			}
		}
	}
	for e := range conf.All() {
		switch e.Name {
		case "node":
			add(e.Attr("uname"), "NODE", "HOST", "TARGET")
		case "primitive":
			if e.Attr("class") == "stonith" {
				add(e.ID(), "DEVICE")
			} else {
				add(e.ID(), "RESOURCE")
			}
		case "group":
			add(e.ID(), "RESOURCE", "GROUP")
		case "clone", "master":
			add(e.ID(), "RESOURCE", "CLONE")
		case "bundle":
			add(e.ID(), "RESOURCE")
		case "rsc_location", "rsc_order", "rsc_colocation", "rsc_ticket":
			add(e.ID(), "CONSTRAINT")
			add(e.Attr("ticket"), "TICKET")
		case "tag":
			add(e.ID(), "TAG")
		case "acl_role":
			add(e.ID(), "ROLE")
		case "alert":
			add(e.ID(), "ALERT")
		case "recipient":
			add(e.ID(), "RECIPIENT")
		}
	}
	for p := range maps.Keys(out) {
		slices.Sort(out[p])
	}
	return out
}

// known is the configuration of the file that -f names, else what this node has; nil if nothing can be read in time.
func (c *call) known() *cib.Element {
	if c.onFile() {
		doc, err := (&fileWorld{path: c.option("f")}).read()
		if err != nil {
			return nil
		}
		return part(doc.Root, "configuration")
	}
	d, err := c.daemon()
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.context(), patience)
	defer cancel()
	data, err := d.CIB(ctx, true)
	if err != nil {
		return nil
	}
	root, err := cib.Parse("", data)
	if err != nil {
		return nil
	}
	return part(root, "configuration")
}

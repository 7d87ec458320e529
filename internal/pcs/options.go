package pcs

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// How an option takes its value.
const (
	flag     = iota // it has none
	valued          // --name=value or --name value
	optional        // --name or --name=value
)

// optionKinds are the long options of all three dialects. Those of a verb are named in its entry of the tree.
func optionKinds() map[string]int {
	kinds := map[string]int{"wait": optional, "output-as": valued, "corosync_conf": valued, "cluster_conf": valued}
	for _, name := range strings.Fields("after before booth-conf booth-key device encryption from group id name node note output-format " +
		"request-timeout timeout to output out token user password watchdog input cluster diff-against scope ring addr api delay dir tolerance valid xml-file") {
		kinds[name] = valued
	}
	for _, name := range strings.Fields("agent-validation all autocorrect autodelete brief ca clone config corosync debug defaults disabled dry-run enable expired final force " +
		"full fullhelp future groups help hide-inactive interactive invalid json local master merge monitor no-cluster-uuid no-default-ops " +
		"no-expire-check no-keys-sync no-start no-stop no-strict no-watchdog-validation nodesc off on over overwrite pacemaker promoted quiet " +
		"safe show-secrets simulate skip-offline start strict version yes watch") {
		kinds[name] = flag
	}
	return kinds
}

// everywhere are the options that every verb takes.
func everywhere() []string {
	return []string{"help", "debug", "request-timeout", "dry-run", "output-as", "yes", "note", "version"}
}

// onCluster are those that every verb takes that is about a running cluster.
func onCluster() []string { return []string{"corosync_conf", "force", "full", "skip-offline"} }

// shortOptions are options of one letter, and the long ones that they are.
func shortOptions() map[byte]string {
	return map[byte]string{'h': "help", 'f': "f", 'u': "user", 'p': "password", 'V': "full", 'v': "full", 'q': "quiet", 'o': "out", 'w': "watch", 'x': "xml-file"}
}

// parsed is a command line taken apart: the words, and the options with their values.
type parsed struct {
	words   []string
	options map[string][]string
}

// parse takes a command line apart. Options may stand anywhere before "--"; a negative number or score is a word.
func parse(args []string) (*parsed, error) {
	p := &parsed{options: map[string][]string{}}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		var err error
		switch {
		case arg == "--":
			p.words = append(p.words, args...)
			return p, nil
		case strings.HasPrefix(arg, "--"):
			args, err = p.long(arg[2:], args)
		case len(arg) > 1 && arg[0] == '-' && !isNegative(arg):
			args, err = p.short(arg[1:], args)
		default:
			p.words = append(p.words, arg)
		}
		if err != nil {
			return nil, err
		}
	}
	return p, nil
}

func isNegative(word string) bool {
	rest := strings.ToUpper(word[1:])
	return rest[0] >= '0' && rest[0] <= '9' || rest == "INFINITY" || rest == "INF"
}

func (p *parsed) long(text string, args []string) ([]string, error) {
	name, value, given := strings.Cut(text, "=")
	kinds := optionKinds()
	kind, known := kinds[name]
	if !known {
		name, known = unabbreviated(name, kinds)
		kind = kinds[name]
	}
	switch {
	case !known:
		return nil, &usageError{fmt.Sprintf("option --%s not recognized%s", name, dashed(nearest(name, slices.Sorted(maps.Keys(kinds)))))}
	case kind == flag && given:
		return nil, &usageError{fmt.Sprintf("option --%s must not have an argument", name)}
	case kind == valued && !given:
		if len(args) == 0 {
			return nil, &usageError{fmt.Sprintf("option --%s requires argument", name)}
		}
		value, args = args[0], args[1:]
	}
	p.options[name] = append(p.options[name], value)
	return args, nil
}

func dashed(name string) string {
	if name == "" {
		return ""
	}
	return " (did you mean '--" + name + "'?)"
}

// unabbreviated is the one option that begins with the text.
func unabbreviated(text string, kinds map[string]int) (string, bool) {
	found := ""
	for name := range kinds {
		if strings.HasPrefix(name, text) {
			if found != "" {
				return text, false
			}
			found = name
		}
	}
	if found == "" || text == "" {
		return text, false
	}
	return found, true
}

func (p *parsed) short(letters string, args []string) ([]string, error) {
	for letters != "" {
		name, known := shortOptions()[letters[0]]
		if !known {
			return nil, &usageError{fmt.Sprintf("option -%c not recognized", letters[0])}
		}
		rest := letters[1:]
		if name != "f" && optionKinds()[name] != valued {
			p.options[name] = append(p.options[name], "")
			letters = rest
			continue
		}
		if rest == "" {
			if len(args) == 0 {
				return nil, &usageError{fmt.Sprintf("option -%c requires argument", letters[0])}
			}
			rest, args = args[0], args[1:]
		}
		p.options[name] = append(p.options[name], rest)
		break
	}
	return args, nil
}

// usageError is a command line that cannot be understood.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

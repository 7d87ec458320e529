package replay

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/transition"
)

// ParseConfig reads a small cluster from lines: "nodes n1 n2", "option NAME=VALUE", and elements of the
// configuration as XML, each in one line.
func ParseConfig(text string) (Config, error) {
	var cfg Config
	for i, l := range strings.Split(text, "\n") {
		l = strings.TrimSpace(l)
		words := strings.Fields(l)
		switch {
		case l == "" || strings.HasPrefix(l, "#"):
		case strings.HasPrefix(l, "<"):
			cfg.Edits = append(cfg.Edits, l)
		case words[0] == "nodes":
			cfg.Nodes = append(cfg.Nodes, words[1:]...)
		case words[0] == "option":
			for _, w := range words[1:] {
				name, value, _ := strings.Cut(w, "=")
				cfg.Edits = append(cfg.Edits, OptionXML(name, value))
			}
		default:
			return cfg, fmt.Errorf("line %d: %q is neither nodes, nor an option, nor an element", i+1, l)
		}
	}
	return cfg, nil
}

// Do carries a line of a script out: "run 5s", "crash n2", "start n2", "stop-daemon n1", "stop n1", "partition n1 n2", "heal",
// "fail NODE RESOURCE TASK RC", "break NODE RESOURCE", "fail-fencing NODE TIMES", "confirm NODE", "option NAME=VALUE",
// "configure ELEMENT", "delete XPATH", "cleanup", "attribute NODE NAME=VALUE", "status".
func (w *World) Do(line string) error {
	verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	words := strings.Fields(rest)
	want := map[string]int{"run": 1, "crash": 1, "start": 1, "stop-daemon": 1, "stop": 1, "fail": 4, "break": 2, "fail-fencing": 2,
		"confirm": 1, "option": 1, "attribute": 2}[verb]
	if len(words) < want {
		return fmt.Errorf("%q wants %d words", verb, want)
	}
	switch verb {
	case "", "#":
	case "run":
		d, err := time.ParseDuration(words[0])
		if err != nil {
			return err
		}
		w.Run(d)
	case "crash":
		w.Crash(words[0])
	case "start":
		w.Node(words[0]).Start()
	case "stop-daemon":
		w.Node(words[0]).StopDaemon()
	case "stop":
		w.StopNode(words[0])
	case "partition":
		w.Partition(words...)
	case "heal":
		w.Heal()
	case "fail", "fail-fencing":
		n, err := strconv.Atoi(words[len(words)-1])
		if err != nil {
			return err
		}
		if verb == "fail" {
			w.Fail(words[0], words[1], words[2], n)
		} else {
			w.FailFencing(words[0], n)
		}
	case "break":
		w.Break(words[0], words[1])
	case "confirm":
		w.Confirm(words[0])
	case "option":
		name, value, _ := strings.Cut(words[0], "=")
		w.Option(name, value)
	default:
		return w.change(verb, rest, words)
	}
	return w.Breach
}

// change is Do for what changes the state.
func (w *World) change(verb, rest string, words []string) error {
	root := cib.Command{By: "root"}
	switch verb {
	case "configure":
		root.Config = &cib.ConfigChange{Edits: []cib.Edit{{Op: "modify", Create: true, XML: rest}}}
	case "delete":
		root.Config = &cib.ConfigChange{Edits: []cib.Edit{{Op: "delete", XPath: rest}}}
	case "cleanup":
		root.Forget = []cib.Forget{{OnlyFails: true}}
	case "attribute":
		name, value, _ := strings.Cut(words[1], "=")
		root.Attributes = []cib.AttributeUpdate{{Node: words[0], Name: name, Value: value}}
	case "status":
		w.traceStatus()
		return nil
	default:
		return fmt.Errorf("unknown word %q", verb)
	}
	w.trace("** %s %s", verb, rest)
	w.Propose(root)
	return nil
}

// traceStatus tells what runs where in truth, and what the leader waits for.
func (w *World) traceStatus() {
	for _, n := range w.nodes {
		var runs []string
		for _, rsc := range sorted(n.runs) {
			if r := n.runs[rsc]; r != stopped {
				runs = append(runs, rsc+map[role]string{started: "", promoted: " (promoted)"}[r])
			}
		}
		state := map[bool]string{true: "on", false: "off"}[n.Alive]
		if n.Alive && !n.Daemon {
			state = "on, its daemon is not"
		}
		w.trace("== %s is %s: %s", n.Name, state, strings.Join(runs, ", "))
	}
	if w.leader == nil {
		w.trace("== nobody leads")
		return
	}
	s := w.leader.ctl.Status()
	w.trace("== %s leads: %s %s%s", w.leader.Name, s.Phase, s.Why, s.Next)
	for _, x := range s.Waits {
		w.trace("==   waits for %s: %s (release: %s)", x.What, x.Trouble, x.Release)
	}
	left := 0
	for _, a := range w.Plan().Graph.Actions {
		if a.Kind != transition.Pseudo {
			left++
		}
	}
	w.trace("==   left to do: %d", left)
}

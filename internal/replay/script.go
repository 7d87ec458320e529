package replay

import (
	"fmt"
	"maps"
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

// verb is a word of a script: how many words follow at least, and what it does.
type verb struct {
	words int
	do    func(w *World, words []string, rest string) error
}

// verbs are the words of a script.
func verbs() map[string]verb {
	all := harms()
	maps.Copy(all, doings())
	return all
}

// harms are what happens to hosts, daemons, clocks, disks, links and devices.
func harms() map[string]verb {
	on := func(do func(w *World, n *Node)) verb {
		return verb{1, func(w *World, words []string, _ string) error { do(w, w.Node(words[0])); return nil }}
	}
	node := func(w *World, words []string) string { return w.Node(words[0]).Name }
	return map[string]verb{
		"run": {1, func(w *World, words []string, _ string) error {
			d, err := time.ParseDuration(words[0])
			w.Run(d)
			return err
		}},
		"crash":       on(func(w *World, n *Node) { w.Crash(n.Name) }),
		"start":       on(func(_ *World, n *Node) { n.Start() }),
		"stop-daemon": on(func(_ *World, n *Node) { n.StopDaemon() }),
		"kill-daemon": on(func(w *World, n *Node) {
			if n.Daemon() {
				w.count("daemon killed")
				n.kill("")
			}
		}),
		"lose-acks": on(func(w *World, n *Node) {
			w.trace("** %s does not hear any more that its results are facts", n.Name)
			n.deaf = true
		}),
		"kill-at": {2, func(w *World, words []string, _ string) error { w.Node(words[0]).killAt = words[1]; return nil }},
		"pause":   on(func(_ *World, n *Node) { n.Pause() }),
		"resume":  on(func(_ *World, n *Node) { n.Resume() }),
		"stop":    on(func(w *World, n *Node) { w.StopNode(n.Name) }),
		"confirm": on(func(w *World, n *Node) { w.Confirm(n.Name) }),
		"clock": {2, func(w *World, words []string, _ string) error {
			rate, err := strconv.ParseFloat(words[1], 64)
			w.SetClock(node(w, words), rate)
			return err
		}},
		"disk": {2, func(w *World, words []string, _ string) error {
			d, err := time.ParseDuration(words[1])
			w.trace("** the disk of %s takes %s longer", node(w, words), d)
			w.Node(words[0]).lag = d
			return err
		}},
		"isolate":   {0, func(w *World, _ []string, _ string) error { w.Isolate(); return nil }},
		"partition": {1, func(w *World, words []string, _ string) error { w.Partition(words...); return nil }},
		"cut":       {2, func(w *World, words []string, _ string) error { w.CutOneWay(words[0], words[1]); return nil }},
		"slow": {3, func(w *World, words []string, _ string) error {
			d, err := time.ParseDuration(words[2])
			w.Slow(words[0], words[1], d)
			return err
		}},
		"heal": {0, func(w *World, _ []string, _ string) error { w.Heal(); return nil }},
		"fail": {4, func(w *World, words []string, _ string) error {
			rc, err := strconv.Atoi(words[3])
			w.Fail(node(w, words), words[1], words[2], rc)
			return err
		}},
		"fail-fencing": {2, func(w *World, words []string, _ string) error {
			times, err := strconv.Atoi(words[1])
			w.FailFencing(node(w, words), times)
			return err
		}},
		"fence-device": {2, func(w *World, words []string, _ string) error {
			w.trace("** the fence device of %s: %s", node(w, words), words[1])
			w.fenceOf(node(w, words)).mode = map[string]string{"hangs": "hang", "late": "late"}[words[1]]
			return nil
		}},
	}
}

// doings are what operators do, and services by themselves.
func doings() map[string]verb {
	node := func(w *World, words []string) string { return w.Node(words[0]).Name }
	return map[string]verb{
		"break":  {2, func(w *World, words []string, _ string) error { w.Break(node(w, words), words[1]); return nil }},
		"option": {1, func(w *World, words []string, _ string) error { w.Option(words[0]); return nil }},
		"status": {0, func(w *World, _ []string, _ string) error { w.traceStatus(); return nil }},
		"configure": {1, func(w *World, _ []string, rest string) error {
			return w.change("configure "+rest, cib.Command{Config: &cib.ConfigChange{Edits: []cib.Edit{{Op: "modify", Create: true, XML: rest}}}})
		}},
		"delete": {1, func(w *World, _ []string, rest string) error {
			return w.change("delete "+rest, cib.Command{Config: &cib.ConfigChange{Edits: []cib.Edit{{Op: "delete", XPath: rest}}}})
		}},
		"cleanup": {0, func(w *World, _ []string, _ string) error {
			return w.change("cleanup ", cib.Command{Forget: []cib.Forget{{OnlyFails: true}}})
		}},
		"attribute": {2, func(w *World, words []string, rest string) error {
			name, value, _ := strings.Cut(words[1], "=")
			return w.change("attribute "+rest, cib.Command{Attributes: []cib.AttributeUpdate{{Node: node(w, words), Name: name, Value: value}}})
		}},
	}
}

// Do carries a line of a script out: a word of verbs and what it wants.
func (w *World) Do(line string) error {
	name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	if name == "" || name == "#" {
		return nil
	}
	v, known := verbs()[name]
	words := strings.Fields(rest)
	switch {
	case !known:
		return fmt.Errorf("unknown word %q", name)
	case len(words) < v.words:
		return fmt.Errorf("%q wants %d words", name, v.words)
	}
	w.touched = w.touched || name != "run" && name != "status"
	if err := v.do(w, words, rest); err != nil {
		return err
	}
	return w.Breach
}

// change has an operator change the state.
func (w *World) change(what string, cmd cib.Command) error {
	w.trace("** %s", what)
	cmd.By = "root"
	w.Propose(cmd)
	return nil
}

// Propose has a command committed, as a tool or an operator would: through whoever leads, again for a while if nobody
// does. Once that is acknowledged it must never be lost.
func (w *World) Propose(cmd cib.Command) { w.proposeUntil(cmd, w.Now.Add(2*time.Second)) }

func (w *World) proposeUntil(cmd cib.Command, until time.Time) {
	again := func() {
		if w.Now.Before(until) {
			w.after(100*time.Millisecond, func() { w.proposeUntil(cmd, until) })
			return
		}
		w.trace("nobody leads: a change was not made")
	}
	l := w.Leader()
	if l == nil || l.paused {
		again()
		return
	}
	l.propose(cmd, func(e *entry) {
		w.mark(l, "= a change")
		w.acknowledged(l, e)
	})
}

// StopNode asks for a node to leave in good order.
func (w *World) StopNode(name string) {
	w.trace("** stop %s", name)
	w.mark(w.Node(name), "| is to leave")
	w.Propose(cib.Command{By: "root", Attributes: []cib.AttributeUpdate{{Node: name, Name: "shutdown", Value: strconv.FormatInt(w.Now.Unix(), 10)}}})
}

// SetClock has a node's clock go faster or slower.
func (w *World) SetClock(name string, rate float64) {
	w.trace("** the clock of %s goes at %g", name, rate)
	w.count("clock rate")
	w.mark(w.Node(name), fmt.Sprintf("| clock x%g", rate))
	w.Node(name).setRate(rate)
}

// Option sets a cluster option, "NAME=VALUE".
func (w *World) Option(set string) {
	w.trace("** option %s", set)
	w.Propose(optionCommand(set))
}

func optionCommand(set string) cib.Command {
	name, value, _ := strings.Cut(set, "=")
	return cib.Command{By: "root", Config: &cib.ConfigChange{Edits: []cib.Edit{{Op: "modify", Create: true, XML: OptionXML(name, value)}}}}
}

// OptionXML is the element that sets a cluster option.
func OptionXML(name, value string) string {
	return `<cluster_property_set id="cib-bootstrap-options"><nvpair id="cib-bootstrap-options-` + name + `" name="` + name + `" value="` + value + `"/></cluster_property_set>`
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
		if n.Alive && !n.Daemon() {
			state = "on, its daemon is not"
		}
		w.trace("== %s is %s: %s", n.Name, state, strings.Join(runs, ", "))
	}
	l := w.Leader()
	if l == nil {
		w.trace("== nobody leads")
		return
	}
	s := l.d.ctl.Status()
	w.trace("== %s leads: %s %s%s", l.Name, s.Phase, s.Why, s.Next)
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

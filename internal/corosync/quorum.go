package corosync

import (
	"fmt"
	"slices"
	"strings"
)

// UpdateQuorum changes votequorum's options. Nothing is changed if anything is wrong.
func (c *Config) UpdateQuorum(o Options) []Problem {
	g := quorumOptions()
	bad := g.check(o, false)
	if c.device() != nil {
		var barred []string
		for _, p := range o.sorted() {
			if p.Key == "auto_tie_breaker" || strings.HasPrefix(p.Key, "last_man_standing") {
				barred = append(barred, p.Key)
			}
		}
		if len(barred) > 0 {
			bad = append(bad, Problem{What: strings.Join(barred, ", ") + ": not beside a quorum device: pcs quorum device remove takes it out"})
		}
	}
	later := func(name string) string {
		if slices.ContainsFunc(o, func(p Pair) bool { return p.Key == name }) {
			return o.Get(name)
		}
		return c.Root.one("quorum").Get(name)
	}
	if o.Get("last_man_standing_window") != "" && later("last_man_standing") != "1" {
		bad = append(bad, Problem{What: "last_man_standing_window is about last_man_standing, which is not on: say last_man_standing=1, too"})
	}
	if len(bad) > 0 {
		return bad
	}
	g.write(c.Root.Make("quorum"), o)
	c.countNodes()
	return nil
}

// countNodes keeps two_node in step: two nodes, no tie breaker, no device.
func (c *Config) countNodes() {
	q := c.Root.Make("quorum")
	two := ""
	if len(c.Root.Child("nodelist").All("node")) == 2 && q.Get("auto_tie_breaker") != "1" && c.device() == nil {
		two = "1"
	}
	q.Set("two_node", two)
}

func (c *Config) ids() []string {
	var list []string
	for _, n := range c.Nodes() {
		list = append(list, n.ID)
	}
	return list
}

func checkHost(net Options, there bool) []Problem {
	var bad []Problem
	for _, name := range []string{"algorithm", "host"} {
		given := slices.ContainsFunc(net, func(p Pair) bool { return p.Key == name })
		switch {
		case given && net.Get(name) == "":
			bad = append(bad, Problem{What: fmt.Sprintf("a quorum device of the model net needs %s", name)})
		case !given && !there:
			bad = append(bad, Problem{What: fmt.Sprintf("a quorum device of the model net needs %s=...", name)})
		}
	}
	return bad
}

// noModelHere says when the model stands among the generic options.
func noModelHere(generic Options) []Problem {
	if slices.ContainsFunc(generic, func(p Pair) bool { return p.Key == "model" }) {
		return []Problem{{What: "the model stands by itself: pcs quorum device add [timeout=...] model net host=... algorithm=..."}}
	}
	return nil
}

// AddDevice adds a quorum device. With force, what may be forced is let through and returned as a warning; what is wrong
// otherwise leaves everything as it was.
func (c *Config) AddDevice(d Device, force bool) (warnings []string, bad []Problem) {
	if c.device() != nil {
		return nil, []Problem{{What: "there is a quorum device already: pcs quorum device update changes it"}}
	}
	if bad := noModelHere(d.Generic); bad != nil {
		return nil, bad
	}
	if d.Model != "net" {
		bad = append(bad, Problem{fmt.Sprintf("there is no quorum device model %q: net is the only one", d.Model), true})
	} else {
		bad = slices.Concat(checkHost(d.Net, false), netOptions(c.ids()).checkNew(d.Net))
	}
	bad = slices.Concat(bad, deviceOptions().checkNew(d.Generic), heuristicsOptions().checkNew(d.Heuristics))
	if warnings, bad = forced(bad, force); len(bad) > 0 {
		return nil, bad
	}
	q := c.Root.Make("quorum")
	for _, name := range []string{"allow_downscale", "auto_tie_breaker", "last_man_standing", "last_man_standing_window"} {
		q.Set(name, "")
	}
	q.Remove("device")
	s := q.Make("device")
	deviceOptions().write(s, nonEmpty(d.Generic))
	s.Set("model", d.Model)
	netOptions(nil).write(s.Make(d.Model), nonEmpty(d.Net))
	if h := nonEmpty(d.Heuristics); len(h) > 0 {
		heuristicsOptions().write(s.Make("heuristics"), h)
	}
	c.afterDevice(s)
	return append(warnings, idleHeuristics(s)...), nil
}

// UpdateDevice changes a quorum device; force and what it returns are as in AddDevice.
func (c *Config) UpdateDevice(generic, net, heuristics Options, force bool) (warnings []string, bad []Problem) {
	s := c.device()
	if s == nil {
		return nil, []Problem{noDevice()}
	}
	if bad := noModelHere(generic); bad != nil {
		return nil, bad
	}
	model := s.Get("model")
	if model == "net" {
		bad = slices.Concat(checkHost(net, true), netOptions(c.ids()).check(net, true))
	}
	bad = slices.Concat(bad, deviceOptions().check(generic, true), heuristicsOptions().check(heuristics, true))
	if warnings, bad = forced(bad, force); len(bad) > 0 {
		return nil, bad
	}
	deviceOptions().write(s, generic)
	if len(net) > 0 {
		netOptions(nil).write(s.Make(model), net)
	}
	if len(heuristics) > 0 {
		heuristicsOptions().write(s.Make("heuristics"), heuristics)
	}
	for _, name := range []string{model, "heuristics"} {
		if sub := s.Child(name); sub != nil && len(sub.Pairs) == 0 {
			s.Remove(name)
		}
	}
	c.afterDevice(s)
	return append(warnings, idleHeuristics(s)...), nil
}

// afterDevice keeps what follows from a device in step: a device that splits evenly has one vote.
func (c *Config) afterDevice(s *Section) {
	votes := ""
	if s.Get("model") == "net" && s.one("net").Get("algorithm") == "ffsplit" {
		votes = "1"
	}
	s.Set("votes", votes)
	c.countNodes()
}

func idleHeuristics(s *Section) []string {
	h := s.Child("heuristics")
	if h == nil || h.Get("mode") == "" || h.Get("mode") == "off" {
		return nil
	}
	if slices.ContainsFunc(h.Pairs, func(p Pair) bool { return strings.HasPrefix(p.Key, "exec_") }) {
		return nil
	}
	return []string{"the heuristics do nothing without a command: add exec_NAME=..."}
}

// RemoveDevice takes the quorum device out.
func (c *Config) RemoveDevice() []Problem {
	if c.device() == nil {
		return []Problem{noDevice()}
	}
	c.Root.Make("quorum").Remove("device")
	c.countNodes()
	return nil
}

// RemoveHeuristics takes the heuristics of the quorum device out.
func (c *Config) RemoveHeuristics() []Problem {
	s := c.device()
	if s == nil {
		return []Problem{noDevice()}
	}
	s.Remove("heuristics")
	return nil
}

func noDevice() Problem {
	return Problem{What: "this cluster has no quorum device: pcs quorum device add makes one"}
}

func nonEmpty(o Options) Options {
	var out Options
	for _, p := range o {
		if p.Value != "" {
			out = append(out, p)
		}
	}
	return out
}

// forced parts problems that were forced from those that stay.
func forced(bad []Problem, force bool) (warnings []string, left []Problem) {
	for _, p := range bad {
		if force && p.Forcible {
			warnings = append(warnings, p.What)
		} else {
			left = append(left, p)
		}
	}
	return warnings, left
}

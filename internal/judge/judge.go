package judge

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Rules are the times that the promises depend on.
type Rules struct {
	// Alone is how long a node may go on with what it had begun after it lost its majority: the lease, and
	// what a busy machine adds to it.
	Alone time.Duration
	// Converge is the time within which all must be well again after the faults are over.
	Converge time.Duration
}

// Violation is a promise that was not kept.
type Violation struct {
	Invariant string // "I1"
	At        time.Duration
	Resource  string // what it is about; may be empty
	Node      string
	What      string // in words
}

func (v Violation) String() string {
	return fmt.Sprintf("%.2f %s: %s", v.At.Seconds(), v.Invariant, v.What)
}

// Judge follows a journal, event by event.
type Judge struct {
	rules      Rules
	last       time.Duration
	nodes      map[string]*node
	resources  map[string]*resource
	violations []Violation
	changes    changes
	healed     time.Duration // when the faults were over; negative: they are not, or all is well again
	tally      tally
}

// New makes a judge who has seen nothing yet.
func New(r Rules) *Judge {
	return &Judge{rules: r, nodes: map[string]*node{}, resources: map[string]*resource{}, healed: never,
		changes: changes{tried: map[string]bool{}, acked: map[string]bool{}}, tally: newTally()}
}

// never is a time that has not come.
const never = time.Duration(-1)

// node is what is known of a host.
type node struct {
	off, paused bool
	alone       time.Duration            // since when it can have no majority; never: it can
	term        uint64                   // highest term whose orders were carried out here
	fences      map[string]time.Duration // calls of devices under way against this node, by caller and action: since when
	started     map[string]bool          // operations that were begun here
}

// resource is what is known of a resource.
type resource struct {
	on   map[string]*run // by node
	down time.Duration   // since when it is available nowhere; never: it is
	why  string          // it is down
}

// run is what is known of a resource on a node.
type run struct {
	state state
	since time.Duration // of the state
	// unproven: it was begun here, and nothing that the cluster can know of has ended it yet.
	unproven bool
	begun    time.Duration
}

type state int

const (
	stopped state = iota
	unsure        // an action has begun and not ended well: it may run
	running
)

func (s state) String() string { return [...]string{"is stopped", "may run", "runs"}[s] }

func (j *Judge) node(name string) *node {
	n := j.nodes[name]
	if n == nil {
		n = &node{alone: never, fences: map[string]time.Duration{}, started: map[string]bool{}}
		j.nodes[name] = n
	}
	return n
}

func (j *Judge) run(resourceName, nodeName string) *run {
	r := j.resources[resourceName]
	if r == nil {
		r = &resource{on: map[string]*run{}}
		j.resources[resourceName] = r
	}
	if r.on[nodeName] == nil {
		r.on[nodeName] = &run{}
	}
	return r.on[nodeName]
}

func (j *Judge) violated(e *Event, invariant, format string, args ...any) {
	j.violations = append(j.violations, Violation{Invariant: invariant, At: e.At, Resource: e.Resource, Node: e.Node, What: fmt.Sprintf(format, args...)})
}

// See takes the next event.
func (j *Judge) See(e Event) {
	j.last = max(j.last, e.At)
	j.tooLate(e.At)
	switch e.What {
	case "start", "stop", "monitor", "promote", "demote", "migrate_to", "migrate_from":
		j.action(&e)
	case "fence":
		j.fence(&e)
	case "off", "on", "paused", "resumed", "alone", "together", "confirmed":
		j.host(&e)
	case "died":
		j.become(&e, stopped, "the service died")
	case "fault":
		j.tally.faults[e.word(0)]++
	case "heal":
		j.healed = e.At
	case "whole":
		j.whole(&e)
	case "tried", "acked", "seen", "cleared":
		j.change(&e)
	case "broken":
		e.Resource, e.What = "", e.Resource
		j.violated(&e, e.What, "%s", strings.Join(e.Rest, " "))
	}
}

// action follows an agent's action.
func (j *Judge) action(e *Event) {
	r, n := j.run(e.Resource, e.Node), j.node(e.Node)
	switch {
	case e.begins() && e.What != "monitor":
		j.mayAct(e, n)
		switch e.What {
		case "start", "migrate_from":
			j.mayStart(e)
			if r.state == stopped {
				r.state, r.since = unsure, e.At
			}
			r.unproven, r.begun = true, e.At
		case "stop", "migrate_to":
			if r.state == running {
				j.become(e, unsure, "it was stopped")
			}
		}
	case !e.ends():
	case (e.What == "start" || e.What == "migrate_from") && e.rc() == 0:
		j.become(e, running, "")
	case (e.What == "stop" || e.What == "migrate_to") && e.rc() == 0:
		j.become(e, stopped, "it was stopped")
		r.unproven = false
	case e.What == "monitor" && e.rc() == 7:
		j.become(e, stopped, "it was found dead")
		r.unproven = false
	case e.What == "monitor" && (e.rc() == 0 || e.rc() == 8):
		j.alsoRuns(e, "is found to run")
		j.become(e, running, "")
	}
}

// mayAct holds I3: a node that has carried out an order of a later leader carries out none of an earlier one, and
// starts nothing twice for one order.
func (j *Judge) mayAct(e *Event, n *node) {
	if term, ok := e.term(); ok {
		if term < n.term {
			j.violated(e, "I3", "%s carries out a %s of %s of term %d, and has carried out orders of term %d", e.Node, e.What, e.Resource, term, n.term)
		}
		n.term = max(n.term, term)
		if op := e.Resource + " " + e.What + " " + e.Rest[len(e.Rest)-1]; e.What == "start" {
			if n.started[op] {
				j.violated(e, "I3", "%s starts %s twice for one order (%s)", e.Node, e.Resource, e.Rest[len(e.Rest)-1])
			}
			n.started[op] = true
		}
	}
}

// mayStart holds I1, I2 and I6 where something is about to run.
func (j *Judge) mayStart(e *Event) {
	j.alsoRuns(e, "starts")
	if n := j.node(e.Node); n.alone != never && e.At-n.alone > j.rules.Alone {
		j.violated(e, "I6", "%s starts on %s, which cannot have had a majority since %.2f", e.Resource, e.Node, n.alone.Seconds())
	}
	on := j.resources[e.Resource].on
	for _, other := range slices.Sorted(maps.Keys(on)) {
		if r := on[other]; other != e.Node && r.state == stopped && r.unproven {
			j.violated(e, "I2", "%s starts on %s; it was begun on %s at %.2f, and neither a stop, nor a probe, nor a fencing has proved that it ended there",
				e.Resource, e.Node, other, r.begun.Seconds())
		}
	}
}

// alsoRuns holds I1.
func (j *Judge) alsoRuns(e *Event, does string) {
	on := j.resources[e.Resource].on
	for _, other := range slices.Sorted(maps.Keys(on)) {
		if r := on[other]; other != e.Node && r.state != stopped {
			j.violated(e, "I1", "%s %s on %s and %s on %s (since %.2f)", e.Resource, does, e.Node, r.state, other, r.since.Seconds())
		}
	}
}

// fence follows the call of a fence device: e.Node calls, e.Resource is to be cut off. Calls that only ask prove
// something when the answer is that the node is off (exit code 2).
func (j *Judge) fence(e *Event) {
	target, action := j.node(e.Resource), e.word(1)
	key := e.Node + " " + action
	cuts := action == "off" || action == "reboot"
	if e.begins() {
		target.fences[key] = e.At
		if n := j.node(e.Node); cuts && n.alone != never && e.At-n.alone > j.rules.Alone {
			j.violated(e, "I6", "%s fences %s, and cannot have had a majority since %.2f", e.Node, e.Resource, n.alone.Seconds())
		}
		return
	}
	since, begun := target.fences[key]
	delete(target.fences, key)
	if rc := e.rc(); begun && (cuts && rc == 0 || action == "status" && rc == 2) {
		j.proved(e.Resource, since)
	}
}

// proved ends what was begun on a node before a time.
func (j *Judge) proved(nodeName string, before time.Duration) {
	for _, r := range j.resources {
		if run := r.on[nodeName]; run != nil && run.begun <= before {
			run.unproven = false
		}
	}
}

// host follows what happens to a whole host.
func (j *Judge) host(e *Event) {
	n := j.node(e.Node)
	switch e.What {
	case "off":
		why := "its host was lost"
		if len(n.fences) > 0 {
			why = "its host was fenced"
		}
		n.off, n.paused = true, false
		for _, name := range slices.Sorted(maps.Keys(j.resources)) {
			if j.resources[name].on[e.Node] != nil {
				j.become(&Event{At: e.At, Node: e.Node, Resource: name}, stopped, why)
			}
		}
	case "on":
		n.off = false
		j.proved(e.Node, e.At) // whatever ran before ended with the boot
	case "confirmed":
		j.proved(e.Node, e.At)
	case "paused", "resumed":
		n.paused = e.What == "paused"
		for _, name := range slices.Sorted(maps.Keys(j.resources)) {
			j.available(name, e.At, "its host stood still")
		}
	case "alone":
		if n.alone == never {
			n.alone = e.At
		}
	case "together":
		n.alone = never
	}
}

// become changes what a resource does on a node.
func (j *Judge) become(e *Event, s state, why string) {
	r := j.run(e.Resource, e.Node)
	if r.state != s {
		r.state, r.since = s, e.At
	}
	j.available(e.Resource, e.At, why)
}

// tooLate holds I8.
func (j *Judge) tooLate(at time.Duration) {
	if j.healed != never && at-j.healed > j.rules.Converge {
		j.violated(&Event{At: at}, "I8", "the faults were over at %.2f, and after %v all is not well", j.healed.Seconds(), j.rules.Converge)
		j.healed = never
	}
}

func (j *Judge) whole(e *Event) {
	if j.healed != never {
		j.tally.converged = append(j.tally.converged, e.At-j.healed)
	}
	j.healed = never
	if j.tally.from == never {
		j.tally.begin(e.At)
	}
}

// Running are the nodes on which a resource runs or may run.
func (j *Judge) Running(resource string) []string {
	r := j.resources[resource]
	if r == nil {
		return nil
	}
	var out []string
	for name, run := range r.on {
		if run.state != stopped {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// Violations are those so far.
func (j *Judge) Violations() []Violation { return slices.Clone(j.violations) }

// changes are those of the configuration.
type changes struct{ tried, acked map[string]bool }

// change holds I9: what was acknowledged is there, and nothing is there that nobody asked for.
func (j *Judge) change(e *Event) {
	c := &j.changes
	switch e.What {
	case "tried":
		c.tried[e.word(0)] = true
	case "acked":
		c.acked[e.word(0)] = true
	case "cleared":
		clear(c.acked)
	case "seen":
		seen := map[string]bool{}
		for id := range strings.SplitSeq(e.word(0), ",") {
			seen[id] = true
			if id != "" && !c.tried[id] {
				j.violated(e, "I9", "%s has the change %s, which nobody has asked for", e.Node, id)
			}
		}
		for _, id := range slices.Sorted(maps.Keys(c.acked)) {
			if !seen[id] {
				j.violated(e, "I9", "the change %s was acknowledged, and %s does not have it", id, e.Node)
			}
		}
	}
}

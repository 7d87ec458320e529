package controller

import (
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
)

// Config says who the controller is.
type Config struct {
	Name string // uname of this node
	// Schedule makes the plans; nil: scheduler.Schedule. A simulator hands in another.
	Schedule func(*cib.CIB, scheduler.Options) *scheduler.Plan
}

// Controller decides for the cluster while this node leads it. It is not safe for concurrent use.
type Controller struct {
	cfg Config
	now time.Time // of the event that is being dealt with
	out []Effect  // of that event, so far

	leading bool
	term    uint64
	number  uint64 // of the last plan of this term
	state   cib.State
	opts    options
	members *Members // nil: nobody has said yet who is there

	plan     *run
	due      string           // why another plan is needed; empty: none is
	first    bool             // no plan has been made in this term
	answered []string         // the nodes whose ledgers are known from its beginning
	tidied   time.Time        // when to ask again to have stale entries taken out
	lastDone map[doneKey]bool // by the plan before
	ended    Ended            // of the plan before
	flights  flights
	fencings []*fencing
	waits    []*awaited
	failed   map[string]*fenceFailures // by target

	// trusted are the ids of the members of which all that they did is known here: they have opened their ledgers
	// in this term, and have not been lost since.
	trusted map[string]bool
	early   []cib.OpResult     // results from those ledgers that can become facts once their nodes are known to be up
	gate    map[resultKey]bool // those that are on their way into the log: nothing is planned without them
	missed  map[string]bool    // ids of members that are away for a while and have been missed: when they are heard, they are back

	facts    factsAsked
	proposed map[resultKey]time.Time // results that are on their way into the log, and when they count as stuck
	stuckAt  time.Time               // not later than the first of those times; zero: there are none
	done     map[resultKey]bool      // results of this term that are in the log; the latest of each node

	recheck   time.Time // when to plan anew though nothing happened
	repeats   repeats
	wake      time.Time // the last one asked for
	keptEmpty bool      // the plan kept last was empty
}

// New makes a controller that follows.
func New(cfg Config) *Controller {
	if cfg.Schedule == nil {
		cfg.Schedule = scheduler.Schedule
	}
	c := &Controller{cfg: cfg}
	c.reset()
	return c
}

// reset forgets everything but who we are.
func (c *Controller) reset() {
	*c = Controller{cfg: c.cfg, now: c.now, out: c.out, state: c.state, wake: c.wake,
		flights: newFlights(), failed: map[string]*fenceFailures{}, proposed: map[resultKey]time.Time{}, done: map[resultKey]bool{}, trusted: map[string]bool{}, missed: map[string]bool{}, gate: map[resultKey]bool{}}
}

// Step takes in one event and returns what is to be done about it, in order.
func (c *Controller) Step(now time.Time, ev Event) []Effect {
	c.now, c.out = now, nil
	switch ev := ev.(type) {
	case Lead:
		c.lead(ev)
	case Ledger:
		if c.leading {
			c.adopt(ev)
		}
	case Follow:
		c.follow()
	case Members:
		c.members = &ev
	case Applied:
		if c.leading && ev.State.Index > c.state.Index {
			c.applied(ev)
		}
	case Reported:
		if c.leading {
			c.reported(ev.Results)
		}
	case Undelivered:
		c.undelivered(ev)
	case Fenced:
		if c.leading {
			c.fenced(ev.Record)
		}
	case Refused:
		c.refused(ev)
	case Tick:
	}
	if c.leading {
		c.onTime()
		c.settle()
	}
	c.setWake()
	return c.out
}

// lead begins a term. What earlier leaders have ordered and what is not done yet is taken over as in flight.
func (c *Controller) lead(ev Lead) {
	c.reset()
	c.leading, c.term, c.state = true, ev.Term, ev.State
	c.opts = readOptions(c.state.CIB, c.now)
	c.due, c.first = "a new leader", true
	c.closeFencings()
	c.adopt(Ledger{ev.Answered, ev.InFlight, ev.Unacked})
}

// adopt takes over what nodes have been doing for earlier leaders.
func (c *Controller) adopt(l Ledger) {
	for _, op := range l.InFlight {
		if c.flights.find(&op) == nil && !c.told(&op) {
			f := c.newFlight(op)
			c.flights.add(f)
			if c.plan != nil {
				c.plan.carried = append(c.plan.carried, f)
			}
		}
	}
	c.answered = append(c.answered, l.Answered...)
	for _, name := range l.Answered {
		if m := c.state.Cluster.Member(name); m != nil {
			c.trusted[m.ID] = true
		}
	}
	c.early = append(c.early, l.Unacked...)
	c.catchUp()
}

// catchUp proposes what ledgers have told, as far as it can become a fact by now.
func (c *Controller) catchUp() {
	var ready, rest []cib.OpResult
	for _, r := range c.early {
		if m := c.state.Cluster.Member(r.Op.Node); m != nil && !isUp(c.state.CIB.NodeState(m.ID)) {
			rest = append(rest, r)
			continue
		}
		ready = append(ready, r)
		if c.judge(&r) == resultNew {
			c.gate[keyOf(&r)] = true
		}
	}
	c.early = rest
	c.reported(ready)
}

func (c *Controller) follow() {
	c.members = nil // whoever leads next begins with what is heard then
	if !c.leading {
		return
	}
	if c.plan != nil {
		c.do(Ended{Epoch: c.plan.epoch, Outcome: "this node leads no longer"})
	}
	for _, f := range c.fencings {
		if f.sent {
			c.do(CancelFence{ID: f.req.ID})
		}
	}
	c.reset()
}

// settle goes on until nothing more can be done without news.
func (c *Controller) settle() {
	c.askFacts()
	for {
		if c.plan == nil {
			if !c.begin() {
				return
			}
		}
		c.advance()
		if !c.over() {
			return
		}
		c.end()
	}
}

func (c *Controller) do(e Effect) { c.out = append(c.out, e) }

func (c *Controller) note(level, text string, args ...any) {
	c.do(Note{Level: level, Text: text, Args: args})
}

// propose a command in the controller's name.
func (c *Controller) propose(cmd cib.Command) {
	cmd.At, cmd.By = c.now, byController
	c.do(Propose{Command: cmd})
}

// byController marks the commands and fencings of controllers.
const byController = "controller"

// replan asks for another plan; the first reason is the one that is told.
func (c *Controller) replan(why string) {
	if c.due == "" || c.due == followUp {
		c.due = why
	}
}

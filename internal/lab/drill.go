package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/events"
)

// Times are what a drill measures, in seconds from the kill.
type Times struct {
	Detected  float64 `json:"detected_s"`  // it is agreed that the node is lost
	Fenced    float64 `json:"fenced_s"`    // it is agreed that it is off
	Recovered float64 `json:"recovered_s"` // the service that it ran has begun elsewhere
}

// Round is one kill.
type Round struct {
	Victim string `json:"victim"`
	WasDC  bool   `json:"victim_was_dc"`
	Times
}

// Result is a whole drill.
type Result struct {
	Nodes  int     `json:"nodes"`
	Rounds []Round `json:"rounds"`
	Median Times   `json:"median"`
}

// roundPatience is how long a recovery may take before the drill says that it failed.
const roundPatience = 60 * time.Second

func (c *command) drill() error {
	dir, err := os.MkdirTemp("", "cerco-drill-")
	if err != nil {
		return err
	}
	l, err := Create(dir, c.nodes)
	if err != nil {
		return err
	}
	say := c.say
	if c.json {
		say = func(string, ...any) {}
	}
	res, err := l.Drill(c.ctx, c.rounds, c.killDC, say)
	if err != nil {
		return fmt.Errorf("%w (%s has the nodes' logs; cerco lab down --dir %s ends what runs)", err, dir, dir)
	}
	down, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), 10*time.Second)
	defer cancel()
	if err := l.Down(down); err != nil {
		return err
	}
	if c.json {
		return json.NewEncoder(c.stdout).Encode(res)
	}
	c.say("median: lost after %.2f s, fenced after %.2f s, recovered after %.2f s", res.Median.Detected, res.Median.Fenced, res.Median.Recovered)
	return nil
}

// Drill starts the nodes and kills one of them, again and again: the one that decides, or another one.
func (l *Lab) Drill(ctx context.Context, rounds int, killDC bool, say func(string, ...any)) (*Result, error) {
	up, cancel := context.WithTimeout(ctx, upPatience)
	defer cancel()
	if err := l.Up(up, say); err != nil {
		return nil, err
	}
	if err := l.Configure(up, true); err != nil {
		return nil, err
	}
	res := &Result{Nodes: len(l.Nodes)}
	for i := range rounds {
		r, err := l.round(ctx, i, killDC)
		if err != nil {
			return nil, fmt.Errorf("round %d: %w", i+1, err)
		}
		say("%s%s: lost after %.2f s, fenced after %.2f s, recovered after %.2f s", r.Victim, map[bool]string{true: " (DC)"}[r.WasDC],
			r.Detected, r.Fenced, r.Recovered)
		res.Rounds = append(res.Rounds, r)
	}
	pick := func(f func(Round) float64) float64 { return median(res.Rounds, f) }
	res.Median = Times{pick(func(r Round) float64 { return r.Detected }), pick(func(r Round) float64 { return r.Fenced }),
		pick(func(r Round) float64 { return r.Recovered })}
	return res, nil
}

func median(rounds []Round, f func(Round) float64) float64 {
	var all []float64
	for _, r := range rounds {
		all = append(all, f(r))
	}
	slices.Sort(all)
	n := len(all)
	switch {
	case n == 0:
		return 0
	case n%2 == 1:
		return all[n/2]
	}
	return math.Round((all[n/2-1]+all[n/2])*500) / 1000
}

// round kills one node, with the service db on it, and waits until the cluster is whole again.
func (l *Lab) round(ctx context.Context, i int, killDC bool) (Round, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*roundPatience)
	defer cancel()
	s, err := l.Status(ctx)
	if err != nil {
		return Round{}, err
	}
	dc := s.Node.Leader
	victim := dc
	if !killDC {
		var others []string
		for _, n := range l.Nodes {
			if n.Name != dc {
				others = append(others, n.Name)
			}
		}
		if len(others) == 0 {
			return Round{}, errors.New("a drill needs two nodes")
		}
		victim = others[i%len(others)]
	}
	if err := l.place(ctx, "db", victim); err != nil {
		return Round{}, err
	}
	r, err := l.kill(ctx, victim, "db")
	r.Victim, r.WasDC = victim, victim == dc
	if err != nil {
		return r, err
	}
	if err := l.awaitOnline(ctx, len(l.Nodes)); err != nil {
		return r, err
	}
	return r, l.awaitRest(ctx)
}

// place puts a service on a node.
func (l *Lab) place(ctx context.Context, service, node string) error {
	id := "lab-place-" + service
	err := l.Edit(ctx, "the drill places "+service,
		cib.Edit{Op: "delete", XPath: "//rsc_location[@id='" + id + "']", All: true},
		create("/cib/configuration/constraints", fmt.Sprintf(`<rsc_location id="%s" rsc="%s" node="%s" score="1000"/>`, id, service, node)))
	if err != nil {
		return err
	}
	return poll(ctx, service+" to run on "+node, func() (bool, error) {
		on, _, err := l.Ran(service)
		return on == node, err
	})
}

// kill ends all of a node and measures how the others take it.
func (l *Lab) kill(ctx context.Context, victim, service string) (Round, error) {
	ctx, cancel := context.WithTimeout(ctx, roundPatience)
	defer cancel()
	var r Round
	seen := make(chan events.Event, 64)
	follow, stop := context.WithCancel(ctx)
	defer stop()
	if err := l.follow(follow, victim, seen); err != nil {
		return r, err
	}
	begin := time.Now()
	if err := l.PowerOff(ctx, victim); err != nil {
		return r, err
	}
	since := func(t time.Time) float64 { return math.Round(t.Sub(begin).Seconds()*1000) / 1000 }
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for r.Detected == 0 || r.Fenced == 0 || r.Recovered == 0 {
		select {
		case <-ctx.Done():
			return r, fmt.Errorf("%s was killed, and after %v it is: lost %v, fenced %v, recovered %v", victim, roundPatience, r.Detected != 0, r.Fenced != 0, r.Recovered != 0)
		case e := <-seen:
			switch {
			case e.At.Before(begin) || e.Node != victim:
			case e.Kind == events.KindNode && e.Bad && r.Detected == 0:
				r.Detected = since(e.At)
			case e.Kind == events.KindFencing && e.Fencing != nil && e.Fencing.State == cib.FenceDone && r.Fenced == 0:
				r.Fenced = since(e.At)
			}
		case <-tick.C:
			if on, at, err := l.Ran(service); err == nil && on != victim && on != "" && r.Recovered == 0 {
				r.Recovered = since(at)
			}
		}
	}
	return r, nil
}

// follow passes on the events of all nodes but one: whichever decides tells first.
func (l *Lab) follow(ctx context.Context, except string, to chan<- events.Event) error {
	for _, n := range l.Nodes {
		if n.Name == except {
			continue
		}
		c, err := l.Client(n.Name)
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			_ = c.Events(ctx, client.Now, false, func(e events.Event) error {
				select {
				case to <- e:
					return nil
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			})
		}()
	}
	return nil
}

// awaitRest waits until nothing is left to do.
func (l *Lab) awaitRest(ctx context.Context) error {
	return l.ask(ctx, func(c *client.Client) error {
		r, err := c.Rest(ctx, client.Wait{Settled: true, Timeout: 30 * time.Second})
		if err == nil && !r.Settled {
			err = fmt.Errorf("the cluster waits for %s", waits(r.Waiting))
		}
		return err
	})
}

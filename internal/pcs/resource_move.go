package pcs

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/configure"
	"github.com/cerco-ha/cerco/internal/scheduler"
)

// resourceMoveNoun has the verbs that leave a constraint behind, and that which takes it back.
func resourceMoveNoun() *verb {
	return &verb{name: "resource", sub: []*verb{
		{name: "move-with-constraint", args: "RESOURCE [NODE] [lifetime=DURATION]", options: []string{"promoted", "wait"}, run: moveWithConstraint,
			what: "Have a resource go to a node, or away from where it runs, by a constraint that stays until it is cleared or its lifetime (ISO 8601, PT1H) has passed."},
		{name: "ban", args: "RESOURCE [NODE] [lifetime=DURATION]", options: []string{"promoted", "wait"}, run: resourceBan,
			what: "Keep a resource away from a node, or from where it runs, by a constraint that stays until it is cleared or its lifetime has passed."},
		{name: "clear", args: "RESOURCE [NODE]", options: []string{"promoted", "expired", "wait"}, run: resourceClear,
			what: "Take back what move and ban have left; with --expired only what has run out."},
	}}
}

func (c *call) move() (*configure.Move, error) {
	if err := c.want(1, 3); err != nil {
		return nil, err
	}
	m := &configure.Move{ID: c.words[0], Promoted: c.has("promoted")}
	for _, w := range c.words[1:] {
		lifetime, ok := strings.CutPrefix(w, "lifetime=")
		switch {
		case ok:
			ms, valid := cib.ParseDuration("P" + strings.TrimPrefix(lifetime, "P"))
			if !valid || ms <= 0 {
				return nil, fmt.Errorf("'%s' is no lifetime: write an ISO 8601 duration, such as PT1H30M", lifetime)
			}
			m.Until = c.Now().Add(time.Duration(ms) * time.Millisecond).Truncate(time.Second)
		case m.Node == "":
			m.Node = w
		default:
			return nil, c.misused("'%s' does not know what to do with '%s'", strings.Join(c.path, " "), w)
		}
	}
	return m, nil
}

// moves carries out a move or a ban; where the resource runs is what the status says.
func (c *call) moves(f func(*configure.Draft, *configure.Move) error) error {
	m, err := c.move()
	if err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error {
		if m.Node == "" {
			m.Running = c.runningOn(d.CIB(), m.ID, m.Promoted)
		}
		return f(d, m)
	})
}

func moveWithConstraint(c *call) error { return c.moves(configure.MoveResource) }
func resourceBan(c *call) error        { return c.moves(configure.BanResource) }

func resourceClear(c *call) error {
	m, err := c.move()
	if err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.ClearMoves(d, m, c.has("expired"), c.Now()) })
}

// runningOn lists the nodes that a resource, or anything in it, runs on, as the status has it; with promoted those that it is
// promoted on.
func (c *call) runningOn(doc *cib.CIB, id string, promoted bool) []string {
	var nodes []string
	var walk func(list []*scheduler.ResourceView, inside bool)
	walk = func(list []*scheduler.ResourceView, inside bool) {
		for _, r := range list {
			if r == nil {
				continue
			}
			in := inside || r.Name == id || r.ID == id
			for _, n := range r.On {
				if in && (!promoted || r.Role == "Promoted") && !slices.Contains(nodes, n.Name) {
					nodes = append(nodes, n.Name)
				}
			}
			walk(r.Children, in)
			for _, rep := range r.Replicas {
				walk([]*scheduler.ResourceView{rep.IP, rep.Container, rep.Remote, rep.Child}, in)
			}
		}
	}
	walk(scheduler.Look(doc, scheduler.Options{Now: c.now()}).Resources, false)
	slices.Sort(nodes)
	return nodes
}

package pcs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/configure"
	"github.com/cerco-ha/cerco/internal/simulate"
)

// resourceMoveNoun has the verbs that leave a constraint behind, and that which takes it back.
func resourceMoveNoun() *verb {
	return &verb{name: "resource", sub: []*verb{
		{name: "move", args: "RESOURCE [NODE]", live: true, options: []string{"promoted", "strict", "wait", "autodelete", "dry-run"}, run: resourceMove,
			what: "Move a resource, to a node or away from where it runs. Nothing is left behind. It is refused where the resource would not stay; with --strict also where other resources would be affected."},
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
	return c.changeFor(running, []string{m.ID}, func(d *configure.Draft) error {
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
	return c.changeFor(anyhow, []string{m.ID}, func(d *configure.Draft) error { return configure.ClearMoves(d, m, c.has("expired"), c.Now()) })
}

// resourceMove moves a resource by a constraint, waits for the cluster, and takes the constraint back. Where that would not
// do, nothing is done.
func resourceMove(c *call) error {
	if err := c.want(1, 2); err != nil {
		return err
	}
	m, err := c.move()
	if err != nil {
		return err
	}
	w, doc, err := c.document()
	if err != nil {
		return err
	}
	m.Promoted = m.Promoted || configure.IsPromotable(doc, m.ID)
	m.Running = c.runningOn(doc, m.ID, m.Promoted)
	if m.Node != "" && len(m.Running) == 1 && m.Running[0] == m.Node {
		return fmt.Errorf("cannot move resource '%s': it runs on %s already", m.ID, m.Node)
	}
	d := configure.Of(doc)
	if err := configure.MoveResource(d, m); err != nil {
		return err
	}
	added := newConstraints(doc, d.CIB())
	if err := c.wouldStay(doc, d.CIB(), m, added); err != nil {
		return err
	}
	c.mustWait()
	failed := c.commit(w, doc, d.Root())
	if c.has("dry-run") {
		return failed
	}
	if failed == nil {
		c.note("Location constraint to move resource '%s' has been created, and the cluster has moved it", m.ID)
	}
	if err := c.afterwards().dropConstraints(added); err != nil {
		return fmt.Errorf("%s was moved, but the constraint that moved it is still there: %s resource clear %s takes it back (%w)", m.ID, c.program, m.ID, err)
	}
	if failed != nil {
		return fmt.Errorf("resource '%s' has not been moved, and no constraint is left: %w", m.ID, failed)
	}
	c.note("Location constraint created to move resource '%s' has been removed", m.ID)
	want := running
	if len(m.Running) == 0 {
		want = anyhow
	}
	return c.waited(want, m.ID)
}

// newConstraints are the ids of the constraints that one configuration has and another has not.
func newConstraints(before, after *cib.CIB) []string {
	var ids []string
	had := map[string]bool{}
	for e := range part(before.Root, "constraints").Elements() {
		had[e.ID()] = true
	}
	for e := range part(after.Root, "constraints").Elements() {
		if !had[e.ID()] {
			ids = append(ids, e.ID())
		}
	}
	return ids
}

// dropConstraints takes constraints out of the configuration, as far as they are there.
func (c *call) dropConstraints(ids []string) error {
	return c.change(func(d *configure.Draft) error {
		for _, id := range ids {
			if p := d.Find(id, "rsc_location"); p != nil {
				d.Put(p, nil)
			}
		}
		return nil
	})
}

// wouldStay carries a move out on paper, and refuses one that would not move the resource, after which it would not stay, or
// of which more would follow than is wanted. Of what does not run nothing is known.
func (c *call) wouldStay(before, after *cib.CIB, m *configure.Move, constraints []string) error {
	if len(m.Running) == 0 {
		return nil
	}
	plan := c.plan(after)
	own := primitivesIn(before, m.ID)
	if others := c.affected(plan, own, false); c.has("strict") && len(others) > 0 {
		return fmt.Errorf("moving resource '%s' would affect %s; without --strict it is moved all the same", m.ID, counted("resource", others))
	}
	moved, err := simulate.Run(after, plan.Graph, simulate.Options{Stamp: c.now()})
	if err != nil {
		return err
	}
	at := c.runningOn(moved.After, m.ID, m.Promoted)
	switch {
	case len(at) == 0:
		return fmt.Errorf("unable to move resource '%s': it would run nowhere then. '%s resource move %s --dry-run' shows why", m.ID, c.program, m.ID)
	case m.Node != "" && !slices.Contains(at, m.Node), m.Node == "" && slices.Equal(at, m.Running):
		return fmt.Errorf("unable to move resource '%s' by a location constraint: other constraints keep it where it is", m.ID)
	}
	d := configure.Of(moved.After)
	for _, id := range constraints {
		d.Put(d.Find(id, "rsc_location"), nil)
	}
	rest := c.plan(d.CIB())
	for i := range rest.Summary {
		if row := &rest.Summary[i]; slices.Contains(own, plainName(row.Resource)) && row.To != row.From {
			return fmt.Errorf("unable to ensure that moved resource '%s' will stay: it would go to %s again when the constraint that moves it is removed; nothing was done. "+
				"Make it prefer its new place ('%s constraint location %s prefers NODE'), or leave the constraint: '%s resource move-with-constraint'",
				m.ID, cmp.Or(row.To, "no node"), c.program, m.ID, c.program)
		}
	}
	return nil
}

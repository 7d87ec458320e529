package lab

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/events"
)

// demo starts a cluster, kills a node and tells what happens as it happens. The cluster stays up.
func (c *command) demo() error {
	if old, err := Open(c.dir); err == nil {
		if err := old.Down(c.ctx); err != nil {
			return err
		}
	}
	c.say("A cluster of %d nodes starts on this machine:", c.nodes)
	l, err := Create(c.dir, c.nodes)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.ctx, upPatience)
	defer cancel()
	begin := time.Now()
	if err := l.Up(ctx, func(format string, args ...any) { c.say("  "+format, args...) }); err != nil {
		return fmt.Errorf("%w (%s has the nodes' logs)", err, l.Dir)
	}
	if err := l.Configure(ctx, true); err != nil {
		return err
	}
	c.say("It runs its services, %.1f s after the start:\n", time.Since(begin).Seconds())
	if err := c.show(ctx, l); err != nil {
		return err
	}
	victim, _, err := l.Ran("db")
	if err != nil {
		return err
	}
	c.say("Now %s, which runs the database, loses its power.\n", victim)
	t, err := c.timeline(ctx, l, victim)
	if err != nil {
		return err
	}
	c.say("\nThe database was away for %.2f s. %s comes back:\n", t.Recovered, victim)
	if err := l.awaitOnline(ctx, c.nodes); err != nil {
		return err
	}
	if err := l.awaitRest(ctx); err != nil {
		return err
	}
	if err := c.show(ctx, l); err != nil {
		return err
	}
	at := ""
	if c.dir != DefaultDir() {
		at = " --dir " + c.dir
	}
	c.say("The cluster stays up, to play with:\n")
	for _, what := range []string{"status", "crash n2", "partition 'n1|n2,n3'", "heal", "down"} {
		c.say("  %s lab %s%s", os.Args[0], what, at)
	}
	return nil
}

func (c *command) show(ctx context.Context, l *Lab) error {
	text, err := l.picture(ctx)
	if err == nil {
		c.say("%s", text)
	}
	return err
}

// timeline kills a node and prints what is heard of it, each line with the seconds since the kill.
func (c *command) timeline(ctx context.Context, l *Lab, victim string) (Times, error) {
	follow, stop := context.WithCancel(ctx)
	defer stop()
	seen := make(chan events.Event, 256)
	if err := l.follow(follow, victim, seen); err != nil {
		return Times{}, err
	}
	told := map[string]bool{} // every node tells the same
	begin := time.Now()
	done := make(chan struct{})
	line := func(at time.Time, text string) {
		s := at.Sub(begin).Seconds()
		c.say("  %5.2f s  %s %s", s, bar(s), text)
	}
	line(begin, victim+" loses its power")
	go func() {
		defer close(done)
		for {
			select {
			case e := <-seen:
				if key := fmt.Sprint(e.Index, e.Text); !told[key] && worthTelling(e) && e.At.After(begin) {
					told[key] = true
					line(e.At, e.Text)
				}
			case <-follow.Done():
				return
			}
		}
	}()
	r, err := l.kill(ctx, victim, "db")
	if err == nil {
		err = l.awaitRest(ctx)
	}
	stop()
	<-done
	return r.Times, err
}

// worthTelling leaves out of a time-line what only repeats the rest.
func worthTelling(e events.Event) bool {
	switch e.Kind {
	case events.KindNode, events.KindFencing, events.KindLead, events.KindPlan:
		return true
	case events.KindOperation:
		return e.Operation != nil && e.Operation.Class != "stonith" && (e.Operation.Task == "start" || e.Operation.Task == "stop" || e.Operation.Failed)
	}
	return false
}

// bar draws the time that has passed: a tenth of a second a cell, two seconds at most.
func bar(seconds float64) string {
	const cells = 20
	n := min(int(seconds*10), cells)
	return strings.Repeat("█", n) + strings.Repeat("·", cells-n)
}

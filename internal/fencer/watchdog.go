package fencer

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// watchdogTimeout is stonith-watchdog-timeout: how long after the end of its lease a node with an armed
// watchdog is off. Negative: twice the longest time of an armed watchdog. 0: it is no evidence here.
func (f *Fencer) watchdogTimeout() time.Duration {
	option := f.option("stonith-watchdog-timeout")
	if !strings.HasPrefix(option, "-") {
		return duration(option, 0)
	}
	var longest int64
	for _, n := range f.cfg.State().Nodes {
		longest = max(longest, n.ArmedMS())
	}
	return 2 * time.Duration(longest) * time.Millisecond
}

// armed is the time of the target's watchdog, 0 when nobody knows of one that is armed.
func (f *Fencer) armed(target string) time.Duration {
	s := f.cfg.State()
	id := ""
	if m := s.Cluster.Member(target); m != nil {
		id = m.ID
	} else if n := s.CIB.NodeByName(target); n != nil {
		id = n.ID
	}
	for _, n := range s.Nodes {
		if n.ID == id {
			return time.Duration(n.ArmedMS()) * time.Millisecond
		}
	}
	return 0
}

// watchdog waits until the target's watchdog must have reset it: its time after the node's lease has ended, which
// itself began no later than we last heard the node. If it is heard meanwhile, its watchdog is fed.
func (j *job) watchdog(ctx context.Context) outcome {
	f, t := j.f, j.fl.req.Target
	timeout, armed := f.watchdogTimeout(), f.armed(t)
	fail := func(format string, args ...any) outcome {
		return outcome{problem: WatchdogDevice + ": " + fmt.Sprintf(format, args...)}
	}
	switch {
	case timeout == 0:
		return fail("stonith-watchdog-timeout is not set, so a watchdog proves nothing")
	case armed == 0:
		return fail("%s has told nobody of an armed watchdog, so waiting for it proves nothing", t)
	case timeout <= armed:
		return fail("stonith-watchdog-timeout (%s) must be longer than the time of %s's watchdog (%s)", timeout, t, armed)
	}
	began := f.cfg.Now()
	last := began // without any knowledge, it may have been alive until now
	if h, ok := f.heard(t); ok {
		last = h.At
	}
	lease := time.Duration(f.timing().LeaseMS) * time.Millisecond
	off := last.Add(lease + timeout)
	f.say(j.fl, "waits for the watchdog of %s, which has reset it by %s", t, off.Format(time.TimeOnly))
	if left := off.Sub(f.cfg.Now()); left > 0 {
		if sleep(ctx, left) != nil {
			return outcome{problem: withdrawn(ctx)}
		}
	}
	if h, ok := f.heard(t); ok && h.At.After(last) {
		return fail("%s was heard again while its watchdog was waited for: it is alive and feeds it", t)
	}
	j.fl.record.Evidence, j.fl.record.Node = cib.ByWatchdog, f.cfg.Node
	f.report(j.fl, []cib.FenceTry{{Device: WatchdogDevice, Node: f.cfg.Node, Action: j.fl.req.Action, At: began,
		TookMS: f.cfg.Now().Sub(began).Milliseconds(), Output: fmt.Sprintf("last heard at %s, watchdog %s", last.Format(time.TimeOnly), armed)}})
	return outcome{ok: true, power: true}
}

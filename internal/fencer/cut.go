package fencer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// retryEvery is how long a fencing that waits for a person leaves the devices alone before it tries them again.
const retryEvery = time.Minute

// outcome is what came of one device, or of a level.
type outcome struct {
	ok      bool
	waits   bool   // for a person: nothing more will come of it by itself
	problem string // unless ok
	power   bool   // ok, and all that ran on the target has ended
}

// job is the work on one flight: what its steps share.
type job struct {
	f     *Fencer
	fl    *flight
	began time.Time // delays count from here
	asked map[string]bool
}

// carryOut does what the flight is for. Without success it returns what stood in the way.
func (f *Fencer) carryOut(ctx context.Context, fl *flight) (bool, []string) {
	j := &job{f: f, fl: fl, began: f.cfg.Now(), asked: make(map[string]bool)}
	if fl.req.Action == "on" {
		return j.unfence(ctx)
	}
	if d := fl.req.DelayMS; d > 0 {
		if err := j.wait(ctx, time.Duration(d)*time.Millisecond, "holds back as priority-fencing-delay asks"); err != nil {
			return false, []string{err.Error()}
		}
	}
	for {
		ok, waits, problems := j.round(ctx)
		if ok || ctx.Err() != nil || !waits {
			return ok, problems
		}
		f.say(fl, "waits for an operator to confirm that %s is off; tries the devices again in %s (%s)", fl.req.Target, retryEvery,
			strings.Join(problems, "; "))
		if sleep(ctx, retryEvery) != nil {
			return false, problems
		}
	}
}

// round goes through all levels, or without topology all devices, once.
func (j *job) round(ctx context.Context) (ok, waits bool, problems []string) {
	c := j.f.cfg.State().CIB
	lvls := levels(c, j.fl.req.Target)
	watchdog := slices.ContainsFunc(lvls, func(l level) bool { return slices.ContainsFunc(l.devices, isWatchdog) })
	if len(lvls) == 0 {
		for _, d := range j.f.devices() {
			if d.Agent == WatchdogAgent {
				continue // it is last, whoever has configured it
			}
			lvls = append(lvls, level{devices: []string{d.ID}})
		}
	}
	if !watchdog && j.f.watchdogTimeout() > 0 {
		lvls = append(lvls, level{devices: []string{WatchdogDevice}})
	}
	for _, l := range lvls {
		out := j.level(ctx, l)
		if out.ok {
			if out = j.gainsay(ctx, l, out); out.ok {
				return true, false, nil
			}
		}
		if ctx.Err() != nil {
			return false, false, problems
		}
		waits = waits || out.waits
		if out.problem != "" {
			problems = append(problems, out.problem)
		}
	}
	return false, waits, problems
}

func isWatchdog(device string) bool { return strings.EqualFold(device, WatchdogDevice) }

// level uses the devices of a level: all must do it. A reboot by several is all off, then all on.
func (j *job) level(ctx context.Context, l level) outcome {
	action := j.fl.req.Action
	if action == "reboot" && len(l.devices) > 1 {
		action = "off"
	}
	j.fl.record.Devices, j.fl.record.Evidence = nil, ""
	if p := j.onlyGates(l); p != "" {
		return outcome{problem: p}
	}
	all := outcome{ok: true}
	for _, id := range l.devices {
		out := j.device(ctx, l, id, action)
		all.power = all.power || out.power
		if out.waits { // the others are used all the same: it is then for the person to look
			all.ok, all.waits, all.problem = false, true, out.problem
			continue
		}
		if !out.ok {
			out.problem = where(l, out.problem)
			out.waits = all.waits
			return out
		}
		if !slices.Contains(j.fl.record.Devices, id) {
			j.fl.record.Devices = append(j.fl.record.Devices, id)
		}
	}
	if all.ok && action != j.fl.req.Action {
		for _, id := range l.devices {
			j.device(ctx, l, id, "on") // whether it comes back is no longer a matter of safety
		}
	}
	return all
}

func where(l level, problem string) string {
	if l.index == 0 || problem == "" {
		return problem
	}
	return fmt.Sprintf("level %d: %s", l.index, problem)
}

// onlyGates refuses a level that has nothing but agents which hold others back and cut nothing off.
func (j *job) onlyGates(l level) string {
	for _, id := range l.devices {
		d, ok := j.f.device(id)
		if !ok || !strings.HasPrefix(d.Agent, "fence_heuristics_") {
			return ""
		}
	}
	return where(l, fmt.Sprintf("%s cuts nothing off by itself: put it into a level together with a device that does", strings.Join(l.devices, " and ")))
}

// device has one device of a level do the action, from whichever node can.
func (j *job) device(ctx context.Context, l level, id, action string) outcome {
	f, t := j.f, j.fl.req.Target
	if isWatchdog(id) {
		return j.watchdog(ctx)
	}
	d, ok := f.device(id)
	switch {
	case !ok:
		return outcome{problem: fmt.Sprintf("there is no fence device %s", id)}
	case d.Agent == WatchdogAgent:
		return j.watchdog(ctx)
	}
	if names, told := d.static(); told && d.check(nil) == checkStatic && !containsName(names, t) {
		if l.index == 0 {
			return outcome{problem: fmt.Sprintf("%s is for %s", id, strings.Join(names, " "))}
		}
		return outcome{problem: fmt.Sprintf("%s is for %s, says its pcmk_host_list or pcmk_host_map", id, strings.Join(names, " "))}
	}
	if d.Agent == ManualAgent {
		return j.manual(ctx, &d, action)
	}
	if action != "on" {
		if err := j.deviceDelay(ctx, &d); err != nil {
			return outcome{problem: err.Error()}
		}
	}
	nodes, why := f.runners(&d, t)
	problems := why
	if action == "on" && f.onTarget(ctx, &d) {
		nodes = slices.DeleteFunc(nodes, func(n string) bool { return !strings.EqualFold(n, t) })
		problems = []string{fmt.Sprintf("%s must run on %s itself, which cannot be reached", id, t)}
	}
	for _, node := range nodes {
		a := j.from(ctx, node, l, &d, action)
		if len(a.Tries) > 0 {
			f.report(j.fl, a.Tries)
		}
		if a.OK {
			if action != "on" || j.fl.req.Action == "on" {
				j.fl.record.Node, j.fl.record.Evidence = node, a.Evidence
			}
			return outcome{ok: true, power: a.Power}
		}
		if ctx.Err() != nil {
			return outcome{problem: withdrawn(ctx)}
		}
		if p := cmpOr(a.Error, a.Cannot); !slices.Contains(problems, p) {
			problems = append(problems, p)
		}
	}
	if len(nodes) == 0 && len(problems) == 0 {
		problems = []string{"no node is there that could use it"}
	}
	return outcome{problem: fmt.Sprintf("%s: %s", id, strings.Join(problems, ", "))}
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// deviceDelay waits as the device's own delay asks. Delays decide races, so they count from the beginning of
// the request: what has passed need not be waited for again.
func (j *job) deviceDelay(ctx context.Context, d *Device) error {
	if j.fl.req.DelayMS < 0 {
		return nil
	}
	delay := d.delay(j.fl.req.Target, j.f.cfg.Rand) + time.Duration(j.fl.req.DelayMS)*time.Millisecond
	left := delay - j.f.cfg.Now().Sub(j.began)
	if left <= 0 {
		return nil
	}
	return j.wait(ctx, left, "holds back as the delay of "+d.ID+" asks")
}

func (j *job) wait(ctx context.Context, d time.Duration, what string) error {
	j.f.say(j.fl, "%s, for %s", what, d.Round(time.Millisecond))
	return sleep(ctx, d)
}

// sleep waits; the error is why it was cut short.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// from has the device used by one node.
func (j *job) from(ctx context.Context, node string, l level, d *Device, action string) answer {
	f, req := j.f, j.fl.req
	t := try{V: wireVersion, Epoch: req.Epoch, Request: req.ID, Device: d.ID, Level: l.index, Target: req.Target, Action: action,
		TimeoutMS: req.TimeoutMS, Phase: action != req.Action}
	within := f.within(d, t)
	f.say(j.fl, "uses %s from %s (%s), at most %s", d.ID, node, action, within)
	if strings.EqualFold(node, f.cfg.Node) {
		return f.serve(ctx, t)
	}
	a, err := f.remote(ctx, node, t, within+within/5+5*time.Second)
	if err != nil {
		return answer{Error: fmt.Sprintf("%s could not be asked: %v", node, err),
			Tries: []cib.FenceTry{{Device: d.ID, Level: l.index, Node: node, Action: action, At: f.cfg.Now(), RC: -1, Output: err.Error()}}}
	}
	return a
}

// within is how long the device may take for the try, with finding out whether it is the right one.
func (f *Fencer) within(d *Device, t try) time.Duration {
	base := f.baseTimeout()
	if t.TimeoutMS > 0 {
		base = time.Duration(t.TimeoutMS) * time.Millisecond
	}
	sum := max(d.timeout(t.Action, base), d.timeout("off", base)) + d.timeout("status", base)
	if _, told := d.static(); !told {
		sum += max(d.timeout("list", base), d.timeout("status", base))
	}
	return sum
}

// unfence lets a node in: every device whose agent asks for it must say so; without such a device any that can
// switch it on will do.
func (j *job) unfence(ctx context.Context) (bool, []string) {
	var asked, others []string
	var problems []string
	for _, d := range j.f.devices() {
		meta, err := j.f.metadata(ctx, d.Agent)
		switch {
		case err != nil:
			problems = append(problems, d.ID+": "+err.Error())
		case meta.unfences():
			asked = append(asked, d.ID)
		case meta.Action("on") != nil:
			others = append(others, d.ID)
		}
	}
	done := false
	for _, id := range asked {
		d, _ := j.f.device(id)
		if names, told := d.static(); told && d.check(nil) == checkStatic && !containsName(names, j.fl.req.Target) {
			continue
		}
		out := j.device(ctx, level{}, id, "on")
		if !out.ok {
			return false, append(problems, out.problem)
		}
		done = true
		j.fl.record.Devices = append(j.fl.record.Devices, id)
	}
	if done {
		return true, nil
	}
	lvls := levels(j.f.cfg.State().CIB, j.fl.req.Target)
	for _, id := range others {
		lvls = append(lvls, level{devices: []string{id}})
	}
	for _, l := range lvls {
		out := j.level(ctx, l)
		if out.ok {
			return true, nil
		}
		problems = append(problems, out.problem)
	}
	return false, problems
}

package fencer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/secret"
)

// listAge is how long the answer of a list is good for.
const listAge = time.Minute

// listed is what a device's list said.
type listed struct {
	at    time.Time
	names []string
}

// slot holds back agents of a device that may not run at once.
type slot struct {
	free   chan struct{}                   // holds as many as run
	wanted int                             // fencings that wait for a place
	yields map[int]context.CancelCauseFunc // of what may be broken off for them
	last   int
}

// use is one try of a device on this node.
type use struct {
	f    *Fencer
	d    Device
	meta *Metadata
	t    try
	base time.Duration // of actions for which the device has no time-out of its own
	once bool          // no second try: it is only asked in passing
	out  answer
}

// serve carries a try out on this node.
func (f *Fencer) serve(ctx context.Context, t try) answer {
	none := answer{V: wireVersion, Node: f.cfg.Node}
	d, ok := f.device(t.Device)
	if !ok {
		none.Cannot = fmt.Sprintf("%s does not know the device", f.cfg.Node)
		return none
	}
	if d.Unusable != "" {
		none.Cannot = d.Unusable
		return none
	}
	meta, err := f.metadata(ctx, d.Agent)
	if err != nil {
		none.Error = fmt.Sprintf("from %s: %v", f.cfg.Node, err)
		return none
	}
	u := &use{f: f, d: d, meta: meta, t: t, base: f.baseTimeout(), out: none}
	if t.TimeoutMS > 0 {
		u.base = time.Duration(t.TimeoutMS) * time.Millisecond
	}
	if why, err := u.canFence(ctx); err != nil {
		u.out.Error = fmt.Sprintf("from %s: %v", f.cfg.Node, err)
		return u.out
	} else if why != "" {
		u.out.Cannot = why
		return u.out
	}
	if t.Action == "check" {
		u.out.OK, u.out.Evidence = true, cib.ByAgent
		return u.out
	}
	u.act(ctx)
	return u.out
}

// canFence finds out whether the device is for the target; if not, it says why.
func (u *use) canFence(ctx context.Context) (string, error) {
	t := u.t.Target
	switch u.d.check(u.meta) {
	case checkStatic:
		if names, _ := u.d.static(); !containsName(names, t) {
			return fmt.Sprintf("it is for %s", strings.Join(names, " ")), nil
		}
	case checkDynamic:
		names, err := u.f.list(ctx, &u.d, u.meta)
		if err != nil && u.meta.Action("status") == nil {
			return "", err
		}
		if err == nil {
			if !containsName(names, u.d.plug(t)) && !containsName(names, t) {
				return fmt.Sprintf("its list, seen from %s, has %s and not %s", u.f.cfg.Node, orNothing(names), t), nil
			}
			return "", nil
		}
		return u.byStatus(ctx)
	case checkStatus:
		return u.byStatus(ctx)
	}
	return "", nil
}

func orNothing(names []string) string {
	switch {
	case len(names) == 0:
		return "nothing"
	case len(names) > 12:
		return strings.Join(names[:12], " ") + " …"
	}
	return strings.Join(names, " ")
}

func (u *use) byStatus(ctx context.Context) (string, error) {
	r, err := u.run(ctx, "status")
	if err != nil {
		return "", err
	}
	if r.RC == 0 || r.RC == 2 {
		return "", nil
	}
	return fmt.Sprintf("its status of %s, asked from %s: %s", u.t.Target, u.f.cfg.Node, describe(r)), nil
}

// list asks the device whom it can fence, or remembers it. Where it fails, an older answer is better than none.
func (f *Fencer) list(ctx context.Context, d *Device, meta *Metadata) ([]string, error) {
	f.mu.Lock()
	old, ok := f.lists[d.ID]
	f.mu.Unlock()
	if ok && f.cfg.Now().Sub(old.at) < listAge {
		return old.names, nil
	}
	action := "list"
	if meta.Action("list") == nil && meta.Action("list-status") != nil {
		action = "list-status"
	}
	u := &use{f: f, d: *d, meta: meta, base: f.baseTimeout()}
	r, err := u.run(ctx, action)
	if err == nil && r.RC != 0 {
		err = fmt.Errorf("%s of %s: %s", action, d.ID, describe(r))
	}
	if err != nil {
		if ok {
			return old.names, nil
		}
		return nil, err
	}
	names := parseList(r.Stdout)
	f.mu.Lock()
	f.lists[d.ID] = listed{f.cfg.Now(), names}
	f.mu.Unlock()
	return names, nil
}

// act does what the try is about.
func (u *use) act(ctx context.Context) {
	action := u.t.Action
	switch {
	case action == "on" && u.meta.Action("on") == nil:
		u.out.Cannot = u.d.Agent + " cannot switch on"
		return
	case action == "reboot" && u.meta.Action("reboot") == nil:
		action = "off"
	}
	word, err := u.d.call(action)
	if err != nil {
		u.out.Error = err.Error()
		return
	}
	release, err := u.f.take(ctx, &u.d, nil)
	if err != nil {
		u.out.Error = fmt.Sprintf("from %s: it was busy with other calls (pcmk_action_limit=%d): %v", u.f.cfg.Node, u.d.limit(), err)
		return
	}
	defer release()
	u.out.Power = u.meta.cutsPower()
	r, err := u.run(ctx, action)
	switch {
	case err != nil:
		u.out.Error = fmt.Sprintf("from %s: %v", u.f.cfg.Node, err)
	case r.RC == 0:
		u.verify(ctx, word, action)
	default:
		u.out.Error = fmt.Sprintf("from %s: %s: %s", u.f.cfg.Node, action, describe(r))
		if action != "on" {
			u.perhapsOff(ctx)
		}
	}
}

// verify asks the device once more after an off that it calls done, if it can tell. One that then says that
// the node is on has lied at least once.
func (u *use) verify(ctx context.Context, word, action string) {
	u.out.OK, u.out.Evidence = true, cib.ByAgent
	if word != "off" || action != "off" || u.meta.Action("status") == nil || u.d.Params["pcmk_off_verify"] == "false" {
		return
	}
	u.once = true
	for try := range 2 {
		r, err := u.run(ctx, "status")
		if err != nil || r.RC != 0 { // off, or not able to say: its word stands
			return
		}
		if try == 0 && sleep(ctx, time.Second) != nil {
			break
		}
	}
	u.out.OK, u.out.Evidence = false, ""
	u.out.Error = fmt.Sprintf("from %s: off was called a success, but its status still says that %s is on", u.f.cfg.Node, u.t.Target)
}

// perhapsOff asks a device that has failed whether the target is off all the same.
func (u *use) perhapsOff(ctx context.Context) {
	if u.meta.Action("status") == nil || !u.meta.cutsPower() || ctx.Err() != nil {
		return
	}
	u.once = true
	if r, err := u.run(ctx, "status"); err == nil && r.RC == 2 {
		u.out.OK, u.out.Evidence, u.out.Error = true, cib.AlreadyOff, ""
	}
}

// errYield is why a monitor is broken off: the device is needed for a fencing.
var errYield = errors.New("the device is needed for a fencing")

// take waits until one more agent of the device may run here. With yield, it is for something that may be
// broken off: it is called when a fencing needs the place.
func (f *Fencer) take(ctx context.Context, d *Device, yield context.CancelCauseFunc) (release func(), err error) {
	n := d.limit()
	if n == unlimited {
		return func() {}, nil
	}
	f.mu.Lock()
	s := f.slots[d.ID]
	if s == nil || cap(s.free) != n {
		s = &slot{free: make(chan struct{}, n), yields: make(map[int]context.CancelCauseFunc)}
		f.slots[d.ID] = s
	}
	if yield == nil {
		s.wanted++
		for _, y := range s.yields {
			y(errYield)
		}
	}
	f.mu.Unlock()
	got := false
	select {
	case s.free <- struct{}{}:
		got = true
	case <-ctx.Done():
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if yield == nil {
		s.wanted--
	}
	if !got {
		return nil, context.Cause(ctx)
	}
	s.last++
	key := s.last
	if yield != nil {
		s.yields[key] = yield
		if s.wanted > 0 {
			yield(errYield)
		}
	}
	return func() {
		f.mu.Lock()
		delete(s.yields, key)
		f.mu.Unlock()
		<-s.free
	}, nil
}

// run calls the agent for the action, as often as the device's retries allow within its time. The last
// result counts; what it says is without secrets. An error means that it could not be called at all.
func (u *use) run(ctx context.Context, action string) (AgentResult, error) {
	f := u.f
	word, err := u.d.call(action)
	if err != nil {
		return AgentResult{}, err
	}
	target := u.t.Target
	if action == "list" || action == "list-status" || action == "monitor" || action == "metadata" {
		target = ""
	}
	params, err := agentParams(&u.d, u.meta, word, target)
	if err != nil {
		return AgentResult{}, err
	}
	full, err := secret.Fill(u.d.ID, params, f.cfg.Secrets)
	if err != nil {
		return AgentResult{}, err
	}
	hide := secret.Of(full, params).Text
	within := u.d.timeout(action, u.base)
	began := f.cfg.Now()
	for n := u.d.tries(action); ; n-- {
		at := f.cfg.Now()
		r := f.cfg.Agents.Run(ctx, AgentCall{Agent: u.d.Agent, Params: full, Timeout: within - at.Sub(began)})
		r.Stdout, r.Stderr = hide(r.Stdout), hide(r.Stderr)
		if r.Err != nil {
			r.Err = errorString(hide(r.Err.Error()))
		}
		u.out.Tries = append(u.out.Tries, cib.FenceTry{Device: u.d.ID, Level: u.t.Level, Node: f.cfg.Node, Action: word, At: at,
			TookMS: r.Took.Milliseconds(), RC: r.RC, Output: describe(r)})
		left := within - f.cfg.Now().Sub(began)
		if r.RC == 0 || r.TimedOut || ctx.Err() != nil || n <= 1 || u.once || left < within*3/10 || unsupported(r) {
			return r, nil
		}
		if sleep(ctx, time.Second) != nil {
			return r, nil
		}
	}
}

// errorString is an error that is nothing but its text.
type errorString string

func (e errorString) Error() string { return string(e) }

func unsupported(r AgentResult) bool {
	s := strings.ToLower(r.Stderr)
	return strings.Contains(s, "unrecognised action") || strings.Contains(s, "unrecognized action") || strings.Contains(s, "unsupported action")
}

// describe says how a call of an agent ended.
func describe(r AgentResult) string {
	text := lastLines(cmpOr(r.Stderr, r.Stdout), 3)
	switch {
	case r.Err != nil && text != "":
		return r.Err.Error() + " (" + text + ")"
	case r.Err != nil:
		return r.Err.Error()
	case r.RC == 0:
		return text
	case text != "":
		return fmt.Sprintf("exit code %d (%s)", r.RC, text)
	}
	return fmt.Sprintf("exit code %d", r.RC)
}

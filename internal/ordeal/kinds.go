package ordeal

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"time"
)

// kind is one kind of fault.
type kind struct {
	name   string
	weight int
	do     func(r *run, ctx context.Context) (what string, err error)
}

// kinds are all that can be done. Each occurs by its weight, where the site can do it.
func kinds() []kind {
	return []kind{
		{"crash", 5, func(r *run, _ context.Context) (string, error) { return r.crash(r.anyone()) }},
		{"crash-leader", 4, func(r *run, ctx context.Context) (string, error) { return r.crash(r.leader(ctx)) }},
		{"kill-daemon", 5, func(r *run, _ context.Context) (string, error) { return r.endDaemon(r.anyone(), syscall.SIGKILL) }},
		{"restart-daemon", 4, func(r *run, _ context.Context) (string, error) { return r.endDaemon(r.anyone(), syscall.SIGTERM) }},
		{"restart-leader", 3, func(r *run, ctx context.Context) (string, error) {
			return r.endDaemon(r.leader(ctx), syscall.SIGTERM)
		}},
		{"kill-leader", 4, func(r *run, ctx context.Context) (string, error) { return r.endDaemon(r.leader(ctx), syscall.SIGKILL) }},
		{"kill-daemon-in-plan", 5, (*run).killInPlan},
		{"kill-leader-in-plan", 4, (*run).killLeaderInPlan},
		{"freeze", 4, func(r *run, _ context.Context) (string, error) { return r.freeze(r.anyone()) }},
		{"freeze-leader", 4, func(r *run, ctx context.Context) (string, error) { return r.freeze(r.leader(ctx)) }},
		{"cut-off", 4, func(r *run, _ context.Context) (string, error) { return r.cutOff(r.anyone()) }},
		{"cut-off-leader", 3, func(r *run, ctx context.Context) (string, error) { return r.cutOff(r.leader(ctx)) }},
		{"cut-in-parts", 3, (*run).parts},
		{"cut-all", 1, (*run).cutAll},
		{"cut-pair", 3, (*run).pair},
		{"cut-one-way", 5, (*run).oneWay},
		{"loss", 3, lossy("loss", func(r *run, l *Link) { l.Loss = 5 + r.rnd.IntN(30) })},
		{"delay", 3, lossy("delay", func(r *run, l *Link) {
			l.Delay, l.Jitter = time.Duration(r.rnd.IntN(120))*time.Millisecond, time.Duration(r.rnd.IntN(40))*time.Millisecond
		})},
		{"reorder", 2, lossy("reorder", func(r *run, l *Link) { l.Reorder = 5 + r.rnd.IntN(30) })},
		{"duplicate", 2, lossy("duplicate", func(r *run, l *Link) { l.Duplicate = 10 + r.rnd.IntN(50) })},
		{"disk-slow", 3, (*run).slowDisk},
		{"disk-full", 3, (*run).fullDisk},
		{"fence-fails", 3, power(PowerFails)},
		{"fence-hangs", 2, power(PowerHangs)},
		{"fence-late", 2, power(PowerLate)},
		{"fence-lies", 2, power(PowerLies)},
		{"torn-snapshot", 3, (*run).tornSnapshot},
		{"service-dies", 4, (*run).serviceDies},
	}
}

// Kinds are the names of all kinds of faults.
func Kinds() []string {
	var out []string
	for _, k := range kinds() {
		out = append(out, k.name)
	}
	return out
}

// possible are the kinds that the site can do.
func (r *run) possible() []kind {
	return slices.DeleteFunc(kinds(), func(k kind) bool { return slices.Contains(r.site.Lacks(), k.name) })
}

// draw takes a kind of fault out of a bag that holds each by its weight, so that all of them occur before long.
func (r *run) draw() kind {
	if len(r.bag) == 0 {
		for _, k := range r.possible() {
			for range k.weight {
				r.bag = append(r.bag, k)
			}
		}
		r.rnd.Shuffle(len(r.bag), func(i, j int) { r.bag[i], r.bag[j] = r.bag[j], r.bag[i] })
	}
	k := r.bag[len(r.bag)-1]
	r.bag = r.bag[:len(r.bag)-1]
	return k
}

// fault does one thing to the cluster. One that needs what is not there just now, a leader say, is left for later.
func (r *run) fault(ctx context.Context) error {
	var later []kind
	for {
		k := r.draw()
		what, err := k.do(r, ctx)
		switch {
		case err != nil:
			return fmt.Errorf("fault %s: %w", k.name, err)
		case what == "":
			if err := r.pause(ctx, time.Millisecond); err != nil {
				return err
			}
			later = append(later, k)
			continue
		}
		r.bag = append(later, r.bag...)
		r.done++
		return r.note("", "", "fault", append([]string{k.name}, strings.Fields(what)...)...)
	}
}

func (r *run) anyone() string {
	nodes := r.site.Nodes()
	return nodes[r.rnd.IntN(len(nodes))]
}

// two are two different nodes.
func (r *run) two() (string, string) {
	nodes := slices.Clone(r.site.Nodes())
	r.rnd.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	return nodes[0], nodes[1]
}

// away is how long a daemon that was ended is away: mostly as long as systemd takes, sometimes longer than the
// others wait for it.
func (r *run) away() time.Duration {
	if r.rnd.IntN(4) == 0 {
		return time.Duration(500+r.rnd.IntN(3000)) * time.Millisecond
	}
	return 50 * time.Millisecond
}

// leader is who decides, as the first node that knows says; empty: nobody knows one.
func (r *run) leader(ctx context.Context) string {
	for _, n := range r.site.Nodes() {
		if r.frozen[n] || !r.site.On(n) {
			continue
		}
		if node, err := r.askNode(ctx, n); err == nil && node.Leader != "" {
			return node.Leader
		}
	}
	return ""
}

func (r *run) crash(node string) (string, error) {
	if node == "" || !r.site.On(node) {
		return "", nil
	}
	return node, r.site.PowerOff(node)
}

func (r *run) endDaemon(node string, by syscall.Signal) (string, error) {
	if node == "" || r.frozen[node] || !r.site.On(node) {
		return "", nil
	}
	away := r.away()
	return fmt.Sprintf("%s away %v", node, away), r.site.EndDaemon(node, by, away)
}

// killInPlan has something to do, and kills the daemon that does the first bit of it, in the middle.
func (r *run) killInPlan(ctx context.Context) (string, error) {
	node, err := r.awaitAction(ctx)
	if err != nil || node == "" {
		return "", err
	}
	return r.endDaemon(node, syscall.SIGKILL)
}

func (r *run) killLeaderInPlan(ctx context.Context) (string, error) {
	leader := r.leader(ctx)
	if leader == "" {
		return "", nil
	}
	if node, err := r.awaitAction(ctx); err != nil || node == "" {
		return "", err
	}
	return r.endDaemon(leader, syscall.SIGKILL)
}

// awaitAction has the cluster move a service, and returns the node that begins to act; empty: nobody does.
func (r *run) awaitAction(ctx context.Context) (string, error) {
	if _, err := r.journal.follow(); err != nil {
		return "", err
	}
	service := r.services[r.rnd.IntN(len(r.services))]
	if err := r.move(ctx, service); err != nil {
		return "", nil // there is no majority just now: something else, then
	}
	for deadline := time.Now().Add(3 * time.Second); time.Now().Before(deadline); {
		events, err := r.journal.follow()
		if err != nil {
			return "", err
		}
		for _, e := range events {
			if e.Resource == service && (e.What == "start" || e.What == "stop") {
				return e.Node, nil
			}
		}
		if err := r.pause(ctx, 5*time.Millisecond); err != nil {
			return "", err
		}
	}
	return "", nil
}

// freeze lets everything on a node stand still, for a moment or until the faults are over.
func (r *run) freeze(node string) (string, error) {
	if node == "" || r.frozen[node] || !r.site.On(node) {
		return "", nil
	}
	d := time.Duration(100+r.rnd.IntN(4000)) * time.Millisecond
	if err := r.site.Freeze(node, true); err != nil {
		return "", err
	}
	r.frozen[node], r.thaws[node] = true, time.Now().Add(d)
	if err := r.note(node, "", "paused"); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s for %v", node, d), r.noteAlone()
}

// thaw lets those nodes go on whose time has come, or all.
func (r *run) thaw(all bool) error {
	for _, node := range r.site.Nodes() {
		if at, frozen := r.thaws[node]; !frozen || !all && time.Now().Before(at) {
			continue
		}
		delete(r.thaws, node)
		r.frozen[node] = false
		if err := r.noteAlone(); err != nil { // before it can act
			return err
		}
		if err := r.note(node, "", "resumed"); err != nil {
			return err
		}
		if err := r.site.Freeze(node, false); err != nil {
			return err
		}
	}
	return nil
}

// pause lets time pass; what was to happen meanwhile happens.
func (r *run) pause(ctx context.Context, d time.Duration) error {
	for end := time.Now().Add(d); ; {
		left := time.Until(end)
		if left <= 0 {
			return nil
		}
		t := time.NewTimer(min(left, 20*time.Millisecond))
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return context.Cause(ctx)
		}
		if err := r.thaw(false); err != nil {
			return err
		}
	}
}

func (r *run) cutOff(node string) (string, error) {
	if node == "" {
		return "", nil
	}
	return node, r.cut([]string{node})
}

func (r *run) parts(context.Context) (string, error) {
	nodes := slices.Clone(r.site.Nodes())
	r.rnd.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	part := nodes[:1+r.rnd.IntN(len(nodes)-1)]
	slices.Sort(part)
	return strings.Join(part, ",") + " from the others", r.cut(part)
}

// cut parts some nodes from all others.
func (r *run) cut(part []string) error {
	for _, a := range part {
		for _, b := range r.site.Nodes() {
			if !slices.Contains(part, b) {
				r.cutLink(a, b)
				r.cutLink(b, a)
			}
		}
	}
	return r.connect()
}

func (r *run) cutAll(context.Context) (string, error) {
	for _, a := range r.site.Nodes() {
		for _, b := range r.site.Nodes() {
			if a != b {
				r.cutLink(a, b)
			}
		}
	}
	return "everybody from everybody", r.connect()
}

func (r *run) pair(context.Context) (string, error) {
	a, b := r.two()
	r.cutLink(a, b)
	r.cutLink(b, a)
	return a + " - " + b, r.connect()
}

// oneWay cuts one direction between two nodes, or between one and all others.
func (r *run) oneWay(context.Context) (string, error) {
	a, b := r.two()
	switch r.rnd.IntN(3) {
	case 0:
		r.cutLink(a, b)
		return a + " -> " + b, r.connect()
	case 1:
		b = "all"
	default:
		a, b = "all", a
	}
	for _, n := range r.site.Nodes() {
		if b == "all" && n != a {
			r.cutLink(a, n)
		} else if a == "all" && n != b {
			r.cutLink(n, b)
		}
	}
	return a + " -> " + b, r.connect()
}

func (r *run) cutLink(from, to string) {
	l := r.links[[2]string{from, to}]
	l.Cut = true
	r.links[[2]string{from, to}] = l
}

// lossy makes what goes out of a node bad in some way.
func lossy(name string, change func(*run, *Link)) func(*run, context.Context) (string, error) {
	return func(r *run, _ context.Context) (string, error) {
		from := r.anyone()
		var l Link
		for _, to := range r.site.Nodes() {
			if to != from {
				l = r.links[[2]string{from, to}]
				change(r, &l)
				r.links[[2]string{from, to}] = l
			}
		}
		return fmt.Sprintf("%s -> all: loss %d %%, delay %v+%v, reorder %d %%, duplicate %d %%", from, l.Loss, l.Delay, l.Jitter, l.Reorder, l.Duplicate), r.connect()
	}
}

// connect has the network be as it is wanted, and notes who is alone.
func (r *run) connect() error {
	if err := r.site.Connect(maps.Clone(r.links)); err != nil {
		return err
	}
	return r.noteAlone()
}

func (r *run) noteAlone() error {
	now := map[string]bool{}
	for _, n := range r.links.Alone(r.site.Nodes(), r.frozen) {
		now[n] = true
	}
	for _, n := range r.site.Nodes() {
		if now[n] != r.alone[n] {
			if err := r.note(n, "", map[bool]string{true: "alone", false: "together"}[now[n]]); err != nil {
				return err
			}
		}
	}
	r.alone = now
	return nil
}

func (r *run) slowDisk(context.Context) (string, error) {
	node, by := r.anyone(), time.Duration(20+r.rnd.IntN(400))*time.Millisecond
	return fmt.Sprintf("%s by %v", node, by), r.site.Disk(node, Disk{Slow: by, Full: r.full[node]})
}

// tornSnapshot cuts a node's power in the middle of a snapshot.
func (r *run) tornSnapshot(context.Context) (string, error) {
	node, err := r.crash(r.anyone())
	if err != nil || node == "" {
		return "", err
	}
	return node, tearSnapshot(r.site.Data(node))
}

func (r *run) fullDisk(context.Context) (string, error) {
	node := r.anyone()
	r.full[node] = true
	return node, r.site.Disk(node, Disk{Full: true})
}

func power(p Power) func(*run, context.Context) (string, error) {
	return func(r *run, _ context.Context) (string, error) { return string(p), r.site.Power(p) }
}

func (r *run) serviceDies(context.Context) (string, error) {
	if _, err := r.journal.follow(); err != nil {
		return "", err
	}
	service := r.services[r.rnd.IntN(len(r.services))]
	on := r.journal.judge.Running(service)
	if len(on) != 1 || r.frozen[on[0]] {
		return "", nil
	}
	if err := r.site.KillService(on[0], service); err != nil {
		return "", nil // it has just been stopped
	}
	return service + " on " + on[0], r.note(on[0], service, "died")
}

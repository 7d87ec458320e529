package hypervisor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/digitalocean/go-libvirt"

	"github.com/cerco-ha/cerco/internal/guestfence"
)

// Libvirt is one libvirt, on this host or another one.
type Libvirt struct {
	cfg   Config
	place place
	proc  string // /proc

	mu     sync.Mutex
	asking *link // the connection for questions, or nil
	closed bool
	ended  map[string]bool           // UUIDs of machines whose process was seen to end, until libvirt agrees
	were   map[string]libvirt.Domain // what ids were when they were asked for last
	acts   sync.WaitGroup            // calls whose answer nobody waits for any more
}

var _ Host = (*Libvirt)(nil)

var errClosed = errors.New("the hypervisor's connection was given up")

// Open understands the configuration. It does not connect: libvirt may come later.
func Open(cfg Config) (*Libvirt, error) {
	cfg = cfg.withDefaults()
	p, err := parseURI(cfg.URI)
	if err != nil {
		return nil, err
	}
	return &Libvirt{cfg: cfg, place: p, proc: "/proc", ended: map[string]bool{}, were: map[string]libvirt.Domain{}}, nil
}

// Close ends the connections and waits for calls that are under way. It may be called twice.
func (l *Libvirt) Close() {
	l.mu.Lock()
	l.closed = true
	if l.asking != nil {
		l.asking.close()
		l.asking = nil
	}
	l.mu.Unlock()
	l.acts.Wait()
}

// Local tells whether its machines are processes of this host.
func (l *Libvirt) Local() bool { return l.place.local }

// Remote tells whether it is another host's.
func (l *Libvirt) Remote() bool { return l.place.transport != "unix" }

// URI returns where this is.
func (l *Libvirt) URI() string { return l.cfg.URI }

// List implements Host.
func (l *Libvirt) List(ctx context.Context) ([]Machine, error) {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.AskWithin)
	defer cancel()
	var out []Machine
	err := l.ask(ctx, func(lib *libvirt.Libvirt) error {
		out = out[:0]
		domains, _, err := lib.ConnectListAllDomains(1, 0)
		if err != nil {
			return err
		}
		for _, d := range domains {
			m, err := look(lib, d)
			if is(err, libvirt.ErrNoDomain) {
				continue // it ended since
			}
			if err != nil {
				return err
			}
			out = append(out, m)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing machines: %w", err)
	}
	for i := range out {
		out[i] = l.corrected(out[i])
	}
	slices.SortFunc(out, func(a, b Machine) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// Find implements Host.
func (l *Libvirt) Find(ctx context.Context, id string) (Machine, error) {
	m, _, err := l.find(ctx, id)
	return m, err
}

func (l *Libvirt) find(ctx context.Context, id string) (Machine, libvirt.Domain, error) {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.AskWithin)
	defer cancel()
	var m Machine
	var d libvirt.Domain
	err := l.ask(ctx, func(lib *libvirt.Libvirt) (err error) {
		m, d, err = l.lookUp(lib, id)
		return err
	})
	if is(err, libvirt.ErrNoDomain) {
		return Machine{}, d, fmt.Errorf("machine %q at %s: %w", id, l.cfg.URI, guestfence.ErrUnknown)
	}
	if err != nil {
		return Machine{}, d, fmt.Errorf("machine %q: %w", id, err)
	}
	return l.corrected(m), d, nil
}

// lookUp asks who id is and how that machine is: in one trip where it was asked for before, else in two.
func (l *Libvirt) lookUp(lib *libvirt.Libvirt, id string) (m Machine, d libvirt.Domain, err error) {
	l.mu.Lock()
	was, asked := l.were[id]
	l.mu.Unlock()
	if asked {
		if m, d, still := lookAgain(lib, was, id); still {
			return m, d, nil
		}
	}
	if u := uuidOf(id); u != "" {
		d, err = lib.DomainLookupByUUID(uuidBytes(u))
	} else {
		d, err = lib.DomainLookupByName(id)
	}
	if err == nil {
		m, err = look(lib, d)
	}
	if err == nil {
		l.wasSeen(id, d)
	}
	return m, d, err
}

// maxWere bounds how many ids are remembered. A host has fewer machines; names come and go.
const maxWere = 1024

func (l *Libvirt) wasSeen(id string, d libvirt.Domain) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.were) >= maxWere {
		clear(l.were)
	}
	l.were[id] = d
}

// corrected is a machine as it is, where libvirt has not noticed yet that its process has ended: off was said on that
// proof, and nothing may contradict it.
func (l *Libvirt) corrected(m Machine) Machine {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ended[m.UUID] {
		return m
	}
	if !m.State.Off() {
		p, err := findProcess(l.proc, l.place.pids, m.Name, m.UUID)
		if p == nil && err == nil {
			m.State, m.Migration = guestfence.ShutOff, Settled
			return m
		}
		if p != nil {
			p.close() // it was started again
		}
	}
	delete(l.ended, m.UUID)
	return m
}

// sawEnd remembers that the process of a machine has ended.
func (l *Libvirt) sawEnd(uuid string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended[uuid] = true
}

// look asks for everything of one machine that changes, on one trip.
func look(lib *libvirt.Libvirt, d libvirt.Domain) (Machine, error) {
	job := make(chan jobAnswer, 1)
	go askJob(lib, d, job)
	state, reason, err := lib.DomainGetState(d, 0)
	j := <-job
	if err = cmp.Or(err, j.err); err != nil {
		return Machine{}, err
	}
	return machineOf(d, state, reason, j.migration), nil
}

// lookAgain is look for the machine that id was the last time. With its state libvirt tells its name, and so whether
// id still is that machine; whatever else it says, still is false and the machine is to be looked up.
func lookAgain(lib *libvirt.Libvirt, was libvirt.Domain, id string) (m Machine, d libvirt.Domain, still bool) {
	job := make(chan jobAnswer, 1)
	go askJob(lib, was, job)
	stats, err := lib.ConnectGetAllDomainStats([]libvirt.Domain{was}, uint32(libvirt.DomainStatsState), 0)
	j := <-job
	if err != nil || j.err != nil || len(stats) != 1 {
		return m, d, false
	}
	d = stats[0].Dom
	if d.UUID != was.UUID || d.Name != id && uuidText(d.UUID) != uuidOf(id) {
		return m, d, false
	}
	state, known := number(stats[0].Params, "state.state")
	reason, told := number(stats[0].Params, "state.reason")
	return machineOf(d, state, reason, j.migration), d, known && told
}

// machineOf puts together what libvirt has told.
func machineOf(d libvirt.Domain, state, reason int32, job Migration) Machine {
	m := Machine{Machine: guestfence.Machine{Name: d.Name, UUID: uuidText(d.UUID), State: guestfence.State(state)}, Migration: job}
	switch {
	case m.State.Off() && libvirt.DomainShutoffReason(reason) == libvirt.DomainShutoffMigrated:
		m.Migration = Left
	case m.State.Off():
		m.Migration = Settled
	case m.Migration == Settled && m.State == guestfence.Paused && reason == int32(libvirt.DomainPausedMigration):
		// It stands still for a switch of hosts; what was sent has gone, what comes has not begun.
		m.Migration = Leaving
	}
	return m
}

// number finds one of libvirt's parameters.
func number(params []libvirt.TypedParam, field string) (int32, bool) {
	for _, p := range params {
		if n, ok := p.Value.I.(int32); ok && p.Field == field {
			return n, true
		}
	}
	return 0, false
}

// operation is libvirt's name for what a job of a machine does.
const (
	operationKey          = "operation"
	operationMigrationIn  = 5
	operationMigrationOut = 6
)

// jobOf tells whether a machine is in a job that moves it.
func jobOf(lib *libvirt.Libvirt, d libvirt.Domain) (Migration, error) {
	kind, params, err := lib.DomainGetJobStats(d, 0)
	switch {
	case errors.Is(err, libvirt.ErrUnsupported), is(err, libvirt.ErrNoSupport), is(err, libvirt.ErrOperationInvalid):
		return Settled, nil // a hypervisor without jobs, or a machine that does not run
	case err != nil:
		return Settled, err
	case kind == int32(libvirt.DomainJobNone):
		return Settled, nil
	}
	switch operation, _ := number(params, operationKey); operation {
	case operationMigrationIn:
		return Coming, nil
	case operationMigrationOut:
		return Leaving, nil
	}
	return Settled, nil
}

type jobAnswer struct {
	migration Migration
	err       error
}

func askJob(lib *libvirt.Libvirt, d libvirt.Domain, to chan<- jobAnswer) {
	m, err := jobOf(lib, d)
	to <- jobAnswer{m, err}
}

// On implements Host.
func (l *Libvirt) On(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.OffWithin)
	defer cancel()
	m, d, err := l.find(ctx, id)
	if err != nil {
		return err
	}
	if !m.State.Off() {
		return nil
	}
	if err := l.create(ctx, d); err != nil {
		return fmt.Errorf("starting machine %s: %w", m.Name, err)
	}
	return nil
}

// create starts a machine that has a definition. Libvirt may say that it runs: because an answer was lost and it does,
// or because it has not noticed yet that its process has ended.
func (l *Libvirt) create(ctx context.Context, d libvirt.Domain) error {
	for {
		err := l.act(ctx, func(lib *libvirt.Libvirt) error { return lib.DomainCreate(d) })
		if !is(err, libvirt.ErrOperationInvalid) {
			return err
		}
		if m, _, e := l.find(ctx, uuidText(d.UUID)); e != nil || !m.State.Off() {
			return e
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return err
		}
	}
}

// Check implements Host: a list is the whole way of a request, but for the act.
func (l *Libvirt) Check(ctx context.Context) error {
	machines, err := l.List(ctx)
	if err != nil {
		return err
	}
	if !l.place.local {
		return nil
	}
	for _, m := range machines {
		if m.State != guestfence.Running {
			continue
		}
		p, err := findProcess(l.proc, l.place.pids, m.Name, m.UUID)
		if err != nil {
			return fmt.Errorf("%w: machine %s runs, but its process cannot be held: %w", guestfence.ErrUnreachable, m.Name, err)
		}
		if p != nil {
			p.close()
		}
		break // one shows that processes can be seen and held
	}
	return nil
}

// Definition returns the XML of a machine as it is now, without secrets.
func (l *Libvirt) Definition(ctx context.Context, id string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.AskWithin)
	defer cancel()
	_, d, err := l.find(ctx, id)
	if err != nil {
		return "", err
	}
	var text string
	err = l.ask(ctx, func(lib *libvirt.Libvirt) (err error) {
		text, err = lib.DomainGetXMLDesc(d, 0)
		return err
	})
	return text, err
}

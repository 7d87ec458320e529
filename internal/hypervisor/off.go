package hypervisor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/digitalocean/go-libvirt"

	"github.com/cerco-ha/cerco/internal/guestfence"
)

// noMigrationWithin is a time in which no live migration is over that had not begun before. A process that ends
// so soon after libvirt was asked whether its machine moves was ended, and has not moved. What takes longer is
// asked again. Setting up QEMU on the other host alone takes longer than this.
const noMigrationWithin = 100 * time.Millisecond

// wordWithin is how long libvirt is asked what became of a machine whose process has ended.
const wordWithin = 3 * time.Second

// off is one off under way.
type off struct {
	l      *Libvirt
	m      Machine
	d      libvirt.Domain
	kept   bool     // it has a definition that outlives its end
	p      *process // nil where there is none to see
	asked  time.Time
	killed bool
	done   chan struct{} // closed when libvirt has answered to destroy
	answer error         // what it was; after done
}

// Off implements Host.
func (l *Libvirt) Off(ctx context.Context, id string) (guestfence.Proof, error) {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.OffWithin)
	defer cancel()
	proof, _, err := l.off(ctx, id)
	return proof, err
}

// off returns the machine as it was before, and in answer what libvirt has to say of the end of it.
func (l *Libvirt) off(ctx context.Context, id string) (guestfence.Proof, *off, error) {
	o := &off{l: l, done: make(chan struct{}), asked: l.cfg.Now()}
	quick, cancel := context.WithTimeout(ctx, l.cfg.KillAfter)
	defer cancel()
	var err error
	if o.m, o.d, err = l.find(quick, id); err == nil {
		o.kept, err = l.kept(quick, o.d)
	}
	if errors.Is(err, guestfence.ErrUnreachable) && l.place.local {
		proof, alone := l.offWithoutLibvirt(ctx, id)
		if alone != nil {
			return proof, nil, errors.Join(err, alone)
		}
		return proof, nil, nil
	}
	if err != nil {
		return guestfence.Proof{}, nil, err
	}
	if o.m.Migration != Settled {
		return guestfence.Proof{}, nil, fmt.Errorf("machine %s: %w", o.m.Name, ErrMigrating)
	}
	if l.place.local {
		if o.p, err = findProcess(l.proc, l.place.pids, o.m.Name, o.m.UUID); err != nil {
			return guestfence.Proof{}, nil, err
		}
	}
	if o.p != nil {
		defer o.p.close()
	}
	if o.p == nil && o.m.State.Off() {
		return guestfence.Proof{Kind: guestfence.AlreadyOff, Detail: "it is shut off" + l.noProcess(), At: l.cfg.Now()}, o, nil
	}
	o.destroy(ctx)
	proof, err := o.prove(ctx)
	if err != nil {
		return guestfence.Proof{}, nil, fmt.Errorf("machine %s: %w", o.m.Name, err)
	}
	return proof, o, nil
}

// kept tells whether a machine has a definition that outlives its end.
func (l *Libvirt) kept(ctx context.Context, d libvirt.Domain) (bool, error) {
	var kept int32
	err := l.ask(ctx, func(lib *libvirt.Libvirt) (err error) {
		kept, err = lib.DomainIsPersistent(d)
		return err
	})
	if is(err, libvirt.ErrNoDomain) {
		err = fmt.Errorf("machine %s at %s: %w any more", d.Name, l.cfg.URI, guestfence.ErrUnknown)
	}
	return kept == 1, err
}

func (l *Libvirt) noProcess() string {
	if l.place.local {
		return ", and it has no process"
	}
	return ""
}

// destroy has libvirt end the machine, and goes on until libvirt has answered.
func (o *off) destroy(ctx context.Context) {
	o.l.acts.Go(func() {
		// When the proof is there the caller leaves; libvirt still is to know that it was asked.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.l.cfg.OffWithin)
		defer cancel()
		defer close(o.done)
		o.answer = o.l.act(ctx, func(lib *libvirt.Libvirt) error { return lib.DomainDestroy(o.d) })
	})
}

// prove waits until the machine is off, and sees to it when libvirt does not.
func (o *off) prove(ctx context.Context) (guestfence.Proof, error) {
	if o.p == nil {
		select {
		case <-o.done:
			return o.word(ctx, o.answer)
		case <-ctx.Done():
			return guestfence.Proof{}, fmt.Errorf("%w: libvirt at %s has not ended it in time", guestfence.ErrUnreachable, o.l.cfg.URI)
		}
	}
	patient, cancel := context.WithTimeout(ctx, o.l.cfg.KillAfter)
	defer cancel()
	if o.p.wait(patient) != nil {
		o.l.cfg.Log.Warn("libvirt does not end a machine in time; its process is killed", "machine", o.m.Name, "uuid", o.m.UUID, "pid", o.p.pid, "after", o.l.cfg.KillAfter)
		if err := o.p.kill(); err != nil {
			return guestfence.Proof{}, fmt.Errorf("killing process %d: %w", o.p.pid, err)
		}
		o.killed = true
		if err := o.p.wait(ctx); err != nil {
			return guestfence.Proof{}, fmt.Errorf("process %d was killed and has not ended; it may hang in its disk: see /proc/%d/stack", o.p.pid, o.p.pid)
		}
	}
	return o.settle(ctx)
}

// settle makes sure that a process that has ended has not left its machine to another host.
func (o *off) settle(ctx context.Context) (guestfence.Proof, error) {
	o.l.sawEnd(o.m.UUID)
	proof := guestfence.Proof{Kind: guestfence.ProcessGone, At: o.l.cfg.Now()}
	how := "ended"
	if o.killed {
		how = "was killed"
	}
	proof.Detail = fmt.Sprintf("QEMU, process %d, %s", o.p.pid, how)
	if proof.At.Sub(o.asked) < noMigrationWithin {
		proof.Detail += "; libvirt was told to destroy the machine"
		return proof, nil
	}
	ctx, cancel := context.WithTimeout(ctx, wordWithin)
	defer cancel()
	word, err := o.fate(ctx)
	switch {
	case errors.Is(err, ErrMigrating):
		return guestfence.Proof{}, err
	case err != nil: // libvirt is silent: nobody there could have moved the machine
		proof.Detail += "; libvirt does not answer"
	default:
		proof.Detail += "; libvirt says " + word
	}
	return proof, nil
}

// word is the proof where there is no process to see.
func (o *off) word(ctx context.Context, answer error) (guestfence.Proof, error) {
	if answer != nil && !is(answer, libvirt.ErrOperationInvalid) && !is(answer, libvirt.ErrNoDomain) {
		return guestfence.Proof{}, answer
	}
	word, err := o.fate(ctx)
	if err != nil {
		if answer == nil && errors.Is(err, guestfence.ErrUnknown) {
			word = "destroyed, and nothing is left of it"
		} else {
			return guestfence.Proof{}, err
		}
	}
	return guestfence.Proof{Kind: guestfence.SaidOff, Detail: "libvirt says " + word, At: o.l.cfg.Now()}, nil
}

// fate asks libvirt what became of the machine. A machine without a definition is gone with its process.
func (o *off) fate(ctx context.Context) (string, error) {
	var state, reason int32
	err := o.l.ask(ctx, func(lib *libvirt.Libvirt) (err error) {
		state, reason, err = lib.DomainGetState(o.d, 0)
		return err
	})
	switch {
	case is(err, libvirt.ErrNoDomain) && o.p != nil && !o.kept:
		return "it is gone", nil
	case is(err, libvirt.ErrNoDomain):
		return "", fmt.Errorf("machine %s at %s: %w any more", o.m.Name, o.l.cfg.URI, guestfence.ErrUnknown)
	case err != nil:
		return "", err
	case !guestfence.State(state).Off() && o.p != nil:
		return "that it has not noticed", nil
	case !guestfence.State(state).Off():
		return "", fmt.Errorf("libvirt has destroyed it and says that it is %s", guestfence.State(state))
	case guestfence.State(state).Off() && libvirt.DomainShutoffReason(reason) == libvirt.DomainShutoffMigrated:
		return "", fmt.Errorf("%w: it has left this host", ErrMigrating)
	}
	return guestfence.State(state).String(), nil
}

// offWithoutLibvirt ends a machine whose libvirt is away. What libvirt noted on disk says which process it is, and
// that it was not being moved; without the process there is nothing to prove anything with.
func (l *Libvirt) offWithoutLibvirt(ctx context.Context, id string) (guestfence.Proof, error) {
	s, err := savedMachine(l.place.pids, id)
	if err != nil {
		// Not known to be unknown: nobody could be asked.
		return guestfence.Proof{}, errors.New(err.Error())
	}
	if !s.settled() {
		return guestfence.Proof{}, fmt.Errorf("machine %s: %w, says libvirt's note of it (state %s, job %q)", s.Domain.Name, ErrMigrating, s.State, s.Job.Async)
	}
	p, err := openProcess(l.proc, s.PID, s.Domain.Name, s.Domain.UUID)
	if err != nil {
		return guestfence.Proof{}, err
	}
	if p == nil {
		return guestfence.Proof{}, fmt.Errorf("machine %s has no process any more, which proves nothing without libvirt", s.Domain.Name)
	}
	defer p.close()
	l.cfg.Log.Warn("libvirt is away; a machine's process is killed", "machine", s.Domain.Name, "uuid", s.Domain.UUID, "pid", p.pid)
	if err := p.kill(); err != nil {
		return guestfence.Proof{}, fmt.Errorf("killing process %d: %w", p.pid, err)
	}
	if err := p.wait(ctx); err != nil {
		return guestfence.Proof{}, fmt.Errorf("process %d was killed and has not ended", p.pid)
	}
	l.sawEnd(s.Domain.UUID)
	return guestfence.Proof{Kind: guestfence.ProcessGone, Detail: fmt.Sprintf("QEMU, process %d, was killed; libvirt does not answer", p.pid), At: l.cfg.Now()}, nil
}

// Reboot implements Host.
func (l *Libvirt) Reboot(ctx context.Context, id string) (guestfence.Proof, error) {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.OffWithin)
	defer cancel()
	definition := l.definitionToRestart(ctx, id)
	proof, o, err := l.off(ctx, id)
	if err != nil || proof.Kind == guestfence.AlreadyOff {
		return proof, err
	}
	if err := l.startAgain(ctx, o, definition); err != nil {
		l.cfg.Log.Error("a machine was cut off and cannot be started again", "machine", id, "err", err)
		proof.Detail += "; it could not be started again: " + err.Error()
		return proof, nil
	}
	proof.Detail += "; started again"
	return proof, nil
}

// definitionToRestart returns what a machine without a definition of its own is made of again, and "" for others.
// It holds the machine's secrets and goes nowhere but back to libvirt.
func (l *Libvirt) definitionToRestart(ctx context.Context, id string) string {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.AskWithin/2)
	defer cancel()
	m, d, err := l.find(ctx, id)
	if err != nil || m.State.Off() {
		return ""
	}
	if kept, err := l.kept(ctx, d); err != nil || kept {
		return ""
	}
	var text string
	_ = l.ask(ctx, func(lib *libvirt.Libvirt) (err error) {
		text, err = lib.DomainGetXMLDesc(d, libvirt.DomainXMLSecure)
		return err
	}) // without it the machine stays off, and that is said
	return text
}

// startAgain waits until libvirt has cleaned up behind the machine, and starts it.
func (l *Libvirt) startAgain(ctx context.Context, o *off, definition string) error {
	if o == nil {
		return errors.New("libvirt does not answer")
	}
	select {
	case <-o.done: // whatever the answer is: the machine is off
	case <-ctx.Done():
		return errors.New("libvirt still cleans up behind it")
	}
	switch {
	case o.kept:
		return l.create(ctx, o.d)
	case definition == "":
		return errors.New("it has no definition in libvirt (virsh define makes one)")
	}
	return l.act(ctx, func(lib *libvirt.Libvirt) error {
		_, err := lib.DomainCreateXML(definition, 0)
		return err
	})
}

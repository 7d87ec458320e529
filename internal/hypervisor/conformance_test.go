package hypervisor

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence"
)

// subject is a Host with one machine that runs and has a definition.
type subject struct {
	Host
	name, uuid string
	kind       guestfence.ProofKind // what proves an off there
}

// conformance is what every Host does.
func conformance(t *testing.T, s subject) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	state := func(want guestfence.State) {
		t.Helper()
		for _, id := range []string{s.name, s.uuid} {
			m, err := s.Find(ctx, id)
			if err != nil || m.State != want || m.Name != s.name || m.UUID != s.uuid {
				t.Fatalf("machine %s is %+v, %v; want %v", id, m, err, want)
			}
		}
		all, err := s.List(ctx)
		if err != nil || !slices.ContainsFunc(all, func(m Machine) bool { return m.Name == s.name && m.UUID == s.uuid && m.State == want }) {
			t.Fatalf("the list has no %s that is %v: %+v, %v", s.name, want, all, err)
		}
	}
	proved := func(p guestfence.Proof, err error, want guestfence.ProofKind) {
		t.Helper()
		if err != nil || p.Kind != want || p.Detail == "" {
			t.Fatalf("proof %+v, %v; want %s", p, err, want)
		}
	}
	follow, stop := context.WithCancel(ctx)
	defer stop()
	events := s.Events(follow)
	if e := <-events; e.Kind != Again {
		t.Fatalf("the first event is %+v", e)
	}
	if err := s.Check(ctx); err != nil {
		t.Fatal(err)
	}
	state(guestfence.Running)
	if err := s.On(ctx, s.name); err != nil {
		t.Errorf("on of what runs: %v", err)
	}
	p, err := s.Off(ctx, s.name)
	proved(p, err, s.kind)
	state(guestfence.ShutOff) // at once, whatever the hypervisor has noticed
	for e := range events {
		if e.Kind == Stopped && e.Name == s.name && e.UUID == s.uuid {
			break
		}
	}
	state(guestfence.ShutOff)
	p, err = s.Off(ctx, s.uuid)
	proved(p, err, guestfence.AlreadyOff)
	p, err = s.Reboot(ctx, s.name)
	proved(p, err, guestfence.AlreadyOff)
	state(guestfence.ShutOff) // and it stays off
	if err := s.On(ctx, s.uuid); err != nil {
		t.Fatal(err)
	}
	state(guestfence.Running)
	p, err = s.Reboot(ctx, s.uuid)
	proved(p, err, s.kind)
	state(guestfence.Running)
	stop()
	for range events { // it is closed
	}
	nobody(t, ctx, s)
}

// nobody asks for machines that there are not.
func nobody(t *testing.T, ctx context.Context, s subject) {
	for _, id := range []string{"nobody", "00000000-0000-0000-0000-000000000001", "", s.name + " "} {
		_, find := s.Find(ctx, id)
		p, off := s.Off(ctx, id)
		q, reboot := s.Reboot(ctx, id)
		for what, err := range map[string]error{"find": find, "off": off, "on": s.On(ctx, id), "reboot": reboot} {
			if !errors.Is(err, guestfence.ErrUnknown) {
				t.Errorf("%s of %q: %v", what, id, err)
			}
		}
		if p.Kind != "" || q.Kind != "" {
			t.Errorf("%q is proved off: %+v %+v", id, p, q)
		}
	}
}

func TestMemoryConforms(t *testing.T) {
	const uuid = "6c5a4d0e-0f0e-4a54-8f1e-0a3a5d3c7a11"
	h := NewMemory(Machine{Machine: guestfence.Machine{Name: "vm1", UUID: uuid, State: guestfence.Running}})
	conformance(t, subject{Host: h, name: "vm1", uuid: uuid, kind: guestfence.SaidOff})
}

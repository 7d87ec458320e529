package guesttest

import (
	"context"
	"errors"
	"testing"

	"github.com/cerco-ha/cerco/internal/guestfence"
)

func TestWorldHoldsWhatHypervisorsDo(t *testing.T) {
	ctx := context.Background()
	w := NewWorld()
	w.Add("h1", guestfence.Machine{Name: "db", UUID: "6695eb01-f6a4-8304-79aa-97f2502e193f", State: guestfence.Running})
	h1, h2 := w.Standalone("h1"), w.Member("h2")
	if _, err := w.Standalone("h2").Find(ctx, "db"); !errors.Is(err, guestfence.ErrUnknown) {
		t.Errorf("a host alone says of another's machine: %v", err)
	}
	if _, err := h2.Off(ctx, "db"); !errors.Is(err, guestfence.ErrElsewhere) {
		t.Errorf("a member says of another's machine: %v", err)
	}
	if p, err := h1.Reboot(ctx, "6695EB01-F6A4-8304-79AA-97F2502E193F"); err != nil || p.Kind != guestfence.SaidOff {
		t.Errorf("reboot: %v, %v", p, err)
	}
	for _, want := range []guestfence.ProofKind{guestfence.SaidOff, guestfence.AlreadyOff} {
		if p, err := h1.Off(ctx, "db"); err != nil || p.Kind != want {
			t.Errorf("off: %v, %v; want %v", p, err, want)
		}
	}
	arrive, err := w.Move("db", "h2")
	if err != nil {
		t.Fatal(err)
	}
	arrive()
	if err := h2.On(ctx, "db"); err != nil {
		t.Error(err)
	}
	if host, s := w.Where("db"); host != "h2" || s != guestfence.Running {
		t.Errorf("db is at %s, %v", host, s)
	}
	if starts, stops := w.Count("db"); starts != 2 || stops != 2 {
		t.Errorf("%d starts, %d stops", starts, stops)
	}
}

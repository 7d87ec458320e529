package memnet_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cerco-ha/cerco/internal/memnet"
)

// pair connects two hosts.
func pair(t *testing.T, n *memnet.Network) (a, b net.Conn) {
	t.Helper()
	l, err := n.Listen("b:1")
	if err != nil {
		t.Fatal(err)
	}
	a, err = n.Dial(t.Context(), "a", "b:1")
	if err != nil {
		t.Fatal(err)
	}
	if b, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _, _ = a.Close(), b.Close(), l.Close() })
	return a, b
}

func TestBytesArriveInOrderAndThenTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t, &memnet.Network{})
		big := make([]byte, 1<<20)
		for i := range big {
			big[i] = byte(i * 7)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			_, _ = a.Write(big)
			_ = a.Close()
		})
		got, err := io.ReadAll(b)
		wg.Wait()
		if err != nil || string(got) != string(big) {
			t.Fatalf("%d bytes of %d, %v", len(got), len(big), err)
		}
	})
}

func TestACutHoldsBytesBackUntilItHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &memnet.Network{}
		a, b := pair(t, n)
		n.CutOneWay("a", "b")
		if _, err := a.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 5)
		_ = b.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := b.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("through a cut: %v", err)
		}
		if _, err := b.Write([]byte("still")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(a, buf); err != nil || string(buf) != "still" {
			t.Fatalf("the other way: %q, %v", buf, err)
		}
		_ = b.SetReadDeadline(time.Time{})
		time.AfterFunc(time.Minute, func() { n.Heal("a", "b") })
		began := time.Now()
		if _, err := io.ReadFull(b, buf); err != nil || string(buf) != "hello" {
			t.Fatalf("healed: %q, %v", buf, err)
		}
		if took := time.Since(began); took != time.Minute {
			t.Errorf("took %v", took)
		}
	})
}

func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &memnet.Network{}
		a, b := pair(t, n)
		n.Delay("a", "b", 30*time.Millisecond)
		began := time.Now()
		_, _ = a.Write([]byte("x"))
		if _, err := b.Read(make([]byte, 1)); err != nil || time.Since(began) != 30*time.Millisecond {
			t.Errorf("%v, %v", time.Since(began), err)
		}
	})
}

func TestDialMeetsNobodyACutAndACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &memnet.Network{}
		a, b := pair(t, n)
		if _, err := n.Dial(t.Context(), "a", "c:1"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("nobody: %v", err)
		}
		n.Cut("a", "b")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := n.Dial(ctx, "a", "b:1"); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a cut: %v", err)
		}
		n.HealAll()
		n.Crash("b")
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the other end of a crashed one: %v", err)
		}
		if _, err := b.Write([]byte("x")); err == nil {
			t.Error("the crashed one still writes")
		}
	})
}

func TestPowerOffIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &memnet.Network{}
		a, _ := pair(t, n)
		n.PowerOff("b")
		if _, err := a.Write(make([]byte, 1<<20)); err != nil {
			t.Errorf("write into the void: %v", err)
		}
		_ = a.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read from the void: %v", err)
		}
		_ = a.SetReadDeadline(time.Time{})
		l, err := n.Listen("b:1")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the other end has booted: %v", err)
		}
	})
}

package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestCalls(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, 2, "n1", "n2", "n3")
		w.start("n1", "n2", "n3")
		w.mustCall("n1", "n2")
		w.mustCall("n2", "n1")
		w.mustCall("n3", "n1")
		w.mustCall("n1", "n1")

		w.peers["n2"].Handle("fail", func(context.Context, string, []byte) ([]byte, error) { return nil, errors.New("not today") })
		_, err := w.peers["n1"].Call(t.Context(), "n2", "fail", nil)
		if remote := (*RemoteError)(nil); !errors.As(err, &remote) || remote.Message != "not today" || remote.Node != "n2" {
			t.Errorf("a handler's error: %v", err)
		}
		if _, err := w.peers["n1"].Call(t.Context(), "n2", "nothing", nil); !errors.Is(err, ErrUnreachable) {
			t.Errorf("a service that is not there: %v", err)
		}
		if _, err := w.peers["n1"].Call(t.Context(), "n9", "echo", nil); !errors.Is(err, ErrUnreachable) {
			t.Errorf("a node that is not there: %v", err)
		}
		w.peers["n3"].Stop()
		synctest.Wait()
		if _, err := w.call("n1", "n3", ""); !errors.Is(err, ErrUnreachable) || errors.Is(err, ErrUnknownOutcome) {
			t.Errorf("a node that is stopped: %v", err)
		}
	})
}

func TestLongMessagesDoNotHoldUpShortOnes(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, 1, "n1", "n2")
		w.start("n1", "n2")
		w.peers["n2"].Handle("size", func(_ context.Context, _ string, req []byte) ([]byte, error) {
			return bytes.Repeat([]byte("x"), len(req)), nil
		})
		for _, size := range []int{0, 1, maxPayload - 1, maxPayload, 3*maxPayload + 7, MaxMessage} {
			reply, err := w.peers["n1"].Call(t.Context(), "n2", "size", make([]byte, size))
			if err != nil || len(reply) != size {
				t.Errorf("%d bytes: %d came back, %v", size, len(reply), err)
			}
		}
		if _, err := w.peers["n1"].Call(t.Context(), "n2", "size", make([]byte, MaxMessage+1)); !errors.Is(err, ErrUnreachable) {
			t.Errorf("a request over the limit: %v", err)
		}
	})
}

func TestCallGoesOnOverTheOtherRing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, 2, "n1", "n2")
		w.start("n1", "n2")
		var runs atomic.Int32
		begun, release := make(chan struct{}), make(chan struct{})
		w.peers["n2"].Handle("slow", func(context.Context, string, []byte) ([]byte, error) {
			runs.Add(1)
			close(begun)
			<-release
			return []byte("done"), nil
		})
		w.mustCall("n1", "n2")
		time.Sleep(2 * time.Second)
		answer := make(chan error, 1)
		go func() {
			reply, err := w.peers["n1"].Call(t.Context(), "n2", "slow", []byte("once"))
			if err == nil && string(reply) != "done" {
				err = fmt.Errorf("reply %q", reply)
			}
			answer <- err
		}()
		<-begun
		w.cutRing("n1", "n2", 0, true)
		cutAt := time.Now()
		for w.peers["n1"].Links()[0].Up {
			time.Sleep(10 * time.Millisecond)
		}
		if took := time.Since(cutAt); took > 400*time.Millisecond {
			t.Errorf("a silent ring beside one that works was noticed after %v", took)
		}
		close(release)
		if err := <-answer; err != nil {
			t.Errorf("the call: %v", err)
		}
		if runs.Load() != 1 {
			t.Errorf("it ran %d times", runs.Load())
		}
		w.mustCall("n1", "n2")
		w.cutRing("n1", "n2", 0, false)
		time.Sleep(3 * time.Second)
		if !w.peers["n1"].Links()[0].Up || !w.peers["n2"].Links()[0].Up {
			t.Errorf("ring 0 does not come back: %+v", w.peers["n1"].Links())
		}
	})
}

func TestCallWithUnknownOutcome(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, 1, "n1", "n2")
		w.start("n1", "n2")
		begun := make(chan struct{})
		w.peers["n2"].Handle("hang", func(ctx context.Context, _ string, _ []byte) ([]byte, error) {
			close(begun)
			<-ctx.Done()
			return nil, ctx.Err()
		})
		w.mustCall("n1", "n2")
		done := make(chan error, 1)
		go func() {
			_, err := w.peers["n1"].Call(t.Context(), "n2", "hang", nil)
			done <- err
		}()
		<-begun
		w.cut(cut{"n2", "n1", -1}, true) // one way is enough
		began := time.Now()
		err := <-done
		if !errors.Is(err, ErrUnknownOutcome) || errors.Is(err, ErrUnreachable) {
			t.Errorf("the node was cut off in the middle of a call: %v", err)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("it took %v to find out", took)
		}
		began = time.Now()
		if _, err := w.call("n1", "n2", "?"); !errors.Is(err, ErrUnreachable) {
			t.Errorf("a node that is cut off: %v", err)
		}
		if took := time.Since(began); took > 1200*time.Millisecond {
			t.Errorf("it took %v to find out that there is no way", took)
		}
		w.cut(cut{"n2", "n1", -1}, false)
		time.Sleep(1500 * time.Millisecond)
		w.mustCall("n1", "n2")
	})
}

func TestCancelReachesTheHandler(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, 1, "n1", "n2")
		w.start("n1", "n2")
		ended := make(chan error, 1)
		begun := make(chan struct{})
		w.peers["n2"].Handle("hang", func(ctx context.Context, _ string, _ []byte) ([]byte, error) {
			close(begun)
			<-ctx.Done()
			ended <- ctx.Err()
			return nil, ctx.Err()
		})
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-begun; cancel() }()
		if _, err := w.peers["n1"].Call(ctx, "n2", "hang", nil); !errors.Is(err, ErrUnknownOutcome) || !errors.Is(err, context.Canceled) {
			t.Errorf("a call that was given up: %v", err)
		}
		synctest.Wait()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the handler saw %v", err)
		}
	})
}

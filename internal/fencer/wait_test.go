package fencer

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

func TestRequestsForOneNodeAreMerged(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, stonith("a", "fence_power", "ip=psu", "pcmk_host_list=n2"))
		w.do = func(ctx context.Context, _ string, p map[string]string) AgentResult {
			if p["action"] == "status" {
				return exit(2, "")
			}
			_ = sleep(ctx, 5*time.Second)
			return exit(0, "")
		}
		f := w.fencers["n1"]
		var wg sync.WaitGroup
		got := make([]cib.FenceRecord, 4)
		for i, action := range []string{"off", "off", "reboot", "on"} {
			wg.Go(func() {
				_ = sleep(t.Context(), time.Duration(i)*time.Second)
				req := request(action, "n2")
				req.ID = action + strings.Repeat("x", i)
				got[i] = f.Fence(t.Context(), req, nil)
			})
		}
		time.Sleep(4500 * time.Millisecond)
		if ws := f.Waiting(); len(ws) != 1 || !strings.Contains(ws[0].Doing, "uses a from n1 (off)") || ws[0].Release != "cerco stonith confirm n2" {
			t.Errorf("waiting: %+v", ws)
		}
		wg.Wait()
		for i, r := range got {
			w.wantDone(r, cib.ByAgent, "a")
			if !strings.HasSuffix(r.ID, strings.Repeat("x", i)) || r.Action != []string{"off", "off", "reboot", "on"}[i] {
				t.Errorf("record %d is %s %s", i, r.ID, r.Action)
			}
		}
		w.wantCalls("n1 psu off n2", "n1 psu status n2", "n1 psu on n2")
	})
}

func TestOffComesAfterAReboot(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, stonith("a", "fence_power", "ip=psu", "pcmk_host_list=n2"))
		w.do = func(ctx context.Context, _ string, p map[string]string) AgentResult {
			if p["action"] == "status" {
				return exit(2, "")
			}
			_ = sleep(ctx, time.Second)
			return exit(0, "")
		}
		go w.fencers["n1"].Fence(t.Context(), request("reboot", "n2"), nil)
		synctest.Wait()
		w.wantDone(w.fence("off", "n2"), cib.ByAgent, "a")
		w.wantCalls("n1 psu reboot n2", "n1 psu off n2", "n1 psu status n2")
	})
}

func TestAWithdrawnRequestKillsItsAgents(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, stonith("a", "fence_power", "ip=psu", "pcmk_host_list=n2"))
		killed := false
		w.do = func(ctx context.Context, _ string, p map[string]string) AgentResult {
			<-ctx.Done()
			killed = true
			return AgentResult{}
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), 3*time.Second, errors.New("n2 is back"))
		defer cancel()
		calls := 0
		r := w.fencers["n1"].Fence(ctx, request("reboot", "n2"), func(cib.FenceRecord) { calls++ })
		w.wantFailed(r, "withdrawn: n2 is back")
		before := calls
		synctest.Wait()
		if !killed || calls != before || len(w.fencers["n1"].Waiting()) != 0 {
			t.Errorf("killed %v, progress after the end %v, waiting %v", killed, calls != before, w.fencers["n1"].Waiting())
		}
		w.wantCalls("n1 psu reboot n2")
	})
}

func TestConfirmEndsAFencing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, stonith("a", "fence_power", "ip=psu", "pcmk_host_list=n2"))
		w.do = func(ctx context.Context, _ string, p map[string]string) AgentResult {
			<-ctx.Done()
			return AgentResult{}
		}
		f := w.fencers["n1"]
		got := make(chan cib.FenceRecord)
		go func() { got <- f.Fence(t.Context(), request("reboot", "n2"), nil) }()
		synctest.Wait()
		w.hear("n2", "b")
		if _, err := f.Confirm("n2", "root", false); err == nil || !strings.Contains(err.Error(), "n2 is not off") {
			t.Errorf("a node that is heard is confirmed: %v", err)
		}
		if _, err := f.Confirm("n9", "root", false); err == nil || !strings.Contains(err.Error(), "n1, n2, n3") {
			t.Errorf("an unknown node is confirmed: %v", err)
		}
		if _, err := f.Confirm("n1", "root", true); err == nil {
			t.Error("a node confirms that it is off itself")
		}
		time.Sleep(2 * time.Second)
		rec, err := f.Confirm("n2", "root", false)
		if err != nil {
			t.Fatal(err)
		}
		w.wantDone(rec, cib.ByOperator)
		if rec.By != "root" || rec.TargetID != "2" {
			t.Errorf("record %+v", rec)
		}
		w.wantDone(<-got, cib.ByOperator)
	})
}

func TestAPersonIsAskedLastAndTheDevicesAreTriedAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, stonith("me", ManualAgent, "mailto=ops@example.org")+
			stonith("z", "fence_power", "ip=psu", "pcmk_host_list=n2", "pcmk_reboot_retries=1", "pcmk_status_retries=1"))
		w.down["n2"], w.down["n3"] = true, true
		var mended atomic.Bool
		w.do = func(context.Context, string, map[string]string) AgentResult {
			if !mended.Load() {
				return exit(1, "no route")
			}
			return exit(0, "")
		}
		got := make(chan cib.FenceRecord, 1)
		go func() { got <- w.fence("reboot", "n2") }()
		time.Sleep(59 * time.Second)
		ws := w.fencers["n1"].Waiting()
		if len(ws) != 1 || !strings.Contains(ws[0].Doing, "waits for an operator to confirm that n2 is off") || !strings.Contains(ws[0].Doing, "no route") {
			t.Errorf("waiting: %+v", ws)
		}
		mended.Store(true)
		w.wantDone(<-got, cib.ByAgent, "z")
		if w.after() != time.Minute || len(w.asked) != 1 || !strings.Contains(w.asked[0].Text, "cerco stonith confirm n2") {
			t.Errorf("after %s, asked %+v", w.after(), w.asked)
		}
		w.wantCalls("n1 psu reboot n2", "n1 psu status n2", "n1 psu reboot n2")
	})
}

func TestDelays(t *testing.T) {
	for _, c := range []struct {
		name    string
		params  []string
		request int64
		want    time.Duration
	}{
		{"none", nil, 0, 0},
		{"static", []string{"pcmk_delay_base=5s"}, 0, 5 * time.Second},
		{"static of the node", []string{"pcmk_delay_base=n1:9;n2:2s"}, 0, 2 * time.Second},
		{"random up to the bound", []string{"pcmk_delay_base=1", "pcmk_delay_max=4s"}, 0, 4 * time.Second},
		{"clamped", []string{"pcmk_delay_base=9", "pcmk_delay_max=4s"}, 0, 4 * time.Second},
		{"of the request", nil, 7000, 7 * time.Second},
		{"both", []string{"pcmk_delay_base=5s"}, 7000, 12 * time.Second},
		{"forbidden", []string{"pcmk_delay_base=5s"}, -1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, stonith("a", "fence_power", append(c.params, "ip=psu", "pcmk_host_list=n2")...))
				req := request("reboot", "n2")
				req.DelayMS = c.request
				w.wantDone(w.fencers["n1"].Fence(t.Context(), req, nil), cib.ByAgent, "a")
				if w.after() != c.want {
					t.Errorf("waited %s, wanted %s", w.after(), c.want)
				}
			})
		})
	}
}

func TestTolerance(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, "")
		w.state.Fencing = []cib.FenceRecord{{FenceRequest: request("off", "n2"), State: cib.FenceDone, Evidence: cib.ByOperator, Completed: time.Now()}}
		time.Sleep(5 * time.Second)
		req := request("reboot", "n2")
		req.Tolerance = 6000
		w.wantDone(w.fencers["n1"].Fence(t.Context(), req, nil), cib.ByOperator)
		req.Tolerance = 4000
		w.wantFailed(w.fencers["n1"].Fence(t.Context(), req, nil))
	})
}

func TestWatchdogIsProofOnlyWhereItIsArmed(t *testing.T) {
	arm := func(w *world, ms int64) {
		w.state.Nodes = []cib.NodeFacts{{ID: "2", BootID: "b", Watchdog: cib.Watchdog{MS: ms, BootID: "b"}}}
	}
	bubble(t, func(t *testing.T) {
		w := newWorld(t, "", property("stonith-watchdog-timeout", "10s"))
		w.hear("n2", "b")
		time.Sleep(2 * time.Second)
		w.wantFailed(w.fence("reboot", "n2"), "has told nobody of an armed watchdog")
		arm(w, 5000)
		w.wantDone(w.fence("reboot", "n2"), cib.ByWatchdog, WatchdogDevice)
		if w.after() != 10500*time.Millisecond { // lease and watchdog after it was heard
			t.Errorf("took %s", w.after())
		}
		w.state.Nodes[0].BootID = "c"
		w.wantFailed(w.fence("reboot", "n2"), "armed watchdog")
		arm(w, 10000)
		w.wantFailed(w.fence("reboot", "n2"), "must be longer")
	})
	bubble(t, func(t *testing.T) { // it is alive after all
		w := newWorld(t, "", property("stonith-watchdog-timeout", "10s"))
		arm(w, 5000)
		go func() {
			_ = sleep(t.Context(), 4*time.Second)
			w.hear("n2", "b")
		}()
		w.wantFailed(w.fence("reboot", "n2"), "heard again")
	})
	bubble(t, func(t *testing.T) { // after devices that fail
		w := newWorld(t, stonith("a", "fence_power", "ip=psu", "pcmk_host_list=n2"), property("stonith-watchdog-timeout", "-1"))
		arm(w, 5000)
		w.down["n2"], w.down["n3"] = true, true
		w.do = func(context.Context, string, map[string]string) AgentResult { return exit(1, "") }
		w.wantDone(w.fence("reboot", "n2"), cib.ByWatchdog, WatchdogDevice)
	})
}

func TestOneAgentADeviceAndFencingGoesFirst(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, stonith("a", "fence_power", "ip=psu", "pcmk_host_list=n2 n3"))
		running, most := 0, 0
		w.do = func(ctx context.Context, _ string, p map[string]string) AgentResult {
			w.mu.Lock()
			running++
			most = max(most, running)
			w.mu.Unlock()
			d := 10 * time.Second
			if p["action"] == "monitor" {
				d = 15 * time.Second
			}
			err := sleep(ctx, d)
			w.mu.Lock()
			running--
			w.mu.Unlock()
			if err != nil {
				return exit(1, "broken off")
			}
			return exit(0, "")
		}
		f := w.fencers["n1"]
		watched := make(chan error, 1)
		go func() { watched <- f.Monitor(t.Context(), "a") }()
		time.Sleep(time.Second)
		var wg sync.WaitGroup
		for _, n := range []string{"n2", "n3"} {
			wg.Go(func() { w.wantDone(w.fence("reboot", n), cib.ByAgent, "a") })
		}
		wg.Wait()
		took := w.after()
		if err := <-watched; err != nil || !f.Registered("a") {
			t.Errorf("the monitor that was broken off failed: %v", err)
		}
		if most != 1 || took != 21*time.Second {
			t.Errorf("%d at once, %s", most, took)
		}
	})
}

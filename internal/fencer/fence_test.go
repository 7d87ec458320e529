package fencer

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

func TestFencesWithTheFirstDeviceThatCan(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, stonith("a", "fence_power", "ip=psu1", "pcmk_host_list=n1")+stonith("b", "fence_power", "ip=psu2", "pcmk_host_map=n2:outlet7"))
		var seen []cib.FenceRecord
		r := w.fencers["n1"].Fence(t.Context(), request("reboot", "n2"), func(r cib.FenceRecord) { seen = append(seen, r) })
		w.wantDone(r, cib.ByAgent, "b")
		w.wantCalls("n1 psu2 reboot outlet7")
		if len(seen) == 0 || seen[0].State != cib.FencePending || r.Node != "n1" || len(r.Tries) != 1 {
			t.Errorf("progress %+v, record %+v", seen, r)
		}
	})
}

func TestOffIsVerified(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, stonith("a", "fence_power", "ip=psu", "pcmk_host_list=n2"))
		w.wantDone(w.fence("off", "n2"), cib.ByAgent, "a")
		w.wantCalls("n1 psu off n2", "n1 psu status n2")
	})
}

func TestADeviceThatLiesIsFoundOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, stonith("a", "fence_power", "ip=psu", "pcmk_host_list=n2"))
		w.down["n2"], w.down["n3"] = true, true
		w.do = func(context.Context, string, map[string]string) AgentResult { return exit(0, "") }
		w.wantFailed(w.fence("off", "n2"), "a: ", "from n1", "status still says that n2 is on", "cerco stonith confirm n2")
	})
}

func TestANodeThatIsStillHeardWasNotCutOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, stonith("a", "fence_power", "ip=psu", "pcmk_host_list=n2"))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		w.hear("n2", "boot1")
		go func() {
			for ctx.Err() == nil {
				_ = sleep(ctx, 100*time.Millisecond)
				w.hear("n2", "boot1")
			}
		}()
		w.wantFailed(w.fence("reboot", "n2"), "alive under the same boot id", "pcmk_host_map")
		cancel()
		synctest.Wait()
		// With another boot id it came back, and one that falls silent is off.
		w.hear("n2", "boot1")
		go func() {
			_ = sleep(t.Context(), 200*time.Millisecond)
			w.hear("n2", "boot2")
		}()
		w.wantDone(w.fence("reboot", "n2"), cib.ByAgent, "a")
	})
}

func TestRebootBecomesOffWhereTheAgentHasNone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, stonith("a", "fence_fabric", "ip=san", "pcmk_host_list=n2", "pcmk_off_timeout=7"))
		w.do = func(ctx context.Context, _ string, p map[string]string) AgentResult {
			if p["action"] == "off" {
				<-ctx.Done()
			}
			return exit(1, "")
		}
		w.down["n2"], w.down["n3"] = true, true
		w.wantFailed(w.fence("reboot", "n2"), "off: ")
		if w.after() != 7*time.Second {
			t.Errorf("took %s, wanted the time-out of off", w.after())
		}
	})
}

func TestTriesAgainWithinItsTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, stonith("a", "fence_power", "ip=psu", "pcmk_host_list=n2"))
		w.down["n2"], w.down["n3"] = true, true
		w.do = func(_ context.Context, _ string, p map[string]string) AgentResult { return exit(1, "no route to psu") }
		w.wantFailed(w.fence("reboot", "n2"), "a: ", "no route to psu", "exit code 1", "from n1")
		w.wantCalls("n1 psu reboot n2", "n1 psu reboot n2", "n1 psu status n2")
		w.calls = nil
		w.configure(stonith("a", "fence_power", "ip=psu", "pcmk_host_list=n2", "pcmk_reboot_retries=4", "pcmk_status_retries=1"))
		w.fence("reboot", "n2")
		w.wantCalls("n1 psu reboot n2", "n1 psu reboot n2", "n1 psu reboot n2", "n1 psu reboot n2", "n1 psu status n2")
		// Less than 30 % of the time is left: no further try.
		w.calls = nil
		w.configure(stonith("a", "fence_power", "ip=psu", "pcmk_host_list=n2", "pcmk_reboot_timeout=10", "pcmk_status_retries=1"))
		w.do = func(ctx context.Context, _ string, p map[string]string) AgentResult {
			_ = sleep(ctx, 8*time.Second)
			return exit(1, "slow")
		}
		w.fence("reboot", "n2")
		w.wantCalls("n1 psu reboot n2", "n1 psu status n2")
	})
}

func TestAHangingAgentFailsAndTheNextNodeIsAsked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, stonith("a", "fence_power", "ip=psu", "pcmk_host_list=n2", "pcmk_status_timeout=2"), property("stonith-timeout", "20s"))
		w.down["n2"] = true
		w.do = func(ctx context.Context, node string, p map[string]string) AgentResult {
			if node == "n1" {
				<-ctx.Done()
			}
			return exit(0, "")
		}
		r := w.fence("reboot", "n2")
		w.wantDone(r, cib.ByAgent, "a")
		if r.Node != "n3" {
			t.Errorf("fenced from %s", r.Node)
		}
		if w.after() != 22*time.Second {
			t.Errorf("took %s", w.after())
		}
		w.wantCalls("n1 psu reboot n2", "n1 psu status n2", "n3 psu reboot n2")
	})
}

func TestAFailedDeviceMayStillKnowThatTheNodeIsOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, stonith("a", "fence_power", "ip=psu", "pcmk_host_list=n2"))
		w.do = func(_ context.Context, _ string, p map[string]string) AgentResult {
			if p["action"] == "status" {
				return exit(2, "")
			}
			return exit(1, "cannot switch what is off")
		}
		w.wantDone(w.fence("reboot", "n2"), cib.AlreadyOff, "a")
	})
}

func TestLevels(t *testing.T) {
	devices := stonith("ipmi", "fence_power", "ip=ipmi", "pcmk_host_list=n2", "pcmk_status_retries=1", "pcmk_reboot_retries=1") +
		stonith("pdu1", "fence_power", "ip=pdu1", "pcmk_host_list=n2") + stonith("pdu2", "fence_power", "ip=pdu2", "pcmk_host_list=n2")
	bubble(t, func(t *testing.T) {
		w := newWorld(t, devices, topology(levelXML("n2", 1, "ipmi"), levelXML("n2", 2, "pdu1,pdu2")))
		w.down["n2"], w.down["n3"] = true, true
		w.do = func(_ context.Context, _ string, p map[string]string) AgentResult {
			switch {
			case p["ip"] == "ipmi":
				return exit(1, "dead")
			case p["action"] == "status":
				return exit(2, "")
			case p["action"] == "on":
				return exit(1, "never mind")
			}
			return exit(0, "")
		}
		r := w.fence("reboot", "n2")
		w.wantDone(r, cib.ByAgent, "pdu1", "pdu2")
		w.wantCalls("n1 ipmi reboot n2", "n1 ipmi status n2",
			"n1 pdu1 off n2", "n1 pdu1 status n2", "n1 pdu2 off n2", "n1 pdu2 status n2",
			"n1 pdu1 on n2", "n1 pdu1 on n2", "n1 pdu2 on n2", "n1 pdu2 on n2")
	})
	bubble(t, func(t *testing.T) { // all devices of a level are needed
		w := newWorld(t, devices, topology(levelXML("n2", 1, "pdu1,pdu2")))
		w.down["n2"], w.down["n3"] = true, true
		w.do = func(_ context.Context, _ string, p map[string]string) AgentResult {
			if p["ip"] == "pdu2" {
				return exit(1, "dead")
			}
			return exit(0, "")
		}
		w.wantFailed(w.fence("reboot", "n2"), "level 1: pdu1")
		w.do = func(_ context.Context, _ string, p map[string]string) AgentResult {
			if p["ip"] == "pdu2" {
				return exit(1, "dead")
			} else if p["action"] == "status" {
				return exit(2, "")
			}
			return exit(0, "")
		}
		w.wantFailed(w.fence("reboot", "n2"), "level 1: pdu2", "dead", "cerco stonith confirm n2")
	})
}

func TestGatesAreNoProof(t *testing.T) {
	bubble(t, func(t *testing.T) {
		gate := stonith("ping", "fence_heuristics_ping", "ip=gw", "pcmk_host_list=n2")
		w := newWorld(t, gate)
		w.wantFailed(w.fence("off", "n2"), "ping cuts nothing off by itself")
		w.configure(gate+stonith("a", "fence_power", "ip=psu", "pcmk_host_list=n2"), topology(levelXML("n2", 1, "ping,a")))
		w.wantDone(w.fence("off", "n2"), cib.ByAgent, "ping", "a")
	})
}

func TestWithoutDevicesItSaysTheWayOut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, "")
		w.wantFailed(w.fence("off", "n2"), "n2 could not be fenced", "no fence device is configured", "cerco stonith confirm n2")
		w.configure(stonith("x", "fence_broken", "pcmk_host_list=n2") + stonith("y", "fence_nowhere", "pcmk_host_list=n2"))
		w.wantFailed(w.fence("off", "n2"), "metadata of fence_broken cannot be read", "fence_nowhere is not installed")
	})
}

package fencer

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

func TestUnfencing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, stonith("power", "fence_power", "ip=psu", "pcmk_host_list=n1 n2 n3")+stonith("scsi", "fence_fabric", "devices=/dev/x"))
		w.do = func(context.Context, string, map[string]string) AgentResult { return exit(0, "") }
		w.wantDone(w.fence("on", "n2"), cib.ByAgent, "scsi")
		w.wantCalls("n2 fence_fabric status n2", "n2 fence_fabric on n2") // from the target itself, by the device that asks for it
		w.calls = nil
		w.down["n2"] = true
		w.wantFailed(w.fence("on", "n2"), "scsi must run on n2 itself, which cannot be reached", "cerco stonith unfence n2")
		w.down["n2"] = false
		w.configure(stonith("power", "fence_power", "ip=psu", "pcmk_host_list=n1 n2 n3"))
		w.wantDone(w.fence("on", "n2"), cib.ByAgent, "power")
		w.wantCalls("n1 psu on n2")
	})
}

func TestWhoMayUseADevice(t *testing.T) {
	device := stonith("a", "fence_power", "ip=psu", "pcmk_host_list=n1 n2 n3")
	ban := func(node, score string) string {
		return `<rsc_location id="c-` + node + `" rsc="a" node="` + node + `" score="` + score + `"/>`
	}
	rule := `<rsc_location id="c-rule" rsc-pattern="^a"><rule id="r" score="-INFINITY"><expression id="x" attribute="rack" operation="eq" value="b"/></rule></rsc_location>`
	for _, c := range []struct {
		name        string
		constraints string
		property    string
		target      string
		down        string
		want        []string
		why         string
	}{
		{"we first, the target last", "", "", "n2", "", []string{"n1", "n3", "n2"}, ""},
		{"not where it is banned", ban("n1", "-INFINITY"), "", "n2", "", []string{"n3", "n2"}, "the constraint c-n1 bans it from n1"},
		{"a wish is no ban", ban("n1", "-500"), "", "n2", "", []string{"n1", "n3", "n2"}, ""},
		{"nor from nodes that a rule bans", rule, "", "n3", "", []string{"n1", "n3"}, "c-rule"},
		{"only where it is allowed", ban("n3", "0"), property("symmetric-cluster", "false"), "n2", "", []string{"n3"}, "no constraint allows it on n1"},
		{"not from silent nodes", "", "", "n2", "n3", []string{"n1", "n2"}, "n3 cannot be reached"},
		{"the target when nothing else is there", ban("n1", "-INFINITY"), "", "n2", "n3", []string{"n2"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			more := []string{"<constraints>" + c.constraints + "</constraints>"}
			if c.property != "" {
				more = append(more, c.property)
			}
			w := newWorld(t, device, more...)
			w.down[c.down] = true
			f := w.fencers["n1"]
			d, _ := f.device("a")
			nodes, why := f.runners(&d, c.target)
			if !slices.Equal(nodes, c.want) || !strings.Contains(strings.Join(why, "; "), c.why) {
				t.Errorf("%v (%v), wanted %v (%s)", nodes, why, c.want, c.why)
			}
		})
	}
}

func TestDisabledDevicesAreNotUsed(t *testing.T) {
	w := newWorld(t, `<group id="g"><meta_attributes id="gm"><nvpair id="gm-t" name="target-role" value="Stopped"/></meta_attributes>`+
		stonith("a", "fence_power", "ip=psu", "pcmk_host_list=n2")+`</group>`)
	w.wantFailed(w.fence("off", "n2"), "it is disabled (target-role=Stopped)")
}

func TestRulesOfParameters(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, `<template id="t" class="stonith" type="fence_power"><instance_attributes id="tp"><nvpair id="tp-1" name="pcmk_host_list" value="n2"/></instance_attributes></template>
<primitive id="a" template="t"><instance_attributes id="p1" score="2"><rule id="r1" score="0"><expression id="e1" attribute="#uname" operation="eq" value="n3"/></rule><nvpair id="p1-ip" name="ip" value="from-n3"/></instance_attributes>
<instance_attributes id="p2" score="1"><nvpair id="p2-ip" name="ip" value="elsewhere"/></instance_attributes></primitive>`)
		w.do = func(_ context.Context, node string, _ map[string]string) AgentResult {
			if node == "n1" {
				return exit(1, "")
			}
			return exit(0, "")
		}
		w.wantDone(w.fence("reboot", "n2"), cib.ByAgent, "a")
		w.wantCalls("n1 elsewhere reboot n2", "n1 elsewhere reboot n2", "n1 elsewhere status n2", "n3 from-n3 reboot n2")
	})
}

func TestListsAreAskedOnceAMinute(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, stonith("a", "fence_lister"))
		list, rc := "n2,uuid-2\nn3,\n", 0
		w.do = func(_ context.Context, _ string, p map[string]string) AgentResult {
			if p["action"] == "list" {
				return AgentResult{RC: rc, Stdout: list}
			}
			return exit(0, "")
		}
		w.wantDone(w.fence("reboot", "n2"), cib.ByAgent, "a")
		w.wantDone(w.fence("reboot", "n3"), cib.ByAgent, "a")
		w.wantCalls("n1 fence_lister list", "n1 fence_lister reboot n2", "n1 fence_lister reboot n3")
		time.Sleep(61 * time.Second)
		rc, w.calls = 1, nil
		w.wantDone(w.fence("reboot", "n3"), cib.ByAgent, "a") // the last answer is better than none
		time.Sleep(61 * time.Second)
		rc, list = 0, "n1"
		w.wantFailed(w.fence("reboot", "n3"), "its list, seen from n1, has n1 and not n3")
	})
}

func TestStatusTellsWhomADeviceIsFor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, stonith("a", "fence_power", "ip=psu", "pcmk_host_check=status"))
		w.down["n3"] = true
		w.do = func(_ context.Context, _ string, p map[string]string) AgentResult {
			if p["action"] == "status" && p["port"] != "n2" {
				return exit(1, "no such plug")
			}
			return exit(0, "")
		}
		w.wantDone(w.fence("reboot", "n2"), cib.ByAgent, "a")
		w.wantFailed(w.fence("reboot", "n3"), "its status of n3, asked from n1", "no such plug")
	})
}

func TestANodeThatFallsSilentIsGivenUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, stonith("a", "fence_power", "ip=psu", "pcmk_host_list=n2"),
			`<constraints><rsc_location id="c" rsc="a" node="n1" score="-INFINITY"/></constraints>`)
		var silent = make(chan struct{})
		f := w.fencers["n1"]
		f.cfg.Reachable = func(n string) bool {
			select {
			case <-silent:
				return n != "n3"
			default:
				return true
			}
		}
		w.down["n3"] = true // the call hangs
		go func() { _ = sleep(t.Context(), 2*time.Second); close(silent) }()
		w.wantDone(w.fence("reboot", "n2"), cib.ByAgent, "a")
		if took := w.after(); took > 3*time.Second {
			t.Errorf("waited %s for a node that is lost, too", took)
		}
		w.wantCalls("n2 psu reboot n2")
	})
}

func TestTopologyKinds(t *testing.T) {
	w := newWorld(t, stonith("a", "fence_power")+stonith("b", "fence_power")+stonith("c", "fence_power"),
		topology(`<fencing-level id="1" target-attribute="rack" target-value="b" index="1" devices="a"/>`,
			`<fencing-level id="2" target-pattern="^n[23]$" index="2" devices="b"/>`,
			`<fencing-level id="3" target="n3" index="2" devices="c"/>`, `<fencing-level id="4" target="n3" index="1" devices="a"/>`,
			`<fencing-level id="5" target="n3" index="2" devices="b"/>`))
	for target, want := range map[string]string{"n1": "", "n2": "2:b", "n3": "1:a 2:c,b"} {
		var got []string
		for _, l := range levels(w.state.CIB, target) {
			got = append(got, string(rune('0'+l.index))+":"+strings.Join(l.devices, ","))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, wanted %q", target, got, want)
		}
	}
	w.configure(stonith("a", "fence_power"), topology(`<fencing-level id="1" target-attribute="rack" target-value="b" index="1" devices="a"/>`))
	if l := levels(w.state.CIB, "n2"); len(l) != 1 || len(levels(w.state.CIB, "n1")) != 0 {
		t.Errorf("by attribute: %v", l)
	}
}

func TestServeRefuses(t *testing.T) {
	w := newWorld(t, stonith("a", "fence_power", "ip=psu", "pcmk_host_list=n2"))
	f := w.fencers["n3"]
	f.cfg.Admit = func(e cib.Epoch) error {
		if e.Term < 5 {
			return context.Canceled
		}
		return nil
	}
	order := func(term uint64, device string) []byte {
		b, _ := json.Marshal(try{V: wireVersion, Epoch: cib.Epoch{Term: term}, Device: device, Target: "n2", Action: "off"})
		return b
	}
	if _, err := f.Serve(t.Context(), "n1", order(4, "a")); err == nil {
		t.Error("an order of a leader of the past is carried out")
	}
	w.wantCalls()
	b, err := f.Serve(t.Context(), "n1", order(5, "x"))
	if a, _ := decodeAnswer(b); err != nil || a.OK || !strings.Contains(a.Cannot, "does not know") {
		t.Errorf("%s, %v", b, err)
	}
	b, err = f.Serve(t.Context(), "n1", order(5, "a"))
	if a, _ := decodeAnswer(b); err != nil || !a.OK || !a.Power {
		t.Errorf("%s, %v", b, err)
	}
}

func TestDeviceOperations(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, stonith("a", "fence_power", "ip=psu", "pcmk_host_list=n2", "pcmk_monitor_timeout=5")+
			stonith("x", "fence_nowhere")+stonith("me", ManualAgent))
		f := w.fencers["n1"]
		if err := f.Register(t.Context(), "x"); err == nil || f.Registered("x") {
			t.Error("a device without agent is registered")
		}
		if err := f.Register(t.Context(), "a"); err != nil || !f.Registered("a") {
			t.Errorf("not registered: %v", err)
		}
		if err := f.Monitor(t.Context(), "me"); err != nil {
			t.Errorf("manual device: %v", err)
		}
		if err := f.Monitor(t.Context(), "a"); err != nil {
			t.Error(err)
		}
		w.wantCalls("n1 psu monitor")
		w.do = func(context.Context, string, map[string]string) AgentResult { return exit(1, "login failed") }
		if err := f.Monitor(t.Context(), "a"); err == nil || !strings.Contains(err.Error(), "login failed") {
			t.Errorf("monitor: %v", err)
		}
		w.do = func(ctx context.Context, _ string, _ map[string]string) AgentResult { <-ctx.Done(); return exit(0, "") }
		if err := f.Monitor(t.Context(), "a"); err == nil || !strings.Contains(err.Error(), context.DeadlineExceeded.Error()) {
			t.Errorf("a monitor that hangs: %v", err)
		}
		_ = f.Unregister(t.Context(), "a")
		if f.Registered("a") {
			t.Error("still registered")
		}
	})
}

func TestQueries(t *testing.T) {
	w := newWorld(t, stonith("a", "fence_power", "ip=psu", "password=geheim", "pcmk_host_list=n2 n3")+stonith("b", "fence_lister"),
		topology(levelXML("n2", 1, "a"), levelXML("n2", 2, "watchdog")))
	w.do = func(_ context.Context, _ string, p map[string]string) AgentResult { return AgentResult{Stdout: "n3"} }
	f := w.fencers["n1"]
	all := f.Devices(t.Context())
	if b, _ := json.Marshal(all); len(all) != 2 || strings.Contains(string(b), "geheim") || all[0].Check != checkStatic || all[1].Check != checkDynamic {
		t.Errorf("%s", b)
	}
	if c := f.CanFence(t.Context(), "n2"); len(c) != 2 || !c[0].OK || c[1].OK {
		t.Errorf("%+v", c)
	}
	if c := f.CanFence(t.Context(), "n3"); len(c) != 2 || !c[0].OK || !c[1].OK {
		t.Errorf("%+v", c)
	}
	if names, err := f.Targets(t.Context(), "b"); err != nil || !slices.Equal(names, []string{"n3"}) {
		t.Errorf("%v, %v", names, err)
	}
	if names := f.Installed(); !slices.Contains(names, ManualAgent) || !slices.Contains(names, "fence_power") {
		t.Errorf("%v", names)
	}
	wrong, err := f.Validate(t.Context(), "fence_power", map[string]string{"iq": "x", "pcmk_host_list": "n1"})
	if err != nil || !slices.Equal(wrong, []string{"fence_power has no parameter \"iq\"", "fence_power needs the parameter ip"}) {
		t.Errorf("%q, %v", wrong, err)
	}
}

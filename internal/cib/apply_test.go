package cib

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

var at = time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)

func threeNodes() Cluster {
	c := Cluster{Name: "lab", LastID: 3}
	for i, name := range []string{"n1", "n2", "n3"} {
		c.Members = append(c.Members, Member{ID: string(rune('1' + i)), Name: name, Addrs: []string{"127.0.0.1:2225"}, Votes: 1})
	}
	return c
}

// apply applies commands one after the other; each must succeed, and leave what came in as it was.
func apply(t *testing.T, s State, commands ...Command) State {
	t.Helper()
	for i, c := range commands {
		if c.At.IsZero() {
			c.At = at
		}
		before := encoded(t, s)
		next, err := Apply(s, c)
		if err != nil {
			t.Fatalf("command %d: %v", i+1, err)
		}
		if after := encoded(t, s); after != before {
			t.Fatalf("command %d changed its input:\n%s\nbefore:\n%s", i+1, after, before)
		}
		s = next
	}
	return s
}

func encoded(t *testing.T, s State) string {
	t.Helper()
	var b bytes.Buffer
	if err := EncodeState(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func dummy(node, op string, call, rc int) OpResult {
	return OpResult{Op: Operation{Node: node, Resource: "web", Class: "ocf", Provider: "heartbeat", Type: "Dummy", Name: op,
		Key: "3:1:0:00000000-0000-0000-0000-000000000001"}, CallID: call, RC: rc, Started: at.Unix(), Changed: at.Unix(), ExecMS: 12}
}

func online(id, name string) NodeUpdate {
	return NodeUpdate{ID: id, Name: name, InCCM: "true", Crmd: "online", Join: "member", Expected: "member", BootID: "boot-" + name}
}

const web = `<primitive id="web" class="ocf" provider="heartbeat" type="Dummy"><operations><op id="web-m" name="monitor" interval="10s"/></operations></primitive>`

func start(t *testing.T) State {
	return apply(t, NewState(threeNodes()),
		Command{Nodes: []NodeUpdate{online("1", "n1"), online("2", "n2"), online("3", "n3")}, Lead: &LeadUpdate{DC: "1", HaveQuorum: true}},
		Command{By: "root", Config: &ConfigChange{Edits: []Edit{{Op: "create", XML: web}}}})
}

func has(t *testing.T, s State, want ...string) {
	t.Helper()
	text := s.CIB.Root.String()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("no %s in\n%s", w, text)
		}
	}
}

func hasNot(t *testing.T, s State, unwanted ...string) {
	t.Helper()
	text := s.CIB.Root.String()
	for _, w := range unwanted {
		if strings.Contains(text, w) {
			t.Errorf("there is %s in\n%s", w, text)
		}
	}
}

func TestApplyResults(t *testing.T) {
	s := apply(t, start(t), Command{Results: []OpResult{dummy("n1", "start", 7, 0)}})
	has(t, s, `<lrm_resource id="web" class="ocf" provider="heartbeat" type="Dummy">`,
		`<lrm_rsc_op id="web_last_0" operation_key="web_start_0" operation="start"`,
		`transition-magic="0:0;3:1:0:00000000-0000-0000-0000-000000000001"`, `on_node="n1" call-id="7"`)
	failed := dummy("n1", "monitor", 8, 7)
	failed.Op.IntervalMS, failed.CountFailure = 10000, true
	s = apply(t, s, Command{Results: []OpResult{failed}}, Command{Results: []OpResult{failed}})
	has(t, s, `id="web_last_failure_0"`, `<nvpair id="status-1-fail-count-web.monitor_10000" name="fail-count-web#monitor_10000" value="2"/>`)
	s = apply(t, s, Command{Forget: []Forget{{Resource: "web", KeepHistory: true}}})
	has(t, s, `id="web_last_0"`)
	hasNot(t, s, "fail-count", "last_failure_0")
	s = apply(t, s, Command{Fencing: []FenceRecord{{FenceRequest: FenceRequest{ID: "f1", Target: "n1", Action: "reboot"}, State: FenceDone}}})
	hasNot(t, s, "web_last_0")
	has(t, s, `<node_state id="1" uname="n1" in_ccm="false" crmd="offline" join="down" expected="down"`)
}

func TestApplyRefuses(t *testing.T) {
	s := start(t)
	if _, err := Apply(s, Command{Config: &ConfigChange{Edits: []Edit{{Op: "create", XML: web}}}}); !errors.Is(err, ErrExists) {
		t.Errorf("a second web: %v", err)
	}
	if _, err := Apply(s, Command{Config: &ConfigChange{Base: &Version{}, Edits: []Edit{{Op: "delete", XPath: "//primitive"}}}}); !errors.Is(err, ErrVersion) {
		t.Errorf("a change of an old version: %v", err)
	}
	var c *CommandError
	if _, err := Apply(s, Command{V: CommandVersion + 1}); !errors.As(err, &c) {
		t.Errorf("a command of the future: %v", err)
	}
}

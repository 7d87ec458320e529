package owner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/guestfence"
	"github.com/cerco-ha/cerco/internal/hypervisor"
)

const id1 = "6c5a4d0e-0f0e-4a54-8f1e-0a3a5d3c7a11"

func vm(state guestfence.State, m hypervisor.Migration) hypervisor.Machine {
	return hypervisor.Machine{Machine: guestfence.Machine{Name: "vm1", UUID: id1, State: state}, Migration: m}
}

func TestStandalone(t *testing.T) {
	h := hypervisor.NewMemory(vm(guestfence.Running, hypervisor.Settled))
	s := NewStandalone("hv1", h)
	s.Start()
	defer s.Stop()
	ctx := t.Context()
	if p, err := s.Off(ctx, "vm1"); err != nil || p.Kind != guestfence.SaidOff || p.Host != "hv1" {
		t.Errorf("off: %+v, %v", p, err)
	}
	h.Put(vm(guestfence.Running, hypervisor.Leaving))
	if p, err := s.Off(ctx, id1); !errors.Is(err, guestfence.ErrRefused) || p.Kind != "" || !strings.Contains(err.Error(), "is being migrated") {
		t.Errorf("off of what leaves: %+v, %v", p, err)
	}
	h.Put(vm(guestfence.ShutOff, hypervisor.Left))
	for what, err := range asks(ctx, s, "vm1") {
		if !errors.Is(err, guestfence.ErrElsewhere) {
			t.Errorf("%s of what has left: %v", what, err)
		}
	}
	if l, err := s.List(ctx); err != nil || len(l) != 0 {
		t.Errorf("what has left is in the list: %+v, %v", l, err)
	}
	h.Break(errors.New("no libvirt"))
	if err := s.Check(ctx); !errors.Is(err, guestfence.ErrUnreachable) {
		t.Errorf("check: %v", err)
	}
}

// asks asks everything of a machine.
func asks(ctx context.Context, m guestfence.Machines, id string) map[string]error {
	_, find := m.Find(ctx, id)
	_, off := m.Off(ctx, id)
	_, reboot := m.Reboot(ctx, id)
	return map[string]error{"find": find, "off": off, "reboot": reboot, "on": m.On(ctx, id)}
}

func TestRemote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := hypervisor.NewMemory(vm(guestfence.ShutOff, hypervisor.Settled)), hypervisor.NewMemory(vm(guestfence.Running, hypervisor.Settled))
		r := NewRemote(slog.New(slog.DiscardHandler), Named{"a", a}, Named{"b", b})
		ctx := t.Context()
		if m, err := r.Find(ctx, "vm1"); err != nil || m.State != guestfence.Running {
			t.Errorf("the definition on a hides what runs on b: %+v, %v", m, err)
		}
		// It moves from b to a while it is to be cut off.
		b.Put(vm(guestfence.Running, hypervisor.Leaving))
		a.Put(vm(guestfence.Paused, hypervisor.Coming))
		time.AfterFunc(2*time.Second, func() {
			b.Put(vm(guestfence.ShutOff, hypervisor.Left))
			a.Put(vm(guestfence.Running, hypervisor.Settled))
		})
		if p, err := r.Off(ctx, "vm1"); err != nil || p.Host != "a" {
			t.Errorf("off: %+v, %v", p, err)
		}
		if p, err := r.Off(ctx, "vm1"); err != nil || p.Kind != guestfence.AlreadyOff {
			t.Errorf("off again: %+v, %v", p, err)
		}
		// One host is silent: what runs on none of the others may run there.
		b.Break(errors.New("no route"))
		for what, err := range asks(ctx, r, "vm1") {
			if !errors.Is(err, guestfence.ErrUnreachable) {
				t.Errorf("%s with a silent host: %v", what, err)
			}
		}
		if _, err := r.Find(ctx, "nobody"); errors.Is(err, guestfence.ErrUnknown) || err == nil {
			t.Errorf("unknown, though not all could be asked: %v", err)
		}
		b.Break(nil)
		if _, err := r.Off(ctx, "nobody"); !errors.Is(err, guestfence.ErrUnknown) {
			t.Errorf("nobody: %v", err)
		}
		if err := r.On(ctx, "vm1"); err != nil {
			t.Error(err)
		}
		if m, _ := a.Find(ctx, "vm1"); m.State != guestfence.Running {
			t.Error("it was not started where it ran last")
		}
		// It runs twice: that must end.
		b.Put(vm(guestfence.Running, hypervisor.Settled))
		p, err := r.Reboot(ctx, "vm1")
		ma, _ := a.Find(ctx, "vm1")
		mb, _ := b.Find(ctx, "vm1")
		if err != nil || p.Host != "a, b" || !ma.State.Off() || !mb.State.Off() {
			t.Errorf("a machine that ran twice: %+v, %v; %v, %v", p, err, ma.State, mb.State)
		}
	})
}

// hosts is a cluster of two hosts, each with its hypervisor.
type hosts struct {
	t      *testing.T
	state  atomic.Pointer[cib.State]
	a, b   *hypervisor.Memory
	ca, cb *Cluster
	failed []string
	deaf   bool                              // the cluster has no majority
	flying atomic.Pointer[map[string]string] // what the leader, b, has ordered; nil: nothing
	passes bool                              // what one host passes on reaches the other
	passed []string
}

func newHosts(t *testing.T) *hosts {
	h := &hosts{t: t, a: hypervisor.NewMemory(), b: hypervisor.NewMemory()}
	of := func(node string, host hypervisor.Host) *Cluster {
		c := NewCluster(ClusterConfig{Node: node, Host: host, Leader: func() string { return "b" }, Now: time.Now, Log: slog.New(slog.DiscardHandler),
			State: func(context.Context, bool) (cib.State, error) {
				if h.deaf {
					return cib.State{}, errors.New("no quorum")
				}
				return *h.state.Load(), nil
			},
			Failed: func(_ context.Context, r string) error { h.failed = append(h.failed, node+" "+r); return nil },
			Read: func(name string) ([]byte, error) {
				if name != "/srv/vm1.xml" {
					return nil, os.ErrNotExist
				}
				return []byte("<domain><name>vm1</name><uuid>" + id1 + "</uuid></domain>"), nil
			},
			Flying: func() (map[string]string, string) {
				if node != "b" {
					return nil, "this node does not decide"
				}
				if m := h.flying.Load(); m != nil {
					return *m, ""
				}
				return nil, ""
			},
			Pass: func(ctx context.Context, to string, p Passed) (guestfence.Proof, error) {
				h.passed = append(h.passed, node+" to "+to)
				if !h.passes {
					return guestfence.Proof{}, errors.New("no way there")
				}
				return map[string]*Cluster{"a": h.ca, "b": h.cb}[to].Carry(ctx, p)
			}})
		c.Start()
		t.Cleanup(c.Stop)
		return c
	}
	h.ca, h.cb = of("a", h.a), of("b", h.b)
	return h
}

// says sets the state: what each node's history has of the machine's resource, "gone" for a node that is fenced,
// "lost" for one that is not yet.
func (h *hosts) says(a, b string) {
	h.t.Helper()
	text := `<cib validate-with="pacemaker-3.0" epoch="1" num_updates="0" admin_epoch="0" have-quorum="1"><configuration><crm_config><cluster_property_set id="o">
<nvpair id="o1" name="guest-fencing-hosts" value="pinned:a"/><nvpair id="o2" name="stonith-enabled" value="true"/></cluster_property_set></crm_config>
<nodes><node id="1" uname="a"/><node id="2" uname="b"/></nodes><resources><primitive id="r-vm1" class="ocf" provider="heartbeat" type="VirtualDomain">
<instance_attributes id="p"><nvpair id="p1" name="config" value="/srv/vm1.xml"/></instance_attributes></primitive></resources><constraints/></configuration><status>`
	var fenced []cib.FenceRecord
	for i, ops := range []string{a, b} {
		name := string(rune('a' + i))
		switch ops {
		case "gone":
			text += fmt.Sprintf(`<node_state id="%d" uname="%s" in_ccm="false" crmd="offline" join="down" expected="down"/>`, i+1, name)
			fenced = append(fenced, cib.FenceRecord{FenceRequest: cib.FenceRequest{Target: name, Action: "off"}, State: cib.FenceDone, Evidence: cib.ByAgent})
			continue
		case "lost":
			text += fmt.Sprintf(`<node_state id="%d" uname="%s" in_ccm="false" crmd="offline" join="down" expected="member">`, i+1, name)
			ops = "start 0 0"
		default:
			text += fmt.Sprintf(`<node_state id="%d" uname="%s" in_ccm="true" crmd="online" join="member" expected="member">`, i+1, name)
		}
		text += fmt.Sprintf(`<lrm id="%d"><lrm_resources>`, i+1)
		var op, rc, status string
		if n, _ := fmt.Sscan(ops, &op, &rc, &status); n == 3 {
			more := ""
			if strings.HasPrefix(op, "migrate") {
				more = ` migrate_source="a" migrate_target="b"`
			}
			text += fmt.Sprintf(`<lrm_resource id="r-vm1" class="ocf" provider="heartbeat" type="VirtualDomain"><lrm_rsc_op id="r-vm1_last_0" operation_key="r-vm1_%[1]s_0" operation="%[1]s" transition-key="1:1:0:x" transition-magic="%[3]s:%[2]s;1:1:0:x" call-id="5" rc-code="%[2]s" op-status="%[3]s" interval="0"%[4]s/></lrm_resource>`, op, rc, status, more)
		}
		text += `</lrm_resources></lrm></node_state>`
	}
	c, err := cib.Decode("state", []byte(text+"</status></cib>"))
	if err != nil {
		h.t.Fatal(err)
	}
	h.state.Store(&cib.State{CIB: c, Fencing: fenced})
}

const (
	runs    = "start 0 0"
	stopped = "stop 0 0"
	leaves  = "migrate_to -1 -1"
)

func TestClusterHasOneOwner(t *testing.T) {
	none := hypervisor.Machine{}
	running, off := vm(guestfence.Running, hypervisor.Settled), vm(guestfence.ShutOff, hypervisor.Settled)
	for _, c := range []struct {
		name       string
		a, b       string // the state's word
		atA, atB   hypervisor.Machine
		owner      string // who answers; "" is nobody
		want       guestfence.State
		kind       guestfence.ProofKind
		failedHere bool
	}{
		{"it runs on a", runs, stopped, running, none, "a", guestfence.Running, guestfence.SaidOff, true},
		{"it runs on a, and b has a definition", runs, stopped, running, off, "a", guestfence.Running, guestfence.SaidOff, true},
		{"it runs on b, and the state does not know yet", runs, stopped, vm(guestfence.ShutOff, hypervisor.Left), running, "b", guestfence.Running, guestfence.SaidOff, true},
		{"it has ended on a by itself", runs, stopped, none, none, "a", guestfence.ShutOff, guestfence.AlreadyOff, false},
		{"it is stopped everywhere: the leader answers", stopped, stopped, none, none, "b", guestfence.ShutOff, guestfence.AlreadyOff, false},
		{"a was fenced", "gone", stopped, none, none, "b", guestfence.ShutOff, guestfence.HostFenced, false},
		{"a is lost and not proved off", "lost", stopped, none, none, "", 0, "", false},
		{"between two hosts, and here it does not arrive", leaves, stopped, none, none, "", 0, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHosts(t)
				h.says(c.a, c.b)
				if c.atA.Name != "" {
					h.a.Put(c.atA)
				}
				if c.atB.Name != "" {
					h.b.Put(c.atB)
				}
				for name, m := range map[string]*Cluster{"a": h.ca, "b": h.cb} {
					got, err := m.Find(t.Context(), "vm1")
					if name == c.owner {
						if err != nil || got.State != c.want {
							t.Errorf("%s says %+v, %v", name, got, err)
						}
					} else if !errors.Is(err, guestfence.ErrElsewhere) && !errors.Is(err, guestfence.ErrUnreachable) {
						t.Errorf("%s does not keep silent: %+v, %v", name, got, err)
					}
				}
				for name, m := range map[string]*Cluster{"a": h.ca, "b": h.cb} {
					if name != c.owner {
						if p, err := m.Reboot(t.Context(), "vm1"); err == nil || p.Kind != "" {
							t.Errorf("%s proves %+v", name, p)
						}
						continue
					}
					p, err := m.Reboot(t.Context(), id1)
					if err != nil || p.Kind != c.kind || len(h.failed) == 1 != c.failedHere {
						t.Errorf("%s proves %+v, %v, and tells the cluster %v", name, p, err, h.failed)
					}
				}
			})
		})
	}
}

func TestClusterFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHosts(t)
		h.says(leaves, stopped)
		h.a.Put(vm(guestfence.Running, hypervisor.Leaving))
		h.b.Put(vm(guestfence.Paused, hypervisor.Coming))
		time.AfterFunc(2*time.Second, func() {
			h.b.Put(vm(guestfence.Running, hypervisor.Settled))
			h.a.Remove("vm1")
			h.says("stop 0 0", "migrate_from 0 0")
		})
		type result struct {
			proof guestfence.Proof
			err   error
		}
		results := make(chan result)
		for _, c := range []*Cluster{h.ca, h.cb} {
			go func() {
				p, err := c.Off(t.Context(), "vm1")
				results <- result{p, err}
			}()
		}
		owners := 0
		for range 2 {
			switch r := <-results; {
			case r.err == nil && r.proof.Host == "b":
				owners++
			case !errors.Is(r.err, guestfence.ErrElsewhere):
				t.Errorf("%+v, %v", r.proof, r.err)
			}
		}
		if owners != 1 {
			t.Errorf("%d hosts have answered", owners)
		}
		if m, err := h.b.Find(t.Context(), "vm1"); err != nil || !m.State.Off() {
			t.Errorf("%+v, %v", m, err)
		}
	})
}

// A machine leaves a after a was found to answer for it: what was asked of a is carried out on b.
func TestClusterPassesOn(t *testing.T) {
	for _, action := range []string{actionOff, actionReboot, actionOn} {
		t.Run(action, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHosts(t)
				h.passes = true
				h.says(runs, stopped)
				h.a.Put(vm(guestfence.Running, hypervisor.Settled))
				if m, err := h.ca.Find(t.Context(), "vm1"); err != nil || m.State != guestfence.Running {
					t.Fatalf("%+v, %v", m, err)
				}
				h.a.Put(vm(guestfence.Running, hypervisor.Leaving))
				h.b.Put(vm(guestfence.Paused, hypervisor.Coming))
				h.says(leaves, stopped)
				time.AfterFunc(2*time.Second, func() {
					h.b.Put(vm(guestfence.Running, hypervisor.Settled))
					h.a.Remove("vm1")
					h.says("stop 0 0", "migrate_from 0 0")
				})
				p, err := h.ca.Carry(t.Context(), Passed{Action: action, Machine: id1})
				if err != nil || action != actionOn && p.Host != "b" || len(h.passed) != 1 || h.passed[0] != "a to b" {
					t.Errorf("%+v, %v, %v", p, err, h.passed)
				}
				if m, err := h.b.Find(t.Context(), "vm1"); err != nil || m.State.Off() != (action != actionOn) {
					t.Errorf("%+v, %v", m, err)
				}
			})
		})
	}
}

// Two hosts that each think the other one has the machine do not pass a request on for ever.
func TestClusterPassesOnNotForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHosts(t)
		h.passes = true
		h.says(stopped, runs)
		h.cb.cfg.State = func(context.Context, bool) (cib.State, error) {
			h.says(runs, stopped)
			return *h.state.Load(), nil
		}
		h.ca.cfg.State = func(context.Context, bool) (cib.State, error) {
			h.says(stopped, runs)
			return *h.state.Load(), nil
		}
		if p, err := h.ca.Off(t.Context(), "vm1"); !errors.Is(err, guestfence.ErrElsewhere) || p.Kind != "" || len(h.passed) != maxHops {
			t.Errorf("%+v, %v, %v", p, err, h.passed)
		}
	})
}

// The leader has ordered a start, and the state does not say so before it is done: meanwhile nobody says that the
// machine is off.
func TestClusterWaitsForAStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHosts(t)
		h.says(stopped, stopped)
		h.flying.Store(&map[string]string{"r-vm1": "start of r-vm1 on a"})
		time.AfterFunc(3*time.Second, func() {
			h.a.Put(vm(guestfence.Running, hypervisor.Settled))
			h.says(runs, stopped)
			h.flying.Store(nil)
		})
		if p, err := h.cb.Off(t.Context(), "vm1"); !errors.Is(err, guestfence.ErrElsewhere) || p.Kind != "" {
			t.Errorf("%+v, %v", p, err)
		}
		h.says(stopped, stopped)
		h.a.Remove("vm1")
		h.flying.Store(&map[string]string{"r-vm1": "start of r-vm1 on a"})
		if p, err := h.cb.Off(t.Context(), "vm1"); !errors.Is(err, guestfence.ErrUnreachable) || !strings.Contains(err.Error(), "start of r-vm1 on a") || p.Kind != "" {
			t.Errorf("a start that does not end: %+v, %v", p, err)
		}
	})
}

func TestClusterWithoutMajority(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHosts(t)
		h.says(runs, stopped)
		h.a.Put(vm(guestfence.Running, hypervisor.Settled))
		h.deaf = true
		if p, err := h.ca.Off(t.Context(), "vm1"); err != nil || p.Kind != guestfence.SaidOff {
			t.Errorf("what runs here can be cut off without the others: %+v, %v", p, err)
		}
		if p, err := h.cb.Off(t.Context(), "vm1"); !errors.Is(err, guestfence.ErrUnreachable) || p.Kind != "" {
			t.Errorf("what does not run here cannot be judged: %+v, %v", p, err)
		}
		if err := h.ca.Check(t.Context()); !errors.Is(err, guestfence.ErrUnreachable) {
			t.Errorf("check: %v", err)
		}
	})
}

func TestClusterDeclared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHosts(t)
		h.says(stopped, stopped)
		pinned := hypervisor.Machine{Machine: guestfence.Machine{Name: "pinned", UUID: id1[:35] + "2", State: guestfence.ShutOff}}
		h.a.Put(pinned)
		h.b.Put(pinned)
		if err := h.cb.On(t.Context(), "pinned"); !errors.Is(err, guestfence.ErrElsewhere) {
			t.Errorf("b starts a machine of a: %v", err)
		}
		if err := h.ca.On(t.Context(), pinned.UUID); err != nil {
			t.Error(err)
		}
		if m, err := h.a.Find(t.Context(), "pinned"); err != nil || m.State != guestfence.Running {
			t.Errorf("%+v, %v", m, err)
		}
		h.says("gone", stopped)
		if p, err := h.cb.Off(t.Context(), "pinned"); err != nil || p.Kind != guestfence.HostFenced {
			t.Errorf("off of a machine whose host is fenced: %+v, %v", p, err)
		}
		if err := h.cb.On(t.Context(), "pinned"); !errors.Is(err, guestfence.ErrRefused) {
			t.Errorf("on of a machine whose host is fenced: %v", err)
		}
	})
}

func FuzzParseDefinition(f *testing.F) {
	f.Add([]byte("<domain><name>vm1</name><uuid>" + id1 + "</uuid></domain>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if name, _, err := parseDefinition(b); err == nil && name == "" {
			t.Error("a definition without a name")
		}
	})
}

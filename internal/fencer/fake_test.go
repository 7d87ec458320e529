package fencer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// power is the metadata of an ordinary power switch, fabric that of a switch of disks.
const (
	power = `<resource-agent name="fence_power"><parameters>
  <parameter name="port" required="1"><content type="string"/></parameter>
  <parameter name="ip" required="1"><content type="string"/></parameter>
  <parameter name="password"><content type="string"/></parameter>
 </parameters><actions><action name="on" automatic="0"/><action name="off"/><action name="reboot"/><action name="status"/>
  <action name="monitor"/><action name="metadata"/></actions></resource-agent>`
	lister = `<resource-agent name="fence_lister"><parameters><parameter name="plug"><content type="string"/></parameter></parameters>
 <actions><action name="on"/><action name="off"/><action name="reboot"/><action name="list"/><action name="monitor"/></actions></resource-agent>`
	fabric = `<resource-agent name="fence_fabric"><parameters><parameter name="devices"><content type="string"/></parameter></parameters>
 <actions><action name="on" on_target="1" automatic="1"/><action name="off"/><action name="status"/><action name="monitor"/></actions></resource-agent>`
)

// world is a cluster of fencers whose agents are functions.
type world struct {
	t       *testing.T
	state   cib.State
	fencers map[string]*Fencer
	down    map[string]bool
	asked   []Question

	mu    sync.Mutex
	calls []string // "n1 ipmi1 off n2" in order: node, device by its ip parameter, action, plug
	// do answers a call; without it everything succeeds and status says off.
	do    func(ctx context.Context, node string, p map[string]string) AgentResult
	heard map[string]Heard // guarded by mu
	start time.Time
}

var _ Agents = worldAgents{}

type worldAgents struct {
	w    *world
	node string
}

func (a worldAgents) Installed() []string {
	return []string{"fence_fabric", "fence_lister", "fence_power"}
}

func (a worldAgents) Metadata(_ context.Context, agent string) (*Metadata, error) {
	switch agent {
	case "fence_power", "fence_heuristics_ping":
		return ParseMetadata(agent, []byte(power))
	case "fence_lister":
		return ParseMetadata(agent, []byte(lister))
	case "fence_fabric":
		return ParseMetadata(agent, []byte(fabric))
	case "fence_broken":
		return ParseMetadata(agent, []byte("<resource-agent><actions>"))
	}
	return nil, fmt.Errorf("the fence agent %s is not installed here", agent)
}

func (a worldAgents) Run(ctx context.Context, c AgentCall) AgentResult {
	p := make(map[string]string)
	for _, x := range c.Params {
		p[x.Name] = x.Value
	}
	a.w.mu.Lock()
	a.w.calls = append(a.w.calls, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", a.node, cmpOr(p["ip"], c.Agent), p["action"],
		cmpOr(cmpOr(p["port"], p["plug"]), p["nodename"]))))
	do := a.w.do
	a.w.mu.Unlock()
	began := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, c.Timeout, errLate)
	defer cancel()
	r := AgentResult{}
	if do != nil {
		r = do(ctx, a.node, p)
	} else if p["action"] == "status" {
		r.RC = 2
	}
	if ctx.Err() != nil {
		r = AgentResult{RC: -1, Err: context.Cause(ctx), TimedOut: errors.Is(context.Cause(ctx), errLate)}
	}
	r.Took = time.Since(began)
	return r
}

// newWorld makes a cluster of n1, n2 and n3 with the given resources, and what else belongs into the
// configuration.
func newWorld(t *testing.T, resources string, more ...string) *world {
	t.Helper()
	w := &world{t: t, fencers: make(map[string]*Fencer), down: make(map[string]bool), heard: make(map[string]Heard), start: time.Now()}
	w.configure(resources, more...)
	for _, n := range []string{"n1", "n2", "n3"} {
		w.state.Cluster.Members = append(w.state.Cluster.Members, cib.Member{ID: n[1:], Name: n, Votes: 1})
		w.fencers[n] = New(Config{
			Node: n, State: func() cib.State { return w.state }, Agents: worldAgents{w, n},
			Remote: func(ctx context.Context, node string, req []byte) ([]byte, error) {
				if w.down[node] {
					<-ctx.Done()
					return nil, context.Cause(ctx)
				}
				return w.fencers[node].Serve(ctx, n, req)
			},
			Reachable: func(node string) bool { return !w.down[node] },
			Heard: func(node string) (Heard, bool) {
				w.mu.Lock()
				defer w.mu.Unlock()
				h, ok := w.heard[node]
				return h, ok
			},
			Ask:  func(_ context.Context, q Question) error { w.asked = append(w.asked, q); return nil },
			Rand: func(n int64) int64 { return n - 1 },
			Log:  slog.New(slog.DiscardHandler),
		})
		t.Cleanup(w.fencers[n].Stop)
	}
	return w
}

func (w *world) configure(resources string, more ...string) {
	w.t.Helper()
	var props, rest string
	for _, m := range more {
		if strings.HasPrefix(m, "<nvpair") {
			props += m
		} else {
			rest += m
		}
	}
	doc := `<cib admin_epoch="0" epoch="1" num_updates="0"><configuration>
<crm_config><cluster_property_set id="p">` + props + `</cluster_property_set></crm_config>
<nodes><node id="1" uname="n1"/><node id="2" uname="n2"><instance_attributes id="na"><nvpair id="na-rack" name="rack" value="b"/></instance_attributes></node><node id="3" uname="n3"/></nodes>
<resources>` + resources + `</resources>` + rest + `</configuration><status/></cib>`
	if !strings.Contains(rest, "<constraints>") {
		doc = strings.Replace(doc, "</resources>", "</resources><constraints/>", 1)
	}
	c, err := cib.Decode("test", []byte(doc))
	if err != nil {
		w.t.Fatal(err)
	}
	w.state.CIB = c
}

// hear gives a node a sign of life.
func (w *world) hear(node, boot string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard[node] = Heard{time.Now(), boot}
}

// stonith writes a fence device; params are name=value.
func stonith(id, agent string, params ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<primitive id="%s" class="stonith" type="%s"><instance_attributes id="%s-p">`, id, agent, id)
	for _, p := range params {
		name, value, _ := strings.Cut(p, "=")
		fmt.Fprintf(&b, `<nvpair id="%s-%s" name="%s" value="%s"/>`, id, name, name, value)
	}
	b.WriteString(`</instance_attributes></primitive>`)
	return b.String()
}

func levelXML(target string, index int, devices string) string {
	return fmt.Sprintf(`<fencing-level id="l-%s-%d" target="%s" index="%d" devices="%s"/>`, target, index, target, index, devices)
}

func topology(levels ...string) string {
	return "<fencing-topology>" + strings.Join(levels, "") + "</fencing-topology>"
}

func property(name, value string) string {
	return fmt.Sprintf(`<nvpair id="p-%s" name="%s" value="%s"/>`, name, name, value)
}

func request(action, target string) cib.FenceRequest {
	return cib.FenceRequest{ID: "r1", Target: target, TargetID: target[1:], Action: action, By: "controller", Why: "it is lost"}
}

func (w *world) fence(action, target string) cib.FenceRecord {
	return w.fencers["n1"].Fence(w.t.Context(), request(action, target), nil)
}

func (w *world) wantCalls(want ...string) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Equal(w.calls, want) {
		w.t.Errorf("calls:\n  %s\nwanted:\n  %s", strings.Join(w.calls, "\n  "), strings.Join(want, "\n  "))
	}
}

func (w *world) wantDone(r cib.FenceRecord, by cib.Evidence, devices ...string) {
	w.t.Helper()
	if r.State != cib.FenceDone || r.Evidence != by || !slices.Equal(r.Devices, devices) || r.Completed.IsZero() || r.Error != "" {
		w.t.Errorf("got %s by %q with %v (%s), wanted success by %q with %v", r.State, r.Evidence, r.Devices, r.Error, by, devices)
	}
}

func (w *world) wantFailed(r cib.FenceRecord, words ...string) {
	w.t.Helper()
	if r.State != cib.FenceFailed || r.Evidence != "" {
		w.t.Errorf("got %s by %q, wanted a failure", r.State, r.Evidence)
	}
	for _, word := range words {
		if !strings.Contains(r.Error, word) {
			w.t.Errorf("the error does not say %q:\n  %s", word, r.Error)
		}
	}
}

// after is how long it took, in the bubble's clock.
func (w *world) after() time.Duration { return time.Since(w.start) }

// bubble runs a test with a clock of its own.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

func exit(rc int, stderr string) AgentResult { return AgentResult{RC: rc, Stderr: stderr} }

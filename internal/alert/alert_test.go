package alert

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/events"
)

const document = `<cib><configuration><nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes><alerts>
 <alert id="plain" path="/bin/plain"><recipient id="r1" value="tim"/><recipient id="r2" value="ann">
   <meta_attributes id="r2m"><nvpair id="r2m-t" name="timeout" value="5s"/><nvpair id="r2m-f" name="timestamp-format" value="%F %T.%3N"/></meta_attributes>
   <instance_attributes id="r2i"><nvpair id="r2i-l" name="level" value="high"/></instance_attributes></recipient>
  <instance_attributes id="pi"><nvpair id="pi-l" name="level" value="low"/><nvpair id="pi-x" name="CRM_alert_kind" value="forged"/></instance_attributes></alert>
 <alert id="nodes" path="/bin/nodes"><select><select_nodes/></select></alert>
 <alert id="attrs" path="/bin/attrs"><select><select_attributes><attribute id="a1" name="ping"/></select_attributes></select></alert>
 <alert id="off" path="/bin/off"><meta_attributes id="om"><nvpair id="om-e" name="enabled" value="false"/></meta_attributes></alert>
 <alert id="hook" path="webhook"><select><select_fencing/></select><instance_attributes id="hi"><nvpair id="hi-t" name="token" value="secret"/></instance_attributes>
  <recipient id="hr" value="http://127.0.0.1:1/hook"/></alert>
</alerts></configuration><status><node_state id="1" uname="n1" in_ccm="true" crmd="online"/><node_state id="2" uname="n2" in_ccm="false" crmd="offline"/></status></cib>`

func parse(t *testing.T) *cib.CIB {
	t.Helper()
	in, err := cib.Decode("", []byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return in
}

var at = time.Date(2026, 6, 1, 9, 30, 5, 123456000, time.UTC)

func nodeLost() events.Event {
	return events.Event{At: at, Kind: events.KindNode, Node: "n2", NodeState: &events.NodeState{ID: "2", Name: "n2", State: "lost"}}
}

func called(calls []Call) string {
	var list []string
	for _, c := range calls {
		list = append(list, c.Alert+":"+c.Recipient)
	}
	return strings.Join(list, " ")
}

func TestCalls(t *testing.T) {
	in := parse(t)
	for _, c := range []struct {
		name string
		e    events.Event
		want string
	}{
		{"a node", nodeLost(), "plain:tim plain:ann nodes:"},
		{"an attribute that is asked for", events.Event{Attribute: &events.Attribute{Name: "ping"}}, "attrs:"},
		{"another attribute", events.Event{Attribute: &events.Attribute{Name: "pong"}}, ""},
		{"a fencing", events.Event{Fencing: &cib.FenceRecord{State: cib.FenceDone}}, "plain:tim plain:ann hook:http://127.0.0.1:1/hook"},
		{"a fencing that goes on", events.Event{Fencing: &cib.FenceRecord{State: cib.FencePending}}, ""},
		{"an operation", events.Event{Operation: &events.Operation{Task: "start"}}, "plain:tim plain:ann"},
		{"a probe that finds nothing", events.Event{Operation: &events.Operation{Task: "monitor", RC: 7, TargetRC: 7}}, ""},
		{"a plan", events.Event{Kind: events.KindPlan}, ""},
	} {
		if got := called(Calls(in, c.e, at, 1)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	in := parse(t)
	calls := Calls(in, nodeLost(), at, 42)
	for _, want := range []string{"CRM_alert_kind=node", "CRM_notify_kind=node", "CRM_alert_desc=lost", "CRM_alert_node=n2", "CRM_alert_nodeid=2",
		"CRM_alert_node_sequence=42", "CRM_alert_recipient=tim", "CRM_alert_timestamp=09:30:05.123456", "CRM_alert_timestamp_epoch=1780306205",
		"CRM_alert_timestamp_usec=123456", "CRM_alert_version=2.1.5", "level=low"} {
		if !slices.Contains(calls[0].Env, want) {
			t.Errorf("%s is missing from %q", want, calls[0].Env)
		}
	}
	if slices.Contains(calls[0].Env, "CRM_alert_kind=forged") {
		t.Error("a parameter takes the place of what the cluster says")
	}
	if !slices.Contains(calls[1].Env, "CRM_alert_timestamp=2026-06-01 09:30:05.123") || calls[1].Timeout != 5*time.Second || !slices.Contains(calls[1].Env, "level=high") {
		t.Errorf("the recipient's own settings: %+v", calls[1])
	}
	op := events.Event{At: at, Node: "n1", Operation: &events.Operation{Resource: "web", Task: "monitor", IntervalMS: 10000, RC: 7, Status: 0, ExecMS: 12}}
	for _, want := range []string{"CRM_alert_kind=resource", "CRM_alert_rsc=web", "CRM_alert_task=monitor", "CRM_alert_interval=10000", "CRM_alert_rc=7",
		"CRM_alert_target_rc=0", "CRM_alert_status=0", "CRM_alert_desc=not running", "CRM_alert_exec_time=12"} {
		if env := Calls(in, op, at, 1)[0].Env; !slices.Contains(env, want) {
			t.Errorf("%s is missing from %q", want, env)
		}
	}
	f := events.Event{At: at, Node: "n2", Fencing: &cib.FenceRecord{State: cib.FenceDone, FenceRequest: cib.FenceRequest{ID: "7", Target: "n2", Action: "off", By: "controller"}, Node: "n1"}}
	fc := Calls(in, f, at, 1)
	if want := "CRM_alert_desc=Operation off of n2 by n1 for controller@n1: OK (ref=7)"; !slices.Contains(fc[0].Env, want) {
		t.Errorf("%s is missing from %q", want, fc[0].Env)
	}
	if h := fc[2]; h.URL != "http://127.0.0.1:1/hook" || h.Token != "secret" || h.Env != nil || h.Path != "" {
		t.Errorf("webhook: %+v", h)
	}
}

func TestTeller(t *testing.T) {
	in := parse(t)
	op := func(node string) events.Event {
		return events.Event{Node: node, Operation: &events.Operation{Task: "stop"}}
	}
	lost, up, down := nodeLost(), op("n1"), op("n2")
	for e, want := range map[*events.Event]string{&lost: "n9", &up: "n1", &down: "n9"} {
		if got := Teller(e, in, "n9"); got != want {
			t.Errorf("%+v is told by %s, not %s", e, got, want)
		}
	}
}

func TestRunnerTellsOnceAndDropsRatherThanWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := parse(t)
		busy := make(chan struct{})
		var made []string
		r := New(Config{Node: "n1", Leader: func() string { return "n1" }, Now: time.Now,
			Log: slog.New(slog.DiscardHandler), Queue: 1, Most: 1, Run: func(ctx context.Context, c Call) error {
				made = append(made, c.Alert+":"+c.Recipient)
				<-busy
				return nil
			}})
		r.Start()
		synctest.Wait()
		r.Tell(in, nodeLost()) // three calls: some of them wait, and there is room for one
		synctest.Wait()
		r.Tell(in, events.Event{Node: "n1", Operation: &events.Operation{Task: "start"}})
		close(busy)
		synctest.Wait()
		r.Stop()
		r.Stop()
		if len(made) == 0 || len(made) > 3 || made[0] != "plain:tim" {
			t.Errorf("made: %v", made)
		}
	})
	var told bool
	r := New(Config{Node: "n2", Leader: func() string { return "n1" }, Now: time.Now,
		Log: slog.New(slog.DiscardHandler), Run: func(context.Context, Call) error { told = true; return nil }})
	r.Start()
	r.Tell(parse(t), nodeLost())
	r.Stop()
	late := New(Config{Node: "n1", Leader: func() string { return "n1" }, Now: time.Now, Since: at.Add(time.Second),
		Log: slog.New(slog.DiscardHandler), Run: func(context.Context, Call) error { told = true; return nil }})
	late.Start()
	late.Tell(parse(t), nodeLost())
	late.Stop()
	if told {
		t.Error("what another node tells, or what was told before, is told here, too")
	}
}

func TestWebhook(t *testing.T) {
	got := make(chan Hook, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var h Hook
		if req.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if err := json.NewDecoder(req.Body).Decode(&h); err != nil {
			t.Error(err)
		}
		got <- h
	}))
	defer srv.Close()
	r := New(Config{Node: "n1", Log: slog.New(slog.DiscardHandler), Client: srv.Client()})
	if err := r.post(t.Context(), &Call{Alert: "hook", URL: srv.URL, Token: "secret", Event: nodeLost()}); err != nil {
		t.Fatal(err)
	}
	if h := <-got; h.Alert != "hook" || h.Node != "n1" || h.Event.NodeState.State != "lost" {
		t.Errorf("%+v", h)
	}
	if err := r.post(t.Context(), &Call{URL: srv.URL}); err == nil || !strings.Contains(err.Error(), "403") {
		t.Errorf("a refusal: %v", err)
	}
}

func TestAgent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent")
	script := "#!/bin/sh\n[ \"$slow\" ] && { sleep 60 & wait; }\necho \"$CRM_alert_kind to $CRM_alert_recipient\"\nexit 3\n"
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	for dir := filepath.Dir(path); dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil { // agents run as somebody else where we are root
			break
		}
	}
	err := Agent(t.Context(), Call{Path: path, Env: []string{"CRM_alert_kind=node", "CRM_alert_recipient=tim"}})
	if err == nil || !strings.Contains(err.Error(), "exit status 3: node to tim") {
		t.Errorf("what the agent said: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := Agent(ctx, Call{Path: path, Env: []string{"slow=1"}, Timeout: 50 * time.Millisecond}); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("a slow agent: %v", err)
	}
	if err := Agent(t.Context(), Call{Path: "relative"}); err == nil || errors.Is(err, os.ErrNotExist) {
		t.Errorf("no path: %v", err)
	}
}

func TestStrftime(t *testing.T) {
	for format, want := range map[string]string{
		"%H:%M:%S.%06N": "09:30:05.123456", "%Y-%m-%d %T": "2026-06-01 09:30:05", "%s": "1780306205", "100%": "100%", "%%": "%",
		"%3N|%N": "123|123456000", "%Q": "%Q", "%D %H:%M": "06/01/26 09:30", "%0": "%0", "": "",
	} {
		if got := Strftime(format, at); got != want {
			t.Errorf("%q: %q, want %q", format, got, want)
		}
	}
}

func FuzzStrftime(f *testing.F) {
	f.Add("%H:%M:%S.%06N")
	f.Add("%99999999999999999999N%")
	f.Fuzz(func(_ *testing.T, format string) { Strftime(format, at) })
}

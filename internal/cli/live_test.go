package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/api/apitest"
	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/cli"
	"github.com/cerco-ha/cerco/internal/events"
	"github.com/cerco-ha/cerco/internal/wire"
)

const liveCIB = `<cib epoch="4" num_updates="2" admin_epoch="0" have-quorum="1" dc-uuid="1" cib-last-written="Mon Jun  1 08:00:00 2026" update-user="root" validate-with="pacemaker-3.9">
 <configuration><crm_config/><nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes>
  <resources><primitive id="web" class="ocf" provider="heartbeat" type="Dummy"/></resources><constraints/></configuration>
 <status><node_state id="1" uname="n1" in_ccm="true" crmd="online" join="member" expected="member">
   <lrm id="1"><lrm_resources><lrm_resource id="web" class="ocf" provider="heartbeat" type="Dummy">
    <lrm_rsc_op id="web_last_0" operation_key="web_start_0" operation="start" call-id="5" rc-code="0" op-status="0" interval="0" transition-key="1:1:0:x" transition-magic="0:0;1:1:0:x"/>
   </lrm_resource></lrm_resources></lrm></node_state>
  <node_state id="2" uname="n2" in_ccm="false" crmd="offline" join="down" expected="member"/></status></cib>`

func liveCluster(t *testing.T) *apitest.Backend {
	b := apitest.New(t, "n1", liveCIB)
	b.Waiting = []wire.Waiting{{What: "fencing of n2 (off)", Node: "n2", Since: b.Now().Add(-90 * time.Second), Why: "fence_manual waits for an operator",
		Release: "cerco stonith confirm n2"}}
	b.Links = []wire.Link{{Peer: "n2", Ring: 1, Remote: "10.0.1.2:2225", Error: "connection refused", Since: b.Now().Add(-2 * time.Hour)}}
	b.Plans = []wire.Transition{{ID: "3-4", Epoch: cib.Epoch{Term: 3, Plan: 4}, At: b.Now(), Why: "n2 was lost", Actions: 2, Summary: []string{"Fence (off) n2"}},
		{ID: "3-3", Epoch: cib.Epoch{Term: 3, Plan: 3}, At: b.Now().Add(-time.Minute), Ended: b.Now().Add(-59 * time.Second), Why: "a new leader", Outcome: "complete"}}
	b.Inputs = map[string][]byte{"3-4": []byte(liveCIB)}
	b.Graphs = map[string][]byte{"3-4": []byte("<transition_graph/>\n")}
	return b
}

// live runs a command on a cluster.
func live(t *testing.T, ctx context.Context, b *apitest.Backend, socket, args string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = cli.Main(cli.Env{Stdout: &o, Stderr: &e, Now: b.Now, Context: ctx, Socket: socket}, append([]string{"cerco"}, strings.Fields(args)...))
	return code, o.String(), e.String()
}

func TestStatusHistoryEvents(t *testing.T) {
	b := liveCluster(t)
	socket, _ := b.Serve(t)
	b.Journal.Add(events.Event{At: b.Now(), Kind: events.KindNode, Node: "n2", Text: "n2 is lost", Bad: true},
		events.Event{At: b.Now(), Kind: events.KindPlan, Text: "plan 3/4", Plan: "3/4"})
	for _, c := range []struct {
		args      string
		code      int
		out, errs string
	}{
		{"status", 0, "Cluster name: test\nCluster Summary:\n", ""},
		{"status", 0, "  * web\t(ocf:heartbeat:Dummy):\t Started n1\n", ""},
		{"status", 0, "Waiting for:\n  * fencing of n2 (off), for 1 min: fence_manual waits for an operator\n    to release it: cerco stonith confirm n2\n", ""},
		{"status", 0, "  * ring1 to n2 (10.0.1.2:2225) is down for 2 h: connection refused\n", ""},
		{"status --full", 0, "Votes: 2 of 2", ""},
		{"status --output-as xml", 0, `<resource id="web" resource_agent="ocf:heartbeat:Dummy" role="Started"`, ""},
		{"status --output-as yaml", 64, "", "it is text, xml or json"},
		{"status here", 64, "", "too much"},
		{"status --help", 0, "--watch", ""},
		{"history", 0, "3-4      2026-06-01 09:00:00.000    2 actions, under way: n2 was lost\n           Fence (off) n2\n", ""},
		{"history last", 0, "Plan 3-4 of 2026-06-01 09:00:00.000, made because: n2 was lost\n", ""},
		{"history 3/3", 0, "ended after 1.000 s: complete", ""},
		{"history 3-4 --graph", 0, "<transition_graph/>", ""},
		{"history 3-4 --cib", 0, `<primitive id="web"`, ""},
		{"history 3-4 --explain", 0, "Transition Summary", ""},
		{"history 9-9", 1, "", `no plan "9-9"`},
		{"history --cib", 64, "", "name the plan"},
		{"history --json", 0, `"why": "n2 was lost"`, ""},
		{"events --past", 0, "2026-06-01 09:00:00.000 ! node      n2 is lost\n", ""},
		{"events --past --kind plan", 0, "2026-06-01 09:00:00.000   plan      plan 3/4 [3/4]\n", ""},
		{"events --past --json", 0, `{"seq":1,`, ""},
		{"events --past --from 1 --json", 0, `{"seq":2,`, ""},
		{"events --bogus", 64, "", "--bogus"},
	} {
		code, out, errs := live(t, t.Context(), b, socket, c.args)
		if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(errs, c.errs) {
			t.Errorf("%s: exit code %d\n%s%s", c.args, code, out, errs)
		}
	}
	if code, _, errs := live(t, t.Context(), b, "/nowhere/s", "status"); code != 69 || !strings.Contains(errs, "/nowhere/s") {
		t.Errorf("without a daemon: %d, %s", code, errs)
	}
	_, out, _ := live(t, t.Context(), b, socket, "status --output-as json")
	var j struct {
		DC    string
		Rest  wire.Rest
		Nodes []struct {
			Name   string
			Online bool
		}
		Resources []struct {
			ID string
			On []string
		}
	}
	if err := json.Unmarshal([]byte(out), &j); err != nil || j.DC != "n1" || j.Rest.Settled || len(j.Nodes) != 2 || j.Nodes[1].Online || j.Resources[0].On[0] != "n1" {
		t.Errorf("%v: %s", err, out)
	}
}

// awaited is a writer that says when something was written.
type awaited struct {
	buf  bytes.Buffer
	want string
	seen func()
}

func (a *awaited) Write(p []byte) (int, error) {
	n, err := a.buf.Write(p)
	if a.want != "" && strings.Contains(a.buf.String(), a.want) {
		a.want = ""
		a.seen()
	}
	return n, err
}

func TestWatchEndsWhenToldTo(t *testing.T) {
	b := liveCluster(t)
	socket, _ := b.Serve(t)
	b.Journal.Add(events.Event{Kind: events.KindNote, Text: "n2 does something"})
	for _, args := range []string{"status --watch", "events --all"} {
		ctx, cancel := context.WithCancel(t.Context())
		out := &awaited{want: "n2", seen: cancel}
		if code := cli.Main(cli.Env{Stdout: out, Stderr: out, Now: b.Now, Context: ctx, Socket: socket}, append([]string{"cerco"}, strings.Fields(args)...)); code != 0 {
			t.Errorf("%s: %d: %s", args, code, out.buf.String())
		}
		cancel()
	}
}

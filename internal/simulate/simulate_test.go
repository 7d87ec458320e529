package simulate

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/transition"
)

const before = `<cib admin_epoch="0" epoch="1" num_updates="4" validate-with="pacemaker-3.0" have-quorum="1">
  <configuration>
    <crm_config/>
    <nodes><node id="1" uname="red"/><node id="2" uname="blue"/></nodes>
    <resources><primitive id="web" class="ocf" provider="pacemaker" type="Dummy"/></resources>
    <constraints/>
  </configuration>
  <status>
    <node_state id="1" uname="red" in_ccm="true" crmd="online" join="member" expected="member">
      <transient_attributes id="1"><instance_attributes id="status-1"><nvpair id="a" name="fail-count-web#start_0" value="2"/></instance_attributes></transient_attributes>
      <lrm id="1"><lrm_resources>
        <lrm_resource id="web" class="ocf" provider="pacemaker" type="Dummy">
          <!-- kept -->
          <lrm_rsc_op id="web_last_0" operation="start" operation_key="web_start_0" call-id="5" rc-code="0" op-status="0" interval="0" on_node="red"/>
        </lrm_resource>
      </lrm_resources></lrm>
    </node_state>
    <node_state id="2" uname="blue" in_ccm="true" crmd="online" join="member" expected="member"/>
  </status>
</cib>`

const move = `<transition_graph transition_id="0">
  <synapse id="0"><action_set>
    <rsc_op id="2" operation="start" operation_key="web_start_0" on_node="blue" on_node_uuid="2">
      <primitive id="web" class="ocf" provider="pacemaker" type="Dummy"/>
      <attributes CRM_meta_timeout="20000" state="/run/x"/>
    </rsc_op></action_set>
    <inputs><trigger><rsc_op id="1"/></trigger><trigger><crm_event id="4"/></trigger></inputs></synapse>
  <synapse id="1"><action_set>
    <rsc_op id="1" operation="stop" operation_key="web_stop_0" on_node="red" on_node_uuid="1">
      <primitive id="web" class="ocf" provider="pacemaker" type="Dummy"/>
    </rsc_op></action_set><inputs/></synapse>
  <synapse id="2"><action_set>
    <rsc_op id="3" operation="monitor" operation_key="web_monitor_10000" on_node="blue" on_node_uuid="2">
      <primitive id="web" class="ocf" provider="pacemaker" type="Dummy"/>
      <attributes CRM_meta_timeout="20000"/>
    </rsc_op></action_set>
    <inputs><trigger><rsc_op id="2"/></trigger></inputs></synapse>
  <synapse id="3"><action_set>
    <crm_event id="4" operation="stonith" operation_key="stonith-green-reboot" on_node="green" on_node_uuid="3">
      <attributes CRM_meta_stonith_action="reboot"/>
    </crm_event></action_set><inputs/></synapse>
</transition_graph>`

var stamp = time.Unix(1700000000, 0)

func decode(t *testing.T, doc string) *cib.CIB {
	t.Helper()
	c, err := cib.Decode("test.xml", []byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func run1(t *testing.T, fail ...OpSpec) (*cib.CIB, *Result) {
	t.Helper()
	g, err := transition.ParseXML([]byte(move))
	if err != nil {
		t.Fatal(err)
	}
	in := decode(t, before)
	res, err := Run(in, g, Options{Stamp: stamp, Fail: fail})
	if err != nil {
		t.Fatal(err)
	}
	return in, res
}

func lines(steps []Step) []string {
	var out []string
	for _, s := range steps {
		out = append(out, s.String())
	}
	return out
}

func node(t *testing.T, c *cib.CIB, name string) *cib.NodeState {
	t.Helper()
	for _, n := range c.Status.Nodes {
		if n.Name == name {
			return n
		}
	}
	t.Fatalf("no state of node %s", name)
	return nil
}

func TestRun(t *testing.T) {
	in, res := run1(t)
	want := []string{
		"Resource action: web             stop on red",
		"Fencing green (reboot)",
		"Resource action: web             start on blue",
		"Resource action: web             monitor=10000 on blue",
	}
	if got := lines(res.Steps); !slices.Equal(got, want) || !res.Complete {
		t.Errorf("complete %v, steps\n%s", res.Complete, strings.Join(got, "\n"))
	}
	red := node(t, res.After, "red").Lrm[0]
	if el := red.Ops[0].El; red.Ops[0].Operation != "stop" || red.Ops[0].CallID != 6 || el.Attr("on_node") != "red" ||
		el.Attr("last-rc-change") != "1700000000" || el.Attr("op-digest") != "f2317cad3d54cec5d7d7aa7d0bf35cf8" {
		t.Errorf("history on red: %v", el.AttrList())
	}
	if len(red.El.Children) != 2 || red.El.Children[0].Kind != cib.KindComment {
		t.Error("the comment in red's history is lost")
	}
	blue := node(t, res.After, "blue").Lrm
	if len(blue) != 1 || len(blue[0].Ops) != 2 || blue[0].Ops[0].El.ID() != "web_last_0" || blue[0].Ops[1].El.ID() != "web_monitor_10000" ||
		blue[0].Ops[1].CallID != 2 || blue[0].Ops[1].El.Attr("op-digest") != "4811cef7f7f94e3a35a70be7916cb2fd" {
		t.Errorf("history on blue: %v", blue)
	}
	if g := node(t, res.After, "green"); g.InCCM != "false" || g.Crmd != "offline" || g.Join != "down" || g.Expected != "down" || g.ID != "3" {
		t.Errorf("state of the fenced node: %v", g.El.AttrList())
	}
	if in.Status.Nodes[0].Lrm[0].Ops[0].Operation != "start" || len(in.Status.Nodes) != 2 {
		t.Error("Run changed its input")
	}
	if res.After.Root.Child("configuration") != in.Root.Child("configuration") {
		t.Error("the configuration was copied, not shared")
	}
}

func TestRunFailure(t *testing.T) {
	spec, err := ParseOpSpec("web_start_0@blue=5")
	if err != nil {
		t.Fatal(err)
	}
	_, res := run1(t, spec)
	want := []string{
		"Resource action: web             stop on red",
		"Fencing green (reboot)",
		"Resource action: web             start on blue",
		"Pretending action 2 failed with rc=5",
		"Injecting attribute fail-count-web#start_0=value++ into /node_state '2'",
		"Injecting attribute last-failure-web#start_0=1700000000 into /node_state '2'",
	}
	if got := lines(res.Steps); !slices.Equal(got, want) || res.Complete {
		t.Errorf("complete %v, steps\n%s", res.Complete, strings.Join(got, "\n"))
	}
	blue := node(t, res.After, "blue")
	var ids []string
	for _, op := range blue.Lrm[0].Ops {
		ids = append(ids, op.El.ID())
		if op.RC != 5 || op.TargetRC != 0 {
			t.Errorf("%s: rc %d, target %d", op.El.ID(), op.RC, op.TargetRC)
		}
	}
	if want := []string{"web_last_failure_0", "web_last_0"}; !slices.Equal(ids, want) {
		t.Errorf("history entries %v, want %v", ids, want)
	}
	if len(blue.Attrs) != 1 || blue.Attrs[0].Pairs[0] != (cib.NV{ID: "2-fail-count-web.start_0", Name: "fail-count-web#start_0", Value: "1"}) {
		t.Errorf("attributes of blue: %+v", blue.Attrs)
	}
}

func TestInject(t *testing.T) {
	in := decode(t, before)
	find := func(rsc string) (ResourceType, bool) { return ResourceType{"ocf", "pacemaker", "Dummy"}, rsc == "web" }
	out, mods, errs := Inject(in, &Injections{
		Quorum: "0", Watchdog: "1", NodesUp: []string{"green"}, NodesDown: []string{"red"}, NodesFail: []string{"blue"},
		TicketsGrant: []string{"t"}, TicketsStandby: []string{"t"},
		Ops: []string{"web_monitor_10000@blue=7", "web_monitor_10000@blue=7", "nix_start_0@blue=1", "rubbish"},
	}, stamp, find)
	var got []string
	for _, m := range mods {
		got = append(got, m.String())
	}
	want := []string{
		"Setting quorum: 0", "Setting watchdog: 1", "Bringing node green online", "Taking node red offline", "Failing node blue",
		"Granting ticket t", "Making ticket t standby",
		"Injecting web_monitor_10000@blue=7 into the configuration",
		"Injecting attribute fail-count-web#monitor_10000=value++ into /node_state '2'",
		"Injecting attribute last-failure-web#monitor_10000=1700000000 into /node_state '2'",
		"Injecting web_monitor_10000@blue=7 into the configuration",
		"Injecting attribute fail-count-web#monitor_10000=value++ into /node_state '2'",
		"Injecting attribute last-failure-web#monitor_10000=1700000000 into /node_state '2'",
		"Injecting nix_start_0@blue=1 into the configuration", "Injecting rubbish into the configuration",
	}
	if !slices.Equal(got, want) {
		t.Errorf("modifications\n%s", strings.Join(got, "\n"))
	}
	if len(errs) != 2 {
		t.Errorf("errors %v, want two", errs)
	}
	if out.HaveQuorum || out.Version.Epoch != 3 || len(out.Nodes) != 3 || out.Properties[0].Pairs[0].Name != "have-watchdog" {
		t.Errorf("quorum %v, epoch %d, %d nodes, properties %v", out.HaveQuorum, out.Version.Epoch, len(out.Nodes), out.Properties)
	}
	if red := node(t, out, "red"); red.Crmd != "offline" || len(red.Lrm) != 0 || len(red.Attrs) != 0 {
		t.Errorf("red: %v", red.El.AttrList())
	}
	blue := node(t, out, "blue")
	if blue.InCCM != "false" || blue.Crmd != "online" || blue.Attrs[0].Pairs[0].Value != "2" || len(blue.Lrm[0].Ops) != 1 {
		t.Errorf("blue: %v, %v", blue.El.AttrList(), blue.Attrs[0].Pairs)
	}
	if len(out.Status.Tickets) != 1 || !out.Status.Tickets[0].Granted || !out.Status.Tickets[0].Standby {
		t.Errorf("tickets: %v", out.Status.Tickets)
	}
}

func TestParseOpSpec(t *testing.T) {
	for s, want := range map[string]OpSpec{
		"my_db_monitor_10000@n_1=7": {"my_db", "monitor", 10000, "n_1", 7},
		"a:0_migrate_from_0@b=1":    {"a:0", "migrate_from", 0, "b", 1},
	} {
		if got, err := ParseOpSpec(s); err != nil || got != want {
			t.Errorf("%s: %+v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "a", "a_start_0", "a_start_0@n", "a_start_0@n=x", "a_start_x@n=1", "start_0@n=1", "a_start_0@=1", "_start_0@n=1"} {
		if o, err := ParseOpSpec(s); err == nil {
			t.Errorf("%q was read as %+v", s, o)
		}
	}
}

package cib

import (
	"fmt"
	"strings"
	"testing"
)

func decodeText(t *testing.T, text string) *CIB {
	t.Helper()
	c, err := Decode("test.xml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// setsText writes sets as "id: name=value ...; ...".
func setsText(sets []*NVSet) string {
	var list []string
	for _, s := range sets {
		var pairs []string
		for _, nv := range s.Pairs {
			pairs = append(pairs, nv.Name+"="+nv.Value)
		}
		list = append(list, s.ID+": "+strings.Join(pairs, " "))
	}
	return strings.Join(list, "; ")
}

func TestDecodeTemplate(t *testing.T) {
	c := decodeText(t, `<cib><configuration><resources>
<primitive id="r" template="t">
  <meta_attributes id="r-m"><nvpair id="r-m1" name="priority" value="1"/></meta_attributes>
  <operations><op id="r-mon" name="monitor" interval="20s"/><op id="r-up" name="promote" interval="0"/></operations>
</primitive>
<template id="t" class="ocf" provider="heartbeat" type="Dummy">
  <meta_attributes id="t-m"><nvpair id="t-m1" name="priority" value="2"/></meta_attributes>
  <meta_attributes id="t-m2" score="5"><nvpair id="t-m3" name="critical" value="false"/></meta_attributes>
  <instance_attributes id="t-p"><nvpair id="t-p1" name="state" value="/x"/></instance_attributes>
  <operations><op id="t-mon" name="monitor" interval="10s"/><op id="t-mon2" name="monitor" interval="10s" role="Stopped"/><op id="t-start" name="start" interval="0"/></operations>
</template>
</resources></configuration></cib>`)
	r := c.Resource("r")
	if r.Class != "ocf" || r.Provider != "heartbeat" || r.Type != "Dummy" {
		t.Errorf("agent %s:%s:%s", r.Class, r.Provider, r.Type)
	}
	if got, want := setsText(r.Meta), "t-m2: critical=false; r-m: priority=1; t-m: priority=2"; got != want {
		t.Errorf("meta %q, want %q", got, want)
	}
	if got, want := setsText(r.Params), "t-p: state=/x"; got != want {
		t.Errorf("parameters %q, want %q", got, want)
	}
	var ops []string
	for _, op := range r.Ops {
		ops = append(ops, fmt.Sprintf("%s:%d", op.ID, op.IntervalMS))
	}
	if got, want := strings.Join(ops, " "), "r-mon:20000 r-up:0 t-mon2:10000 t-start:0"; got != want {
		t.Errorf("operations %q, want %q", got, want)
	}
}

func TestDecodeReferences(t *testing.T) {
	c := decodeText(t, `<cib><configuration><resources>
<primitive id="a">
  <meta_attributes id="m"><rule id="u"><expression id="e" attribute="x" operation="defined"/></rule><nvpair id="m1" name="one" value="1"/><nvpair id="m2" name="two" value="2"/></meta_attributes>
  <operations id="ops"><op id="start" name="start" interval="0"/></operations>
</primitive>
<primitive id="b"><meta_attributes id-ref="m"/><operations id-ref="ops"/></primitive>
<primitive id="c"><meta_attributes id="c-m"><rule id-ref="u"/><nvpair id-ref="m1"/><nvpair id-ref="m2" name="three"/><nvpair id-ref="nowhere" name="x"/></meta_attributes><meta_attributes id-ref="nowhere"/></primitive>
<primitive id="d"><meta_attributes id="d-m"><rule id="round"><rule id-ref="round"/></rule></meta_attributes><operations id="loop" id-ref="loop"/></primitive>
</resources></configuration></cib>`)
	if got, want := setsText(c.Resource("b").Meta), "m: one=1 two=2"; got != want {
		t.Errorf("b: %q, want %q", got, want)
	}
	if ops := c.Resource("b").Ops; len(ops) != 1 || ops[0].ID != "start" {
		t.Errorf("b: operations %v", ops)
	}
	if got, want := setsText(c.Resource("c").Meta), "c-m: one=1 three=2"; got != want {
		t.Errorf("c: %q, want %q", got, want)
	}
	if rules := c.Resource("c").Meta[0].Rules; len(rules) != 1 || rules[0].ID != "u" {
		t.Errorf("c: rules %v", rules)
	}
	if rules := c.Resource("d").Meta[0].Rules; len(rules) != 1 || len(rules[0].Exprs) != 0 {
		t.Errorf("d: rules %v", rules)
	}
}

func TestEvaluate(t *testing.T) {
	c := decodeText(t, `<cib><configuration><crm_config>
<cluster_property_set id="first"><nvpair id="f1" name="a" value="1"/><nvpair id="f2" name="b" value="1"/><nvpair id="f3" name="a" value="1b"/></cluster_property_set>
<cluster_property_set id="second"><nvpair id="s1" name="a" value="2"/></cluster_property_set>
<cluster_property_set id="third" score="10"><nvpair id="t1" name="c" value="3"/><nvpair id="t2" name="d" value="3"/></cluster_property_set>
<cluster_property_set id="never" score="20"><rule id="u"><expression id="e" attribute="x" operation="defined"/></rule><nvpair id="n1" name="a" value="4"/></cluster_property_set>
<cluster_property_set id="low" score="-1"><nvpair id="l1" name="d" value="#default"/><nvpair id="l2" name="e" value="5"/></cluster_property_set>
</crm_config></configuration></cib>`)
	for _, step := range []struct{ first, want string }{
		{"", "map[a:2 b:1 c:3 e:5]"},
		{"first", "map[a:1 b:1 c:3 e:5]"},
		{"low", "map[a:2 b:1 c:3 d:3 e:5]"},
	} {
		values, next := Evaluate(c.Properties, &RuleInput{}, step.first)
		if got := fmt.Sprint(values); got != step.want || !next.IsZero() {
			t.Errorf("%q first: %s, want %s", step.first, got, step.want)
		}
	}
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		values, _ := Evaluate(c.Properties, &RuleInput{}, "")
		want, wantOK := values[name]
		if got, ok := Value(c.Properties, &RuleInput{}, name); got != want || ok != wantOK {
			t.Errorf("%s: %q %v, want %q %v", name, got, ok, want, wantOK)
		}
	}
}

func TestDecodeStatus(t *testing.T) {
	c := decodeText(t, `<cib have-quorum="0" execution-date="1500000000"><status>
<node_state id="1" uname="a" in_ccm="true" remote_node="true">
  <transient_attributes id="1"><instance_attributes id="s"><nvpair id="s1" name="x" value="1"/></instance_attributes></transient_attributes>
  <lrm id="1"><lrm_resources><lrm_resource id="r" class="ocf" provider="p" type="t" container="box">
    <lrm_rsc_op id="1" operation="start" call-id="7" rc-code="0" op-status="0" interval="0" transition-key="3:4:0:uuid" last-rc-change="99"/>
    <lrm_rsc_op id="2" operation="monitor" call-id="8" interval="10000" transition-magic="4:7;3:4:8:uuid"/>
    <lrm_rsc_op id="3" operation_key="r_migrate_to_0"/>
  </lrm_resource></lrm_resources></lrm>
</node_state>
<tickets><ticket_state id="T" granted="true" last-granted="5" owner="o"/></tickets>
</status></cib>`)
	if c.HaveQuorum || c.ExecutionDate.Unix() != 1500000000 {
		t.Errorf("quorum %v at %v", c.HaveQuorum, c.ExecutionDate)
	}
	n := c.NodeState("1")
	if !n.Remote || setsText(n.Attrs) != "s: x=1" {
		t.Errorf("node %+v", n)
	}
	var got []string
	for _, op := range n.History("r").Ops {
		got = append(got, fmt.Sprintf("%s call %d rc %d of %d status %d every %d since %d",
			op.Operation, op.CallID, op.RC, op.TargetRC, op.Status, op.IntervalMS, op.LastRCChange))
	}
	want := []string{
		"start call 7 rc 0 of 0 status 0 every 0 since 99",
		"monitor call 8 rc 7 of 8 status 4 every 10000 since 0",
		"migrate_to call -1 rc 0 of -1 status -2 every 0 since 0",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("operations\n%s", strings.Join(got, "\n"))
	}
	if ticket := c.Status.Tickets[0]; !ticket.Granted || ticket.Standby || ticket.LastGranted != 5 || len(ticket.Attrs) != 1 {
		t.Errorf("ticket %+v", ticket)
	}
}

func TestDecodeBundle(t *testing.T) {
	c := decodeText(t, `<cib><configuration><resources>
<bundle id="b"><podman image="i" promoted-max="2" run-command="/x"/>
<network control-port="9999" add-host="false"><port-mapping id="p" port="80"/></network>
<storage><storage-mapping id="s" source-dir="/a" target-dir="/b"/></storage><primitive id="inner"/></bundle>
<bundle id="plain"><docker image="i" masters="1" replicas="3" replicas-per-host="2"/></bundle>
</resources></configuration></cib>`)
	b := c.Resource("b").Bundle
	if b.Engine != "podman" || b.Replicas != 2 || b.ReplicasPerHost != 1 || b.PromotedMax != 2 || b.AddHost || !b.HasNetwork ||
		len(b.Ports) != 1 || b.Ports[0].Port != "80" || len(b.Storage) != 1 || b.Storage[0].TargetDir != "/b" {
		t.Errorf("%+v", b)
	}
	if p := c.Resource("plain").Bundle; p.Replicas != 3 || p.ReplicasPerHost != 2 || p.PromotedMax != 1 || p.HasNetwork || !p.AddHost {
		t.Errorf("%+v", p)
	}
	if inner := c.Resource("inner"); inner == nil || inner.Parent != c.Resource("b") {
		t.Errorf("%+v", inner)
	}
}

func TestUpdateShares(t *testing.T) {
	old, err := Decode("test.xml", generate(3, 4))
	if err != nil {
		t.Fatal(err)
	}
	status := old.Root.Child("status")
	node := status.Children[1]
	root := WithVersion(Path{old.Root, status, node}.Replace(node.With("crmd", "offline")), Version{1, 2, 3})
	now, err := old.Update(root)
	if err != nil {
		t.Fatal(err)
	}
	if now.Resources[0] != old.Resources[0] || now.Status.Nodes[0] != old.Status.Nodes[0] || now.Status.Nodes[2] != old.Status.Nodes[2] {
		t.Error("what has not changed is not shared")
	}
	if now.Status.Nodes[1].Crmd != "offline" || old.Status.Nodes[1].Crmd != "online" || now.Version != (Version{1, 2, 3}) || old.Version != (Version{0, 1, 1}) {
		t.Error("the change is lost, or has reached the old one")
	}
}

func TestDecodeRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"<crm_mon/>": "test.xml:1: the root element is <crm_mon>, not <cib>: this is not a CIB",
		"hello":      `test.xml:1: text outside the root element: "hello"`,
	} {
		if _, err := Decode("test.xml", []byte(text)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestDecodeLeavesOut(t *testing.T) {
	c := decodeText(t, `<cib><configuration><resources>
<primitive class="ocf" type="x"/><primitive id="p" template="none"/><group id="g"/><clone id="c"/>
<clone id="c2"><group id="inner"/><primitive id="second"/></clone>
<clone id="c3"><primitive id="third" template="none"/><primitive id="fourth"/></clone>
<bundle id="b"/><bundle id="b2"><docker image="x"/><primitive id="far"/></bundle>
<bundle id="b3"><podman image="p"/><docker image="d"/><network control-port="1"/><primitive id="near"/><primitive id="extra"/></bundle>
</resources></configuration></cib>`)
	var got []string
	for r := range c.AllResources() {
		got = append(got, r.ID)
	}
	if got, want := strings.Join(got, " "), "c2 inner b3 near"; got != want {
		t.Errorf("resources %q, want %q", got, want)
	}
	if engine := c.Resource("b3").Bundle.Engine; engine != "docker" {
		t.Errorf("engine %s", engine)
	}
}

func TestDecodeOldSchema(t *testing.T) {
	const text = `<cib validate-with="pacemaker-%s"><configuration><crm_config>
<cluster_property_set id="o"><nvpair id="1" name="stonith_enabled" value="0"/><nvpair id="2" name="default-resource-stickiness" value="7"/>
<nvpair id="3" name="is-managed-default" value="0"/><nvpair id="4" name="default_action_timeout" value="9"/><nvpair id="5" name="own_name" value="x"/></cluster_property_set></crm_config>
<resources><primitive id="r"><operations><op id="op" name="monitor" interval="1" requires="nothing"><instance_attributes id="p">
<nvpair id="6" name="timeout" value="3"/><nvpair id="7" name="depth" value="2"/></instance_attributes></op></operations></primitive></resources>
<rsc_defaults><meta_attributes id="d"><nvpair id="8" name="is-managed" value="1"/></meta_attributes></rsc_defaults></configuration></cib>`
	say := func(c *CIB) string {
		op := c.Resource("r").Ops[0]
		return strings.Join([]string{setsText(c.Properties), setsText(c.RscDefaults), setsText(c.OpDefaults),
			setsText(op.Meta), setsText(op.Params), op.Attr("requires")}, " | ")
	}
	old := say(decodeText(t, fmt.Sprintf(text, "2.10")))
	if want := "o: stonith-enabled=0 own_name=x | d: is-managed=1 resource-stickiness=7 | upgraded-defaults: timeout=9 | op-upgraded: timeout=3 | p: depth=2 | "; old != want {
		t.Errorf("2.10: %s\nwant  %s", old, want)
	}
	now := say(decodeText(t, fmt.Sprintf(text, "3.0")))
	if want := "o: stonith_enabled=0 default-resource-stickiness=7 is-managed-default=0 default_action_timeout=9 own_name=x | d: is-managed=1 |  |  | p: timeout=3 depth=2 | nothing"; now != want {
		t.Errorf("3.0: %s\nwant %s", now, want)
	}
}

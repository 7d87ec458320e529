package cib

import (
	"errors"
	"strconv"
	"testing"
	"time"
)

// with is a result with something else about it.
func with(r OpResult, change func(*OpResult)) OpResult {
	change(&r)
	return r
}

func results(list ...OpResult) Command { return Command{Results: list} }

func edits(list ...Edit) Command { return Command{By: "root", Config: &ConfigChange{Edits: list}} }

func TestApplyCases(t *testing.T) {
	monitor := with(dummy("n1", "monitor", 8, 0), func(r *OpResult) { r.Op.IntervalMS = 10000 })
	fail := with(monitor, func(r *OpResult) { r.RC, r.Reason, r.CountFailure = 7, "gone", true })
	fenced := func(id, action string, ev Evidence) Command {
		return Command{Fencing: []FenceRecord{{FenceRequest: FenceRequest{ID: id, Target: "n1", Action: action, DigestsAll: "fence:a:b,"},
			State: FenceDone, Evidence: ev, Completed: at}}}
	}
	ran := []Command{results(dummy("n1", "start", 7, 0), monitor)}
	for _, c := range []struct {
		name       string
		do         []Command
		want, miss []string
	}{
		{"a recurring operation has its own entry", ran, []string{`id="web_monitor_10000" operation_key="web_monitor_10000"`}, nil},
		{"its failure leaves the entry alone", append(ran, results(fail)),
			[]string{`id="web_monitor_10000"`, `id="web_last_failure_0" operation_key="web_monitor_10000"`, `exit-reason="gone"`,
				`id="status-1-last-failure-web.monitor_10000" name="last-failure-web#monitor_10000" value="1795330800"`}, nil},
		{"a fatal failure counts as infinitely many", append(ran, results(fail), results(with(fail, func(r *OpResult) { r.FatalFailure = true })), results(fail)),
			[]string{`name="fail-count-web#monitor_10000" value="INFINITY"`}, nil},
		{"what was cancelled is gone", append(ran, results(with(dummy("n1", "cancel", 9, 0), func(r *OpResult) { r.Op.CancelTask, r.Op.IntervalMS = "monitor", 10000 }))),
			[]string{"web_last_0"}, []string{"web_monitor_10000"}},
		{"so is what says itself that it was cancelled", append(ran, results(with(monitor, func(r *OpResult) { r.Status = OpCancelled }))),
			[]string{"web_last_0"}, []string{"web_monitor_10000"}},
		{"a deleted resource leaves nothing", append(ran, results(dummy("n1", "delete", 9, 0))), nil, []string{"lrm_resource id"}},
		{"deleted and started in one command", append(ran, results(dummy("n1", "delete", 9, 0), dummy("n1", "start", 10, 0))),
			[]string{`call-id="10"`}, []string{"web_monitor_10000"}},
		{"an operation under way", []Command{results(with(dummy("n1", "start", 7, 0), func(r *OpResult) { r.Status = OpPending }))},
			[]string{`transition-magic="-1:193;3:1:0:`, `call-id="-1" rc-code="193" op-status="-1"`}, nil},
		{"and then done", []Command{results(with(dummy("n1", "start", 7, 0), func(r *OpResult) { r.Status = OpPending }), dummy("n1", "start", 7, 0))},
			[]string{`call-id="7" rc-code="0" op-status="0"`}, []string{"193"}},
		{"a probe that finds something unexpected", []Command{results(with(dummy("n1", "monitor", 7, 0), func(r *OpResult) { r.Op.TargetRC = 7 }))},
			[]string{`id="web_last_failure_0"`, `id="web_last_0"`}, nil},
		{"a migration has entries of its own", append(ran, results(with(dummy("n1", "migrate_to", 9, 0), func(r *OpResult) {
			r.Op.Attrs = []Attr{{attrMigrateSource, "n1"}, {attrMigrateTarget, "n2"}, {"CRM_meta_timeout", "1"}}
			r.Op = r.Op.Brief()
		}))), []string{`id="web_migrate_to_0"`, `migrate_source="n1" migrate_target="n2"`, `web_last_0`}, []string{"CRM_meta"}},
		{"notifications leave no trace", []Command{results(dummy("n1", "notify", 9, 0))}, nil, []string{"notify"}},
		{"a reload counts as the start", []Command{results(dummy("n1", "reload-agent", 9, 0))}, []string{`operation_key="web_start_0"`}, []string{"reload"}},
		{"digests", []Command{results(with(dummy("n1", "start", 9, 0), func(r *OpResult) {
			r.Digest, r.Restart, r.RestartDigest, r.Secure, r.SecureDigest = "d1", " state ", "d2", " passwd ", "d3"
		}))}, []string{`op-digest="d1" op-force-restart=" state " op-restart-digest="d2" op-secure-params=" passwd " op-secure-digest="d3"`}, nil},
		{"a lock to the node it stopped on", []Command{results(with(dummy("n1", "stop", 9, 0), func(r *OpResult) { r.Op.ShutdownLock = "123" }))},
			[]string{`type="Dummy" shutdown-lock="123"`}, nil},
		{"which ends with the next result", []Command{results(with(dummy("n1", "stop", 9, 0), func(r *OpResult) { r.Op.ShutdownLock = "123" })), results(dummy("n1", "start", 10, 0))},
			nil, []string{"shutdown-lock"}},
		{"a clean-up forgets where there are failures", append(ran, results(dummy("n2", "start", 3, 0)), results(fail), Command{Forget: []Forget{{Resource: "web", OnlyFails: true}}}),
			[]string{`on_node="n2"`}, []string{`on_node="n1"`, "fail-count", "last-failure"}},
		{"of another operation: nothing", append(ran, results(fail), Command{Forget: []Forget{{Resource: "web", OnlyFails: true, Operation: "start"}}}),
			[]string{`on_node="n1"`, "fail-count"}, nil},
		{"a refresh forgets all", append(ran, results(dummy("n2", "start", 3, 0)), Command{Forget: []Forget{{}}}), nil, []string{"lrm_resource id"}},
		{"fencing erases the node", append(ran, fenced("f1", "off", ByAgent)), []string{`uname="n1" in_ccm="false" crmd="offline" join="down" expected="down"`}, []string{"web_last_0"}},
		{"once", append(ran, fenced("f1", "off", ByAgent), Command{Nodes: []NodeUpdate{online("1", "n1")}}, fenced("f1", "off", ByAgent)),
			[]string{`uname="n1" in_ccm="true" crmd="online"`}, nil},
		{"late results of a fenced node count for nothing", append(ran, fenced("f1", "off", ByAgent), results(with(dummy("n1", "start", 9, 0), func(r *OpResult) { r.BootID = "boot-n1" }))),
			nil, []string{"web_last_0"}},
		{"those of its next life do", append(ran, fenced("f1", "off", ByAgent), results(with(dummy("n1", "start", 9, 0), func(r *OpResult) { r.BootID = "boot-2" }))),
			[]string{"web_last_0"}, nil},
		{"a node that came back by itself is not taken down", []Command{{Nodes: []NodeUpdate{online("1", "n1")}}, fenced("f1", "off", ByItself)},
			[]string{`uname="n1" in_ccm="true"`}, nil},
		{"unfencing leaves attributes", []Command{fenced("f1", "on", ByAgent)},
			[]string{`id="status-1-.node-unfenced" name="#node-unfenced" value="1795330800"`, `name="#digests-all" value="fence:a:b,"`}, nil},
		{"another boot erases", append(ran, Command{Nodes: []NodeUpdate{{ID: "1", BootID: "boot-2", Erase: true}}}), []string{`uname="n1" in_ccm="true"`}, []string{"web_last_0"}},
		{"a member that goes takes its node along", append(ran, Command{Cluster: without("n1")}), nil, []string{`"n1"`}},
		{"a witness is no node", []Command{{Cluster: witness()}, {Nodes: []NodeUpdate{{ID: "4", InCCM: "true"}}}}, nil, []string{`"w"`}},
		{"permanent attributes", []Command{{Attributes: []AttributeUpdate{{Node: "n1", Name: "standby", Value: "on", Permanent: true}, {Node: "n1", Name: "cpu", Value: "4", Utilized: true}}}},
			[]string{`<instance_attributes id="nodes-1">`, `<nvpair id="nodes-1-standby" name="standby" value="on"/>`, `<utilization id="nodes-1-utilization">`}, nil},
		{"transient attributes add up", []Command{{Attributes: []AttributeUpdate{{Node: "n1", Name: "x", Value: "x++"}, {Node: "n1", Name: "x", Value: "value+=40"}}}},
			[]string{`<nvpair id="status-1-x" name="x" value="41"/>`}, nil},
		{"and go by a pattern", append(ran, results(fail), Command{Attributes: []AttributeUpdate{{Node: "n1", Name: "^(fail-count|last-failure)-web#", Pattern: true, Delete: true}}}),
			nil, []string{"fail-count", "last-failure-web"}},
		{"remote nodes have a state of their own", []Command{edits(Edit{Op: "create", XML: `<primitive id="far" class="ocf" provider="pacemaker" type="remote"/>`}),
			results(with(dummy("n1", "start", 9, 0), func(r *OpResult) { r.Op.Target = "far" }))}, []string{`<node_state id="far" uname="far" remote_node="true"`, `on_node="far"`}, nil},
		{"a member's node cannot be edited away", []Command{edits(Edit{Op: "replace", XML: "<nodes/>"})}, []string{`<node id="1" uname="n1"/>`}, nil},
		{"edits make sections", []Command{edits(Edit{Op: "create", XML: `<fencing-level id="fl" target="n1" index="1" devices="f"/>`})}, []string{"<fencing-topology>"}, nil},
		{"a patch without a version", []Command{edits(Edit{Op: "patch", XML: `<diff format="2"><version/><change operation="delete" path="/cib/configuration/resources/primitive[@id='web']"/></diff>`})},
			nil, []string{`<primitive id="web"`}},
		{"an attribute can be deleted", []Command{edits(Edit{Op: "delete", XPath: "//op[@id='web-m']/@interval"})}, []string{`<op id="web-m" name="monitor"/>`}, nil},
		{"a whole document keeps our status", append(ran, edits(Edit{Op: "replace", XML: `<cib epoch="99"><configuration><crm_config/><nodes/><resources/><constraints/></configuration><status/></cib>`})),
			[]string{"web_last_0", `dc-uuid="1"`, `epoch="3"`, `update-user="root"`}, []string{`<primitive`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := apply(t, start(t), c.do...)
			has(t, s, c.want...)
			hasNot(t, s, c.miss...)
		})
	}
}

func without(name string) *Cluster {
	c := threeNodes()
	var kept []Member
	for _, m := range c.Members {
		if m.Name != name {
			kept = append(kept, m)
		}
	}
	c.Members = kept
	return &c
}

func witness() *Cluster {
	c := threeNodes()
	c.Members = append(c.Members, Member{ID: "4", Name: "w", Votes: 1, Witness: true})
	c.LastID = 4
	return &c
}

func TestApplyFacts(t *testing.T) {
	s := start(t)
	until := at.Add(30 * time.Second)
	s = apply(t, s, Command{Nodes: []NodeUpdate{{ID: "1", AwayUntil: &until}}})
	if f := s.Facts("1"); f == nil || f.BootID != "boot-n1" || !f.AwayUntil.Equal(until) {
		t.Errorf("facts of n1: %+v", f)
	}
	s = apply(t, s, Command{Fencing: []FenceRecord{{FenceRequest: FenceRequest{ID: "f", Target: "n1", Action: "off"}, State: FenceDone}}})
	if f := s.Facts("1"); f.Ended != "boot-n1" || !f.AwayUntil.IsZero() {
		t.Errorf("facts of a fenced node: %+v", f)
	}
	for i := range FenceHistory + 5 {
		var err error
		if s, err = Apply(s, Command{Fencing: []FenceRecord{{FenceRequest: FenceRequest{ID: "x" + strconv.Itoa(i), Target: "n2"}, State: FencePending}}}); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.Fencing) != FenceHistory {
		t.Errorf("%d fencing records are kept", len(s.Fencing))
	}
}

func TestApplyRefusals(t *testing.T) {
	s := start(t)
	lower := threeNodes()
	lower.LastID = 1
	twice := threeNodes()
	twice.Members[1].Name = "n1"
	slow := threeNodes()
	slow.Timing.LeaseMS = 900 // longer than the token
	for name, c := range map[string]Command{
		"a lease beyond the token": {Cluster: &slow},
		"a lower last id":          {Cluster: &lower},
		"a name twice":             {Cluster: &twice},
		"an unknown node":          {Attributes: []AttributeUpdate{{Node: "ghost", Name: "a", Value: "1"}}},
		"no such element":          edits(Edit{Op: "modify", XML: `<primitive id="ghost"/>`}),
		"several where one is":     edits(Edit{Op: "delete", XPath: "//node"}),
		"an old patch":             edits(Edit{Op: "patch", XML: `<diff format="2"><version><source epoch="7"/><target epoch="8"/></version></diff>`}),
		"the second edit fails":    edits(Edit{Op: "replace", XML: "<resources/>"}, Edit{Op: "nonsense", XML: "<a/>"}),
		"a result of nothing":      results(OpResult{}),
	} {
		next, err := Apply(s, c)
		if !IsRefusal(err) {
			t.Errorf("%s: %v", name, err)
		}
		if encoded(t, next) != encoded(t, s) {
			t.Errorf("%s leaves a trace", name)
		}
	}
	if _, err := Apply(s, edits(Edit{Op: "patch", XML: `<diff format="2"><version><source epoch="7"/></version></diff>`})); !errors.Is(err, ErrVersion) {
		t.Errorf("an old patch: %v", err)
	}
}

func TestADoneFencingEndsRequestsThatWaitForIt(t *testing.T) {
	s := start(t)
	pending := func(id, target, action string, requested time.Time) FenceRecord {
		return FenceRecord{FenceRequest: FenceRequest{ID: id, Target: target, Action: action}, State: FencePending, Requested: requested}
	}
	s = apply(t, s, Command{At: at, Fencing: []FenceRecord{pending("a", "n1", "reboot", at), pending("b", "n1", "on", at),
		pending("c", "n2", "reboot", at), pending("d", "n1", "reboot", at.Add(time.Hour))}})
	s = apply(t, s, Command{At: at, Fencing: []FenceRecord{{FenceRequest: FenceRequest{ID: "x", Target: "n1", Action: "off"}, State: FenceDone,
		Evidence: ByOperator, Requested: at, Completed: at.Add(time.Minute)}}})
	want := map[string]string{"a": FenceDone, "b": FencePending, "c": FencePending, "d": FencePending, "x": FenceDone}
	for _, r := range s.Fencing {
		if r.State != want[r.ID] || r.State == FenceDone && r.Evidence != ByOperator {
			t.Errorf("%s is %s by %q", r.ID, r.State, r.Evidence)
		}
	}
}

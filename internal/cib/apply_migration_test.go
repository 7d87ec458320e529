package cib

import "testing"

// A node is lost in the middle of a live migration: what the target knew before does not count any more.
func TestApplyForgetsTheTargetOfAMigration(t *testing.T) {
	probe := dummy("n2", "monitor", 1, 7)
	probe.Op.TargetRC = 7
	leave := dummy("n1", "migrate_to", 8, 0)
	leave.Op.Key = "3:2:0:00000000-0000-0000-0000-000000000001"
	leave.Op.Attrs = []Attr{{attrMigrateSource, "n1"}, {attrMigrateTarget, "n2"}}
	s := apply(t, start(t), Command{Results: []OpResult{probe, dummy("n1", "start", 7, 0)}})
	lost := Command{Nodes: []NodeUpdate{{ID: "1", Name: "n1", Erase: true}}}
	has(t, apply(t, s, lost), `on_node="n2" call-id="1"`)
	pending := leave
	pending.Status = OpPending
	hasNot(t, apply(t, s, Command{Results: []OpResult{pending}}, lost), `on_node="n2"`)
	s = apply(t, s, Command{Results: []OpResult{leave}})
	hasNot(t, apply(t, s, lost), `on_node="n2"`)
	off := Command{Fencing: []FenceRecord{{FenceRequest: FenceRequest{ID: "f", Target: "n1", Action: "off"}, State: FenceDone}}}
	hasNot(t, apply(t, s, off), `on_node="n2"`)
	stop := Command{Results: []OpResult{dummy("n1", "stop", 9, 0)}}
	hasNot(t, apply(t, s, stop), `on_node="n2"`)
	arrive := dummy("n2", "migrate_from", 2, 0)
	arrive.Op.Attrs, arrive.Op.Key = leave.Op.Attrs, "4:2:0:00000000-0000-0000-0000-000000000001"
	s = apply(t, s, Command{Results: []OpResult{arrive}}, stop)
	has(t, apply(t, s, lost), `on_node="n2" call-id="2"`)
}

// A monitor fails in the second in which it succeeded first: the failure is the newer of the two.
func TestApplyFailureComesAfterSuccess(t *testing.T) {
	good := dummy("n1", "monitor", 8, 0)
	good.Op.IntervalMS = 10000
	bad := good
	bad.RC = 7
	s := apply(t, start(t), Command{Results: []OpResult{good}}, Command{Results: []OpResult{bad}})
	ops := s.CIB.NodeState("1").History("web").Ops
	if len(ops) != 2 || ops[0].LastRCChange >= ops[1].LastRCChange || ops[1].RC != 7 {
		t.Errorf("history %+v", ops)
	}
}

package controller_test

import (
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/controller"
)

// A daemon that has said that it goes away is heard until it is gone: that is no return. Its successor is.
func TestOneThatGoesAwayIsNotBackWhileItIsHeard(t *testing.T) {
	in, err := cib.Decode("", []byte(`<cib crm_feature_set="3.16.1" epoch="1" num_updates="1" admin_epoch="0" have-quorum="1" dc-uuid="1"><configuration>`+
		`<crm_config/><nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes><resources/><constraints/></configuration><status>`+
		`<node_state id="1" uname="n1" in_ccm="true" crmd="online" join="member" expected="member"/>`+
		`<node_state id="2" uname="n2" in_ccm="true" crmd="online" join="member" expected="member"/></status></cib>`))
	if err != nil {
		t.Fatal(err)
	}
	s := cib.State{Index: 1, CIB: in, Cluster: cib.Cluster{Members: []cib.Member{{ID: "1", Name: "n1", Votes: 1}, {ID: "2", Name: "n2", Votes: 1}}},
		Nodes: []cib.NodeFacts{{ID: "1", BootID: "b1"}, {ID: "2", BootID: "b2", AwayUntil: start.Add(30 * time.Second), AwayRun: "first"}}}
	c := controller.New(controller.Config{Name: "n1"})
	c.Step(start, controller.Lead{Term: 1, State: s})
	for _, step := range []struct {
		run  string
		lost bool
		back bool
	}{{"first", false, false}, {"first", true, false}, {"second", false, true}} {
		back := false
		for _, e := range c.Step(start.Add(time.Second), controller.Members{Quorate: true, Heard: []controller.Heard{
			{ID: "1", Name: "n1", BootID: "b1", Run: "r", Ready: true},
			{ID: "2", Name: "n2", BootID: "b2", Run: step.run, Lost: step.lost, Ready: !step.lost}}}) {
			if p, ok := e.(controller.Propose); ok {
				for _, n := range p.Command.Nodes {
					if n.ID != "2" || n.AwayUntil == nil || !n.AwayUntil.IsZero() {
						t.Errorf("%+v: proposes %+v", step, n)
					}
					back = true
				}
			}
		}
		if back != step.back {
			t.Errorf("%+v: back is %v", step, back)
		}
	}
}

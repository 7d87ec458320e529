package controller_test

import (
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/controller"
)

var start = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// Nothing is planned before it is known who is there, and before that is a fact.
func TestLeaderGathersFirst(t *testing.T) {
	in, err := cib.Decode("", []byte(`<cib crm_feature_set="3.16.1" epoch="1" num_updates="1" admin_epoch="0"><configuration>`+
		`<crm_config/><nodes><node id="1" uname="n1"/></nodes><resources/><constraints/></configuration><status/></cib>`))
	if err != nil {
		t.Fatal(err)
	}
	c := controller.New(controller.Config{Name: "n1"})
	s := cib.State{Index: 1, CIB: in, Cluster: cib.Cluster{Members: []cib.Member{{ID: "1", Name: "n1", Votes: 1}}}}
	if out := c.Step(start, controller.Lead{Term: 1, State: s}); len(out) != 0 {
		t.Errorf("effects of leading alone: %v", out)
	}
	if got := c.Status().Phase; got != controller.PhaseGathering {
		t.Errorf("phase %s, want %s", got, controller.PhaseGathering)
	}
	out := c.Step(start, controller.Members{Heard: []controller.Heard{{ID: "1", Name: "n1", BootID: "b", Ready: true}}, Quorate: true})
	p, ok := out[0].(controller.Propose)
	if !ok || len(p.Command.Nodes) != 1 || p.Command.Nodes[0].InCCM != "true" || p.Command.Lead == nil {
		t.Fatalf("effects of the first word of members: %+v, want the proposal that n1 is up and leads", out)
	}
}

package store

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cerco-ha/cerco/internal/cib"
)

func TestVoterPlan(t *testing.T) {
	witness := func(c cib.Cluster, i int) cib.Cluster { c.Members[i-1].Witness = true; return c }
	lms := func(c cib.Cluster) cib.Cluster { c.Quorum.LastManStanding = true; return c }
	tie := func(c cib.Cluster) cib.Cluster { c.Quorum.AutoTieBreaker = true; return c }
	noVote := func(c cib.Cluster, i int) cib.Cluster { c.Members[i-1].Votes = 0; return c }
	for _, c := range []struct {
		name    string
		cluster cib.Cluster
		down    string
		want    string
	}{
		{"one", clusterOf(1), "", "1"},
		{"three", clusterOf(3), "", "1 2 3"},
		{"one of three is off and keeps its place", clusterOf(3), "n2", "1 2 3"},
		{"nine", clusterOf(9), "", "1 2 3 4 5 6 7"},
		{"numbers, not strings", clusterOf(12), "n1 n2 n3 n4 n5", "6 7 8 9 10 11 12"},
		{"a lost one of nine gives its place away", clusterOf(9), "n3", "1 2 4 5 6 7 8"},
		{"three lost ones, two to replace them", clusterOf(9), "n1 n2 n3", "1 4 5 6 7 8 9"},
		{"the witness always", witness(clusterOf(9), 9), "", "1 2 3 4 5 6 9"},
		{"no vote, no voter", noVote(clusterOf(3), 2), "", "1 3"},
		{"one of two is off", clusterOf(2), "n1", "2"},
		{"both of two are off", clusterOf(2), "n1 n2", "1 2"},
		{"one of two is off, and there is a witness", witness(clusterOf(3), 3), "n1", "1 2 3"},
		{"the tie breaker may be all there is", tie(clusterOf(4)), "n3 n4", "1 2"},
		{"last man standing", lms(clusterOf(5)), "n1 n4", "2 3 5"},
		{"last man standing, all off", lms(clusterOf(2)), "n1 n2", "1 2"},
	} {
		if got := strings.Join(VoterPlan(c.cluster, strings.Fields(c.down)), " "); got != c.want {
			t.Errorf("%s: %s, not %s", c.name, got, c.want)
		}
	}
}

func TestDown(t *testing.T) {
	s := cib.NewState(clusterOf(4))
	for i, u := range []cib.NodeUpdate{
		{InCCM: "true", Crmd: "online", Join: "member", Expected: "member"},
		{InCCM: "false", Crmd: "offline", Join: "member", Expected: "member"}, // lost, not fenced yet
		{InCCM: "false", Crmd: "offline", Join: "down", Expected: "down"},
	} {
		u.ID, u.Name = fmt.Sprint(i+1), fmt.Sprintf("n%d", i+1)
		var err error
		if s, err = cib.Apply(s, cib.Command{Nodes: []cib.NodeUpdate{u}}); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(Down(s), " "); got != "n3" {
		t.Errorf("%q are off", got)
	}
}

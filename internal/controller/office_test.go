package controller

import (
	"slices"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// officeState is a cluster of a and b of which both were up.
func officeState(t *testing.T) cib.State {
	t.Helper()
	c, err := cib.Decode("", []byte(`<cib epoch="1" num_updates="0" admin_epoch="0" validate-with="pacemaker-3.9">
<configuration><crm_config/><nodes><node id="1" uname="a"/><node id="2" uname="b"/></nodes><resources/><constraints/></configuration>
<status><node_state id="1" uname="a" in_ccm="true" crmd="online" join="member" expected="member"/>
<node_state id="2" uname="b" in_ccm="true" crmd="online" join="member" expected="member"/></status></cib>`))
	if err != nil {
		t.Fatal(err)
	}
	return cib.State{CIB: c, Cluster: cib.Cluster{Members: []cib.Member{{ID: "1", Name: "a"}, {ID: "2", Name: "b"}}}}
}

func TestOffice(t *testing.T) {
	s, now := officeState(t), time.Unix(1000, 0)
	a, b := Heard{ID: "1", Name: "a", Ready: true}, Heard{ID: "2", Name: "b", Ready: true}
	both := Members{Heard: []Heard{a, b}, Quorate: true}
	lost := b
	lost.Lost, lost.Ready = true, false

	o := NewOffice(7)
	if ask, tell := o.Members(both, s, now); ask != nil || tell != nil {
		t.Fatalf("before the barrier: asks %v, tells %v", ask, tell)
	}
	o.Begin(now)
	ask, tell := o.Members(both, s, now)
	if !slices.Equal(ask, []string{"a", "b"}) || tell != nil {
		t.Fatalf("at first: asks %v, tells %v", ask, tell)
	}
	if ask, _ := o.Members(both, s, now); ask != nil {
		t.Fatalf("asks %v twice", ask)
	}
	o.Asked("a", true)
	if _, tell := o.Members(both, s, now); tell != nil {
		t.Fatalf("tells %v while b, which was up, has its ledger closed", tell)
	}
	if _, tell := o.Members(both, s, now.Add(OfficePatience)); tell == nil || tell.Heard[1].Ready {
		t.Fatalf("tells %v when patience is over: b must be told as not ready", tell)
	}
	o.Asked("b", false)
	if ask, _ := o.Members(both, s, now); !slices.Equal(ask, []string{"b"}) {
		t.Fatalf("asks %v after b did not answer", ask)
	}
	o.Asked("b", true)
	if _, tell := o.Members(both, s, now); tell == nil || !tell.Heard[1].Ready {
		t.Fatalf("tells %v once b's ledger is open", tell)
	}
	later := Members{Heard: slices.Clone(both.Heard), Quorate: true}
	later.Heard[0].LastHeard = now
	if _, tell := o.Members(later, s, now); tell != nil {
		t.Fatal("a sign of life alone is no news")
	}
	if _, tell := o.Members(Members{Heard: []Heard{a, lost}, Quorate: true}, s, now); tell == nil {
		t.Fatal("a loss is news")
	}
	if ask, tell := o.Members(both, s, now); !slices.Equal(ask, []string{"b"}) || tell == nil || tell.Heard[1].Ready {
		t.Fatalf("asks %v, tells %v when b is back: it must open its ledger anew", ask, tell)
	}
	if both.Heard[1] != b {
		t.Fatal("what was handed in is changed")
	}
}

// A loss is known of everybody at once: nobody is waited for.
func TestOfficeOfWhoIsLost(t *testing.T) {
	s, now := officeState(t), time.Unix(1000, 0)
	o := NewOffice(1)
	o.Begin(now)
	m := Members{Heard: []Heard{{ID: "1", Name: "a", Ready: true}, {ID: "2", Name: "b", Lost: true}}}
	o.Members(m, s, now)
	o.Asked("a", true)
	if _, tell := o.Members(m, s, now); tell == nil {
		t.Fatal("b is lost and a is open, but the controller is told nothing")
	}
}

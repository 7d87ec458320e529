package events

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

func TestJournal(t *testing.T) {
	j := NewJournal(3)
	j.Add(Event{Text: "a"}, Event{Text: "b", Index: 5}, Event{Text: "c", Index: 5}, Event{Text: "d"})
	list, _ := j.Since(0)
	if len(list) != 3 || list[0].Text != "b" || list[0].Seq != 5<<10 || list[1].Seq != 5<<10+1 || list[2].Seq != j.Last() {
		t.Errorf("%+v", list)
	}
	if list, _ := j.Since(1); len(list) != 3 {
		t.Errorf("who saw the last one that went away has missed nothing: %+v", list)
	}
	j.Add(Event{Text: "e"})
	if list, _ := j.Since(1); len(list) != 4 || list[0].Kind != KindGap {
		t.Errorf("a reader who was away too long is told so: %+v", list)
	}
}

func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := NewJournal(10)
		ctx, cancel := context.WithCancel(t.Context())
		got := make(chan string, 10)
		done := make(chan error)
		go func() { done <- j.Follow(ctx, 0, func(e Event) error { got <- e.Text; return nil }) }()
		synctest.Wait()
		j.Add(Event{Text: "a"})
		j.Add(Event{Text: "b"})
		synctest.Wait()
		if len(got) != 2 {
			t.Errorf("%d events came", len(got))
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func state(t *testing.T, xml string) cib.State {
	t.Helper()
	c, err := cib.Decode("", []byte(xml))
	if err != nil {
		t.Fatal(err)
	}
	return cib.State{Index: 9, CIB: c, Cluster: cib.Cluster{Members: []cib.Member{{ID: "1", Name: "n1"}, {ID: "2", Name: "n2"}}}}
}

func TestDerive(t *testing.T) {
	up := state(t, `<cib><configuration/><status><node_state id="2" uname="n2" in_ccm="true" crmd="online"/></status></cib>`)
	down := state(t, `<cib><configuration/><status><node_state id="2" uname="n2" in_ccm="false" crmd="offline"/></status></cib>`)
	at := time.Unix(1000, 0)
	c := cib.Command{At: at, By: "root", Note: "no sign of life",
		Lead:  &cib.LeadUpdate{DC: "1", HaveQuorum: true},
		Nodes: []cib.NodeUpdate{{ID: "2", Name: "n2", InCCM: "false"}, {ID: "1", BootID: "x"}},
		Results: []cib.OpResult{{Op: cib.Operation{Epoch: cib.Epoch{Term: 3, Plan: 4}, Node: "n1", Resource: "web", Name: "monitor", IntervalMS: 10000},
			RC: 7, Reason: "gone"}},
		Attributes: []cib.AttributeUpdate{{Node: "n1", Name: "ping", Value: "1"}},
		Fencing:    []cib.FenceRecord{{FenceRequest: cib.FenceRequest{Target: "n2", Action: "off"}, State: cib.FenceDone, Evidence: cib.ByAgent, Node: "n1"}},
		Forget:     []cib.Forget{{Resource: "web"}},
	}
	want := []struct{ kind, text string }{
		{KindLead, "decisions are taken by n1, with quorum"},
		{KindNode, "n2 is lost"},
		{KindOperation, "monitor every 10000 ms of web on n1: failed (rc=7, expected 0, status 0): gone"},
		{KindAttribute, "ping=1 on n1"},
		{KindForget, "history of web is forgotten"},
		{KindFencing, "n2 was fenced (off): proof by agent, through n1"},
	}
	got := Derive(up, down, c)
	if len(got) != len(want) {
		t.Fatalf("%d events: %+v", len(got), got)
	}
	for i, w := range want {
		if got[i].Kind != w.kind || got[i].Text != w.text || got[i].Index != 9 || !got[i].At.Equal(at) {
			t.Errorf("%d: %+v, want %+v", i, got[i], w)
		}
	}
	if got[2].Plan != "3/4" || !got[2].Bad || !got[2].Operation.Failed {
		t.Errorf("%+v", got[2])
	}
	if back := Derive(down, up, cib.Command{Nodes: c.Nodes[:1]}); len(back) != 1 || back[0].NodeState.State != "member" {
		t.Errorf("%+v", back)
	}
}

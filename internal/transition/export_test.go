package transition

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestXMLRoundTrip(t *testing.T) {
	data := read(t, "move.xml")
	g, err := ParseXML(data)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := g.WriteXML(&out); err != nil {
		t.Fatal(err)
	}
	if out.String() != string(data) {
		t.Errorf("written graph differs from the one read:\n%s", out.String())
	}
}

func TestDOT(t *testing.T) {
	g, err := ParseXML(read(t, "move.xml"))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := g.WriteDOT(&out, false); err != nil {
		t.Fatal(err)
	}
	if want := string(read(t, "move.dot")); out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}

// Idle actions are drawn red when they are needed, and blue only on request when they are not.
func TestDOTIdle(t *testing.T) {
	needed := &Action{ID: 2, Task: "start", Key: "b_start_0", Node: "n", Inputs: []Input{{1}}}
	optional := &Action{ID: 3, Task: "stop", Key: "c_stop_0", Node: "n"}
	g := &Graph{Actions: []*Action{{ID: 1, Task: "start", Key: "a_start_0", Node: "n"}},
		Idle: []Idle{{Action: needed}, {Action: optional, Optional: true, Then: []int{1}}}}
	var out bytes.Buffer
	if err := g.WriteDOT(&out, false); err != nil {
		t.Fatal(err)
	}
	want := ` digraph "g" {
"b_start_0 n" [ style=dashed color="red" fontcolor="black"]
"a_start_0 n" [ style=bold color="green" fontcolor="black"]
"a_start_0 n" -> "b_start_0 n" [ style = dashed]
}
`
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
	out.Reset()
	if err := g.WriteDOT(&out, true); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{`"c_stop_0 n" [ style=dashed color="blue" fontcolor="black"]`, `"c_stop_0 n" -> "a_start_0 n" [ style = dashed]`} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("no line %s in:\n%s", line, out.String())
		}
	}
}

func TestText(t *testing.T) {
	g, err := ParseXML(read(t, "move.xml"))
	if err != nil {
		t.Fatal(err)
	}
	g.Actions[2].Reason = "peer is no longer part of the cluster"
	var out bytes.Buffer
	if err := g.WriteText(&out); err != nil {
		t.Fatal(err)
	}
	want := `   1  fence red (reboot): peer is no longer part of the cluster
   2  start web:0 on blue, after 1
`
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}

func TestJSON(t *testing.T) {
	g, err := ParseXML(read(t, "move.xml"))
	if err != nil {
		t.Fatal(err)
	}
	g.Actions = g.Actions[2:]
	var out bytes.Buffer
	if err := g.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	want := `{
  "transition": 3,
  "recheck_by": 1798761601,
  "actions": [
    {
      "id": 1,
      "kind": "cluster",
      "task": "stonith",
      "node": "red",
      "key": "stonith-red-reboot",
      "attributes": {
        "CRM_meta_on_node": "red",
        "CRM_meta_stonith_action": "reboot"
      }
    }
  ]
}
`
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}

func TestParseXMLRefuses(t *testing.T) {
	for doc, want := range map[string]string{
		`<a/>`:                                  "no <transition_graph>",
		`<transition_graph>`:                    "line 1",
		`<transition_graph transition_id="x"/>`: `transition_id="x" is not a number`,
		`<transition_graph><synapse><action_set><rsc_op id="1"/></action_set><inputs><trigger><rsc_op id="2"/></trigger></inputs></synapse></transition_graph>`:         "its input 2 is no action",
		`<transition_graph><synapse><action_set><rsc_op id="1"/></action_set></synapse><synapse><action_set><rsc_op id="1"/></action_set></synapse></transition_graph>`: "used twice",
		`<transition_graph><synapse><action_set><rsc_op id="1"/><rsc_op id="2"/></action_set></synapse></transition_graph>`:                                             "has an action already",
	} {
		if _, err := ParseXML([]byte(doc)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", doc, err, want)
		}
	}
}

func FuzzParseXML(f *testing.F) {
	data, err := os.ReadFile("testdata/move.xml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`<transition_graph transition_id="1"/>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := ParseXML(data)
		if err != nil {
			return
		}
		r := NewRunner(g)
		for a := r.Next(); a != nil; a = r.Next() {
			if !r.Finish(a.ID, true) {
				t.Fatalf("action %d was handed out and its result not taken", a.ID)
			}
		}
		var out bytes.Buffer
		if err := g.WriteXML(&out); err != nil {
			t.Fatal(err)
		}
	})
}

package judge

import (
	"slices"
	"strings"
	"testing"
)

const graph = `<transition_graph>
<synapse id="0"><action_set><pseudo_event id="1" operation="start" operation_key="g_start_0"/></action_set><inputs/></synapse>
<synapse id="1"><action_set><rsc_op id="2" operation="start" operation_key="a_start_0" internal_operation_key="a:0_start_0" on_node="n1"><attributes CRM_meta_clone="0" CRM_meta_globally_unique="false"/></rsc_op></action_set>
<inputs><trigger><pseudo_event id="1"/></trigger></inputs></synapse>
<synapse id="2"><action_set><rsc_op id="3" operation="start" operation_key="b_start_0" on_node="n1"/></action_set>
<inputs><trigger><rsc_op id="2"/></trigger></inputs></synapse>
<synapse id="3"><action_set><crm_event id="4" operation="stonith" operation_key="stonith-n2-reboot" on_node="n2"/></action_set><inputs/></synapse>
</transition_graph>`

func load(t *testing.T, text string) *Graph {
	t.Helper()
	g, err := ParseGraph([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestCompareFindsPlantedDifferences(t *testing.T) {
	for _, c := range []struct {
		name, old, new string
		l1, l2, l3     bool
	}{
		{"the same", "", "", true, true, true},
		{"another number of an anonymous clone", `a:0_start_0" on_node="n1"><attributes CRM_meta_clone="0"`,
			`a:7_start_0" on_node="n1"><attributes CRM_meta_clone="7"`, true, true, true},
		{"another node", `operation_key="b_start_0" on_node="n1"`, `operation_key="b_start_0" on_node="n2"`, false, false, false},
		{"another pseudo event", "g_start_0", "h_start_0", true, false, true},
		{"a lost ordering", `<trigger><rsc_op id="2"/></trigger>`, "", true, true, false},
		{"an ordering that does not matter", `<inputs><trigger><pseudo_event id="1"/></trigger></inputs>`, "<inputs/>", true, true, true},
		{"a cycle", `operation="start" operation_key="g_start_0"/></action_set><inputs/>`,
			`operation="start" operation_key="g_start_0"/></action_set><inputs><trigger><rsc_op id="3"/></trigger></inputs>`, true, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := strings.Replace(graph, c.old, c.new, 1)
			if c.old != "" && got == graph {
				t.Fatal("nothing was planted")
			}
			d := Compare(load(t, graph), load(t, got))
			if d.L1a() != c.l1 || d.L2a() != c.l2 || d.L3ta() != c.l3 {
				t.Errorf("L1a %v L2a %v L3ta %v, want %v %v %v: %v", d.L1a(), d.L2a(), d.L3ta(), c.l1, c.l2, c.l3, d.Lines())
			}
		})
	}
}

func TestParseGraphRefusesWhatIsNoGraph(t *testing.T) {
	for _, text := range []string{"", "<cib/>", "<transition_graph>",
		strings.Replace(graph, `id="3" operation="start"`, `id="2" operation="start"`, 1)} {
		if _, err := ParseGraph([]byte(text)); err == nil {
			t.Errorf("no error for %.60q", text)
		}
	}
}

func TestCompareScores(t *testing.T) {
	a := "x: r allocation score on n1: 5\nx: r allocation score on n1: 5\nr promotion score on n1: 1\n"
	if s := CompareScores(a, "r promotion score on n1:  1\ny: r allocation score on n1: 5\n"); !s.Set || s.Every {
		t.Errorf("the set holds, the lines do not: %+v", s)
	}
	s := CompareScores(a, strings.ReplaceAll(a, ": 5", ": 6"))
	if s.Set || !slices.Equal(s.Missing, []string{"r allocation n1 5"}) || !slices.Equal(s.Extra, []string{"r allocation n1 6"}) {
		t.Errorf("got %+v", s)
	}
}

func TestCompareText(t *testing.T) {
	a := "Transition Summary:\n  * Start a\n  * Start b\n\nRevised Cluster Status:\n  * x\n  * y\n"
	if got := CompareText(a, strings.Replace(a, "Start a\n  * Start b", "Start b\n  * Start a", 1)); !got.Transition {
		t.Error("the order of a summary's lines does not matter")
	}
	if got := CompareText(a, strings.Replace(a, "x\n  * y", "y\n  * x", 1)); got.Revised {
		t.Error("the order of the status does matter")
	}
}

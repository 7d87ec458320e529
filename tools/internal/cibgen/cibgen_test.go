package cibgen

import (
	"slices"
	"testing"
)

func TestRandomIsAFunctionOfItsSeed(t *testing.T) {
	all, err := Features("all")
	if err != nil {
		t.Fatal(err)
	}
	limit := Limits{Nodes: 8, Primitives: 30}
	seen := map[string]bool{}
	for seed := range uint64(50) {
		a, b := Random(seed, all, limit).String(), Random(seed, all, limit).String()
		if a != b {
			t.Fatalf("seed %d makes two CIBs", seed)
		}
		seen[a] = true
	}
	if len(seen) != 50 {
		t.Errorf("50 seeds make %d CIBs", len(seen))
	}
}

func TestRandomHasNoIDTwice(t *testing.T) {
	all, err := Features("all")
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(200) {
		ids := map[string]bool{}
		Random(seed, all, Limits{Nodes: 8, Primitives: 30}).Kids[0].Walk(func(e *Element) {
			id := e.Attr("id")
			if id == "" || e.Name == "resource_ref" || e.Name == "node" {
				return
			}
			if ids[id] {
				t.Errorf("seed %d: id %s twice", seed, id)
			}
			ids[id] = true
		})
	}
}

func TestFeatures(t *testing.T) {
	got, err := Features("groups,order,+tickets,-order")
	if want := []string{"groups", "tickets"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := Features("nonsense"); err == nil {
		t.Error("no error for an unknown feature")
	}
}

func TestParseReadsWhatStringWrites(t *testing.T) {
	all, err := Features("all")
	if err != nil {
		t.Fatal(err)
	}
	text := Random(3, all, Limits{Nodes: 8, Primitives: 30}).String()
	e, err := Parse([]byte(text))
	if err != nil || e.String() != text {
		t.Errorf("err %v, or the text has changed", err)
	}
}

func TestMutateIsAFunctionOfItsSeed(t *testing.T) {
	all, err := Features("all")
	if err != nil {
		t.Fatal(err)
	}
	same := 0
	for seed := range uint64(200) {
		var out [2]string
		for i := range out {
			cib := Random(seed%20, all, Limits{Nodes: 4, Primitives: 10})
			Mutate(cib, seed)
			out[i] = cib.String()
		}
		if out[0] != out[1] {
			t.Fatalf("seed %d makes two CIBs", seed)
		}
		if out[0] == Random(seed%20, all, Limits{Nodes: 4, Primitives: 10}).String() {
			same++
		}
	}
	if same > 60 { // what a mutation is about may not be there
		t.Errorf("%d of 200 seeds change nothing", same)
	}
}

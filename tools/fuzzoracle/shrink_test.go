package main

import (
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/tools/internal/cibgen"
)

// A planted difference: the two sides part wherever there is a colocation and a primitive with a monitor.
func TestShrinkKeepsOnlyWhatTheDifferenceNeeds(t *testing.T) {
	features, err := cibgen.Features("core")
	if err != nil {
		t.Fatal(err)
	}
	count := func(e *cibgen.Element, name string) int { return len(named(name)(e)) }
	fails := func(e *cibgen.Element) bool {
		c := named("rsc_colocation")(e)
		return len(c) > 0 && c[0].Attr("rsc") != "" && c[0].Attr("with-rsc") != "" && count(e, "op") > 0
	}
	tried := 0
	for seed := range uint64(60) {
		cib := cibgen.Random(seed, features, cibgen.Limits{Nodes: 8, Primitives: 30})
		if !fails(cib) {
			continue
		}
		tried++
		s := &shrinker{cib: cib, fails: fails, until: time.Now().Add(time.Minute)}
		s.run()
		for name, want := range map[string]int{"rsc_colocation": 1, "op": 1, "primitive": 3, "node": 0, "rsc_order": 0,
			"lrm_resource": 0, "nvpair": 0, "clone": 0, "group": 0} {
			if got := count(s.cib, name); got > want {
				t.Errorf("seed %d: %d %s left, %d are needed:\n%s", seed, got, name, want, s.cib)
			}
		}
	}
	if tried < 5 {
		t.Errorf("only %d CIBs had the planted difference", tried)
	}
}

func TestKindOfForgetsNamesAndNumbers(t *testing.T) {
	a := kindOf([]string{"missing         rsc_op r12_start_0 on n3"})
	b := kindOf([]string{"missing         rsc_op cr4:1_start_0 on n1"})
	if a != b || !strings.Contains(a, "start") {
		t.Errorf("%q and %q", a, b)
	}
}

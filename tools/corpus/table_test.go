package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFloor(t *testing.T) {
	results := func(holds ...string) []*result {
		r := &result{testCase: testCase{name: "a", tier: 3}, holds: map[string]bool{}}
		for _, l := range holds {
			r.holds[l] = true
		}
		return []*result{r}
	}
	path := filepath.Join(t.TempDir(), "floor")
	if err := tally(results("L1a", "St"), false).writeFloor(path); err != nil {
		t.Fatal(err)
	}
	if err := tally(results("L1a", "St", "Sr"), false).checkFloor(path); err != nil {
		t.Errorf("above the floor: %v", err)
	}
	err := tally(results("L1a"), false).checkFloor(path)
	if err == nil || !strings.Contains(err.Error(), "tier 3 at St") {
		t.Errorf("below the floor: %v", err)
	}
	if err := tally(results("Sr"), false).writeFloor(path); err != nil {
		t.Fatal(err)
	}
	if err := tally(results("Sr"), false).checkFloor(path); err == nil {
		t.Error("writing a floor has lowered it")
	}
}

func TestTallyCountsRealCasesApart(t *testing.T) {
	rs := []*result{{testCase: testCase{tier: 1}, hasReal: true}, {testCase: testCase{tier: 1}}}
	if all, real := tally(rs, false), tally(rs, true); all.cases[1] != 2 || real.cases[1] != 1 {
		t.Errorf("got %d and %d cases", all.cases[1], real.cases[1])
	}
}

func TestShellWords(t *testing.T) {
	got := shellWords("-t '2014-05-07 00:28:00'  -q 1")
	if want := []string{"-t", "2014-05-07 00:28:00", "-q", "1"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

package main

import (
	"path/filepath"
	"testing"
)

func TestFloorIsNeverLowered(t *testing.T) {
	s, err := total("command n rc cib effect out err all\nx y 1 1 1 1 1 1 1\nTOTAL 900 880 870 860 700 3 2\nwall 3s\n")
	if err != nil || s != (score{900, 860, 700}) {
		t.Fatal(s, err)
	}
	floor := filepath.Join(t.TempDir(), "floor")
	for _, now := range []score{s, {900, 850, 710}} {
		if err := write(floor, now); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := read(floor); err != nil || got != (score{900, 860, 710}) {
		t.Error(got, err)
	}
	if _, err := total("no table"); err == nil {
		t.Error("a table without a total passes")
	}
}

package ordeal

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/judge"
)

func TestAlone(t *testing.T) {
	for _, c := range []struct{ name, nodes, cut, frozen, want string }{
		{"nothing is wrong", "a b c", "", "", ""},
		{"one is cut off", "a b c", "a-b b-a a-c c-a", "", "a"},
		{"one direction still counts", "a b c", "a-b b-a a-c", "", ""},
		{"everybody is alone", "a b c", "a-b b-a a-c c-a b-c c-b", "", "a b c"},
		{"over others", "a b c", "a-b b-a", "", ""},
		{"two of five", "a b c d e", "a-c c-a a-d d-a a-e e-a b-c c-b b-d d-b b-e e-b", "", "a b"},
		{"half is no majority", "a b c d", "a-c c-a a-d d-a b-c c-b b-d d-b", "", "a b c d"},
		{"frozen nodes are no help", "a b c", "a-b b-a", "c", "a b"},
		{"one of two may go on", "a b", "a-b b-a", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			links, frozen := Links{}, map[string]bool{}
			for _, l := range strings.Fields(c.cut) {
				a, b, _ := strings.Cut(l, "-")
				links[[2]string{a, b}] = Link{Cut: true}
			}
			for _, n := range strings.Fields(c.frozen) {
				frozen[n] = true
			}
			got := links.Alone(strings.Fields(c.nodes), frozen)
			slices.Sort(got)
			if strings.Join(got, " ") != c.want {
				t.Errorf("alone are %v, want %q", got, c.want)
			}
		})
	}
}

// TestJournalIsFollowed wants each line seen once, and half a line only when it is whole.
func TestJournalIsFollowed(t *testing.T) {
	j, err := openJournal(filepath.Join(t.TempDir(), "journal"), judge.Rules{Converge: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer j.file.Close()
	for i, write := range []func() error{
		func() error { return j.note("n1", "", "on") },
		func() error { return nil },
		func() error { return j.note("", "", "fault", "crash", "n1") },
	} {
		if err := write(); err != nil {
			t.Fatal(err)
		}
		events, err := j.follow()
		if want := []int{1, 0, 1}[i]; err != nil || len(events) != want {
			t.Errorf("step %d: %d events, %v; want %d", i, len(events), err, want)
		}
	}
	if !strings.Contains(j.faults(), "fault crash n1") {
		t.Errorf("the faults are %q", j.faults())
	}
}

func TestPower(t *testing.T) {
	for p, want := range map[Power]int{PowerWorks: 0, PowerFails: 1, PowerLies: 1, "": 0} {
		done := false
		code, _ := p.Call("reboot", func() (int, error) { done = true; return 0, nil })
		if code != want || done != (p != PowerFails) {
			t.Errorf("a device that %s: code %d, done %v", p, code, done)
		}
	}
}

func TestTearSnapshot(t *testing.T) {
	data := t.TempDir()
	if err := tearSnapshot(data); err != nil {
		t.Errorf("a node without a log: %v", err)
	}
	snaps := filepath.Join(data, "raft", "log-1-n1", "snapshots")
	for _, id := range []string{"1-1-100", "1-9-200"} {
		if err := os.MkdirAll(filepath.Join(snaps, id), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(snaps, id, "state.bin"), []byte(id+" is the state"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := tearSnapshot(data); err != nil {
		t.Fatal(err)
	}
	if torn, err := os.ReadFile(filepath.Join(snaps, "1-9-200.tmp", "state.bin")); err != nil || string(torn) != "1-9-200 is" {
		t.Errorf("the torn snapshot holds %q: %v", torn, err)
	}
}

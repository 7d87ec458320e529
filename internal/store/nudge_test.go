package store

import (
	"fmt"
	"slices"
	"testing"

	"github.com/hashicorp/raft"
)

// Whoever entries are on their way to is told of a commit when they are there, also when somebody is telling them
// something already: what comes before the entries is lost on them.
func TestEverybodyHearsOfACommitWhenTheyHaveIt(t *testing.T) {
	var told []string
	var later []func()
	d := &nudges{busy: map[raft.ServerID]bool{}, sent: map[raft.ServerID]int{}}
	d.others = func() []raft.Server { return []raft.Server{{ID: "2", Address: "n2"}, {ID: "3", Address: "n3"}} }
	d.run = func(f func()) { later = append(later, f) }
	d.say = func(_ raft.ServerID, to raft.ServerAddress, index uint64) {
		told = append(told, fmt.Sprint(to, " ", index))
	}
	expect := func(want ...string) {
		t.Helper()
		for len(later) > 0 {
			f := later[0]
			later = later[1:]
			f()
		}
		if !slices.Equal(told, want) {
			t.Errorf("told %q instead of %q", told, want)
		}
		told = nil
	}
	five, six := &raft.AppendEntriesRequest{LeaderCommitIndex: 4}, &raft.AppendEntriesRequest{LeaderCommitIndex: 5}

	d.leave("2")
	d.leave("3")
	d.arrive("2", "n2", five, true)
	expect()
	d.committed(5)
	expect("n2 5")
	d.committed(5)
	expect()
	d.arrive("3", "n3", five, true)
	expect("n3 5")

	d.leave("3")
	d.arrive("3", "n3", six, false) // it did not arrive
	d.leave("3")
	d.committed(6)
	expect("n2 6")
	say := d.say
	d.say = func(id raft.ServerID, to raft.ServerAddress, index uint64) {
		say(id, to, index)
		d.say = say
		d.leave("3") // meanwhile more is sent, committed, and there
		d.committed(7)
		d.arrive("3", "n3", six, true)
	}
	d.arrive("3", "n3", six, true)
	expect("n3 6", "n3 7", "n2 7")

	d.end()
	d.committed(8)
	expect()
}

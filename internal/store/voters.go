package store

import (
	"slices"
	"strconv"
	"time"

	"github.com/hashicorp/raft"

	"github.com/cerco-ha/cerco/internal/cib"
)

// MaxVoters is how many members vote on the log; the others only listen. More would make every change
// slower and add little.
const MaxVoters = 7

// VoterPlan says which members are to be voters of the log, by id, ascending: the witness always, then the
// first ones by id that have a vote and are up, then those that are not. down are the members that are
// known to be off: each gives its place to one that is up, and keeps it when there is none. Where half of the votes or
// fewer can be quorum, those that are off do not count, so the majority follows those that are left: of two, with
// auto_tie_breaker and with last_man_standing. One voter at least remains.
func VoterPlan(c cib.Cluster, down []string) []string {
	type candidate struct {
		id     string
		number int
		rank   int // lower ones first
	}
	var all []candidate
	for _, m := range c.Members {
		n, _ := strconv.Atoi(m.ID)
		v := candidate{id: m.ID, number: n, rank: 1}
		off := slices.Contains(down, m.Name)
		switch {
		case m.Votes == 0 && !m.Witness:
			continue
		case m.Witness && !off:
			v.rank = 0
		case off:
			v.rank = 2
		}
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b candidate) int {
		if a.rank != b.rank {
			return a.rank - b.rank
		}
		return a.number - b.number
	})
	if len(all) == 2 || c.Quorum.AutoTieBreaker || c.Quorum.LastManStanding {
		if up := slices.IndexFunc(all, func(v candidate) bool { return v.rank == 2 }); up > 0 {
			all = all[:up]
		}
	}
	all = all[:min(len(all), MaxVoters)]
	slices.SortFunc(all, func(a, b candidate) int { return a.number - b.number })
	ids := make([]string, len(all))
	for i, v := range all {
		ids[i] = v.id
	}
	return ids
}

// Down returns the names of the members that are known to be off: not in the membership, and expected not
// to be, which is so after a fencing or an orderly end. One that is merely not heard may come back any
// moment with its vote.
func Down(s cib.State) []string {
	var names []string
	for _, m := range s.Cluster.Members {
		if isDown(s, m) {
			names = append(names, m.Name)
		}
	}
	return names
}

func isDown(s cib.State, m cib.Member) bool {
	if s.CIB == nil {
		return false
	}
	n := s.CIB.NodeState(m.ID)
	return n != nil && n.InCCM == "false" && n.Expected == "down"
}

// keepVoters keeps raft's configuration in step with the members while we lead, one change at a time.
func (s *Store) keepVoters() {
	var again <-chan time.Time // nil: all is well with the State as of done
	var done uint64
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-s.voters:
			done = 0
		case <-s.news:
			if again == nil {
				again = time.After(s.cfg.Timing.Voters)
			}
			continue
		case <-again:
		}
		again = nil
		n := s.node.Load()
		if n == nil || n.raft.State() != raft.Leader {
			done = 0
			continue
		}
		st := n.fsm.view()
		if st.Index == done || st.Index == 0 {
			continue
		}
		switch changed, err := s.mendVoters(n, st); {
		case err != nil:
			s.cfg.Log.Debug("the voters of the log are not as they should be yet", "err", err)
			again = time.After(s.cfg.Timing.Voters)
		case changed:
			s.kickVoters()
		default:
			done = st.Index
		}
	}
}

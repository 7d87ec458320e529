package store

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/cerco-ha/cerco/internal/cib"
)

// configTimeout is how long a change of raft's configuration may wait for its turn.
const configTimeout = 5 * time.Second

// closeEnough is how many entries a listener may lack to become a voter.
const closeEnough = 256

// mendVoters takes one step from raft's configuration to what VoterPlan says, and reports whether it took
// one. An error says what keeps it from being done.
//
// A member is first taken in as a listener, after its store has agreed to share our log, and votes only
// when it has caught up: a voter that cannot vote would cost the majority.
func (s *Store) mendVoters(n *node, st cib.State) (changed bool, err error) {
	have := map[string]raft.Server{}
	for _, srv := range n.servers() {
		have[string(srv.ID)] = srv
	}
	if gone := superfluous(have, st.Cluster); gone != "" {
		return s.leave(n, gone, func() raft.Future { return n.raft.RemoveServer(raft.ServerID(gone), 0, configTimeout) }, "left the log")
	}
	plan := VoterPlan(st.Cluster, Down(st))
	if changed, err := s.takeIn(n, st.Cluster, have); changed {
		return true, err
	} else if changed, err2 := s.promote(n, plan, have); changed || err2 != nil {
		return changed, errors.Join(err, err2)
	} else if err != nil {
		return false, err
	}
	for id, srv := range have {
		if srv.Suffrage == raft.Voter && !slices.Contains(plan, id) {
			return s.leave(n, id, func() raft.Future { return n.raft.DemoteVoter(srv.ID, 0, configTimeout) }, "only listens to the log now")
		}
	}
	return false, nil
}

// superfluous is the id of a server that is no member any more, "" for none; others come before ourselves
// by their order.
func superfluous(have map[string]raft.Server, c cib.Cluster) string {
	var gone []string
	for id := range have {
		if !slices.ContainsFunc(c.Members, func(m cib.Member) bool { return m.ID == id }) {
			gone = append(gone, id)
		}
	}
	slices.Sort(gone)
	if len(gone) == 0 {
		return ""
	}
	return gone[0]
}

// leave takes a server out, or its vote away. When it is us, another one leads first, and does it.
func (s *Store) leave(n *node, id string, do func() raft.Future, what string) (bool, error) {
	if id == n.id.Member {
		if n.alone() {
			return false, errors.New("the only voter of the log is not to be one")
		}
		if err := n.change(n.raft.LeadershipTransfer); err != nil {
			return false, fmt.Errorf("cannot hand the leadership over: %w", err)
		}
		return true, nil
	}
	if err := n.change(do); err != nil {
		return false, fmt.Errorf("member %s: %w", id, err)
	}
	s.cfg.Log.Info("a member "+what, "member", id)
	return true, nil
}

// takeIn offers our log to members that do not have it: those that are new, and those whose store has
// refused our raft. Those that take it listen from then on.
func (s *Store) takeIn(n *node, c cib.Cluster, have map[string]raft.Server) (changed bool, err error) {
	type reply struct {
		m   cib.Member
		a   answer
		err error
	}
	var (
		wg      sync.WaitGroup
		mu      sync.Mutex
		replies []reply
	)
	for _, m := range c.Members {
		_, in := have[m.ID]
		theirs, strange := s.strangeLog(m.Name)
		if m.ID == n.id.Member || in && !strange {
			continue
		}
		if theirs.Supersedes(n.id.Log) {
			err = errors.Join(err, fmt.Errorf("node %s has the log %s, to which ours gives way", m.Name, theirs))
			continue
		}
		if in && have[m.ID].Suffrage == raft.Voter { // it has lost what it has voted on: no vote until it has all again
			if err := n.change(func() raft.Future { return n.raft.DemoteVoter(raft.ServerID(m.ID), 0, configTimeout) }); err != nil {
				return false, err
			}
			s.cfg.Log.Warn("a voter has lost its log, or has another: it has no vote until it has caught up", "node", m.Name)
			return true, nil
		}
		wg.Go(func() {
			a, err := s.ask(m.Name, hello{Kind: kindOffer, Log: n.id.Log, Member: m.ID})
			mu.Lock()
			replies = append(replies, reply{m, a, err})
			mu.Unlock()
		})
	}
	wg.Wait()
	for _, r := range replies {
		switch {
		case r.err != nil:
			err = errors.Join(err, fmt.Errorf("node %s is not heard: %w", r.m.Name, r.err))
			continue
		case !r.a.OK:
			err = errors.Join(err, fmt.Errorf("node %s does not join our log: %s", r.m.Name, r.a.Why))
			continue
		}
		s.familiar(r.m.Name)
		if _, in := have[r.m.ID]; in {
			changed = true
			continue
		}
		add := func() raft.Future {
			return n.raft.AddNonvoter(raft.ServerID(r.m.ID), raft.ServerAddress(r.m.Name), 0, configTimeout)
		}
		if e := n.change(add); e != nil {
			err = errors.Join(err, fmt.Errorf("member %s: %w", r.m.Name, e))
			continue
		}
		s.cfg.Log.Info("a member listens to the log now", "node", r.m.Name, "member", r.m.ID)
		changed = true
	}
	return changed, err
}

// promote makes one listener a voter that is to be one and has caught up.
func (s *Store) promote(n *node, plan []string, have map[string]raft.Server) (changed bool, err error) {
	for _, id := range plan {
		srv, in := have[id]
		if !in || srv.Suffrage == raft.Voter {
			continue
		}
		a, e := s.ask(string(srv.Address), hello{Kind: kindStatus, Log: n.id.Log})
		_, last := n.last()
		switch {
		case e != nil:
			err = errors.Join(err, fmt.Errorf("node %s is not heard: %w", srv.Address, e))
		case a.Log != n.id.Log || a.Index+closeEnough < last:
			err = errors.Join(err, fmt.Errorf("node %s has not caught up: it is at %d of %d", srv.Address, a.Index, last))
		default:
			if e := n.change(func() raft.Future { return n.raft.AddVoter(srv.ID, srv.Address, 0, configTimeout) }); e != nil {
				return false, fmt.Errorf("member %s: %w", srv.Address, e)
			}
			s.cfg.Log.Info("a member votes on the log now", "node", string(srv.Address), "member", id)
			return true, nil
		}
	}
	return false, err
}

// strangeLog tells whether a node has refused our raft, and which log it has.
func (s *Store) strangeLog(node string) (LogID, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.strange[node]
	return a.Log, ok
}

func (s *Store) familiar(node string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.strange, node)
}

// Voter is a server of the log.
type Voter struct {
	ID    string // the member's
	Name  string
	Votes bool // otherwise it only listens
}

// Voters lists the servers of the log as this node knows them, by name.
func (s *Store) Voters() []Voter {
	n := s.node.Load()
	if n == nil {
		return nil
	}
	var list []Voter
	for _, srv := range n.servers() {
		list = append(list, Voter{ID: string(srv.ID), Name: string(srv.Address), Votes: srv.Suffrage == raft.Voter})
	}
	slices.SortFunc(list, func(a, b Voter) int {
		switch {
		case a.Name < b.Name:
			return -1
		case a.Name > b.Name:
			return 1
		}
		return 0
	})
	return list
}

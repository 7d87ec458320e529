package store

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Bootstrap begins the log of a new cluster, with this node as its only voter. It must be a member in
// first.Cluster, and must not have a log yet.
func (s *Store) Bootstrap(first cib.State) error {
	<-s.turn
	defer func() { s.turn <- struct{}{} }()
	if n := s.node.Load(); n != nil {
		return fmt.Errorf("this node already has the log %s of a cluster", n.id.Log)
	}
	f, err := s.foundation(first, 1, 1)
	if err != nil {
		return err
	}
	return s.settleOn(f)
}

func (s *Store) foundation(st cib.State, index, term uint64) (foundation, error) {
	m := st.Cluster.Member(s.cfg.Name)
	if m == nil {
		return foundation{}, fmt.Errorf("node %s is not a member of cluster %s", s.cfg.Name, st.Cluster.Name)
	}
	id := current{Log: LogID{Generation: st.Cluster.Generation, Founder: s.cfg.Name}, Member: m.ID}
	return foundation{id: id, name: s.cfg.Name, state: st, index: index, term: term}, nil
}

// settleOn writes a log of our own and takes it up.
func (s *Store) settleOn(f foundation) error {
	if s.ctx.Err() != nil {
		return ErrClosed
	}
	if err := found(s.cfg.Dir, f, s.cfg.Log); err != nil {
		return err
	}
	n, err := s.startNode(f.id)
	if err != nil {
		return err
	}
	s.adopt(n)
	return nil
}

// Recover goes on alone when a majority of the voters is lost for good: it makes a new log, one generation
// higher, from all that this node's log holds, with this node as the only voter, and carries first out on
// it, which records why (the evidence that the others are off). The caller has made sure that none of the
// lost voters runs or will come back with the old log unasked, and that this node's log is the best among
// the survivors' (see Last). The other survivors are taken into the new log as soon as they are heard.
//
// It returns the State that the new log begins with. After an error the old log still counts.
func (s *Store) Recover(ctx context.Context, first cib.Command) (cib.State, error) {
	<-s.turn
	defer func() { s.turn <- struct{}{} }()
	n := s.node.Load()
	if n == nil {
		return cib.NewState(cib.Cluster{}), s.noNode()
	}
	if err := context.Cause(ctx); err != nil {
		return n.fsm.view(), err
	}
	term := n.raft.CurrentTerm()
	s.node.Store(nil)
	if err := n.stop(); err != nil {
		return s.resume(n, err)
	}
	st, index, lastTerm, err := s.readAll(n)
	if err != nil {
		return s.resume(n, err)
	}
	generation := max(n.id.Log.Generation, st.Cluster.Generation) + 1
	if st, err = s.cfg.Speaks.Apply(st, first); err != nil {
		return s.resume(n, fmt.Errorf("cannot record why node %s goes on alone: %w", s.cfg.Name, err))
	}
	st.Index, st.Cluster.Generation = index+1, generation
	f, err := s.foundation(st, index+1, max(term, lastTerm)+termLeap)
	if err == nil {
		err = s.settleOn(f)
	}
	if err != nil {
		return s.resume(n, err)
	}
	s.cfg.Log.Warn("the voters of the old log are lost: this node goes on with a new one of its own",
		"old", n.id.Log.String(), "new", f.id.Log.String(), "index", f.index, "term", f.term)
	if err := supersede(s.cfg.Dir, n.id); err != nil {
		s.cfg.Log.Warn("the old log could not be put aside", "err", err)
	}
	return st, nil
}

// resume takes the old log up again after a change of logs has failed. When a new one counts already, that
// one is taken up.
func (s *Store) resume(n *node, cause error) (cib.State, error) {
	id, err := readCurrent(s.cfg.Dir)
	if err == nil && id != nil {
		var again *node
		if again, err = s.startNode(*id); err == nil {
			s.adopt(again)
			return again.fsm.view(), cause
		}
	}
	return n.fsm.view(), errors.Join(cause, err)
}

// readAll makes the State of the whole log of a node that has stopped: entries at its end that no leader
// has confirmed may have been acknowledged by one that is lost now, so they count.
func (s *Store) readAll(n *node) (st cib.State, index, term uint64, err error) {
	d, err := openDisk(n.disk.path, nil, nil)
	if err != nil {
		return st, 0, 0, err
	}
	st, index, term, err = readBack(d, n.snaps, n.fsm, math.MaxUint64)
	return st, index, term, errors.Join(err, d.close())
}

// statusOf is what we tell other stores about ourselves.
func (s *Store) statusOf(n *node) answer {
	a := answer{Name: s.cfg.Name, Blank: n == nil}
	if n != nil {
		a.Log = n.id.Log
		a.Term, a.Index = n.last()
	}
	return a
}

// consider decides on the offer of another leader to join its log, and does it. It returns why not.
func (s *Store) consider(h hello, n *node) string {
	switch {
	case h.Member == "" || h.Log.Founder == "":
		return "an offer without member id or log"
	case n == nil:
	case n.id.Log == h.Log && n.id.Member == h.Member:
		return ""
	case n.id.Log == h.Log:
		return fmt.Sprintf("%s is member %s of that log, not %s", s.cfg.Name, n.id.Member, h.Member)
	case !h.Log.Supersedes(n.id.Log):
		return fmt.Sprintf("%s has the log %s, which does not give way to %s", s.cfg.Name, n.id.Log, h.Log)
	case n.inCompany():
		return fmt.Sprintf("%s has the log %s, which lives in others too; if %s is right, stop them", s.cfg.Name, n.id.Log, h.From)
	}
	if err := s.join(current{Log: h.Log, Member: h.Member}, n); err != nil {
		s.cfg.Log.Error("cannot join the log of another node", "log", h.Log.String(), "node", h.From, "err", err)
		return err.Error()
	}
	return ""
}

// join exchanges our log for an empty one, which the leader fills.
func (s *Store) join(id current, old *node) error {
	<-s.turn
	defer func() { s.turn <- struct{}{} }()
	if s.node.Load() != old {
		return errors.New("the log has just been exchanged; ask again")
	}
	if s.ctx.Err() != nil {
		return ErrClosed
	}
	term := uint64(0)
	if old != nil {
		term = old.raft.CurrentTerm() + 1
		s.cfg.Log.Warn("our log gives way to another", "old", old.id.Log.String(), "new", id.Log.String())
		s.node.Store(nil)
		if err := old.stop(); err != nil {
			s.cfg.Log.Warn("the old log did not end well", "err", err)
		}
	}
	s.blank.Store(false)
	err := blank(s.cfg.Dir, id, term)
	if err == nil {
		var n *node
		if n, err = s.startNode(id); err == nil {
			s.adopt(n)
		}
	}
	if err != nil {
		if old != nil {
			_, err = s.resume(old, err)
		} else if id, e := readCurrent(s.cfg.Dir); e == nil && id == nil {
			s.blank.Store(true)
		}
		return err
	}
	if old != nil {
		if err := supersede(s.cfg.Dir, old.id); err != nil {
			s.cfg.Log.Warn("the old log could not be put aside", "err", err)
		}
	}
	return nil
}

// refused notes that a node does not share our log, for keepVoters to see to.
func (s *Store) refused(node string, a answer) {
	s.mu.Lock()
	_, known := s.strange[node]
	s.strange[node] = a
	s.mu.Unlock()
	if !known {
		s.cfg.Log.Info("a node does not share our log", "node", node, "why", a.Why)
	}
	s.kickVoters()
}

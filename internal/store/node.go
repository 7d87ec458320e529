package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/hashicorp/raft"
)

// node is our part in one log: raft, its disk and its network. Recovering and joining replace it.
type node struct {
	store *Store
	id    current
	disk  *disk
	cache *raft.LogCache
	snaps snapshots
	fsm   *machine
	layer *layer
	trans *transport
	raft  *raft.Raft
	lead  chan bool     // raft's word on leadership
	done  chan struct{} // closed when the node ends
	ready chan struct{} // closed when raft is set

	questions questions
	contacts  *contacts
	nudges    *nudges
}

// startNode opens the log that current.json names and takes part in it.
func (s *Store) startNode(id current) (n *node, err error) {
	dir := id.dir(s.cfg.Dir)
	n = &node{store: s, id: id, lead: make(chan bool, 16), done: make(chan struct{}), ready: make(chan struct{}), contacts: newContacts()}
	n.nudges = newNudges(n)
	if n.disk, err = openDisk(filepath.Join(dir, diskFile), s.cfg.SlowDisk, s.heardDisk); err != nil {
		if errors.Is(err, errDamaged) {
			err = fmt.Errorf("%w; %s", err, adviceDamaged)
		}
		return nil, err
	}
	d := n.disk
	defer func() {
		if err != nil {
			_ = d.close()
		}
	}()
	if n.snaps, err = openSnapshots(dir, s.cfg.Log); err != nil {
		return nil, err
	}
	if err = n.load(); err != nil {
		return nil, err
	}
	if n.cache, err = raft.NewLogCache(512, n.disk); err != nil {
		return nil, err
	}
	n.layer = newLayer(s, id.Log)
	log := &raftLog{to: s.cfg.Log}
	n.trans = &transport{node: n, NetworkTransport: raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream: n.layer, MaxPool: 3, Timeout: s.cfg.Timing.RPC, Logger: log, MsgpackUseNewTimeFormat: true,
		MaxRPCsInFlight: 1, // raft's pipeline waits for ever, and its Shutdown with it, when its reader has given up first
	})}
	if n.raft, err = raft.NewRaft(n.config(log), n.fsm, n.cache, n.disk, n.snaps, n.trans); err != nil {
		_ = n.trans.Close()
		return nil, fmt.Errorf("cannot take part in the log %s: %w", dir, err)
	}
	close(n.ready)
	commit := n.raft.CommitIndex
	n.disk.known.Store(&commit)
	s.wg.Go(n.followLead)
	return n, nil
}

// load makes the State as far as we know for sure that it is agreed on, before any leader is heard: a node
// that comes back alone must know who the others are.
func (n *node) load() error {
	metas, err := n.snaps.List()
	if err != nil {
		return err
	}
	if len(metas) > 0 {
		if err := n.disk.dropBelow(metas[0].Index); err != nil {
			return err
		}
	}
	n.fsm = &machine{
		log: n.store.cfg.Log, tell: n.store.tell, speaks: n.store.cfg.Speaks, behind: n.store.cfg.Behind, committed: n.spread,
	}
	s, _, _, err := readBack(n.disk, n.snaps, n.fsm, n.disk.committed())
	if err != nil {
		return err
	}
	n.fsm.state.Store(&s)
	n.store.tell(event{state: s})
	return nil
}

func (n *node) config(log *raftLog) *raft.Config {
	t := n.store.cfg.Timing
	c := raft.DefaultConfig()
	c.LocalID = raft.ServerID(n.id.Member)
	c.HeartbeatTimeout, c.ElectionTimeout, c.LeaderLeaseTimeout = t.Heartbeat, t.Election, t.Lease
	c.CommitTimeout = t.Commit
	c.MaxAppendEntries, c.BatchApplyCh = 256, true
	c.SnapshotInterval, c.SnapshotThreshold, c.TrailingLogs = t.SnapshotInterval, t.SnapshotThreshold, t.TrailingLogs
	c.NoSnapshotRestoreOnStart = true // load has done it
	c.NoLegacyTelemetry = true
	c.NotifyCh = n.lead
	c.Logger = log
	return c
}

// stop ends our part in the log. What raft has not yet applied stays in the log.
func (n *node) stop() error {
	n.questions.drain()
	n.nudges.end()
	close(n.done)
	ended := n.raft.Shutdown()
	err := errors.Join(n.trans.Close(), n.layer.Close(), ended.Error()) // without connections nothing holds raft up
	n.contacts.end()
	return errors.Join(err, n.disk.close())
}

// followLead passes on what raft says of leadership, with the term.
func (n *node) followLead() {
	var told uint64
	for {
		select {
		case leads := <-n.lead:
			if leads {
				told = n.raft.CurrentTerm()
			}
			n.store.onLead(n, leads, told)
		case <-n.done:
			if told != 0 {
				n.store.onLead(n, false, told)
			}
			return
		}
	}
}

// alone reports whether we are the only voter.
func (n *node) alone() bool {
	voters, self := 0, false
	for _, s := range n.servers() {
		if s.Suffrage == raft.Voter {
			voters++
			self = self || s.ID == raft.ServerID(n.id.Member)
		}
	}
	return self && voters == 1
}

func (n *node) servers() []raft.Server {
	f := n.raft.GetConfiguration()
	if f.Error() != nil {
		return nil
	}
	return f.Configuration().Servers
}

// campaign has raft hold an election now instead of after its time-out.
func (n *node) campaign() error {
	self := raft.ServerAddress(n.store.cfg.Name)
	return n.trans.TimeoutNow(raft.ServerID(n.id.Member), self, &raft.TimeoutNowRequest{RPCHeader: n.header()}, new(raft.TimeoutNowResponse))
}

func (n *node) header() raft.RPCHeader {
	self := raft.ServerAddress(n.store.cfg.Name)
	id := raft.ServerID(n.id.Member)
	return raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(id), Addr: n.trans.EncodePeer(id, self)}
}

// last returns term and index of the last entry that we have.
func (n *node) last() (term, index uint64) {
	var l raft.Log
	if index = n.raft.LastIndex(); index > 0 && n.cache.GetLog(index, &l) == nil {
		return l.Term, index
	}
	return n.lastOfAll()
}

// lastOfAll is last where that is in a snapshot. It asks raft for all that it can tell, which is much.
func (n *node) lastOfAll() (term, index uint64) {
	stats := n.raft.Stats()
	get := func(key string) uint64 {
		v, _ := strconv.ParseUint(stats[key], 10, 64)
		return v
	}
	term, index = get("last_log_term"), get("last_log_index")
	if i := get("last_snapshot_index"); i > index {
		term, index = get("last_snapshot_term"), i
	}
	return term, index
}

// inCompany reports whether we are part of a log that lives, together with others.
func (n *node) inCompany() bool {
	if n.raft.State() == raft.Leader {
		return !n.alone()
	}
	leader, _ := n.raft.LeaderWithID()
	return leader != "" && time.Since(n.raft.LastContact()) < 2*n.store.cfg.Timing.Heartbeat
}

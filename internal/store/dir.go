package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/raft"

	"github.com/cerco-ha/cerco/internal/cib"
)

// A store's directory holds a directory a log, log-GENERATION-FOUNDER, and current.json, which says which
// of them counts. A new log is written as a whole before current.json is replaced, so a crash leaves
// either the old one or the new one. The log that was given up last is kept as superseded-….
type current struct {
	Log    LogID  `json:"log"`
	Member string `json:"member"` // our id: raft's name for us
}

const (
	currentFile = "current.json"
	diskFile    = "log.db"
	oldPrefix   = "superseded-"
	logPrefix   = "log-"
)

// termLeap is added to raft's term when survivors make a new log: terms of leaders that they never heard
// of must lie below it, since executors refuse what comes from a lower one.
const termLeap = 1000

func (c current) dir(base string) string {
	return filepath.Join(base, fmt.Sprintf("%s%d-%s", logPrefix, c.Log.Generation, c.Log.Founder))
}

// readCurrent returns nil when there is no log yet.
func readCurrent(base string) (*current, error) {
	path := filepath.Join(base, currentFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noOrphan(base)
	}
	if err != nil {
		return nil, diskError("read", path, err)
	}
	var c current
	if err := json.Unmarshal(b, &c); err != nil || c.Member == "" {
		return nil, fmt.Errorf("%s: %w: %q; %s", path, errDamaged, b, adviceDamaged)
	}
	return &c, nil
}

// noOrphan makes sure that a directory without current.json has no log either: one that lost only the
// former would otherwise pass for new.
func noOrphan(base string) error {
	logs, err := filepath.Glob(filepath.Join(base, logPrefix+"*", diskFile))
	if err == nil && len(logs) > 0 {
		err = fmt.Errorf("%s has a log but no %s: %w; %s", base, currentFile, errDamaged, adviceDamaged)
	}
	return err
}

const adviceDamaged = "restore the directory, or let this node join again: on another node `cerco cluster node remove`, here remove the directory, then join"

func writeCurrent(base string, c current) error {
	b, err := json.Marshal(c)
	if err != nil {
		return err
	}
	tmp := filepath.Join(base, currentFile+".tmp")
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return diskError("write", tmp, err)
	}
	_, err = f.Write(append(b, '\n'))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(tmp, filepath.Join(base, currentFile))
	}
	if err == nil {
		err = syncDir(base)
	}
	if err != nil {
		return diskError("write", tmp, err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// foundation is what a log of one's own begins with.
type foundation struct {
	id          current
	name        string // our node
	state       cib.State
	index, term uint64
}

// found makes a log whose first entry is a snapshot of the state, with one voter: us. With current.json it
// becomes the log that counts.
func found(base string, f foundation, log *slog.Logger) error {
	if f.id.Member == "" {
		return fmt.Errorf("node %s is not a member of the cluster that it is to begin", f.name)
	}
	dir := f.id.dir(base)
	if err := os.RemoveAll(dir); err != nil { // of an attempt that was cut short
		return diskError("clear", dir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return diskError("make", dir, err)
	}
	d, err := openDisk(filepath.Join(dir, diskFile), nil, nil)
	if err != nil {
		return err
	}
	err = d.SetUint64([]byte(keyTerm), f.term)
	if err = errors.Join(err, d.close()); err != nil {
		return err
	}
	snaps, err := openSnapshots(dir, log)
	if err != nil {
		return err
	}
	alone := raft.Configuration{Servers: []raft.Server{{
		Suffrage: raft.Voter, ID: raft.ServerID(f.id.Member), Address: raft.ServerAddress(f.name),
	}}}
	_, trans := raft.NewInmemTransport(raft.ServerAddress(f.name))
	defer trans.Close()
	sink, err := snaps.Create(1, f.index, f.term, alone, 1, trans)
	if err != nil {
		return diskError("write a snapshot to", dir, err)
	}
	f.state.Index = f.index
	if err := (snapshot{f.state}).Persist(sink); err != nil {
		return diskError("write a snapshot to", dir, err)
	}
	if err := syncDir(dir); err != nil {
		return diskError("write", dir, err)
	}
	return writeCurrent(base, f.id)
}

// blank makes an empty log, for a node that joins another's. Its term is above all that the node took part in
// with its old log, if it had one: a leader whose term is not must be elected again before it is followed,
// since what the executors of this node have seen must not be of a later term than what they are to do.
func blank(base string, id current, term uint64) error {
	dir := id.dir(base)
	if err := os.RemoveAll(dir); err != nil {
		return diskError("clear", dir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return diskError("make", dir, err)
	}
	d, err := openDisk(filepath.Join(dir, diskFile), nil, nil)
	if err != nil {
		return err
	}
	err = d.SetUint64([]byte(keyTerm), term)
	if err = errors.Join(err, d.close()); err != nil {
		return err
	}
	return writeCurrent(base, id)
}

// supersede puts an old log aside, and removes the one that was put aside before.
func supersede(base string, old current) error {
	entries, err := os.ReadDir(base)
	if err != nil {
		return diskError("read", base, err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), oldPrefix) {
			if err := os.RemoveAll(filepath.Join(base, e.Name())); err != nil {
				return diskError("clear", base, err)
			}
		}
	}
	dir := old.dir(base)
	if err := os.Rename(dir, filepath.Join(base, oldPrefix+strings.TrimPrefix(filepath.Base(dir), logPrefix))); err != nil {
		return diskError("put aside", dir, err)
	}
	return nil
}

// snapshots is raft's snapshot store, with files that nobody else may read.
type snapshots struct {
	*raft.FileSnapshotStore
	dir string
}

var _ raft.SnapshotStore = snapshots{}

func openSnapshots(dir string, log *slog.Logger) (snapshots, error) {
	s, err := raft.NewFileSnapshotStoreWithLogger(dir, 2, &raftLog{to: log})
	if err != nil {
		return snapshots{}, diskError("use", dir, err)
	}
	return snapshots{s, filepath.Join(dir, "snapshots")}, nil
}

// Create begins a snapshot. The directory above is ours alone (0700), so the moment before the modes of
// the files are set is no hole.
func (s snapshots) Create(v raft.SnapshotVersion, index, term uint64, c raft.Configuration, ci uint64, t raft.Transport) (raft.SnapshotSink, error) {
	sink, err := s.FileSnapshotStore.Create(v, index, term, c, ci, t)
	if err != nil {
		return nil, diskError("begin a snapshot in", s.dir, err)
	}
	return privateSink{sink, filepath.Join(s.dir, sink.ID())}, nil
}

type privateSink struct {
	raft.SnapshotSink
	dir string
}

// Close ends the snapshot.
func (p privateSink) Close() error {
	if err := p.SnapshotSink.Close(); err != nil {
		return diskError("write", p.dir, err)
	}
	files, err := os.ReadDir(p.dir)
	for _, f := range files {
		err = errors.Join(err, os.Chmod(filepath.Join(p.dir, f.Name()), 0o600))
	}
	return errors.Join(err, os.Chmod(p.dir, 0o700))
}

// readBack makes the State that a log leads to: its newest snapshot and the entries after it, as far as
// upTo says. It also returns index and term of the last entry that there is, applied or not.
func readBack(d *disk, snaps snapshots, m *machine, upTo uint64) (s cib.State, index, term uint64, err error) {
	metas, err := snaps.List()
	if err != nil {
		return s, 0, 0, err
	}
	s = cib.NewState(cib.Cluster{})
	if len(metas) > 0 {
		if s, err = readSnapshot(snaps, metas[0].ID, m.speaks); errors.Is(err, cib.ErrBehind) {
			return s, 0, 0, err
		} else if err != nil {
			return s, 0, 0, fmt.Errorf("snapshot %s: %w: %v; %s", metas[0].ID, errDamaged, err, adviceDamaged)
		}
		index, term = metas[0].Index, metas[0].Term
	}
	first, err := d.FirstIndex()
	if err != nil {
		return s, 0, 0, err
	}
	last, err := d.LastIndex()
	if err != nil {
		return s, 0, 0, err
	}
	if first > index+1 {
		return s, 0, 0, fmt.Errorf("%s: %w: it begins at entry %d, the snapshot ends at %d; %s", d.path, errDamaged, first, index, adviceDamaged)
	}
	for i := index + 1; i <= last; i++ {
		var l raft.Log
		if err := d.GetLog(i, &l); err != nil {
			return s, 0, 0, err
		}
		index, term = l.Index, l.Term
		if l.Type == raft.LogCommand && l.Index > s.Index && l.Index <= upTo {
			if s, _, err = m.step(s, &l); errors.Is(err, cib.ErrBehind) {
				return s, 0, 0, err
			}
		}
	}
	return s, index, term, nil
}

func readSnapshot(snaps snapshots, id string, speaks cib.Vocabulary) (cib.State, error) {
	_, r, err := snaps.Open(id)
	if err != nil {
		return cib.State{}, err
	}
	s, err := speaks.DecodeState(r)
	return s, errors.Join(err, r.Close())
}

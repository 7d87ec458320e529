package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/raft"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// disk is the log and the small facts (term, vote) that raft must find again after a crash, in one bbolt
// file and the journal in front of it. Each entry carries a checksum; Open reads all of them, so that a damaged
// log is noticed before anybody relies on it.
//
// The journal is there while the log is in use. A clean end puts all into the bbolt file, as programs have it that
// know of no journal; until then the mark there keeps them from taking half of a log for the whole.
type disk struct {
	db    *bbolt.DB
	path  string
	slow  func() time.Duration // the lab's slow disk; may be nil
	told  func(error)          // hears of each write: nil, or why it failed
	known atomic.Pointer[func() uint64]

	turn    sync.Mutex // whoever writes has it
	journal *journal   // nil: the bbolt file has everything
	commit  uint64     // an index that is surely committed

	mu   sync.RWMutex
	tail tail // what is in the journal only
}

var (
	_ raft.LogStore    = (*disk)(nil)
	_ raft.StableStore = (*disk)(nil)

	_ raft.MonotonicLogStore = (*disk)(nil)
)

var (
	bucketLog  = []byte("log")
	bucketMeta = []byte("meta")
	keyCommit  = []byte("commit") // an index that is surely committed; while there is a journal, its lap too
)

// keyTerm is a key that raft itself uses in a StableStore.
const keyTerm = "CurrentTerm"

func openDisk(path string, slow func() time.Duration, told func(error)) (d *disk, err error) {
	defer func() {
		if p := recover(); p != nil { // bbolt panics over pages that make no sense
			d, err = nil, fmt.Errorf("%s: %w: %v", path, errDamaged, p)
		}
	}()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout: 2 * time.Second, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType, NoStatistics: true,
	})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("%s is in use: another cerco daemon runs with the same directory", path)
	case err != nil && !errors.As(err, new(*fs.PathError)):
		return nil, fmt.Errorf("%s: %w: %v", path, errDamaged, err)
	case err != nil:
		return nil, diskError("open", path, err)
	}
	d = &disk{db: db, path: path, slow: slow, told: told}
	if err = d.takeUp(); err != nil {
		if d.journal != nil {
			_ = d.journal.f.Close()
		}
		_ = db.Close()
		return nil, err
	}
	return d, nil
}

// takeUp reads what there is, the journal of a node that had no time to end well too.
func (d *disk) takeUp() error {
	var lap, old uint64
	err := d.db.View(func(tx *bbolt.Tx) (err error) {
		if meta := tx.Bucket(bucketMeta); meta != nil {
			d.commit, lap, old, err = readMark(meta.Get(keyCommit))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", d.path, err)
	}
	if lap == 0 {
		if err := os.Remove(filepath.Join(filepath.Dir(d.path), journalFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return diskError("clear", d.path, err)
		}
	} else if err := d.replay(lap, old); err != nil {
		return err
	}
	if err := d.verify(); err != nil {
		return err
	}
	err = d.write(func() error { return d.settle(batch{}, d.journal, nil) })
	if err != nil && d.journal != nil { // it is all on the disk; what is to come waits for room
		d.journal.broken = true
		return nil
	}
	return err
}

// replay reads a lap of the journal. The facts of its first records may be old.
func (d *disk) replay(lap, old uint64) error {
	j, bodies, err := reopenJournal(filepath.Dir(d.path), lap)
	if err != nil {
		return err
	}
	d.journal = j
	for n, body := range bodies {
		b, err := decodeBatch(body)
		if err != nil {
			return fmt.Errorf("%s: %w", j.f.Name(), err)
		}
		if uint64(n) < old {
			b.items = slices.DeleteFunc(b.items, func(i item) bool { return i.fact })
		}
		d.commit = max(d.commit, b.commit)
		d.tail.add(b)
	}
	return nil
}

// readMark reads what keyCommit has: 8 bytes of an index, 8 of the journal's lap while there is one, and 8 that say of how
// many of its records the facts are old, if they are. Programs that know of no journal refuse more than the index.
func readMark(v []byte) (commit, lap, old uint64, err error) {
	if len(v) > 24 || len(v)%8 != 0 {
		return 0, 0, 0, fmt.Errorf("%w: %s has %d bytes", errDamaged, keyCommit, len(v))
	}
	for i, n := range []*uint64{&commit, &lap, &old} {
		if len(v) >= 8*(i+1) {
			*n = binary.BigEndian.Uint64(v[8*i:])
		}
	}
	return commit, lap, old, nil
}

// verify reads the whole log: entries must be whole and follow each other.
func (d *disk) verify() error {
	var last uint64
	check := func(k, v []byte) error {
		var l raft.Log
		if err := decodeEntry(k, v, &l); err != nil {
			return fmt.Errorf("%s: %w", d.path, err)
		}
		if last != 0 && l.Index != last+1 {
			return fmt.Errorf("%s: %w: entry %d follows entry %d", d.path, errDamaged, l.Index, last)
		}
		last = l.Index
		return nil
	}
	return d.db.View(func(tx *bbolt.Tx) error {
		if b := tx.Bucket(bucketLog); b != nil {
			if err := b.ForEach(check); err != nil {
				return err
			}
		}
		for _, i := range d.tail.entries {
			if err := check(i.key, i.val); err != nil {
				return err
			}
		}
		return nil
	})
}

// close ends the use of the log: the bbolt file has all of it then.
func (d *disk) close() error {
	var err error
	if known := d.known.Load(); d.journal != nil || known != nil {
		last, _ := d.LastIndex()
		err = d.write(func() error {
			if known != nil {
				d.commit = max(d.commit, min((*known)(), last))
			}
			return d.settle(batch{}, nil, nil)
		})
	}
	if d.journal != nil { // it still counts
		err = errors.Join(err, d.journal.f.Close())
	}
	return errors.Join(err, d.db.Close())
}

// write has its turn at the disk; what f has written is there when it returns without an error.
func (d *disk) write(f func() error) error {
	if d.slow != nil {
		if wait := d.slow(); wait > 0 {
			time.Sleep(wait)
		}
	}
	d.turn.Lock()
	err := f()
	d.turn.Unlock()
	if err != nil {
		err = diskError("write", d.path, err)
	}
	if d.told != nil {
		d.told(err)
	}
	return err
}

// keep writes a batch: into the journal if that takes it.
func (d *disk) keep(b batch) error {
	j := d.journal
	if j == nil || !d.follows(b) {
		return d.settle(b, j, nil)
	}
	record := encodeRecord(j.lap, j.seq, b.encode())
	if !j.takes(len(record)) {
		return d.settle(b, j, nil)
	}
	if err := j.append(record); err != nil {
		return err
	}
	d.mu.Lock()
	d.tail.add(b)
	d.mu.Unlock()
	return nil
}

// follows reports whether a batch's entries come right after those that there are.
func (d *disk) follows(b batch) bool {
	last, err := d.LastIndex()
	for _, i := range b.items {
		if i.fact {
			continue
		}
		index := binary.BigEndian.Uint64(i.key)
		if last != 0 && index != last+1 {
			return false
		}
		last = index
	}
	return err == nil
}

// settle puts what the journal has, and a batch, and what more does, into the bbolt file in one transaction. From then on
// what counts is the journal's next lap, or no journal; a journal that has failed is given up.
func (d *disk) settle(b batch, j *journal, more func(log *bbolt.Bucket) error) error {
	if j != nil && j.broken {
		j = nil
	}
	mark := indexKey(d.commit)
	if j != nil {
		mark = append(mark, indexKey(j.lap+1)...)
	}
	err := d.db.Update(func(tx *bbolt.Tx) error {
		log, err := tx.CreateBucketIfNotExists(bucketLog)
		if err != nil {
			return err
		}
		log.FillPercent = 0.9 // entries are appended
		meta, err := tx.CreateBucketIfNotExists(bucketMeta)
		if err == nil {
			err = d.tail.put(log, meta)
		}
		if err == nil {
			err = putItems(log, meta, b.items)
		}
		if err == nil && more != nil {
			err = more(log)
		}
		if err == nil {
			err = meta.Put(keyCommit, mark)
		}
		return err
	})
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.tail = tail{}
	d.mu.Unlock()
	if j != nil {
		j.next()
	} else if d.journal != nil {
		d.journal.remove()
	}
	d.journal = j
	return nil
}

// diskError says what to do about a disk that refuses.
func diskError(verb, path string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("cannot %s %s: %w: nothing was acknowledged; make room on that file system, the node goes on by itself", verb, path, err)
	case errors.Is(err, syscall.EROFS), errors.Is(err, syscall.EIO):
		return fmt.Errorf("cannot %s %s: %w: nothing was acknowledged; the disk is failing or mounted read-only, look at the kernel's log", verb, path, err)
	}
	return fmt.Errorf("cannot %s %s: %w", verb, path, err)
}

// FirstIndex is that of the oldest entry, 0 for none.
func (d *disk) FirstIndex() (uint64, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if index, err := d.edge((*bbolt.Cursor).First); err != nil || index != 0 {
		return index, err
	}
	return d.tail.first(), nil
}

// LastIndex is that of the newest entry, 0 for none.
func (d *disk) LastIndex() (uint64, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if last := d.tail.last(); last != 0 {
		return last, nil
	}
	return d.edge((*bbolt.Cursor).Last)
}

func (d *disk) edge(to func(*bbolt.Cursor) ([]byte, []byte)) (index uint64, err error) {
	err = d.db.View(func(tx *bbolt.Tx) error {
		if k, _ := to(tx.Bucket(bucketLog).Cursor()); k != nil {
			index = binary.BigEndian.Uint64(k)
		}
		return nil
	})
	return index, err
}

// GetLog reads an entry; raft.ErrLogNotFound when there is none of that index.
func (d *disk) GetLog(index uint64, l *raft.Log) error {
	d.mu.RLock()
	i, young := d.tail.entry(index)
	d.mu.RUnlock()
	if young {
		return decodeEntry(i.key, i.val, l)
	}
	return d.db.View(func(tx *bbolt.Tx) error {
		key := indexKey(index)
		v := tx.Bucket(bucketLog).Get(key)
		if v == nil {
			return raft.ErrLogNotFound
		}
		if err := decodeEntry(key, v, l); err != nil {
			return fmt.Errorf("%s: %w", d.path, err)
		}
		return nil
	})
}

// StoreLog writes one entry.
func (d *disk) StoreLog(l *raft.Log) error { return d.StoreLogs([]*raft.Log{l}) }

// StoreLogs writes entries, and with them how far the log is known to be committed. The first ones begin a journal,
// if one can be made.
func (d *disk) StoreLogs(logs []*raft.Log) error {
	var b batch
	for _, l := range logs {
		b.items = append(b.items, item{key: indexKey(l.Index), val: encodeEntry(l)})
	}
	return d.write(func() error {
		if known := d.known.Load(); known != nil && len(logs) > 0 {
			d.commit = max(d.commit, min((*known)(), logs[len(logs)-1].Index))
		}
		b.commit = d.commit
		if d.journal == nil {
			return d.begin(b)
		}
		return d.keep(b)
	})
}

// begin writes a batch and has a journal count from then on, if one can be made.
func (d *disk) begin(b batch) error {
	j, err := newJournal(filepath.Dir(d.path))
	if err != nil {
		return d.settle(b, nil, nil)
	}
	if err = d.settle(b, j, nil); err != nil {
		j.remove()
	}
	return err
}

// committed is an index that is surely committed.
func (d *disk) committed() uint64 {
	d.turn.Lock()
	defer d.turn.Unlock()
	return d.commit
}

// DeleteRange takes entries out, both ends included.
func (d *disk) DeleteRange(from, to uint64) error {
	return d.write(func() error {
		return d.settle(batch{}, d.journal, func(log *bbolt.Bucket) error {
			c := log.Cursor()
			for k, _ := c.Seek(indexKey(from)); k != nil && binary.BigEndian.Uint64(k) <= to; k, _ = c.Seek(indexKey(from)) {
				if err := c.Delete(); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// IsMonotonic tells raft that entries must follow each other without gaps.
func (d *disk) IsMonotonic() bool { return true }

// dropBelow takes the whole log out when it ends below a snapshot, which a crash in the middle of
// receiving that snapshot leaves behind.
func (d *disk) dropBelow(snapshot uint64) error {
	last, err := d.LastIndex()
	if err != nil || last == 0 || last >= snapshot {
		return err
	}
	return d.DeleteRange(0, last)
}

// Set writes a small fact.
func (d *disk) Set(key, val []byte) error {
	i := item{fact: true, key: bytes.Clone(key), val: bytes.Clone(val)}
	return d.write(func() error {
		err := d.keep(batch{commit: d.commit, items: []item{i}})
		if err != nil && d.journal != nil && d.keepFacts(i) == nil {
			return nil
		}
		return err
	})
}

// keepFacts writes a fact, and those that the journal has, straight into the bbolt file, when there is no room for all
// of the journal there: raft cannot go on without knowing its term. Nothing follows in this lap of the journal.
func (d *disk) keepFacts(i item) error {
	d.journal.broken = true
	mark := append(append(indexKey(d.commit), indexKey(d.journal.lap)...), indexKey(d.journal.seq+1)...)
	err := d.db.Update(func(tx *bbolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		facts := tail{facts: d.tail.facts}
		if err := facts.put(nil, meta); err != nil {
			return err
		}
		return errors.Join(meta.Put(i.key, i.val), meta.Put(keyCommit, mark))
	})
	if err == nil {
		d.mu.Lock()
		d.tail.facts = nil
		d.mu.Unlock()
	}
	return err
}

// Get reads a small fact; nothing when it is not there.
func (d *disk) Get(key []byte) (val []byte, err error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if v, young := d.tail.facts[string(key)]; young {
		return bytes.Clone(v), nil
	}
	err = d.db.View(func(tx *bbolt.Tx) error {
		val = append(val, tx.Bucket(bucketMeta).Get(key)...)
		return nil
	})
	return val, err
}

// SetUint64 writes a number.
func (d *disk) SetUint64(key []byte, n uint64) error { return d.Set(key, indexKey(n)) }

// GetUint64 reads a number; 0 when it is not there.
func (d *disk) GetUint64(key []byte) (uint64, error) {
	v, err := d.Get(key)
	switch {
	case err != nil || len(v) == 0:
		return 0, err
	case len(v) != 8:
		return 0, fmt.Errorf("%s: %w: %s has %d bytes", d.path, errDamaged, key, len(v))
	}
	return binary.BigEndian.Uint64(v), nil
}

package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hashicorp/raft"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// disk is the log and the small facts (term, vote) that raft must find again after a crash, in one bbolt
// file. Each entry carries a checksum; Open reads all of them, so that a damaged log is noticed before
// anybody relies on it.
type disk struct {
	db    *bbolt.DB
	path  string
	slow  func() time.Duration // the lab's slow disk; may be nil
	told  func(error)          // hears of each write: nil, or why it failed
	known atomic.Pointer[func() uint64]
}

var (
	_ raft.LogStore    = (*disk)(nil)
	_ raft.StableStore = (*disk)(nil)

	_ raft.MonotonicLogStore = (*disk)(nil)
)

var (
	bucketLog  = []byte("log")
	bucketMeta = []byte("meta")
	keyCommit  = []byte("commit") // an index that is surely committed
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	errDamaged = errors.New("the log is damaged")
)

// Keys that raft itself uses in a StableStore.
const (
	keyTerm = "CurrentTerm"
	maxSkew = 8 + 1 + 8 + 4 // bytes of an entry before its data
)

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
	if err := d.write(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucketLog)
		if err == nil {
			_, err = tx.CreateBucketIfNotExists(bucketMeta)
		}
		return err
	}); err != nil {
		_ = db.Close()
		return nil, err
	}
	if err := d.verify(); err != nil {
		_ = db.Close()
		return nil, err
	}
	return d, nil
}

// verify reads the whole log: entries must be whole and follow each other.
func (d *disk) verify() error {
	return d.db.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketLog).Cursor()
		var last uint64
		for k, v := c.First(); k != nil; k, v = c.Next() {
			var l raft.Log
			if err := decodeEntry(k, v, &l); err != nil {
				return fmt.Errorf("%s: %w", d.path, err)
			}
			if last != 0 && l.Index != last+1 {
				return fmt.Errorf("%s: %w: entry %d follows entry %d", d.path, errDamaged, l.Index, last)
			}
			last = l.Index
		}
		return nil
	})
}

func (d *disk) close() error { return d.db.Close() }

// write runs f in a transaction that is on the disk when it returns without an error.
func (d *disk) write(f func(*bbolt.Tx) error) error {
	if d.slow != nil {
		if wait := d.slow(); wait > 0 {
			time.Sleep(wait)
		}
	}
	err := d.db.Update(f)
	if err != nil {
		err = diskError("write", d.path, err)
	}
	if d.told != nil {
		d.told(err)
	}
	return err
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
func (d *disk) FirstIndex() (uint64, error) { return d.edge((*bbolt.Cursor).First) }

// LastIndex is that of the newest entry, 0 for none.
func (d *disk) LastIndex() (uint64, error) { return d.edge((*bbolt.Cursor).Last) }

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

// StoreLogs writes entries, and with them how far the log is known to be committed.
func (d *disk) StoreLogs(logs []*raft.Log) error {
	return d.write(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketLog)
		b.FillPercent = 0.9 // entries are appended
		var last uint64
		for _, l := range logs {
			if err := b.Put(indexKey(l.Index), encodeEntry(l)); err != nil {
				return err
			}
			last = l.Index
		}
		return d.putCommit(tx, last)
	})
}

func (d *disk) putCommit(tx *bbolt.Tx, last uint64) error {
	known := d.known.Load()
	if known == nil {
		return nil
	}
	commit := min((*known)(), last)
	m := tx.Bucket(bucketMeta)
	if old := m.Get(keyCommit); len(old) == 8 && binary.BigEndian.Uint64(old) >= commit {
		return nil
	}
	return m.Put(keyCommit, indexKey(commit))
}

// saveCommit writes how far the log is committed, on a clean end.
func (d *disk) saveCommit() error {
	return d.write(func(tx *bbolt.Tx) error {
		k, _ := tx.Bucket(bucketLog).Cursor().Last()
		if k == nil {
			return nil
		}
		return d.putCommit(tx, binary.BigEndian.Uint64(k))
	})
}

// committed is what putCommit has written last.
func (d *disk) committed() (uint64, error) { return d.GetUint64(keyCommit) }

// DeleteRange takes entries out, both ends included.
func (d *disk) DeleteRange(from, to uint64) error {
	return d.write(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketLog).Cursor()
		for k, _ := c.Seek(indexKey(from)); k != nil && binary.BigEndian.Uint64(k) <= to; k, _ = c.Seek(indexKey(from)) {
			if err := c.Delete(); err != nil {
				return err
			}
		}
		return nil
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
	return d.write(func(tx *bbolt.Tx) error { return tx.Bucket(bucketMeta).Put(key, val) })
}

// Get reads a small fact; nothing when it is not there.
func (d *disk) Get(key []byte) (val []byte, err error) {
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

func indexKey(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// encodeEntry: term (8 bytes), type (1), time of appending in ns (8), length of the extensions (4),
// extensions, data, and a CRC-32C of the index and of all that is before it.
func encodeEntry(l *raft.Log) []byte {
	b := make([]byte, 0, maxSkew+len(l.Extensions)+len(l.Data)+4)
	b = binary.BigEndian.AppendUint64(b, l.Term)
	b = append(b, byte(l.Type))
	var at int64
	if !l.AppendedAt.IsZero() {
		at = l.AppendedAt.UnixNano()
	}
	b = binary.BigEndian.AppendUint64(b, uint64(at))
	b = binary.BigEndian.AppendUint32(b, uint32(len(l.Extensions)))
	b = append(b, l.Extensions...)
	b = append(b, l.Data...)
	return binary.BigEndian.AppendUint32(b, entrySum(indexKey(l.Index), b))
}

func entrySum(key, b []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, b)
}

// decodeEntry copies what it reads: bbolt's memory is valid within its transaction only.
func decodeEntry(key, v []byte, l *raft.Log) error {
	if len(key) != 8 || len(v) < maxSkew+4 {
		return fmt.Errorf("%w: an entry of %d bytes", errDamaged, len(v))
	}
	index := binary.BigEndian.Uint64(key)
	body, sum := v[:len(v)-4], binary.BigEndian.Uint32(v[len(v)-4:])
	if entrySum(key, body) != sum {
		return fmt.Errorf("%w: entry %d has a wrong checksum", errDamaged, index)
	}
	ext := int(binary.BigEndian.Uint32(body[17:21]))
	if ext > len(body)-maxSkew {
		return fmt.Errorf("%w: entry %d has extensions beyond its end", errDamaged, index)
	}
	*l = raft.Log{Index: index, Term: binary.BigEndian.Uint64(body), Type: raft.LogType(body[8])}
	if at := int64(binary.BigEndian.Uint64(body[9:17])); at != 0 {
		l.AppendedAt = time.Unix(0, at)
	}
	if ext > 0 {
		l.Extensions = append([]byte(nil), body[maxSkew:maxSkew+ext]...)
	}
	l.Data = append([]byte(nil), body[maxSkew+ext:]...)
	return nil
}

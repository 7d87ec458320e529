package executor

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/driver"
	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// States of a record.
const (
	opAccepted = "accepted"
	opBegun    = "begun"
	opDone     = "done"
)

// record is what the ledger has of one ordered operation.
type record struct {
	Op     cib.Operation `json:"op"`
	CallID int           `json:"call_id"`
	State  string        `json:"state"`
	Result *cib.OpResult `json:"result,omitempty"`
}

// doneRecord is a record as it is written when there is a result: that tells what the operation was.
type doneRecord struct {
	Op     doneOp          `json:"op"`
	CallID int             `json:"call_id"`
	State  string          `json:"state"`
	Result json.RawMessage `json:"result"`
}

type doneOp struct {
	Epoch  cib.Epoch `json:"epoch"`
	Action int       `json:"action"`
}

// savedRecurring is what the ledger has of a recurring operation.
type savedRecurring struct {
	Op       cib.Operation `json:"op"`
	CallID   int           `json:"call_id"`
	Reported bool          `json:"reported"` // there is a last result, and it was reported
	RC       int           `json:"rc"`
	Status   int           `json:"status"`
	Changed  int64         `json:"changed"`  // seconds since the epoch
	LastRun  int64         `json:"last_run"` // ms since the epoch
}

// work is an agent that is doing something to a resource: whatever it does, and whoever wanted it, nothing else may
// begin beside it. An operation can be forgotten while its agent is still at work; this is not.
type work struct {
	Op      cib.Operation  `json:"op"`               // without its parameters
	Begun   int64          `json:"begun"`            // ms since the epoch
	Process driver.Process `json:"process,omitzero"` // none: it was about to be started
}

// ledger is what outlives the daemon. All of it is void after a boot, but for the epoch and the base of the
// serial numbers, which have a file of their own: only they must survive a loss of power, so only they are
// forced to the disk. The rest has to survive the death of a process, for which the kernel's memory will do.
// Its methods are called under the executor's lock, but for begin and atWork.
type ledger struct {
	path string // of the lasting file
	db   *journal
	log  *slog.Logger

	epoch  cib.Epoch
	boots  uint64
	serial uint64
	call   int
	open   map[opKey]*record // of the highest epoch, and what is not done of others
}

type opKey struct {
	epoch  cib.Epoch
	action int
}

// lasting is what survives a loss of power.
type lasting struct {
	Term  uint64 `json:"term"`  // highest that was seen
	Boots uint64 `json:"boots"` // how many ledgers there have been
}

const (
	bucketMeta      = "meta"
	bucketOps       = "operations"
	bucketOutbox    = "outbox"
	bucketRecurring = "recurring"
	bucketStates    = "states"
	bucketWork      = "work" // by resource: its operations go one after the other
)

func openLedger(dir, boot string, log *slog.Logger) (*ledger, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("no directory for the executor's ledger: %w", err)
	}
	l := &ledger{path: filepath.Join(dir, "executor.json"), log: log, open: map[opKey]*record{}}
	var last lasting
	if b, err := os.ReadFile(l.path); err == nil {
		if err := json.Unmarshal(b, &last); err != nil {
			return nil, fmt.Errorf("%s is damaged: %w; it holds the highest term that this node has seen: write {\"term\":N,\"boots\":0} with the term of the cluster (cerco status) into it", l.path, err)
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("the executor's ledger cannot be read: %w", err)
	}
	l.epoch.Term, l.boots = last.Term, last.Boots
	name := filepath.Join(dir, "ledger.db")
	if err := l.openDB(name, boot); err != nil {
		return nil, err
	}
	if l.db == nil { // of another boot, or damaged by its end
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("the ledger of an earlier boot cannot be removed: %w", err)
		}
		l.boots++
		if err := l.saveLasting(); err != nil {
			return nil, err
		}
		if err := l.create(name, boot); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func boltOpen(name string) (*bolt.DB, error) {
	return bolt.Open(name, 0o600, &bolt.Options{Timeout: time.Second, NoSync: true, NoFreelistSync: true, NoGrowSync: true})
}

// journalOf is the name of the journal of a database.
func journalOf(name string) string { return strings.TrimSuffix(name, ".db") + ".log" }

// openDB opens the ledger if it is of this boot; db stays nil when it is of another one or unreadable.
func (l *ledger) openDB(name, boot string) error {
	if _, err := os.Stat(name); err != nil {
		return nil
	}
	db, err := boltOpen(name)
	if errors.Is(err, berrors.ErrTimeout) {
		return fmt.Errorf("%s is in use: is another daemon running on this node?", name)
	}
	if err != nil {
		l.log.Warn("the ledger cannot be read and is made anew", "file", name, "err", err)
		return nil
	}
	same := false
	err = db.View(func(tx *bolt.Tx) error {
		meta := tx.Bucket([]byte(bucketMeta))
		same = meta != nil && string(meta.Get([]byte("boot"))) == boot
		return nil
	})
	if err != nil || !same {
		db.Close()
		return nil
	}
	j, err := openJournal(journalOf(name), db, l.log)
	if err != nil {
		db.Close()
		return fmt.Errorf("the ledger of this boot cannot be opened: %w", err)
	}
	err = db.View(func(tx *bolt.Tx) error {
		meta := tx.Bucket([]byte(bucketMeta))
		l.serial, l.call = number(meta, "serial"), int(number(meta, "call"))
		if e := (cib.Epoch{Term: number(meta, "term"), Plan: number(meta, "plan")}); l.epoch.Less(e) {
			l.epoch = e
		}
		return nil
	})
	if err != nil {
		return errors.Join(err, j.close())
	}
	l.db = j
	return nil
}

func (l *ledger) create(name, boot string) error {
	if err := os.Remove(journalOf(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("the ledger of an earlier boot cannot be removed: %w", err)
	}
	db, err := boltOpen(name)
	if err != nil {
		return fmt.Errorf("no ledger: %w", err)
	}
	l.serial = l.boots << 32
	err = db.Update(func(tx *bolt.Tx) error {
		meta, err := tx.CreateBucketIfNotExists([]byte(bucketMeta))
		if err != nil {
			return err
		}
		return meta.Put([]byte("boot"), []byte(boot))
	})
	if err == nil {
		l.db, err = openJournal(journalOf(name), db, l.log)
	}
	if err != nil {
		db.Close()
		return fmt.Errorf("no ledger: %w", err)
	}
	return nil
}

func (l *ledger) close() {
	if err := l.db.close(); err != nil {
		l.log.Warn("the ledger was not closed well", "err", err)
	}
}

// saveLasting writes what must survive a loss of power, all of it or nothing.
func (l *ledger) saveLasting() error {
	b, err := json.Marshal(lasting{Term: l.epoch.Term, Boots: l.boots})
	if err != nil {
		return err
	}
	f, err := os.OpenFile(l.path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.Write(b)
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err == nil {
		err = os.Rename(l.path+".new", l.path)
	}
	if err != nil {
		return fmt.Errorf("the term cannot be written down, so no order of it can be taken: %w", err)
	}
	if d, err := os.Open(filepath.Dir(l.path)); err == nil {
		_ = d.Sync() // not every file system can; the file itself is there
		d.Close()
	}
	return nil
}

// change makes changes together, or none of them.
func (l *ledger) change(what string, f func(*changes) error) error {
	var c changes
	err := f(&c)
	if err == nil {
		err = l.db.make(&c)
	}
	if err != nil {
		l.log.Error("the ledger cannot be written", "what", what, "err", err)
		return fmt.Errorf("the ledger cannot be written (%s): %w; is the disk full?", what, err)
	}
	return nil
}

// raise notes a higher epoch, and forgets what is over and done with.
func (l *ledger) raise(e cib.Epoch) error {
	if !l.epoch.Less(e) {
		return nil
	}
	old := l.epoch
	l.epoch = e
	if e.Term > old.Term {
		if err := l.saveLasting(); err != nil {
			l.epoch = old
			return err
		}
	}
	return l.change("epoch", func(c *changes) error {
		for key, rec := range l.open {
			if key.epoch != e && rec.State == opDone {
				delete(l.open, key)
				c.drop(bucketOps, key.bytes())
			}
		}
		c.putNumber(bucketMeta, "term", e.Term)
		c.putNumber(bucketMeta, "plan", e.Plan)
		return nil
	})
}

func (l *ledger) find(e cib.Epoch, action int) *record { return l.open[opKey{e, action}] }

// accept writes an order down. What it returns must be carried out.
func (l *ledger) accept(op cib.Operation) (*record, error) {
	if err := l.raise(op.Epoch); err != nil {
		return nil, err
	}
	rec := &record{Op: op, CallID: l.call + 1, State: opAccepted}
	err := l.change("order", func(c *changes) error {
		c.putNumber(bucketMeta, "call", uint64(rec.CallID))
		if op.IntervalMS > 0 && op.Name != "cancel" { // what it is replaced by, if the daemon ends before its first result
			c.drop(bucketRecurring, recurringKey(op.Resource, op.Name, op.IntervalMS))
		}
		return c.put(bucketOps, opKey{op.Epoch, op.Action}.bytes(), rec)
	})
	if err != nil {
		return nil, err
	}
	l.call = rec.CallID
	l.open[opKey{op.Epoch, op.Action}] = rec
	return rec, nil
}

// begin notes that an operation begins. It may be called without the executor's lock: it changes the file only.
func (l *ledger) begin(op cib.Operation, callID int) {
	_ = l.change("progress", func(c *changes) error { // logged there; the operation goes on
		return c.put(bucketOps, opKey{op.Epoch, op.Action}.bytes(), &record{Op: op, CallID: callID, State: opBegun})
	})
}

// atWork notes what an agent does to a resource from now on, nil when it has ended. As begin, it needs no lock.
func (l *ledger) atWork(resource string, w *work) {
	_ = l.change("progress", func(c *changes) error { // logged there; the operation goes on
		if w == nil {
			c.drop(bucketWork, []byte(resource))
			return nil
		}
		return c.put(bucketWork, []byte(resource), w)
	})
}

// finish gives a result its serial number and writes it down.
func (l *ledger) finish(out *cib.OpResult, ordered bool) {
	l.serial++
	out.Serial = l.serial
	key := opKey{out.Op.Epoch, out.Op.Action}
	rec := l.open[key]
	if ordered && rec != nil {
		kept := *out
		rec.State, rec.Result = opDone, &kept
		rec.Op.Attrs = nil
	}
	_ = l.change("result", func(c *changes) error { // logged there; it is reported from memory
		c.putNumber(bucketMeta, "serial", l.serial)
		result, err := json.Marshal(out)
		if err != nil {
			return err
		}
		c.set(bucketOutbox, serialKey(out.Serial), result)
		if !ordered || rec == nil {
			return nil
		}
		done := doneRecord{Op: doneOp{rec.Op.Epoch, rec.Op.Action}, CallID: rec.CallID, State: opDone, Result: result}
		return c.put(bucketOps, key.bytes(), &done)
	})
}

func (l *ledger) ack(serials []uint64) {
	_ = l.change("acknowledgement", func(c *changes) error { // logged there; it will be reported once more
		for _, s := range serials {
			c.drop(bucketOutbox, serialKey(s))
		}
		return nil
	})
}

func (l *ledger) unack(r *cib.OpResult) {
	_ = l.change("result", func(c *changes) error { return c.put(bucketOutbox, serialKey(r.Serial), r) }) // logged there
}

func (l *ledger) saveRecurring(r *recurring) {
	s := r.savedRecurring
	s.Op = r.op
	_ = l.change("recurring operation", func(c *changes) error { // logged there; it would not go on after a restart
		return c.put(bucketRecurring, recurringKey(s.Op.Resource, s.Op.Name, s.Op.IntervalMS), &s)
	})
}

func (l *ledger) dropRecurring(resource, name string, interval int64) {
	_ = l.change("recurring operation", func(c *changes) error { // logged there
		c.drop(bucketRecurring, recurringKey(resource, name, interval))
		return nil
	})
}

func (l *ledger) saveState(resource string, s activity) {
	_ = l.change("state", func(c *changes) error { // logged there
		c.set(bucketStates, []byte(resource), []byte(s))
		return nil
	})
}

func (l *ledger) forget(resource string) {
	_ = l.change("state", func(c *changes) error { // logged there
		c.drop(bucketStates, []byte(resource))
		return nil
	})
}

// inFlight lists operations without a result, in the order of their orders.
func (l *ledger) inFlight() []cib.Operation {
	var recs []*record
	for _, rec := range l.open {
		if rec.State != opDone {
			recs = append(recs, rec)
		}
	}
	slices.SortFunc(recs, func(a, b *record) int { return a.CallID - b.CallID })
	var out []cib.Operation
	for _, rec := range recs {
		out = append(out, rec.Op)
	}
	return out
}

// loaded is what an earlier daemon of this boot has left.
type loaded struct {
	begun     []*record // accepted or begun, in the order of their orders
	unacked   []cib.OpResult
	recurring []savedRecurring
	states    map[string]activity
	work      map[string]*work // by resource
}

func (l *ledger) load() (*loaded, error) {
	out := &loaded{states: map[string]activity{}, work: map[string]*work{}}
	err := l.db.view(func(tx *bolt.Tx) error {
		err := each(tx, bucketOps, func(rec *record) {
			l.open[opKey{rec.Op.Epoch, rec.Op.Action}] = rec
			if rec.State != opDone {
				out.begun = append(out.begun, rec)
			}
		})
		err = errors.Join(err, each(tx, bucketOutbox, func(r *cib.OpResult) { out.unacked = append(out.unacked, *r) }))
		err = errors.Join(err, each(tx, bucketWork, func(w *work) { out.work[w.Op.Resource] = w }))
		err = errors.Join(err, each(tx, bucketRecurring, func(r *savedRecurring) { out.recurring = append(out.recurring, *r) }))
		states := tx.Bucket([]byte(bucketStates))
		if states == nil {
			return err
		}
		return errors.Join(err, states.ForEach(func(k, v []byte) error {
			out.states[string(k)] = activity(v)
			return nil
		}))
	})
	if err != nil {
		return nil, fmt.Errorf("the ledger of this boot cannot be understood: %w; what runs here is unknown: stop it by hand, remove the file, restart", err)
	}
	slices.SortFunc(out.begun, func(a, b *record) int { return a.CallID - b.CallID })
	return out, nil
}

func each[T any](tx *bolt.Tx, bucket string, f func(*T)) error {
	b := tx.Bucket([]byte(bucket))
	if b == nil {
		return nil
	}
	return b.ForEach(func(_, v []byte) error {
		var x T
		if err := json.Unmarshal(v, &x); err != nil {
			return fmt.Errorf("%s: %w", bucket, err)
		}
		f(&x)
		return nil
	})
}

func (k opKey) bytes() []byte {
	b := make([]byte, 0, 24)
	b = binary.BigEndian.AppendUint64(b, k.epoch.Term)
	b = binary.BigEndian.AppendUint64(b, k.epoch.Plan)
	return binary.BigEndian.AppendUint64(b, uint64(k.action))
}

func serialKey(s uint64) []byte { return binary.BigEndian.AppendUint64(nil, s) }

func recurringKey(resource, name string, interval int64) []byte {
	return fmt.Appendf(nil, "%s\x00%s\x00%d", resource, name, interval)
}

func number(b *bolt.Bucket, name string) uint64 {
	v := b.Get([]byte(name))
	if len(v) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(v)
}

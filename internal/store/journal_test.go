package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/raft"
	"go.etcd.io/bbolt"
)

// crash is what a disk's files look like to the next one that opens them, when there was no time to end well. What
// torn is, is on the disk after the last record.
func crash(t testing.TB, d *disk, torn []byte) (path string) {
	t.Helper()
	from, to := filepath.Dir(d.path), t.TempDir()
	for _, name := range []string{diskFile, journalFile} {
		b, err := os.ReadFile(filepath.Join(from, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if name == journalFile && d.journal != nil {
			b = append(b[:d.journal.at:d.journal.at], append(torn, b[min(int(d.journal.at)+len(torn), len(b)):]...)...)
		}
		if err := os.WriteFile(filepath.Join(to, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(to, diskFile)
}

func reopen(t testing.TB, path string) *disk {
	t.Helper()
	d, err := openDisk(path, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.db.Close() })
	return d
}

func store(t testing.TB, d *disk, logs ...*raft.Log) {
	t.Helper()
	if err := d.StoreLogs(logs); err != nil {
		t.Fatal(err)
	}
}

// all is what a disk has, from the first entry to the last.
func all(t testing.TB, d *disk) (have []string) {
	t.Helper()
	first, err := d.FirstIndex()
	last, err2 := d.LastIndex()
	if err = errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	for i := first; i <= last && i != 0; i++ {
		var l raft.Log
		if err := d.GetLog(i, &l); err != nil || l.Index != i {
			t.Fatalf("entry %d: %+v, %v", i, l, err)
		}
		have = append(have, fmt.Sprintf("%d %s", i, l.Data))
	}
	return have
}

// journaled has entry 5 in the log's file, and 6 and 7 in the journal.
func journaled(t testing.TB) *disk {
	d := newDisk(t)
	for i := uint64(5); i <= 7; i++ {
		store(t, d, entry(i, fmt.Sprint("v", i)))
	}
	if err := d.SetUint64([]byte(keyTerm), 9); err != nil {
		t.Fatal(err)
	}
	if d.journal == nil || d.journal.seq != 3 || d.tail.first() != 6 {
		t.Fatalf("%+v", d.journal)
	}
	t.Cleanup(func() { _ = d.close() })
	return d
}

func TestACrashAtEveryByteOfAWrite(t *testing.T) {
	d := journaled(t)
	next := batch{items: []item{{key: indexKey(8), val: encodeEntry(entry(8, "v8"))}}}.encode()
	record := encodeRecord(d.journal.lap, d.journal.seq, next)
	whole := recordHead + len(next)
	for n := range whole + 1 {
		got := reopen(t, crash(t, d, record[:n]))
		want := []string{"5 v5", "6 v6", "7 v7", "8 v8"}
		if n < whole {
			want = want[:3]
		}
		if term, err := got.GetUint64([]byte(keyTerm)); !slices.Equal(all(t, got), want) || term != 9 || err != nil {
			t.Fatalf("%d of %d bytes are there: %v, term %d, %v", n, whole, all(t, got), term, err)
		}
		if n%8 == 0 || n == whole { // and what is written afterwards lasts
			more := uint64(5 + len(want))
			store(t, got, entry(more, "more"))
			if have := all(t, reopen(t, crash(t, got, nil))); !slices.Equal(have, append(want, fmt.Sprint(more, " more"))) {
				t.Fatalf("%d of %d bytes are there, and later: %v", n, whole, have)
			}
		}
	}
}

// Pages of one write may arrive in any order.
func TestALongRecordOfWhichSomePagesAreThere(t *testing.T) {
	body := batch{items: []item{{fact: true, key: []byte("k"), val: bytes.Repeat([]byte("x"), 3*pageSize)}}}.encode()
	first, second := encodeRecord(4, 0, []byte("12345678")), encodeRecord(4, 1, body)
	pages := len(second) / pageSize
	for have := range 1 << pages {
		b := append(bytes.Clone(first), make([]byte, len(second))...)
		for p := range pages {
			if have&(1<<p) != 0 {
				copy(b[len(first)+p*pageSize:], second[p*pageSize:(p+1)*pageSize])
			}
		}
		bodies, end, err := scanRecords(b, 4)
		if whole := have == 1<<pages-1; err != nil || (len(bodies) == 2) != whole || (end == int64(len(b))) != whole {
			t.Errorf("pages %b: %d records, to %d of %d, %v", have, len(bodies), end, len(b), err)
		}
	}
}

func TestADamagedJournalIsNotOpened(t *testing.T) {
	d := journaled(t)
	path := crash(t, d, nil)
	file := filepath.Join(filepath.Dir(path), journalFile)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	n := recordHead + int(binary.BigEndian.Uint32(b[4:]))
	for i := range n { // of the first of three records
		harmed := bytes.Clone(b)
		harmed[i] ^= 0x10
		if _, _, err := scanRecords(harmed, d.journal.lap); !errors.Is(err, errDamaged) {
			t.Errorf("byte %d: %v", i, err)
		}
	}
	for _, seq := range []uint64{0, 2} {
		if _, _, err := scanRecords(append(encodeRecord(1, 0, nil), encodeRecord(1, seq, nil)...), 1); !errors.Is(err, errDamaged) {
			t.Errorf("record %d after the first: %v", seq, err)
		}
	}
	b[recordHead] ^= 1
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openDisk(path, nil, nil); !errors.Is(err, errDamaged) || !strings.Contains(err.Error(), file) {
		t.Error(err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := openDisk(path, nil, nil); !errors.Is(err, errDamaged) || !strings.Contains(err.Error(), "is missing") {
		t.Error(err)
	}
}

func TestEntriesThatDoNotFollowReplaceOthers(t *testing.T) {
	d := journaled(t)
	store(t, d, entry(7, "again"), entry(8, "v8"))
	for _, d := range []*disk{d, reopen(t, crash(t, d, nil))} {
		if have := all(t, d); !slices.Equal(have, []string{"5 v5", "6 v6", "7 again", "8 v8"}) {
			t.Error(have)
		}
	}
}

// Where there is no room for the journal's entries, raft's facts are kept all the same.
func TestFactsNeedNoRoomForEntries(t *testing.T) {
	d := journaled(t)
	if err := d.SetUint64([]byte("LastVoteTerm"), 8); err != nil {
		t.Fatal(err)
	}
	for term := uint64(10); term < 12; term++ {
		if err := d.keepFacts(item{fact: true, key: []byte(keyTerm), val: indexKey(term)}); err != nil {
			t.Fatal(err)
		}
	}
	check := func(d *disk, want ...string) {
		t.Helper()
		term, err := d.GetUint64([]byte(keyTerm))
		vote, err2 := d.GetUint64([]byte("LastVoteTerm"))
		if term != 11 || vote != 8 || errors.Join(err, err2) != nil || !slices.Equal(all(t, d), want) {
			t.Errorf("term %d, vote %d, %v, %v", term, vote, errors.Join(err, err2), all(t, d))
		}
	}
	check(d, "5 v5", "6 v6", "7 v7")
	check(reopen(t, crash(t, d, nil)), "5 v5", "6 v6", "7 v7")
	store(t, d, entry(8, "v8"))
	store(t, d, entry(9, "v9"))
	check(d, "5 v5", "6 v6", "7 v7", "8 v8", "9 v9")
	check(reopen(t, crash(t, d, nil)), "5 v5", "6 v6", "7 v7", "8 v8", "9 v9")
}

// oldLog reads a log's file as programs do that know of no journal; false: they refuse it.
func oldLog(t *testing.T, path string) (have []string, commit uint64, ok bool) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.View(func(tx *bbolt.Tx) error {
		v := tx.Bucket([]byte("meta")).Get([]byte("commit"))
		if ok = len(v) == 8; ok {
			commit = binary.BigEndian.Uint64(v)
		}
		return tx.Bucket([]byte("log")).ForEach(func(k, v []byte) error {
			var l raft.Log
			err := decodeEntry(k, v, &l)
			have = append(have, fmt.Sprintf("%d %s", l.Index, l.Data))
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return have, commit, ok
}

func TestTheProgramBeforeFindsAllOrRefuses(t *testing.T) {
	d := journaled(t)
	known := func() uint64 { return 6 }
	d.known.Store(&known)
	if _, _, ok := oldLog(t, crash(t, d, nil)); ok {
		t.Error("it takes the log of a node that was killed for a whole one")
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
	if have, commit, ok := oldLog(t, d.path); !ok || commit != 6 || !slices.Equal(have, []string{"5 v5", "6 v6", "7 v7"}) {
		t.Errorf("after a clean end: %v, committed %d, %v", have, commit, ok)
	}
	if files, _ := os.ReadDir(filepath.Dir(d.path)); len(files) != 1 {
		t.Errorf("left behind: %v", files)
	}
}

// A log of a program that knows of no journal goes on. What lies beside it counts for nothing.
func TestAnOldLogIsTakenOver(t *testing.T) {
	d := journaled(t)
	stale, err := os.ReadFile(filepath.Join(filepath.Dir(d.path), journalFile))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), diskFile)
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(func(tx *bbolt.Tx) error {
		log, err := tx.CreateBucket([]byte("log"))
		meta, err2 := tx.CreateBucket([]byte("meta"))
		err = errors.Join(err, err2, meta.Put([]byte("commit"), indexKey(3)), meta.Put([]byte(keyTerm), indexKey(2)))
		for i := uint64(3); i <= 5; i++ {
			err = errors.Join(err, log.Put(indexKey(i), encodeEntry(entry(i, "old"))))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Close(), os.WriteFile(filepath.Join(filepath.Dir(path), journalFile), stale, 0o600)); err != nil {
		t.Fatal(err)
	}
	got := reopen(t, path)
	store(t, got, entry(6, "new"))
	store(t, got, entry(7, "new"))
	for _, d := range []*disk{got, reopen(t, crash(t, got, nil))} {
		term, err := d.GetUint64([]byte(keyTerm))
		if have := all(t, d); !slices.Equal(have, []string{"3 old", "4 old", "5 old", "6 new", "7 new"}) || d.committed() != 3 || term != 2 || err != nil {
			t.Errorf("%v, committed %d, term %d, %v", have, d.committed(), term, err)
		}
	}
}

func TestAWriteThatFailsIsNotFollowed(t *testing.T) {
	d := journaled(t)
	var heard error
	d.told = func(err error) { heard = err }
	_ = d.journal.f.Close()
	if err := d.StoreLog(entry(8, "lost")); err == nil || heard == nil {
		t.Fatalf("no error: %v", heard)
	}
	if have := all(t, d); len(have) != 3 {
		t.Errorf("what was not acknowledged is there: %v", have)
	}
	store(t, d, entry(8, "v8")) // into the log's file, which needs no journal
	store(t, d, entry(9, "v9")) // begins another
	store(t, d, entry(10, "v10"))
	if heard != nil || d.journal == nil || d.journal.seq != 1 {
		t.Errorf("%v, %+v", heard, d.journal)
	}
	if have := all(t, reopen(t, crash(t, d, nil))); len(have) != 6 || have[5] != "10 v10" {
		t.Errorf("%v", have)
	}
}

// TestDiskAgainstAModel has disks do what raft has them do, in random order, and crash in between.
func TestDiskAgainstAModel(t *testing.T) {
	for seed := range uint64(4) {
		m := &model{t: t, rng: rand.New(rand.NewPCG(seed, 1)), d: newDisk(t), first: 1, facts: map[string]uint64{}}
		steps := []func(){m.store, m.store, m.store, m.store, m.store, m.store, m.set, m.set, m.forget, m.cut, m.restart, m.crash}
		for range 50 {
			steps[m.rng.IntN(len(steps))]()
			m.check(seed)
		}
		_ = m.d.close()
	}
}

// model is what a disk must have.
type model struct {
	t     *testing.T
	rng   *rand.Rand
	d     *disk
	have  []string
	first uint64 // the index of have[0], or of the next one
	facts map[string]uint64
}

func (m *model) must(err error) {
	if err != nil {
		m.t.Fatal(err)
	}
}

func (m *model) check(seed uint64) {
	got := map[string]uint64{}
	for k := range m.facts {
		n, err := m.d.GetUint64([]byte(k))
		m.must(err)
		got[k] = n
	}
	if have := all(m.t, m.d); !slices.Equal(have, m.have) || !maps.Equal(got, m.facts) {
		m.t.Fatalf("seed %d: %d entries and %v instead of %d and %v", seed, len(have), got, len(m.have), m.facts)
	}
}

func (m *model) store() {
	var logs []*raft.Log
	for range 1 + m.rng.IntN(4) {
		index := m.first + uint64(len(m.have))
		data := strings.Repeat("x", []int{3, 3, 3, 5000, 5000, 70000, 300000}[m.rng.IntN(7)])
		logs = append(logs, entry(index, data))
		m.have = append(m.have, fmt.Sprintf("%d %s", index, data))
	}
	store(m.t, m.d, logs...)
}

func (m *model) set() {
	k, n := []string{keyTerm, "LastVoteTerm"}[m.rng.IntN(2)], m.rng.Uint64()
	m.facts[k] = n
	m.must(m.d.SetUint64([]byte(k), n))
}

func (m *model) forget() {
	n := m.rng.IntN(len(m.have) + 1)
	m.must(m.d.DeleteRange(m.first, m.first+uint64(n)-1))
	m.have, m.first = m.have[n:], m.first+uint64(n)
}

func (m *model) cut() {
	n := m.rng.IntN(min(3, len(m.have)+1))
	end := m.first + uint64(len(m.have))
	m.must(m.d.DeleteRange(end-uint64(n), end-1))
	m.have = m.have[:len(m.have)-n]
}

func (m *model) restart() {
	m.must(m.d.close())
	m.d = reopen(m.t, m.d.path)
}

func (m *model) crash() {
	torn := make([]byte, m.rng.IntN(50))
	for i := range torn {
		torn[i] = byte(m.rng.Uint32())
	}
	old := m.d
	m.d = reopen(m.t, crash(m.t, old, torn))
	_ = old.close()
}

func FuzzJournal(f *testing.F) {
	b := batch{commit: 4, items: []item{{key: indexKey(5), val: encodeEntry(entry(5, "five"))}, {fact: true, key: []byte("k"), val: []byte("v")}}}
	f.Add(append(encodeRecord(2, 0, b.encode()), encodeRecord(2, 1, b.encode())...), uint64(2))
	f.Add(append(make([]byte, pageSize), encodeRecord(2, 0, nil)...), uint64(2))
	f.Add(b.encode(), uint64(0))
	f.Fuzz(func(t *testing.T, data []byte, lap uint64) {
		bodies, end, err := scanRecords(data, lap)
		if err != nil && !errors.Is(err, errDamaged) || end > int64(len(data)) || len(bodies)*pageSize > len(data)+pageSize {
			t.Errorf("%d records up to %d of %d, %v", len(bodies), end, len(data), err)
		}
		for _, body := range append(bodies, data) {
			b, err := decodeBatch(body)
			if err != nil {
				continue
			}
			if !bytes.Equal(b.encode(), body) {
				t.Errorf("%+v is %q", b, body)
			}
		}
	})
}

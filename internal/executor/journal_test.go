package executor

import (
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"
)

func openTestJournal(t testing.TB, dir string) *journal {
	t.Helper()
	db, err := boltOpen(filepath.Join(dir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	j, err := openJournal(filepath.Join(dir, "ledger.log"), db, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// content is what a database holds.
func content(t testing.TB, db *bolt.DB) map[place]string {
	t.Helper()
	all := map[place]string{}
	err := db.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
			return b.ForEach(func(k, v []byte) error {
				all[place{string(name), string(k)}] = string(v)
				return nil
			})
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// dead is the directory as the death of the process leaves it now.
func dead(t testing.TB, dir string) string {
	t.Helper()
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return copied
}

// TestJournalSurvivesDeath: whenever the process dies, what was changed before is there afterwards.
func TestJournalSurvivesDeath(t *testing.T) {
	dir := t.TempDir()
	j := openTestJournal(t, dir)
	want := map[place]string{}
	for i := range 300 {
		var c changes
		for range 1 + rand.IntN(3) {
			at := place{fmt.Sprint("b", rand.IntN(3)), fmt.Sprint("k", rand.IntN(40))}
			if rand.IntN(3) == 0 {
				c.drop(at.bucket, []byte(at.key))
				delete(want, at)
				continue
			}
			value := fmt.Sprint(i, string(make([]byte, rand.IntN(30))))
			c.set(at.bucket, []byte(at.key), []byte(value))
			want[at] = value
		}
		if err := j.make(&c); err != nil {
			t.Fatal(err)
		}
		if rand.IntN(40) == 0 {
			if err := j.settle(); err != nil {
				t.Fatal(err)
			}
		}
		if i%30 == 0 {
			again := openTestJournal(t, dead(t, dir))
			if got := content(t, again.db); !maps.Equal(got, want) {
				t.Fatalf("after %d changes: %v, want %v", i+1, got, want)
			}
			_ = again.close()
		}
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	db, err := boltOpen(filepath.Join(dir, "ledger.db")) // as an older version would
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if got := content(t, db); !maps.Equal(got, want) {
		t.Errorf("at the end: %v, want %v", got, want)
	}
}

// TestJournalOfAnOlderTimeIsLeftOut: a version that does not know the file has changed the database since.
func TestJournalOfAnOlderTimeIsLeftOut(t *testing.T) {
	dir := t.TempDir()
	j := openTestJournal(t, dir)
	var c changes
	c.set("b", []byte("k"), []byte("stale"))
	if err := j.make(&c); err != nil {
		t.Fatal(err)
	}
	dir = dead(t, dir)
	_ = j.close()
	db, err := boltOpen(filepath.Join(dir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucket([]byte("b"))
		if err == nil {
			err = b.Put([]byte("k"), []byte("newer"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	j = openTestJournal(t, dir)
	defer j.close()
	if got := content(t, j.db)[place{"b", "k"}]; got != "newer" {
		t.Errorf("%q", got)
	}
}

// FuzzJournal has a file that a dying process or a disk has left: what is whole is taken in.
func FuzzJournal(f *testing.F) {
	dir := f.TempDir()
	j := openTestJournal(f, dir)
	for i := range 3 {
		var c changes
		c.set("b", []byte("k"), []byte{byte(i)})
		c.drop("b", []byte("other"))
		if err := j.make(&c); err != nil {
			f.Fatal(err)
		}
	}
	whole, err := os.ReadFile(filepath.Join(dir, "ledger.log"))
	if err != nil {
		f.Fatal(err)
	}
	last, err := j.last()
	if err != nil {
		f.Fatal(err)
	}
	_ = j.close()
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Add(whole[:journalHeader+3])
	for cut, want := range map[int]byte{0: 2, 1: 1} { // the last record is whole, or not
		j := &journal{news: map[place][]byte{}}
		if j.read(whole[:len(whole)-cut], last); j.news[place{"b", "k"}][0] != want {
			f.Errorf("without the last %d bytes: %v", cut, j.news)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		j := &journal{news: map[place][]byte{}}
		j.read(data, last)
	})
}

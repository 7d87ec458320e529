package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
	"go.etcd.io/bbolt"
)

func newDisk(t testing.TB) *disk {
	t.Helper()
	d, err := openDisk(filepath.Join(t.TempDir(), diskFile), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func entry(index uint64, data string) *raft.Log {
	return &raft.Log{Index: index, Term: 3, Type: raft.LogCommand, Data: []byte(data), AppendedAt: time.Unix(1, 2)}
}

func TestDiskKeepsEntries(t *testing.T) {
	d := newDisk(t)
	if err := d.StoreLogs([]*raft.Log{entry(5, "five"), entry(6, "six"), entry(7, "")}); err != nil {
		t.Fatal(err)
	}
	if err := d.DeleteRange(0, 5); err != nil {
		t.Fatal(err)
	}
	if err := d.SetUint64([]byte(keyTerm), 9); err != nil {
		t.Fatal(err)
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
	d, err := openDisk(d.path, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	first, _ := d.FirstIndex()
	last, _ := d.LastIndex()
	term, _ := d.GetUint64([]byte(keyTerm))
	none, err := d.GetUint64([]byte("nothing"))
	if first != 6 || last != 7 || term != 9 || none != 0 || err != nil {
		t.Errorf("%d to %d, term %d, %d, %v", first, last, term, none, err)
	}
	var l raft.Log
	if err := d.GetLog(6, &l); err != nil || string(l.Data) != "six" || l.Term != 3 || !l.AppendedAt.Equal(time.Unix(1, 2)) {
		t.Errorf("%+v, %v", l, err)
	}
	if err := d.GetLog(5, &l); !errors.Is(err, raft.ErrLogNotFound) {
		t.Error(err)
	}
	if st, err := os.Stat(d.path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
}

// harm changes the log behind the disk's back.
func harm(t *testing.T, d *disk, f func(b *bbolt.Bucket) error) {
	t.Helper()
	if err := d.db.Update(func(tx *bbolt.Tx) error { return f(tx.Bucket(bucketLog)) }); err != nil {
		t.Fatal(err)
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
}

func TestADamagedLogIsNotOpened(t *testing.T) {
	for name, damage := range map[string]func(b *bbolt.Bucket) error{
		"wrong checksum": func(b *bbolt.Bucket) error {
			v := bytes.Clone(b.Get(indexKey(6)))
			v[headLen] ^= 1
			return b.Put(indexKey(6), v)
		},
		"follows entry": func(b *bbolt.Bucket) error { return b.Delete(indexKey(6)) },
		"an entry of":   func(b *bbolt.Bucket) error { return b.Put(indexKey(6), []byte("x")) },
	} {
		d := newDisk(t)
		if err := d.StoreLogs([]*raft.Log{entry(5, "five"), entry(6, "six"), entry(7, "seven")}); err != nil {
			t.Fatal(err)
		}
		harm(t, d, damage)
		_, err := openDisk(d.path, nil, nil)
		if !errors.Is(err, errDamaged) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), d.path) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAFileThatIsNoLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), diskFile)
	if err := os.WriteFile(path, bytes.Repeat([]byte("nonsense"), 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openDisk(path, nil, nil); !errors.Is(err, errDamaged) {
		t.Error(err)
	}
}

func TestWhatADiskErrorSays(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{{syscall.ENOSPC, "make room"}, {syscall.EROFS, "read-only"}, {syscall.EIO, "failing"}} {
		got := diskError("write", "/x/log.db", &os.PathError{Op: "write", Path: "/x/log.db", Err: c.err})
		if !strings.Contains(got.Error(), c.want) || !errors.Is(got, c.err) {
			t.Error(got)
		}
	}
}

func TestALostPointerIsNotANewNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1)
		r.propose(r.up(), "kept")
		r.stop("n1")
		dir := filepath.Join(r.base, "n1")
		if err := os.Remove(filepath.Join(dir, currentFile)); err != nil {
			t.Fatal(err)
		}
		if _, err := readCurrent(dir); !errors.Is(err, errDamaged) {
			t.Error(err)
		}
	})
}

func TestASnapshotThatIsDamagedStopsTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1)
		r.up()
		r.stop("n1")
		files, err := filepath.Glob(filepath.Join(r.base, "n1", "log-*", "snapshots", "*", "state.bin"))
		if err != nil || len(files) != 1 {
			t.Fatal(files, err)
		}
		if st, err := os.Stat(files[0]); err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", st.Mode(), err)
		}
		if err := os.Truncate(files[0], 10); err != nil {
			t.Fatal(err)
		}
		l, err := r.net.Listen("n1:raft")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if _, err := Open(Config{Dir: filepath.Join(r.base, "n1"), Name: "n1", Listener: l}); !errors.Is(err, errDamaged) {
			t.Error(err)
		}
	})
}

func TestASlowDiskIsNoDeadLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 3)
		slow := make(chan time.Duration, 1)
		slow <- 0
		r.slow = func() time.Duration { d := <-slow; slow <- d; return d }
		first := r.up()
		_, term := first.Leader()
		<-slow
		slow <- 1500 * time.Millisecond
		for range 5 {
			r.propose(first, "slowly")
		}
		if name, now := first.Leader(); name != "n1" || now != term {
			t.Errorf("leader %s in term %d, before n1 in %d", name, now, term)
		}
	})
}

func FuzzEntry(f *testing.F) {
	f.Add(uint64(5), encodeEntry(entry(5, "five")))
	f.Add(uint64(1), []byte{})
	f.Fuzz(func(t *testing.T, index uint64, b []byte) {
		var l raft.Log
		if decodeEntry(indexKey(index), b, &l) != nil {
			return
		}
		var again raft.Log
		if err := decodeEntry(indexKey(index), encodeEntry(&l), &again); err != nil || !reflect.DeepEqual(l, again) {
			t.Errorf("%+v and %+v, %v", l, again, err)
		}
	})
}

func FuzzHello(f *testing.F) {
	var b bytes.Buffer
	_ = writeHead(&b, hello{Kind: kindOffer, From: "n1", Log: LogID{2, "n1"}, Member: "3"})
	f.Add(b.Bytes())
	f.Add(binary.BigEndian.AppendUint16([]byte(magic), 65535))
	f.Fuzz(func(t *testing.T, b []byte) {
		var h hello
		var a answer
		_ = readHead(bytes.NewReader(b), &a)
		if readHead(bytes.NewReader(b), &h) != nil {
			return
		}
		var out bytes.Buffer
		if err := writeHead(&out, h); err != nil {
			t.Skip() // longer than what came in: escapes
		}
		var again hello
		if err := readHead(&out, &again); err != nil || again != h {
			t.Errorf("%+v, %+v, %v", h, again, err)
		}
	})
}

func FuzzCurrent(f *testing.F) {
	f.Add([]byte(`{"log":{"generation":2,"founder":"n1"},"member":"3"}`))
	f.Add([]byte(`{"log":{"founder":"../../n1"},"member":"3"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, currentFile), data, 0o600); err != nil {
			t.Fatal(err)
		}
		if c, err := readCurrent(dir); err == nil && (c == nil || c.Member == "") {
			t.Errorf("%s is %+v", data, c)
		}
	})
}

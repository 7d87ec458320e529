//go:build host

package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestAFullDiskLosesNothing fills the file system under a store's log.
func TestAFullDiskLosesNothing(t *testing.T) {
	r := newRig(t, 1)
	if err := syscall.Mount("tmpfs", r.base, "tmpfs", 0, "size=8m,mode=0700"); err != nil {
		t.Skipf("cannot mount a small file system here: %v", err)
	}
	t.Cleanup(func() { r.stop("n1"); _ = syscall.Unmount(r.base, 0) })
	s := r.up()
	r.propose(s, "kept")
	filler := filepath.Join(r.base, "filler")
	f, err := os.Create(filler)
	if err != nil {
		t.Fatal(err)
	}
	block := bytes.Repeat([]byte{1}, 4096)
	for err == nil {
		_, err = f.Write(block)
	}
	_ = f.Close()
	big := strings.Repeat("x", 256<<10)
	_, err = s.Propose(context.Background(), setAttr("n1", "v", big))
	if err == nil || !errors.Is(err, ErrUncertain) && !errors.As(err, new(*NotLeaderError)) {
		t.Fatalf("a change on a full disk: %v", err)
	}
	t.Log(err)
	if e := s.DiskError(); !errors.Is(e, syscall.ENOSPC) || !strings.Contains(e.Error(), "make room") {
		t.Errorf("the disk's error: %v", e)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	r.until("it leads again", func() bool { return r.leader() != nil })
	r.until("changes are taken again", func() bool {
		_, err := s.Propose(context.Background(), setAttr("n1", "v", "later"))
		return err == nil
	})
	if s.DiskError() != nil {
		t.Error(s.DiskError())
	}
	r.stop("n1")
	s = r.start("n1")
	if got := attr(s.View(), "n1", "v"); got != "later" {
		t.Errorf("after a restart: %q", got)
	}
}

// TestAStartOnAFullDisk has a node that was killed come back when there is no room for what its journal has.
func TestAStartOnAFullDisk(t *testing.T) {
	d := newDisk(t)
	big := strings.Repeat("x", 150<<10)
	want := []string{"1 " + big}
	store(t, d, entry(1, big))
	for i := uint64(2); i <= 6; i++ {
		store(t, d, entry(i, big))
		want = append(want, fmt.Sprint(i, " ", big))
	}
	if err := d.SetUint64([]byte(keyTerm), 5); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=8m,mode=0700"); err != nil {
		t.Skipf("cannot mount a small file system here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	if err := os.CopyFS(dir, os.DirFS(filepath.Dir(crash(t, d, nil)))); err != nil {
		t.Fatal(err)
	}
	_ = d.close()
	filler := filepath.Join(dir, "filler")
	f, err := os.Create(filler)
	for err == nil {
		_, err = f.Write(bytes.Repeat([]byte{1}, 4096))
	}
	_ = f.Close()
	var told error
	d, err = openDisk(filepath.Join(dir, diskFile), nil, func(err error) { told = err })
	if err != nil || !errors.Is(told, syscall.ENOSPC) {
		t.Fatalf("%v; told: %v", err, told)
	}
	t.Cleanup(func() { _ = d.close() })
	if err := d.StoreLog(entry(7, "full")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a write on a full disk: %v", err)
	}
	if err := d.SetUint64([]byte(keyTerm), 7); err != nil {
		t.Errorf("raft's term on a full disk: %v", err)
	}
	if term, err := reopen(t, crash(t, d, nil)).GetUint64([]byte(keyTerm)); term != 7 || err != nil {
		t.Errorf("after a crash: term %d, %v", term, err)
	}
	if have := all(t, d); !slices.Equal(have, want) {
		t.Errorf("%d entries", len(have))
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	store(t, d, entry(7, "room"), entry(8, "room"))
	if have := all(t, reopen(t, crash(t, d, nil))); !slices.Equal(have, append(want, "7 room", "8 room")) || told != nil {
		t.Errorf("%d entries, told: %v", len(have), told)
	}
}

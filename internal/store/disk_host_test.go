//go:build host

package store

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
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

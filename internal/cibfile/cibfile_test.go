package cibfile

import (
	"os"
	"path/filepath"
	"testing"
)

func TestWriteKeepsPermissionsAndLinks(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "cib.xml"), filepath.Join(dir, "link.xml")
	if err := os.WriteFile(file, []byte("<cib/>"), 0o604); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	c, err := Read(link)
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteRoot(link, c.Root.With("epoch", "7")); err != nil {
		t.Fatal(err)
	}
	if c, err = Read(file); err != nil || c.Version.Epoch != 7 {
		t.Errorf("read back: %v, %v", c, err)
	}
	if info, err := os.Lstat(file); err != nil || info.Mode().Perm() != 0o604 {
		t.Errorf("mode: %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".cib-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

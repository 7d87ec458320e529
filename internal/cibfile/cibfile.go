// Package cibfile keeps a CIB in a file.
//
// It owns reading and writing such files for the tools that work on one instead of a cluster. It promises that a file
// is written whole or not at all, and keeps its permissions. It never decides what is in it.
package cibfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Read reads the CIB of a file.
func Read(path string) (*cib.CIB, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return cib.Decode(path, data)
}

// WriteRoot puts a document into the file.
func WriteRoot(path string, root *cib.Element) error { return Write(path, root.AppendXML(nil)) }

// Write puts data into a file in the place of what is there. A new file may be read by its group.
func Write(path string, data []byte) error {
	if to, err := filepath.EvalSymlinks(path); err == nil {
		path = to // a link stays one
	}
	mode := fs.FileMode(0o640)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".cib-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

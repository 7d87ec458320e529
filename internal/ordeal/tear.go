package ordeal

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// tearSnapshot leaves in the data of a node that is off what a crash in the middle of a snapshot leaves there: half of
// it, under the name that it has while it is written.
func tearSnapshot(data string) error {
	found, err := filepath.Glob(filepath.Join(data, "raft", "log-*", "snapshots", "*"))
	if err != nil {
		return err
	}
	for i := len(found) - 1; i >= 0; i-- {
		if !strings.HasSuffix(found[i], ".tmp") {
			return copyHalf(found[i], found[i]+".tmp")
		}
	}
	return nil // it has none yet
}

func copyHalf(from, to string) error {
	files, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for _, f := range files {
		all, err := os.ReadFile(filepath.Join(from, f.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, f.Name()), all[:len(all)/2], 0o600)
		}
		switch {
		case errors.Is(err, syscall.ENOSPC): // even less of it is there
			return nil
		case err != nil:
			return err
		}
	}
	return nil
}

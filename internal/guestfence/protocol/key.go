package protocol

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// MaxKey is how much of a key file counts.
const MaxKey = 4096

// ErrExposed is returned for a key file that others than its owner may read or change.
var ErrExposed = errors.New("others may use the key")

// ReadKey reads a key file: raw bytes, of which the first MaxKey count, nothing trimmed. A file that others may
// read or write is refused, and so is an empty one.
func ReadKey(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the key: %w", err)
	}
	defer func() { _ = f.Close() }()
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading the key: %w", err)
	}
	if mode := st.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%w: %s has mode %04o; mend it with: chmod 0600 %s", ErrExposed, path, mode, path)
	}
	key, err := io.ReadAll(io.LimitReader(f, MaxKey))
	if err != nil {
		return nil, fmt.Errorf("reading the key %s: %w", path, err)
	}
	if len(key) == 0 {
		return nil, fmt.Errorf("the key %s is empty; make one with: dd if=/dev/urandom of=%s bs=512 count=8", path, path)
	}
	return key, nil
}

package executor

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
)

// FuzzLedger has a ledger of another version, or damaged: it is read, or it is said that it cannot be.
func FuzzLedger(f *testing.F) {
	f.Add([]byte(`{"term":5,"boots":1}`), []byte(`{"op":{"epoch":{"term":1}},"state":1}`), []byte("\x00\x00\x00\x00\x00\x00\x00\x01"))
	f.Add([]byte(`{}`), []byte(`{"op":{"resource":"a","name":"start"},"process":{"pid":1,"start":2}}`), []byte{3})
	f.Fuzz(func(t *testing.T, lasting, value, meta []byte) {
		dir := t.TempDir()
		l, err := openLedger(dir, "boot", slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		err = l.change("test", func(c *changes) error {
			for _, b := range []string{bucketOps, bucketOutbox, bucketRecurring, bucketStates, bucketWork} {
				c.set(b, []byte("key"), value)
			}
			c.set(bucketMeta, []byte("serial"), meta)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		l.close()
		if err := os.WriteFile(filepath.Join(dir, "executor.json"), lasting, 0o600); err != nil {
			t.Fatal(err)
		}
		if l, err = openLedger(dir, "boot", slog.New(slog.DiscardHandler)); err != nil {
			return
		}
		_, _ = l.load()
		l.close()
	})
}

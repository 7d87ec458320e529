package history

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzEntry reads what may stand in a directory of plans.
func FuzzEntry(f *testing.F) {
	f.Add("1-2", []byte(`{"term":1,"plan":2,"at":"2026-01-01T00:00:00Z"}`), []byte("\x1f\x8b"))
	f.Add("../x", []byte("{"), []byte{})
	f.Fuzz(func(t *testing.T, id string, entry, input []byte) {
		dir := t.TempDir()
		for name, data := range map[string][]byte{"1-2.json": entry, "1-2.xml.gz": input} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		l, err := Open(dir, 10)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = l.Entry(id)
		_, _ = l.Last(10)
		_, _ = l.Input("1-2")
		if _, err := l.Input(id); err == nil && id != "1-2" {
			t.Errorf("%q is an entry", id)
		}
	})
}

package pcs

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
)

// TestBackupAndRestore takes a configuration back after it was changed. The nodes stay as they are.
func TestBackupAndRestore(t *testing.T) {
	t.Chdir(t.TempDir())
	r := &reader{t: t}
	r.found("")
	for _, step := range []struct {
		command, want string
		code          int
	}{
		{"property set batch-limit=7", "", 0},
		{"config backup b", "is in b.tar.gz", 0},
		{"config backup b", "is there already", 1},
		{"property set batch-limit=8", "", 0},
		{"node attribute node02 rack=1", "", 0},
		{"config restore b", "configuration of b.tar.gz is in force", 0},
		{"property config batch-limit", "batch-limit: 7", 0},
		{"node attribute node02", "rack=1", 0},
		{"config restore --local b.tar.gz", "for the whole cluster", 0},
		{"config restore nix", "no such file", 1},
	} {
		if code, said := r.typed(strings.Fields(step.command)...); code != step.code || !strings.Contains(said, step.want) {
			t.Errorf("%s: code %d: %s", step.command, code, said)
		}
	}
	if info, err := os.Stat("b.tar.gz"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v: a backup has secrets in it", info, err)
	}
}

func FuzzUnpack(f *testing.F) {
	packed, err := pack(&call{Env: Env{Now: func() time.Time { return time.Unix(1e9, 0) }}}, []byte(bookCluster))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Add([]byte("BZh9"))
	f.Fuzz(func(t *testing.T, data []byte) {
		document, err := unpack(data)
		if err == nil && bytes.Equal(data, packed) && string(document) != bookCluster {
			t.Errorf("%s", document)
		}
	})
}

package pcs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestGuestNodes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cib.xml")
	if err := os.WriteFile(file, []byte(small), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ command, want string }{
		{"cluster node add-guest g1 A remote-addr=1.2.3.4 remote-port=3122", ""},
		{"cluster node add-guest g2 A", "already a guest node"},
		{"cluster node add-guest g1 B", "'g1' already exists"},
		{"cluster node add-guest g3 A port=1", "invalid guest option 'port'"},
		{"cluster node remove-guest 1.2.3.4", ""},
		{"cluster node remove-guest g1", "does not appear to exist"},
		{"cluster node add-guest g1 B", "B"},
	} {
		code, _, said := run(t, file, strings.Fields(step.command)...)
		if code != map[bool]int{true: 0, false: 1}[step.want == ""] || !strings.Contains(said, step.want) {
			t.Errorf("%s: code %d: %s", step.command, code, said)
		}
	}
	if _, out, _ := run(t, file, "cluster", "cib", "scope=resources"); strings.Contains(out, "remote-") {
		t.Error(out)
	}
}

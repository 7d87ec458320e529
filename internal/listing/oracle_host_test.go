//go:build host

package listing

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// against names the listings of each file that are held against those of pcs, one process of which takes a second:
// all that begin with one of the words.
func against() map[string][]string {
	return map[string][]string{
		"everything": {""},
		"nested":     {"resource config", "stonith config", "node utilization"},
		"defaults":   {"resource defaults", "resource op defaults"},
		"quotes":     {"resource config --output-format"},
		"expired":    {"constraint --full", "constraint location config nodes"},
		"empty":      {"config", "resource defaults", "acl", "tag", "stonith config"},
	}
}

func TestListingsAgainstPcs(t *testing.T) {
	if _, err := exec.LookPath("pcs"); err != nil {
		t.Skip("pcs is not installed")
	}
	corosync := filepath.Join(t.TempDir(), "corosync.conf")
	conf := "totem {\n cluster_name: test\n transport: knet\n}\nnodelist {\n node {\n ring0_addr: n1\n name: n1\n nodeid: 1\n }\n" +
		" node {\n ring0_addr: n2\n name: n2\n nodeid: 2\n }\n}\nquorum {\n provider: corosync_votequorum\n}\n"
	if err := os.WriteFile(corosync, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, begins := range against() {
		file := filepath.Join("testdata", name+".xml")
		for command, ours := range listings(read(t, file), time.Now()) {
			if !slices.ContainsFunc(begins, func(b string) bool { return strings.HasPrefix(command, b) }) {
				continue
			}
			t.Run(name+" "+command, func(t *testing.T) {
				args := []string{"-f", file}
				if command == "config" {
					args = append(args, "--corosync_conf", corosync)
				}
				args = append(args, strings.Fields(command)...)
				theirs, err := exec.Command("pcs", args...).Output()
				if err != nil && len(ours) > 0 {
					t.Fatalf("pcs %v: %v", args, err)
				}
				var got bytes.Buffer
				if _, err := ours.WriteTo(&got); err != nil {
					t.Fatal(err)
				}
				if got.String() != string(theirs) {
					t.Errorf("pcs %v\nours:\n%stheirs:\n%s", args, got.String(), theirs)
				}
			})
		}
	}
}

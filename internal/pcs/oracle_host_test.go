//go:build host

package pcs

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/cibfile"
	"github.com/cerco-ha/cerco/internal/configure"
)

// TestSharedStorageAgainstPcs has pcs build the same and compares the configurations, step by step, with the agents of this
// host. Where an agent is missing both are told to go on all the same.
func TestSharedStorageAgainstPcs(t *testing.T) {
	program, err := exec.LookPath("pcs")
	if err != nil {
		t.Skip("pcs is not installed")
	}
	dir := t.TempDir()
	theirs, ours := filepath.Join(dir, "theirs.xml"), filepath.Join(dir, "ours.xml")
	for _, file := range []string{theirs, ours} {
		if err := os.WriteFile(file, []byte(emptyCIB), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	agents := HostAgents(t.Context(), time.Now)
	// pcs makes nothing promotable whose agent is missing, not even when it is told to.
	instead := strings.NewReplacer()
	if _, err := agents.Metadata("ocf", "linbit", "drbd"); err != nil {
		instead = strings.NewReplacer("ocf:linbit:drbd drbd_resource=datos", "ocf:pacemaker:Stateful")
	}
	for _, s := range sharedStorage {
		old, now := strings.Fields(instead.Replace(s.old)), strings.Fields(instead.Replace(s.today()))
		if missingAgent(agents, now) {
			old, now = append(old, "--force"), append(now, "--force")
		}
		cmd := exec.CommandContext(t.Context(), program, append([]string{"-f", theirs}, now...)...)
		cmd.Env = append(os.Environ(), "LC_ALL=C")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("pcs %s: %v: %s", s.today(), err, out)
		}
		var said strings.Builder
		env := Env{Stdin: strings.NewReader(""), Stdout: &said, Stderr: &said, Now: time.Now, Context: t.Context(), Agents: agents}
		if code := Main(env, "pcs", append([]string{"-f", ours}, old...)); code != 0 {
			t.Fatalf("ours, %s: code %d: %s", s.old, code, said.String())
		}
		if a, b := plain(t, theirs), plain(t, ours); a != b {
			t.Fatalf("%s\npcs makes\n%s\nours\n%s", s.old, a, b)
		}
	}
}

// missingAgent reports whether a command creates a resource whose agent pcs may find no metadata of here.
func missingAgent(agents configure.Agents, words []string) bool {
	if words[1] != "create" {
		return false
	}
	class, rest, full := strings.Cut(words[3], ":")
	if !full {
		return false
	}
	provider, typ, _ := strings.Cut(rest, ":")
	_, err := agents.Metadata(class, provider, typ)
	return err != nil || class == "systemd" // which pcs asks over D-Bus
}

// plain is the document of a file without its version, with attributes in order.
func plain(t *testing.T, file string) string {
	doc, err := cibfile.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	root := doc.Root.Map(func(e *cib.Element) *cib.Element {
		attrs := e.AttrList()
		slices.SortFunc(attrs, func(a, b cib.Attr) int { return strings.Compare(a.Name, b.Name) })
		return e.WithAttrs(attrs)
	})
	for _, name := range []string{"admin_epoch", "epoch", "num_updates", "crm_feature_set"} {
		root = root.Without(name)
	}
	return root.String()
}

// TestRelationsAndFailcountsAgainstPcs has pcs show the same documents.
func TestRelationsAndFailcountsAgainstPcs(t *testing.T) {
	program, err := exec.LookPath("pcs")
	if err != nil {
		t.Skip("pcs is not installed")
	}
	for _, line := range []string{
		"relations.xml resource relations A --full", "relations.xml resource relations D", "relations.xml resource relations G1",
		"relations.xml resource relations H --full", "relations.xml resource relations U",
		"failures.xml resource failcount", "failures.xml resource failcount show A --full",
		"failures.xml resource failcount show operation=monitor interval=10 node=n1", "failures.xml stonith failcount show nix",
	} {
		file, rest, _ := strings.Cut(line, " ")
		file = filepath.Join("testdata", file)
		cmd := exec.CommandContext(t.Context(), program, append([]string{"-f", file}, strings.Fields(rest)...)...)
		cmd.Env = append(os.Environ(), "LC_ALL=C")
		want, err := cmd.Output()
		if err != nil {
			t.Fatalf("pcs %s: %v", rest, err)
		}
		if code, got, said := run(t, file, strings.Fields(rest)...); code != 0 || got != string(want) {
			t.Errorf("%s: code %d %s\npcs shows\n%s\nours\n%s", rest, code, said, want, got)
		}
	}
}

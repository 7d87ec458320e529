//go:build host

package pcs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestHostClusterLife has two hosts become a cluster, stop, come back, part and end, by the words of pcs. In the place of
// systemd stands a program that notes what it is asked for.
func TestHostClusterLife(t *testing.T) {
	b := &bookLab{t: t, bin: filepath.Join(t.TempDir(), "cerco"), dir: t.TempDir()}
	if out, err := exec.Command("go", "build", "-o", b.bin, "../../cmd/cerco").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	asked := filepath.Join(t.TempDir(), "asked")
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "systemctl"), []byte("#!/bin/sh\necho \"$@\" >>"+asked+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	dir := func(node string) string { return filepath.Join(b.dir, node) }
	says := func(node string, code int, line string, texts ...string) string {
		t.Helper()
		got, said := b.run(node, append([]string{"pcs"}, shellWords(line)...)...)
		if missing := lacks(said, texts...); got != code || missing != "" {
			t.Fatalf("pcs %s on %s: code %d, not %d; %s in: %s", line, node, got, code, missing, said)
		}
		return said
	}
	start := func(node string) {
		t.Helper()
		cmd := exec.Command(b.bin, "daemon", "--dir", dir(node), "--boot-id", "boot-of-"+node, "--faults", filepath.Join(dir(node), "faults"))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { _ = cmd.Wait(); close(ended) }()
		t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
		if missing := b.eventually(func() string { _, said := b.run(node, "cluster", "members"); return lacks(said, "with quorum") }); missing != "" {
			t.Fatalf("%s does not start: %s", node, missing)
		}
	}

	says("a", 0, "cluster setup office a b addr=127.77.0.2 --node a --addr 127.77.0.1 --api none --dir "+dir("a"), "a founds cluster office", "pcs cluster node add b")
	start("a")
	says("a", 0, "host auth a", "a: Authorized")
	invited := strings.Fields(says("a", 0, "cluster node add b addr=127.77.0.2", "cerco cluster join --node b --addr 127.77.0.2"))
	join := exec.Command(b.bin, "cluster", "join", "--node", "b", "--addr", "127.77.0.2", "--api", "none", "--dir", dir("b"))
	join.Stdin = strings.NewReader(invited[len(invited)-1] + "\n")
	if out, err := join.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	says("a", 1, "cluster start --all", "127.77.0.2 refuses connections", "systemctl start cerco")
	start("b")
	says("a", 0, "cluster start --all --wait=30", "a: Cluster is running", "b: Cluster is running")
	says("a", 0, "cluster auth", "a: Authorized", "b: Authorized")
	says("b", 0, "pcsd status", "a: Online", "b: Online")
	says("a", 1, "cluster enable --all", "a: Cluster Enabled", "b: 'systemctl enable cerco' there")

	says("a", 0, "cluster stop b", "b: Stopping Cluster")
	says("a", 1, "pcsd status", "a: Online", "b: Offline", "127.77.0.2 refuses connections")
	says("b", 0, "cluster start", "Starting Cluster")
	start("b")
	if missing := b.eventually(func() string { _, said := b.run("a", "pcs", "cluster", "sync"); return lacks(said, "b: Succeeded") }); missing != "" {
		t.Error(missing)
	}
	if code, said := b.run("a", "stonith", "history"); code != 0 || !strings.Contains(said, "Nothing was fenced") {
		t.Errorf("code %d: %s", code, said)
	}

	says("a", 0, "cluster node remove b", "b: removed from the cluster")
	says("a", 1, "host auth b", "b: not of this cluster")
	says("b", 0, "cluster destroy --dir "+dir("b"), "belongs to no cluster any more")
	says("a", 0, "cluster destroy --dir "+dir("a"), "a: Stopping Cluster", "belongs to no cluster any more")
	said, err := os.ReadFile(asked)
	if missing := lacks(string(said), "enable cerco.service", "start cerco.service"); missing != "" || err != nil {
		t.Errorf("systemctl: %s %v", missing, err)
	}
}

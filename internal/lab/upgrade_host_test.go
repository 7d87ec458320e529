//go:build host

package lab

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// buildNext builds the later version.
func buildNext(t *testing.T, bin string) {
	t.Helper()
	dir := t.TempDir()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for file := range next {
		path, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		text := laterText(t, file)
		overlay.Replace[path] = filepath.Join(dir, filepath.Base(filepath.Dir(file))+"-"+filepath.Base(file))
		if err := os.WriteFile(overlay.Replace[path], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	data, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-overlay", list, "-o", bin, "../../cmd/cerco").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// TestHostUpgradeNodeByNode takes a cluster with services to the next version and back, and to the next version for
// good, with two programs.
func TestHostUpgradeNodeByNode(t *testing.T) {
	now := &drill{t: t, bin: filepath.Join(t.TempDir(), "cerco"), dir: filepath.Join(t.TempDir(), "lab")}
	then := &drill{t: t, bin: filepath.Join(t.TempDir(), "cerco-next"), dir: now.dir}
	if out, err := exec.Command("go", "build", "-o", now.bin, "../../cmd/cerco").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	buildNext(t, then.bin)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(now.try("n1", "status"))
		}
		now.try("n1", "lab", "down", "--dir", now.dir)
	})
	now.run("n1", "lab", "up", "--nodes", "3", "--dir", now.dir)
	now.waitForPeace()
	began := services(now.status())

	install := func(d *drill, node string) {
		t.Helper()
		d.run(node, "lab", "restart", node, "--dir", d.dir)
		d.waitFor(node+" answers and all is well", 30*time.Second, func() bool {
			return strings.Contains(d.try(node, "status"), "Online: [ n1 n2 n3 ]")
		})
		d.waitForPeace()
	}
	change := func(d *drill, node, value string) {
		t.Helper()
		d.run(node, "crm_attribute", "-t", "crm_config", "-n", "stop-orphan-actions", "-v", value)
	}
	for _, n := range []string{"n1", "n2"} {
		install(then, n)
		change(then, n, "true")
		if out := then.try(n, "cluster", "upgrade", "--final"); !strings.Contains(out, "the old version still") {
			t.Errorf("with %s upgraded, the upgrade is made final: %s", n, out)
		}
	}
	if s := now.run("n3", "status"); !strings.Contains(s, "nodes of several versions; still to be upgraded: n3") {
		t.Errorf("status does not say that nodes of several versions run:\n%s", s)
	}
	for _, n := range []string{"n2", "n1"} { // back, while that is possible
		install(now, n)
	}
	for _, n := range []string{"n3", "n1", "n2"} {
		install(then, n)
	}
	if q := then.run("n1", "cibadmin", "-Q"); strings.Contains(q, "remote-tls-port=") {
		t.Error("what only the next version knows is used before it was agreed on")
	}
	then.run("n2", "cluster", "upgrade", "--final")
	change(then, "n1", "false")
	for _, n := range []string{"n1", "n2", "n3"} {
		then.waitFor(n+" uses what was agreed on", 10*time.Second, func() bool {
			return strings.Contains(then.try(n, "cibadmin", "-Q", "-l"), `remote-tls-port="3003"`)
		})
	}
	if after := services(then.status()); after != began {
		t.Errorf("services before the upgrade and after it:\n%s\n%s", began, after)
	}
	if h := then.run("n1", "stonith", "history"); strings.Contains(h, "n1") || strings.Contains(h, "n2") || strings.Contains(h, "n3") {
		t.Errorf("somebody was fenced:\n%s", h)
	}
	// No way back: the old program says so and ends, and systemd leaves it at that.
	then.run("n1", "cluster", "stop", "n3")
	then.waitFor("n3 has stopped", 30*time.Second, func() bool { return strings.Contains(then.try("n1", "status"), "OFFLINE: [ n3 ]") })
	cmd := exec.Command(now.bin, "daemon", "--dir", filepath.Join(now.dir, "n3"), "--boot-id", "again")
	out, err := cmd.CombinedOutput()
	if err == nil || cmd.ProcessState.ExitCode() != 78 || !strings.Contains(string(out), "too old for the cluster") {
		t.Errorf("the old program, afterwards: %v\n%s", err, out)
	}
}

// services are the lines of status that say where services run.
func services(status string) string {
	var out []string
	for line := range strings.SplitSeq(status, "\n") {
		if strings.Contains(line, "ocf:cerco:Service") {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

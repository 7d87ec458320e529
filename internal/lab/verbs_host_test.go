//go:build host

package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestVerbsOnALab has verbs that do something to resources do it on real daemons with real agents, and looks at what they leave:
// nothing.
func TestVerbsOnALab(t *testing.T) {
	d := newCommands(t, "2")
	t.Setenv("OCF_ROOT", filepath.Join(d.dir, "ocf"))
	d.run("n1", "resource", "update", "db", "delay_stop=2", "--wait=60")
	before := d.run("n1", "cluster", "cib", "scope=configuration")
	for _, step := range []struct{ command, want string }{
		{"resource restart mail", "mail successfully restarted"},
		{"resource move db", "Location constraint created to move resource 'db' has been removed"},
		{"resource move site --wait=60", "resource 'site' is running on node"},
		{"resource relocate run", ""},
		{"resource relocate show", "Transition Summary:\n"},
		{"resource cleanup web --wait=60", "Cleaned up web on all nodes"},
		{"resource debug-stop mail", "Operation force-stop for mail (ocf:cerco:Service) returned 0 (ok)"},
		{"resource refresh mail --wait=60", "Cleaned up mail on all nodes"},
		{"resource failcount", "failcounts"},
		{"resource relations web", "inner resource(s)"},
	} {
		if said := d.run("n1", strings.Fields(step.command)...); !strings.Contains(said, step.want) {
			t.Errorf("%s: %s", step.command, said)
		}
	}
	d.interrupted("resource", "restart", "db")
	d.interrupted("resource", "move", "db")
	if after := d.run("n1", "cluster", "cib", "scope=configuration"); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	if said := d.run("n1", "status", "wait", "60") + d.run("n1", "resource", "status", "db"); !strings.Contains(said, "Started") {
		t.Error(said)
	}
}

// interrupted runs a command that stops db, and interrupts it in the middle of that.
func (d *drill) interrupted(args ...string) {
	d.t.Helper()
	cmd := exec.Command(d.bin, args...)
	cmd.Env = append(os.Environ(), "CERCO_SOCKET="+filepath.Join(d.dir, "n1", "run", "cerco.sock"))
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.waitFor("the change", 20*time.Second, func() bool {
		return strings.Contains(d.try("n1", "cluster", "cib", "scope=configuration"), "cli-") ||
			strings.Contains(d.try("n1", "resource", "config", "db"), "target-role")
	})
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		d.t.Fatal(err)
	}
	began := time.Now()
	if err := cmd.Wait(); err == nil {
		d.t.Errorf("%s: succeeds although it was interrupted", strings.Join(args, " "))
	}
	if took := time.Since(began); took > 5*time.Second {
		d.t.Errorf("%s: ends %s after it was interrupted", strings.Join(args, " "), took)
	}
}

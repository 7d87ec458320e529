//go:build host

package lab

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// drill is a lab of real daemons, with fence devices that fail, hang and lie.
type drill struct {
	t        *testing.T
	bin, dir string
}

// newCommands is a lab of so many nodes, and nothing but the services that it comes with.
func newCommands(t *testing.T, nodes string) *drill {
	t.Helper()
	d := &drill{t: t, bin: filepath.Join(t.TempDir(), "cerco"), dir: filepath.Join(t.TempDir(), "lab")}
	if out, err := exec.Command("go", "build", "-o", d.bin, "../../cmd/cerco").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(d.try("n1", "stonith", "history"))
			t.Log(d.try("n1", "lab", "status", "--dir", d.dir))
		}
		d.try("n1", "lab", "down", "--dir", d.dir)
	})
	d.run("n1", "lab", "up", "--nodes", nodes, "--dir", d.dir)
	return d
}

func newDrill(t *testing.T) *drill {
	t.Helper()
	d := newCommands(t, "3")
	agent, err := os.ReadFile("../fencer/testdata/agents/fence_record")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.dir, "fence", "fence_record"), agent, 0o755); err != nil {
		t.Fatal(err)
	}
	d.device("bad", "fence_record", "fail=reboot off status")
	d.device("hang", "fence_record", "hang=reboot off status", "pcmk_reboot_timeout=1s", "pcmk_off_timeout=1s", "pcmk_status_timeout=1s")
	d.device("liar", "fence_record", "lie=1", "state="+d.dir+"/liar")
	if err := os.WriteFile(d.dir+"/liar", []byte("on\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.device("operator", "fence_manual", "wall=false")
	return d
}

// try runs a command on a node and returns what it says, whatever becomes of it.
func (d *drill) try(node string, args ...string) string {
	cmd := exec.Command(d.bin, args...)
	cmd.Env = append(os.Environ(), "CERCO_SOCKET="+filepath.Join(d.dir, node, "run", "cerco.sock"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out) + err.Error()
	}
	return string(out)
}

func (d *drill) run(node string, args ...string) string {
	d.t.Helper()
	cmd := exec.Command(d.bin, args...)
	cmd.Env = append(os.Environ(), "CERCO_SOCKET="+filepath.Join(d.dir, node, "run", "cerco.sock"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		d.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (d *drill) device(id, agent string, params ...string) {
	d.t.Helper()
	var b strings.Builder
	for i, p := range append(params, "pcmk_host_list=n1 n2 n3", "log="+d.dir+"/calls") {
		name, value, _ := strings.Cut(p, "=")
		fmt.Fprintf(&b, `<nvpair id="%s-%d" name="%s" value="%s"/>`, id, i, name, value)
	}
	d.run("n1", "cibadmin", "-C", "-o", "resources", "-X", fmt.Sprintf(
		`<primitive id="%s" class="stonith" type="%s"><instance_attributes id="%s-p">%s</instance_attributes></primitive>`, id, agent, id, b.String()))
}

// levels gives all nodes the same topology, a level an argument.
func (d *drill) levels(levels ...string) {
	d.t.Helper()
	var b strings.Builder
	for _, n := range []string{"n1", "n2", "n3"} {
		for i, l := range levels {
			fmt.Fprintf(&b, `<fencing-level id="%s-%d" target="%s" index="%d" devices="%s"/>`, n, i, n, i+1, l)
		}
	}
	xml := "<fencing-topology>" + b.String() + "</fencing-topology>"
	if strings.Contains(d.run("n1", "cibadmin", "-Q"), "<fencing-topology") {
		d.run("n1", "cibadmin", "-R", "-o", "configuration", "-X", xml)
	} else {
		d.run("n1", "cibadmin", "-C", "-o", "configuration", "-X", xml)
	}
}

func (d *drill) status() string { return d.run("n1", "lab", "status", "--dir", d.dir) }

// waitFor looks until something holds.
func (d *drill) waitFor(what string, within time.Duration, holds func() bool) {
	d.t.Helper()
	for end := time.Now().Add(within); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			d.t.Fatalf("waited %s in vain: %s", within, what)
		}
	}
}

func (d *drill) waitForPeace() {
	d.t.Helper()
	d.waitFor("all nodes are there", 30*time.Second, func() bool {
		s := d.status()
		return strings.Contains(s, "Online: [ n1 n2 n3 ]") && strings.Count(s, "ocf:cerco:Service") == strings.Count(s, "Service):\t Started n")
	})
}

// victim is a node that runs a service and is not n1, which is asked.
func (d *drill) victim() string {
	d.t.Helper()
	for _, line := range strings.Split(d.status(), "\n") {
		if _, node, ok := strings.Cut(line, "Service):\t Started "); ok && node != "n1" {
			return node
		}
	}
	d.t.Fatal("no service runs beside n1")
	return ""
}

// recovered reports whether nothing is left on the node, or waits for it.
func (d *drill) recovered(node string) bool {
	s := d.status()
	return !strings.Contains(s, "Started "+node) && !strings.Contains(s, "UNCLEAN") && !strings.Contains(s, "Stopped")
}

func TestHostNothingIsRecoveredWithoutProof(t *testing.T) {
	d := newDrill(t)
	for _, c := range []struct {
		name   string
		levels []string
		fault  string
		done   bool   // by a device; otherwise an operator ends it
		says   string // what status says while it waits
	}{
		{"the second level does it", []string{"bad", "hang", "power"}, "crash", true, ""},
		{"devices that fail and hang prove nothing", []string{"bad", "hang"}, "crash", false, "fencing of "},
		{"a person is waited for", []string{"bad", "operator"}, "crash", false, "waits for an operator"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d.t = t
			d.waitForPeace()
			d.levels(c.levels...)
			node := d.victim()
			d.run("n1", "lab", c.fault, node, "--dir", d.dir)
			if c.done {
				d.waitFor("recovery", 20*time.Second, func() bool { return d.recovered(node) })
				return
			}
			d.waitFor("status says what it waits for", 10*time.Second, func() bool {
				s := d.try("n1", "stonith", "status")
				return strings.Contains(s, c.says) && strings.Contains(s, "cerco stonith confirm "+node)
			})
			for end := time.Now().Add(4 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
				if s := d.status(); !strings.Contains(s, node+": UNCLEAN") || !strings.Contains(s, "Started "+node+" (UNCLEAN)") {
					t.Fatalf("recovered without proof:\n%s", s)
				}
			}
			d.run("n1", "stonith", "confirm", node)
			d.waitFor("recovery", 10*time.Second, func() bool { return d.recovered(node) })
			if h := d.run("n1", "stonith", "history", node); !strings.Contains(h, "an operator has confirmed") || strings.Contains(h, ": pending") {
				t.Errorf("history:\n%s", h)
			}
			d.run("n1", "lab", "boot", node, "--dir", d.dir)
		})
	}
}

func TestHostADeviceThatLiesIsFoundOut(t *testing.T) {
	d := newDrill(t)
	d.waitForPeace()
	d.levels("liar")
	node := d.victim()
	if out := d.try("n1", "stonith", "fence", node); !strings.Contains(out, "alive under the same boot id") {
		t.Errorf("a reboot that never was: %s", out)
	}
	if out := d.try("n1", "stonith", "confirm", node); !strings.Contains(out, "is not off") {
		t.Errorf("a node that is alive is confirmed: %s", out)
	}
	d.run("n1", "crm_attribute", "-t", "crm_config", "-n", "stonith-action", "-v", "off")
	d.run("n1", "lab", "pause", node, "--dir", d.dir)
	d.waitFor("the lie is found out", 20*time.Second, func() bool {
		return strings.Contains(d.try("n1", "stonith", "history", node), "still says that "+node+" is on")
	})
	if s := d.status(); !strings.Contains(s, "Started "+node+" (UNCLEAN)") {
		t.Errorf("recovered without proof:\n%s", s)
	}
	d.run("n1", "lab", "heal", "--dir", d.dir)
	d.waitForPeace()
	if d.recovered(node) {
		t.Error("its services were moved away, though it was there all the time")
	}
}

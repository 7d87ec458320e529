//go:build host

package vmtest

import (
	"context"
	"os/exec"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/wire"
)

const guestsConf = `fence_virtd {
	listener = "multicast";
	backend = "cpg";
}
listeners {
	multicast { key_file = "DIR/guests.key"; interface = "e0"; }
}
`

// serveGuests has the hosts of the cluster serve a guest, which here is v3, that asks for vm1 to be fenced. All
// three hear each request, and the one where it runs is to answer.
func (w *world) serveGuests() {
	w.t.Helper()
	w.write("guests.key", strings.Repeat("k", 4096), 0o600)
	w.write("guests.conf", strings.ReplaceAll(guestsConf, "DIR", w.dir), 0o600)
	w.option("guest-fencing", "true")
	w.until(20*time.Second, "the hosts to serve guests", func() bool { out, code := w.ask("monitor"); return code == 0 && out == "" })
}

// askAlong asks for the status of vm1 again and again, until the function that it returns is called: it runs, and
// no host may say anything else while it moves.
func (w *world) askAlong() (end func()) {
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		n := 0
		for {
			select {
			case <-stop:
				w.t.Logf("%d requests were answered while it moved", n)
				return
			default:
			}
			if out, code := w.ask("status", "-H", "vm1"); code != 0 || out != "Status: ON" {
				w.t.Errorf("status of a machine that runs: %q, exit code %d", out, code)
			}
			n++
		}
	}()
	return func() { close(stop); <-done }
}

// fenceGuest has vm1 cut off. It is a resource, so that the cluster starts it again.
func (w *world) fenceGuest() {
	w.t.Helper()
	if out, code := w.ask("list"); code != 0 || !strings.Contains(out, "vm1") || !strings.Contains(out, "on") {
		w.t.Errorf("list: %q, exit code %d", out, code)
	}
	began := time.Now()
	before := w.boots("v2")
	if out, code := w.ask("reboot", "-H", "6c5a4d0e-0f0e-4a54-8f1e-0a3a5d3c7a11"); code != 0 {
		w.t.Errorf("reboot: %q, exit code %d", out, code)
	}
	w.t.Logf("vm1 was fenced on request in %s", time.Since(began).Round(time.Millisecond))
	w.until(time.Minute, "the cluster to start vm1 again", func() bool { return w.boots("v2") > before })
	w.runsOn("v2", time.Minute)
	if out, code := w.ask("status", "-H", "vm1"); code != 0 {
		w.t.Errorf("status after the reboot: %q, exit code %d", out, code)
	}
}

// boots counts how often QEMU was started for the guest on a host.
func (w *world) boots(name string) int {
	out, err := exec.Command("grep", "-c", "starting up", w.dir+"/"+name+"/libvirt/log/qemu/vm1.log").Output()
	if err != nil {
		return 0
	}
	n := 0
	for _, c := range strings.TrimSpace(string(out)) {
		n = 10*n + int(c-'0')
	}
	return n
}

// ask asks the hosts, from v3.
func (w *world) ask(action string, args ...string) (string, int) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	cmd := w.inside("v3", append([]string{w.cerco, "fence-xvm", "-o", action, "-k", w.dir + "/guests.key"}, args...)...)
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer stop()
	out, _ := cmd.CombinedOutput() // the exit code is looked at
	return strings.TrimSpace(string(out)), cmd.ProcessState.ExitCode()
}

// option sets an option of the cluster.
func (w *world) option(name, value string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	set := `<cluster_property_set id="guests-options"><nvpair id="guests-options-` + name + `" name="` + name + `" value="` + value + `"/></cluster_property_set>`
	if _, err := w.client("v3").Edit(ctx, wire.Edit{Edits: []cib.Edit{{Op: "create", Parent: "crm_config", XML: set}}}, client.Wait{}); err != nil {
		w.t.Fatal(err)
	}
}

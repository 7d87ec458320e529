//go:build host

package hypervisor

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMigrationHook has a real machine migrated live from one libvirt to another one that has our hook.
func TestMigrationHook(t *testing.T) {
	if os.Getenv("CERCO_TEST_ALONE") == "" {
		build(t)
		alone(t, "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=2m")
		return
	}
	d := &libvirtd{t: t} // where the machine is to go
	d.start()
	t.Cleanup(func() { d.kill() })
	dir := t.TempDir()
	conf, file := filepath.Join(dir, "fence_virt.conf"), filepath.Join(dir, "vm1.xml")
	write := func(file, text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(conf, "fence_virtd { listener = \"multicast\"; backend = \"libvirt\"; }\n")
	write(file, strings.NewReplacer("%s</name>", "vm1</name>", "%s</uuid>", testUUID+"</uuid>").Replace(vm))
	run(t, os.Getenv("CERCO_TEST_BINARY"), "fence-virtd", "-f", conf, "--install-hook")
	d.kill() // libvirtd looks for hooks when it starts
	d.start()

	source := "qemu+unix:///system?socket=" + filepath.Join(dir, "libvirt-sock")
	other := exec.Command("unshare", "-m", "-u", "-p", "-f", "--mount-proc", "--kill-child", "--propagation", "private", "bash", "-c", prepare, "prepare", t.TempDir(),
		"sh", "-ec", "hostname source; echo 'unix_sock_dir = \""+dir+"\"' >>/etc/libvirt/libvirtd.conf; exec libvirtd")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = other.Process.Kill(), other.Wait() })
	for _, uri := range []string{source, DefaultURI} {
		for deadline := time.Now().Add(20 * time.Second); exec.Command("virsh", "-c", uri, "list").Run() != nil; time.Sleep(100 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s does not come up", uri)
			}
		}
	}
	run(t, "virsh", "-c", source, "create", file)
	migrate := func() (string, error) {
		out, err := exec.Command("virsh", "-c", source, "migrate", "--live", "vm1", DefaultURI, "tcp://127.0.0.1").CombinedOutput()
		return string(out), err
	}
	if out, err := migrate(); err == nil || !strings.Contains(out, "must not be migrated live: guests may have it fenced") {
		t.Errorf("it is taken in: %v, %s", err, out)
	}
	run(t, "virsh", "-c", source, "domstate", "vm1") // it is where it was
	write(conf, "groups { group { uuid = \"another\"; ip = \"10.0.0.1\"; } }\n")
	if out, err := migrate(); err != nil {
		t.Errorf("one that no guest may have fenced: %v, %s", err, out)
	}
	run(t, "virsh", "-c", DefaultURI, "domstate", "vm1")
}

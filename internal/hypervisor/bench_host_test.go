//go:build host

package hypervisor

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const benchConf = `fence_virtd { listener = "multicast"; backend = "libvirt"; }
listeners { multicast { key_file = "DIR/key"; interface = "d0"; port = "PORT"; } }
backends { libvirt { uri = "qemu:///system"; } }
`

// BenchmarkGuestFencing measures requests of a real fence_xvm for a real machine, to our daemon and to the original's
// in turn, and shows the medians.
func BenchmarkGuestFencing(b *testing.B) {
	if os.Getenv("CERCO_TEST_ALONE") == "" {
		for _, program := range []string{"fence_virtd", "fence_xvm"} {
			if _, err := exec.LookPath(program); err != nil {
				b.Skipf("needs fence-virt and fence-virtd: %v", err)
			}
		}
		build(b)
		alone(b, "-test.run=^$", "-test.bench="+cmp.Or(os.Getenv("CERCO_TEST_BENCH"), "GuestFencing"), "-test.benchtime=1x", "-test.timeout=10m")
		return
	}
	d := &libvirtd{t: b}
	d.start()
	b.Cleanup(d.kill)
	l := d.open(Config{})
	if _, err := l.List(b.Context()); err != nil { // libvirtd is up
		b.Fatal(err)
	}
	d.define("vm1", testUUID)
	dir := b.TempDir()
	run(b, "sh", "-ec", "ip link add d0 type veth peer name d1; ip link set d1 up; ip addr add 10.9.0.1/24 dev d0; ip link set d0 up multicast on; head -c 4096 /dev/urandom >"+dir+"/key; chmod 600 "+dir+"/key")
	ports := map[string]string{"cerco": "1229", "fence_virtd": "1230"}
	for name, port := range ports {
		conf := filepath.Join(dir, name)
		text := strings.NewReplacer("DIR", dir, "PORT", port).Replace(benchConf)
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
		serve := exec.Command("fence_virtd", "-F", "-f", conf)
		if name == "cerco" {
			serve = exec.Command(os.Getenv("CERCO_TEST_BINARY"), "fence-virtd", "-F", "-f", conf, "-s", filepath.Join(dir, "log"))
		}
		if err := serve.Start(); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = serve.Process.Kill(); _ = serve.Wait() })
		run(b, "fence_xvm", "-o", "monitor", "-k", dir+"/key", "-p", port)
	}
	for _, c := range []struct {
		action string
		times  int
	}{{"status", 401}, {"off", 9}, {"reboot", 5}} {
		b.Run(c.action, func(b *testing.B) {
			took := map[string][]time.Duration{}
			for range c.times {
				for name, port := range ports {
					onForSure(b, l)
					if c.action != "status" {
						time.Sleep(500 * time.Millisecond) // and the machine has begun to run; a benchmark may wait
					}
					began := time.Now()
					run(b, "fence_xvm", "-o", c.action, "-H", "vm1", "-k", dir+"/key", "-p", port)
					took[name] = append(took[name], time.Since(began))
				}
			}
			for _, name := range []string{"cerco", "fence_virtd"} {
				b.Run(name, func(b *testing.B) {
					slices.Sort(took[name])
					b.ReportMetric(0, "ns/op")
					b.ReportMetric(float64(took[name][c.times/2].Microseconds())/1000, "ms(median)")
				})
			}
		})
	}
}

// onForSure starts the machine although libvirt may not have noticed yet that it has ended, and says that it runs.
func onForSure(b *testing.B, l *Libvirt) {
	b.Helper()
	for ; ; time.Sleep(20 * time.Millisecond) {
		on(b, l, "vm1")
		p, err := findProcess("/proc", "/run/libvirt/qemu", "vm1", testUUID)
		if err != nil {
			b.Fatal(err)
		}
		if p != nil {
			p.close()
			return
		}
	}
}

func run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatal(fmt.Errorf("%s %v: %w\n%s", name, args, err, out))
	}
}

package failover

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// hosts are namespaces that take each other for hosts, made by cluster.sh.
type hosts struct {
	b    *testing.B
	base string
	n    int
}

// newHosts makes n hosts with nothing running on them, or skips.
func newHosts(b *testing.B, n int, args ...string) *hosts {
	b.Helper()
	if os.Getuid() != 0 {
		b.Skip("hosts are namespaces: this needs root")
	}
	src := os.Getenv("INCUMBENT")
	if _, err := os.Stat(filepath.Join(src, "cluster.sh")); src == "" || err != nil {
		b.Skip("there is no cluster.sh to make hosts with: INCUMBENT names its directory")
	}
	for _, tool := range []string{"ip", "nsenter", "python3"} {
		if _, err := exec.LookPath(tool); err != nil {
			b.Skipf("%s is not installed", tool)
		}
	}
	h := &hosts{b: b, base: b.TempDir(), n: n}
	if err := os.Chmod(filepath.Dir(h.base), 0o755); err != nil { // hacluster looks into it
		b.Fatal(err)
	}
	if err := os.Chmod(h.base, 0o755); err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"cluster.sh", "killall_stub", "fence_netns"} {
		data, err := os.ReadFile(filepath.Join(src, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(h.base, name), data, 0o755)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	b.Cleanup(func() {
		if out, err := h.script("down").CombinedOutput(); err != nil {
			b.Logf("ending the hosts: %v: %s", err, out)
		}
	})
	h.must(h.script(append([]string{"up", strconv.Itoa(n)}, args...)...))
	return h
}

func (h *hosts) script(args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(h.base, "cluster.sh"), args...)
	cmd.Env = append(os.Environ(), "INCUMBENT_BASE="+h.base, "LC_ALL=C", "CIB_user=root",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	return cmd
}

// must runs a command that may not fail, and returns what it printed. What it leaves running may keep its output.
func (h *hosts) must(cmd *exec.Cmd) string {
	h.b.Helper()
	out, err := h.run(cmd)
	if err != nil {
		h.b.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return out
}

func (h *hosts) run(cmd *exec.Cmd) (string, error) {
	f, err := os.CreateTemp(h.base, "out")
	if err != nil {
		return "", err
	}
	defer f.Close()
	defer os.Remove(f.Name())
	cmd.Stdout, cmd.Stderr = f, f
	err = cmd.Run()
	out, err2 := os.ReadFile(f.Name())
	return string(out), errors.Join(err, err2)
}

// on runs a command inside a host.
func (h *hosts) on(i int, stdin string, args ...string) (string, error) {
	cmd := h.script(append([]string{"x", strconv.Itoa(i)}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	return h.run(cmd)
}

// daemon starts a daemon of a host, in its cgroup.
func (h *hosts) daemon(i int, args ...string) {
	h.b.Helper()
	cmd := h.script(append([]string{"xd", strconv.Itoa(i)}, args...)...)
	log, err := os.OpenFile(filepath.Join(h.base, fmt.Sprintf("daemon.%d.log", i)), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		h.b.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		h.b.Fatal(err)
	}
	go cmd.Wait()
}

// kill ends every process of a host, and returns when that was.
func (h *hosts) kill(i int) time.Time {
	at := time.Now()
	h.must(h.script("kill", strconv.Itoa(i)))
	return at
}

// plug gives a host that was fenced its network back.
func (h *hosts) plug(i int) {
	ns, addr := fmt.Sprintf("hb-n%d", i), fmt.Sprintf("10.77.0.%d/24", i)
	for _, args := range [][]string{{"addr", "flush", "dev", "e0"}, {"addr", "add", addr, "dev", "e0"}, {"link", "set", "e0", "up"}} {
		h.must(exec.Command("ip", append([]string{"-n", ns}, args...)...))
	}
	if out, err := h.on(i, "", "sh", "-c", "rm -f /run/Dummy-*.state"); err != nil {
		h.b.Fatalf("%v: %s", err, out)
	}
}

// started is when a Dummy resource was started on a host; zero: it does not run there.
func (h *hosts) started(i int, resource string) time.Time {
	holder, err := os.ReadFile(filepath.Join(h.base, "run", fmt.Sprintf("holder.%d", i)))
	if err != nil {
		return time.Time{}
	}
	info, err := os.Stat(fmt.Sprintf("/proc/%s/root/run/Dummy-%s.state", strings.TrimSpace(string(holder)), resource))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// await waits until something holds.
func (h *hosts) await(what string, limit time.Duration, holds func() bool) {
	h.b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	for !holds() {
		select {
		case <-ctx.Done():
			h.dump()
			h.b.Fatalf("not within %v: %s", limit, what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// dump shows the ends of the daemons' logs.
func (h *hosts) dump() {
	for i := 1; i <= h.n; i++ {
		data, _ := os.ReadFile(filepath.Join(h.base, fmt.Sprintf("daemon.%d.log", i)))
		h.b.Logf("host %d: ...%s", i, data[max(0, len(data)-1500):])
	}
}

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	n := len(list)
	if n == 0 {
		return 0
	}
	return (list[(n-1)/2] + list[n/2]) / 2
}

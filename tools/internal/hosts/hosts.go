// Package hosts makes namespaces that take each other for hosts, and runs a cluster on them: ours, or Corosync and
// Pacemaker, so that both are measured in the same way.
//
// It owns the hosts (made by a script that lies outside of this repository) and the two sides, and promises that what
// the machine lacks skips the benchmark with a message. It never decides what is measured.
package hosts

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

// Hosts are namespaces, made by cluster.sh, with a cluster of one of the sides on them.
type Hosts struct {
	N int

	b    testing.TB
	side Side
	base string
	inst string // tells these hosts from those of another run on the same machine
}

// New makes n hosts and starts a cluster on them, or skips.
func New(b testing.TB, side Side, n int) *Hosts {
	b.Helper()
	if what := side.missing(); what != "" {
		b.Skipf("%s is not installed", what)
	}
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
	h := &Hosts{b: b, side: side, base: b.TempDir(), N: n, inst: strconv.Itoa(os.Getpid() % 10000)}
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
	h.must(h.script(append([]string{"up", strconv.Itoa(n)}, side.args()...)...))
	side.start(h)
	h.Await("all hosts to be up", 2*time.Minute, func() bool { return h.Up(1) == n && h.DC(1) > 0 })
	return h
}

func (h *Hosts) script(args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(h.base, "cluster.sh"), args...)
	cmd.Env = append(os.Environ(), "INCUMBENT_BASE="+h.base, "HB_INST="+h.inst, "LC_ALL=C", "CIB_user=root",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	return cmd
}

// must runs a command that may not fail, and returns what it printed. What it leaves running may keep its output.
func (h *Hosts) must(cmd *exec.Cmd) string {
	h.b.Helper()
	out, err := h.output(cmd)
	if err != nil {
		h.b.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return out
}

func (h *Hosts) output(cmd *exec.Cmd) (string, error) {
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

// On runs a command inside a host.
func (h *Hosts) On(i int, stdin string, args ...string) (string, error) {
	cmd := h.script(append([]string{"x", strconv.Itoa(i)}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	return h.output(cmd)
}

// daemon starts a daemon of a host, in its cgroup.
func (h *Hosts) daemon(i int, args ...string) {
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

// Kill ends every process of a host, and returns when that was.
func (h *Hosts) Kill(i int) time.Time {
	at := time.Now()
	h.must(h.script("kill", strconv.Itoa(i)))
	return at
}

// Plug gives a host that was fenced its network back, and starts its part in the cluster again.
func (h *Hosts) Plug(i int) {
	ns, addr := fmt.Sprintf("hb%s-n%d", h.inst, i), fmt.Sprintf("10.77.0.%d/24", i)
	for _, args := range [][]string{{"addr", "flush", "dev", "e0"}, {"addr", "add", addr, "dev", "e0"}, {"link", "set", "e0", "up"}} {
		h.must(exec.Command("ip", append([]string{"-n", ns}, args...)...))
	}
	h.Clear(i)
	h.side.again(h, i)
}

// Clear takes away what a boot would: the files by which agents know that they run.
func (h *Hosts) Clear(i int) {
	if out, err := h.On(i, "", "sh", "-c", "find /run -maxdepth 1 -name '*.state' -delete"); err != nil {
		h.b.Fatalf("%v: %s", err, out)
	}
}

// Ours reports whether the cluster is ours.
func (h *Hosts) Ours() bool {
	_, ours := h.side.(Cerco)
	return ours
}

// Tool runs a command of the cluster inside a host: both sides have those that are used here.
func (h *Hosts) Tool(i int, args ...string) (string, error) {
	return h.On(i, "", h.side.command(h, i, args...)...)
}

// run is a host's /run, as it is seen from outside.
func (h *Hosts) run(i int) string {
	holder, err := os.ReadFile(filepath.Join(h.base, "run"+h.inst, fmt.Sprintf("holder.%d", i)))
	if err != nil {
		h.b.Fatal(err)
	}
	return fmt.Sprintf("/proc/%s/root/run", strings.TrimSpace(string(holder)))
}

// Started is when a Dummy resource was started on a host; zero: it does not run there.
func (h *Hosts) Started(i int, resource string) time.Time {
	info, err := os.Stat(filepath.Join(h.run(i), "Dummy-"+resource+".state"))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// Running counts the resources that run, on all hosts, by the names of their agents' files.
func (h *Hosts) Running(prefix string) (n int) {
	for i := 1; i <= h.N; i++ {
		entries, _ := os.ReadDir(h.run(i))
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), prefix) && strings.HasSuffix(e.Name(), ".state") {
				n++
			}
		}
	}
	return n
}

// Await waits until something holds.
func (h *Hosts) Await(what string, limit time.Duration, holds func() bool) {
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
func (h *Hosts) dump() {
	for i := 1; i <= h.N; i++ {
		data, _ := os.ReadFile(filepath.Join(h.base, fmt.Sprintf("daemon.%d.log", i)))
		h.b.Logf("host %d: ...%s", i, data[max(0, len(data)-1500):])
	}
}

// Median is of a list, 0 of none.
func Median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	n := len(list)
	if n == 0 {
		return 0
	}
	return (list[(n-1)/2] + list[n/2]) / 2
}

const device = `<primitive class="stonith" id="fence" type="fence_netns"><instance_attributes id="fence-ia"><nvpair id="fence-hl" name="pcmk_host_list" value="%s"/></instance_attributes></primitive>`

// Configure gives the cluster a fence device for all hosts, and resources.
func (h *Hosts) Configure(resources string) {
	h.b.Helper()
	var names []string
	for i := 1; i <= h.N; i++ {
		names = append(names, fmt.Sprintf("n%d", i))
	}
	file := filepath.Join(h.base, "resources.xml") // too long for an argument
	xml := "<resources>" + fmt.Sprintf(device, strings.Join(names, " ")) + resources + "</resources>"
	if err := os.WriteFile(file, []byte(xml), 0o644); err != nil {
		h.b.Fatal(err)
	}
	for _, args := range [][]string{
		{"--modify", "--allow-create", "--scope", "crm_config", "--xml-text", `<crm_config><cluster_property_set id="cib-bootstrap-options"><nvpair id="o-stonith" name="stonith-enabled" value="true"/></cluster_property_set></crm_config>`},
		{"--modify", "--allow-create", "--scope", "rsc_defaults", "--xml-text", `<rsc_defaults><meta_attributes id="rsc-options"><nvpair id="rsc-stick" name="resource-stickiness" value="100"/></meta_attributes></rsc_defaults>`},
		{"--replace", "--scope", "resources", "--xml-file", file},
	} {
		if out, err := h.Tool(1, append([]string{"cibadmin"}, args...)...); err != nil {
			h.b.Fatalf("%v: %v: %s", args, err, out)
		}
	}
}

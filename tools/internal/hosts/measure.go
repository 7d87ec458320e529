package hosts

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Use is what the processes of a host have used since the host was made, and what they hold now.
type Use struct {
	Own      time.Duration // processor time of the cluster's daemons that live
	All      time.Duration // the same of every process that the daemons have started, agents among them
	RSS, PSS int64         // memory of the daemons, in bytes
}

// Use of a host, now.
func (h *Hosts) Use(i int) Use {
	h.b.Helper()
	u := Use{All: h.accounted(i)}
	for _, pid := range h.pids(i) {
		name, parent := process(pid)
		if of, _ := process(parent); of == name { // it is about to become an agent, and still shares its parent's memory
			continue
		}
		if !slices.ContainsFunc(h.side.daemons(), func(d string) bool { return d[:min(len(d), 15)] == name }) {
			continue
		}
		u.Own += threads(pid)
		rss, pss := memory(pid)
		u.RSS, u.PSS = u.RSS+rss, u.PSS+pss
	}
	return u
}

// process is the name of a process, cut off after 15 characters by the kernel, and the pid of its parent.
func process(pid string) (name, parent string) {
	data, _ := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	_, rest, _ := strings.Cut(string(data), "(")
	end := strings.LastIndex(rest, ") ")
	if end < 0 {
		return "", ""
	}
	if fields := strings.Fields(rest[end+2:]); len(fields) > 1 {
		parent = fields[1]
	}
	return rest[:end], parent
}

func (h *Hosts) pids(i int) []string {
	data, err := os.ReadFile(fmt.Sprintf("/sys/fs/cgroup/unified/hb%s/n%d/cgroup.procs", h.inst, i))
	if err != nil {
		h.b.Fatal(err)
	}
	return strings.Fields(string(data))
}

// accounted is what the kernel has accounted to a host's control group.
func (h *Hosts) accounted(i int) time.Duration {
	data, err := os.ReadFile(fmt.Sprintf("/sys/fs/cgroup/cpuacct/hb%s/n%d/cpuacct.usage", h.inst, i))
	if err != nil {
		h.b.Fatal(err)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	if err != nil {
		h.b.Fatal(err)
	}
	return time.Duration(n)
}

// threads is the processor time of the living threads of a process, to the nanosecond: what the process counts itself
// has a hundredth of a second.
func threads(pid string) (sum time.Duration) {
	files, _ := filepath.Glob(filepath.Join("/proc", pid, "task", "*", "schedstat"))
	for _, f := range files {
		data, _ := os.ReadFile(f)
		ran, _, _ := bytes.Cut(data, []byte(" "))
		n, _ := strconv.ParseInt(string(ran), 10, 64)
		sum += time.Duration(n)
	}
	return sum
}

func memory(pid string) (rss, pss int64) {
	data, _ := os.ReadFile(filepath.Join("/proc", pid, "smaps_rollup"))
	for l := range strings.Lines(string(data)) {
		f := strings.Fields(l)
		if len(f) != 3 {
			continue
		}
		kb, _ := strconv.ParseInt(f[1], 10, 64)
		switch f[0] {
		case "Rss:":
			rss = kb << 10
		case "Pss:":
			pss = kb << 10
		}
	}
	return rss, pss
}

// Timed runs a command of the cluster inside a host again and again, and returns how long each took, in seconds. The
// shell that does it is the same for both sides, and not counted.
func (h *Hosts) Timed(i, times int, args ...string) []float64 {
	h.b.Helper()
	const loop = `n=$1; shift; for ((i = 0; i < n; i++)); do
b=$EPOCHREALTIME; "${@//@/$i}" >/dev/null || exit; e=$EPOCHREALTIME; echo $((${e/./} - ${b/./})); done`
	args = append([]string{"bash", "-c", loop, "bash", strconv.Itoa(times)}, h.side.command(h, i, args...)...)
	out, err := h.On(i, "", args...)
	if err != nil {
		h.b.Fatalf("%v: %v: %s", args, err, out)
	}
	var list []float64
	for _, f := range strings.Fields(out) {
		us, err := strconv.ParseFloat(f, 64)
		if err != nil {
			h.b.Fatalf("%v: %s", args, out)
		}
		list = append(list, us/1e6)
	}
	return list
}

// bareTimes is how often an action is called to find out what it takes.
const bareTimes = 100

// Bare is the processor time of one call of each of an agent's actions outside of any cluster, in shells on all hosts at
// a time: agents of a cluster are in each other's way like that, too.
func (h *Hosts) Bare(agent string, actions ...string) time.Duration {
	h.b.Helper()
	const loop = `export OCF_ROOT=/usr/lib/ocf OCF_RESOURCE_INSTANCE=bare OCF_RESKEY_CRM_meta_timeout=20000 LC_ALL=C
n=$1; a=$2; shift 2; for ((i = 0; i < n; i++)); do for x; do $a $x; done; done >/dev/null 2>&1; times`
	took := make([]time.Duration, h.N)
	errs := make([]error, h.N)
	var wg sync.WaitGroup
	for i := range h.N {
		wg.Go(func() {
			out, err := h.On(i+1, "", append([]string{"bash", "-c", loop, "bash", strconv.Itoa(bareTimes), agent}, actions...)...)
			if took[i], errs[i] = children(out); err != nil {
				errs[i] = fmt.Errorf("%w: %s", err, out)
			}
		})
	}
	wg.Wait()
	var sum time.Duration
	for i := range h.N {
		if errs[i] != nil {
			h.b.Fatalf("%s: %v", agent, errs[i])
		}
		sum += took[i]
	}
	return sum / time.Duration(bareTimes*h.N)
}

// children is the processor time of what a shell has called, of its "times": user and system time of the shell, and of
// those.
func children(times string) (sum time.Duration, err error) {
	f := strings.Fields(times)
	if len(f) != 4 {
		return 0, fmt.Errorf("these are no times: %q", times)
	}
	for _, t := range f[2:] {
		d, err := time.ParseDuration(t)
		if err != nil {
			return 0, err
		}
		sum += d
	}
	return sum, nil
}

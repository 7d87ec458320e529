package hosts

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Side is one of the two: how it is started on the hosts, and how its tools are called.
type Side interface {
	Name() string
	missing() string // what is not installed; empty: it can run
	args() []string  // for cluster.sh up
	start(h *Hosts)  // on all hosts, which have nothing running
	again(h *Hosts, i int)
	command(h *Hosts, i int, args ...string) []string // one of the cluster's tools, as it is called inside a host
	daemons() []string                                // names of the processes that are the cluster itself
}

// Sides are ours, the program of that path, and theirs.
func Sides(program string) []Side { return []Side{Cerco{program}, Pacemaker{}} }

// Pacemaker is Corosync and Pacemaker as Debian has them, with their default times.
type Pacemaker struct{}

func (Pacemaker) Name() string { return "pacemaker" }

func (Pacemaker) missing() string {
	for _, p := range []string{"corosync", "pacemakerd", "cibadmin", "crm_mon"} {
		if _, err := exec.LookPath(p); err != nil {
			return p
		}
	}
	return ""
}

func (Pacemaker) args() []string { return nil }

func (Pacemaker) start(h *Hosts) {
	const agent = "/usr/sbin/fence_netns" // pacemaker-fenced looks nowhere else
	data, err := os.ReadFile(filepath.Join(h.base, "fence_netns"))
	if err == nil {
		err = os.WriteFile(agent, data, 0o755)
	}
	if err != nil {
		h.b.Fatal(err)
	}
	h.b.Cleanup(func() { os.Remove(agent) })
}

func (Pacemaker) again(h *Hosts, i int) { h.must(h.script("start", strconv.Itoa(i))) }

func (Pacemaker) command(_ *Hosts, _ int, args ...string) []string { return args }

func (Pacemaker) daemons() []string {
	return []string{"corosync", "pacemakerd", "pacemaker-based", "pacemaker-fenced", "pacemaker-execd", "pacemaker-attrd",
		"pacemaker-schedulerd", "pacemaker-controld"}
}

// Cerco is ours, with its default times.
type Cerco struct{ Program string }

func (Cerco) Name() string     { return "cerco" }
func (Cerco) missing() string  { return "" }
func (c Cerco) args() []string { return []string{"nostart"} }

func (c Cerco) dir(h *Hosts, i int) string {
	return filepath.Join(h.base, "cerco", fmt.Sprintf("n%d", i))
}

func (c Cerco) start(h *Hosts) {
	h.b.Helper()
	token := ""
	for i := 1; i <= h.N; i++ {
		args := []string{c.Program, "cluster", "setup", "hb"}
		if i > 1 {
			args = []string{c.Program, "cluster", "join"}
		}
		args = append(args, "--dir", c.dir(h, i), "--node", fmt.Sprintf("n%d", i), "--addr", fmt.Sprintf("10.77.0.%d", i), "--api", "none")
		if out, err := h.On(i, token+"\n", args...); err != nil {
			h.b.Fatalf("%v: %s", err, out)
		}
		c.again(h, i)
		if i == h.N {
			return
		}
		h.Await("an invitation", 30*time.Second, func() bool {
			out, err := h.On(1, "", c.Program, "cluster", "invite", "--dir", c.dir(h, 1))
			if words := strings.Fields(out); err == nil && len(words) > 0 {
				token = words[len(words)-1]
			}
			return token != ""
		})
	}
}

func (c Cerco) again(h *Hosts, i int) {
	h.daemon(i, c.Program, "daemon", "--dir", c.dir(h, i), "--boot-id", strconv.FormatInt(time.Now().UnixNano(), 36), "--fence-agents", h.base)
}

func (c Cerco) command(h *Hosts, i int, args ...string) []string {
	return append([]string{"env", "CERCO_SOCKET=" + c.Socket(h, i), c.Program}, args...)
}

// Socket is where the daemon of a host is asked.
func (c Cerco) Socket(h *Hosts, i int) string { return filepath.Join(c.dir(h, i), "run", "cerco.sock") }

func (c Cerco) daemons() []string { return []string{filepath.Base(c.Program)} }

// What both are asked with, by the same tools.

var online = regexp.MustCompile(`<node name="n\d+"[^>]* online="true"[^>]*pending="false"`)

// Up counts the nodes that are online, as one of them sees it.
func (h *Hosts) Up(by int) int {
	out, err := h.Tool(by, "crm_mon", "-1", "--output-as=xml")
	if err != nil {
		return 0
	}
	return len(online.FindAllString(out, -1))
}

var decides = regexp.MustCompile(`<current_dc present="true"[^>]* name="n(\d+)"`)

// DC is the host that decides, 0 if none does.
func (h *Hosts) DC(by int) int {
	out, err := h.Tool(by, "crm_mon", "-1", "--output-as=xml")
	m := decides.FindStringSubmatch(out)
	if err != nil || m == nil {
		return 0
	}
	i, _ := strconv.Atoi(m[1])
	return i
}

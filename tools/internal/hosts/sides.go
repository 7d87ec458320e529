package failover

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

// side is one of the two: how it is started on the hosts, and how its tools are called.
type side interface {
	name() string
	missing() string // what is not installed; empty: it can run
	args() []string  // for cluster.sh up
	start(h *hosts)  // on all hosts, which have nothing running
	again(h *hosts, i int)
	tool(h *hosts, i int, stdin string, args ...string) (string, error)
}

// pacemaker is Corosync and Pacemaker as Debian has them, with their default times.
type pacemaker struct{}

func (pacemaker) name() string { return "pacemaker" }

func (pacemaker) missing() string {
	for _, p := range []string{"corosync", "pacemakerd", "cibadmin", "crm_mon"} {
		if _, err := exec.LookPath(p); err != nil {
			return p
		}
	}
	return ""
}

func (pacemaker) args() []string { return nil }

func (pacemaker) start(h *hosts) {
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

func (pacemaker) again(h *hosts, i int) { h.must(h.script("start", strconv.Itoa(i))) }

func (pacemaker) tool(h *hosts, i int, stdin string, args ...string) (string, error) {
	return h.on(i, stdin, args...)
}

// cerco is ours, with its default times.
type cerco struct{ program string }

func (cerco) name() string     { return "cerco" }
func (cerco) missing() string  { return "" }
func (c cerco) args() []string { return []string{"nostart"} }

func (c cerco) dir(h *hosts, i int) string {
	return filepath.Join(h.base, "cerco", fmt.Sprintf("n%d", i))
}

func (c cerco) start(h *hosts) {
	h.b.Helper()
	token := ""
	for i := 1; i <= h.n; i++ {
		args := []string{c.program, "cluster", "setup", "hb"}
		if i > 1 {
			args = []string{c.program, "cluster", "join", token}
		}
		args = append(args, "--dir", c.dir(h, i), "--node", fmt.Sprintf("n%d", i), "--addr", fmt.Sprintf("10.77.0.%d", i), "--api", "none")
		if out, err := h.on(i, "", args...); err != nil {
			h.b.Fatalf("%v: %s", err, out)
		}
		c.again(h, i)
		if i == h.n {
			return
		}
		h.await("an invitation", 30*time.Second, func() bool {
			out, err := h.on(1, "", c.program, "cluster", "invite", "--dir", c.dir(h, 1))
			_, token, _ = strings.Cut(out, "cluster join ")
			token = strings.TrimSpace(token)
			return err == nil && token != ""
		})
	}
}

func (c cerco) again(h *hosts, i int) {
	h.daemon(i, c.program, "daemon", "--dir", c.dir(h, i), "--boot-id", strconv.FormatInt(time.Now().UnixNano(), 36), "--fence-agents", h.base)
}

func (c cerco) tool(h *hosts, i int, stdin string, args ...string) (string, error) {
	socket := "CERCO_SOCKET=" + filepath.Join(c.dir(h, i), "run", "cerco.sock")
	return h.on(i, stdin, append([]string{"env", socket, c.program}, args...)...)
}

// What both are asked with, by the same tools.

var online = regexp.MustCompile(`<node name="n\d+"[^>]* online="true"[^>]*pending="false"`)

// up counts the nodes that are online, as one of them sees it.
func up(s side, h *hosts, by int) int {
	out, err := s.tool(h, by, "", "crm_mon", "-1", "--output-as=xml")
	if err != nil {
		return 0
	}
	return len(online.FindAllString(out, -1))
}

var decides = regexp.MustCompile(`<current_dc present="true"[^>]* name="n(\d+)"`)

// dc is the host that decides, 0 if none does.
func dc(s side, h *hosts, by int) int {
	out, err := s.tool(h, by, "", "crm_mon", "-1", "--output-as=xml")
	m := decides.FindStringSubmatch(out)
	if err != nil || m == nil {
		return 0
	}
	i, _ := strconv.Atoi(m[1])
	return i
}

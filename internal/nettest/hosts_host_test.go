//go:build host

package nettest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/agents"
	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/wire"
)

// hosts are machines made of namespaces, with a cluster on them. n1 has the address 10.77.RING.1, and so on.
type hosts struct {
	t     *testing.T
	dir   string
	bin   string
	tag   string // of the namespaces
	names []string
	rings int
	net   *ether

	mu    sync.Mutex
	boots map[string]int
	cmds  map[string]*exec.Cmd // the daemons
	waits sync.WaitGroup

	args  func(node string) []string          // more arguments for a daemon
	ended func(node string, daemon *exec.Cmd) // is called when one has ended
}

const fenceAgent = `#!/bin/sh
# Cuts the power of a namespace: ends every process in it. One at a time, as a power switch does. What it is asked for and
# what it did goes into the journal; the file "power" says how it behaves.
action=reboot
while IFS= read -r line; do
	case $line in
	action=*) action=${line#*=} ;;
	port=* | plug=* | nodename=*) port=${line#*=} ;;
	esac
done
pids() { ip netns pids %[1]s-"$port"; }
note() {
	read -r up _ </proc/uptime
	echo "$up $*" >>%[2]s/journal
}
end() {
	note "${by#*-} $port fence end $action $1"
	exit "$1"
}
case $action in
off | reboot | status)
	[ -n "$port" ] || exit 1 # whoever called was killed before it could say for whom
	by=$(ip netns identify $$)
	note "${by#*-} $port fence begin $action"
	power=
	[ -e %[2]s/power ] && read -r power <%[2]s/power
	case $power in
	fails) end 1 ;;
	hangs) exec sleep 3600 ;;
	late) sleep 3 ;;
	esac
	;;
esac
case $action in
metadata)
	echo '<resource-agent name="fence_ns"><parameters><parameter name="port"/><parameter name="action"/></parameters><actions>'
	for a in on off reboot status list monitor metadata; do echo "<action name=\"$a\"/>"; done
	echo '</actions></resource-agent>'
	;;
monitor | validate-all) ;;
list) for n in %[3]s; do echo "$n,"; done ;;
status) [ -n "$(pids)" ] || end 2; end 0 ;;
off | reboot)
	exec 9>%[2]s/switch && flock 9
	[ "$power" = deceives ] && end 0
	rm -f %[2]s/on/"$port"
	while p=$(pids) && [ -n "$p" ]; do kill -9 $p 2>/dev/null; sleep 0.01; done
	note "$port - off"
	echo "$port by ${by#*-}" >>%[2]s/fenced
	[ $action = off ] || : >%[2]s/reboot/"$port"
	[ "$power" != lies ] || end 1
	end 0
	;;
*) exit 1 ;;
esac
exit 0
`

// newHosts makes the machines and a cluster on all of them, with services that write down where they run.
func newHosts(t *testing.T, nodes, rings int, services ...string) *hosts {
	t.Helper()
	h := newMachines(t, nodes, rings)
	h.found()
	h.configure(services)
	return h
}

// newMachines makes the machines; nothing runs on them.
func newMachines(t *testing.T, nodes, rings int) *hosts {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("network namespaces need root: sudo make test-host")
	}
	for _, program := range []string{"ip", "flock"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed (iproute2, util-linux)", program)
		}
	}
	h := &hosts{t: t, dir: t.TempDir(), tag: fmt.Sprintf("cerco%d", os.Getpid()), rings: rings, net: newEther(1), boots: map[string]int{}, cmds: map[string]*exec.Cmd{},
		args: func(string) []string { return nil }, ended: func(string, *exec.Cmd) {}}
	for i := range nodes {
		h.names = append(h.names, fmt.Sprintf("n%d", i+1))
	}
	h.bin = filepath.Join(h.dir, "cerco")
	h.run("go", "build", "-o", h.bin, "../../cmd/cerco")
	if out, err := exec.Command("ip", "netns", "add", h.ns("try")).CombinedOutput(); err != nil {
		t.Skipf("no network namespaces here: %s", out)
	}
	try := newEther(0)
	err := try.plug(h.ns("try"), "try", "try", 0)
	try.close()
	h.run("ip", "netns", "del", h.ns("try"))
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(h.demolish)
	h.build()
	h.install()
	return h
}

func (h *hosts) ns(name string) string { return h.tag + "-" + name }
func (h *hosts) path(elem ...string) string {
	return filepath.Join(append([]string{h.dir}, elem...)...)
}
func (h *hosts) addr(node string, ring int) string {
	return "10.77." + fmt.Sprint(ring) + "." + node[1:]
}

// run runs a command that must succeed.
func (h *hosts) run(args ...string) string {
	h.t.Helper()
	out, err := h.try(args...)
	if err != nil {
		h.t.Fatalf("%s: %v: %s", strings.Join(args, " "), err, out)
	}
	return out
}

func (h *hosts) try(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
	return string(out), err
}

// tell runs a command in a node's namespace, and tells it something on its standard input.
func (h *hosts) tell(what, node string, args ...string) {
	h.t.Helper()
	cmd := exec.Command("ip", append([]string{"netns", "exec", h.ns(node)}, args...)...)
	cmd.Stdin = strings.NewReader(what)
	if out, err := cmd.CombinedOutput(); err != nil {
		h.t.Fatalf("%s on %s: %v: %s", args[0], node, err, out)
	}
}

// build makes namespaces with a device a ring.
func (h *hosts) build() {
	for _, node := range h.names {
		h.run("ip", "netns", "add", h.ns(node))
		h.run("ip", "-n", h.ns(node), "link", "set", "lo", "up")
		for ring := range h.rings {
			dev := fmt.Sprint("eth", ring)
			if err := h.net.plug(h.ns(node), dev, node, ring); err != nil {
				h.t.Fatal(err)
			}
			h.run("ip", "-n", h.ns(node), "addr", "add", h.addr(node, ring)+"/24", "dev", dev)
			h.run("ip", "-n", h.ns(node), "link", "set", dev, "up")
		}
	}
}

func (h *hosts) install() {
	for _, dir := range []string{"fence", "records", "on", "reboot"} {
		if err := os.Mkdir(h.path(dir), 0o755); err != nil {
			h.t.Fatal(err)
		}
	}
	text := fmt.Sprintf(fenceAgent, h.tag, h.dir, strings.Join(h.names, " "))
	if err := os.WriteFile(h.path("fence", "fence_ns"), []byte(text), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if _, err := agents.Write(h.path("ocf")); err != nil {
		h.t.Fatal(err)
	}
}

// found makes the cluster as an operator would: setup on the first node, join on the others.
func (h *hosts) found() {
	for i, node := range h.names {
		var token string
		args := []string{h.bin, "cluster", "--dir", h.path(node), "--node", node, "--no-start", "--api", "none"}
		for ring := range h.rings {
			args = append(args, "--addr", h.addr(node, ring))
		}
		if i == 0 {
			args = append(args, "setup", "test")
		} else {
			h.await(10*time.Second, "an invitation", func() error {
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
				defer cancel()
				c, err := h.client(h.names[0])
				if err != nil {
					return err
				}
				defer c.Close()
				invited, err := c.Invite(ctx, wire.Invite{ValidMS: time.Minute.Milliseconds()})
				token = invited.Token
				return err
			})
			args = append(args, "join")
		}
		h.tell(token, node, args...)
		h.boot(node)
	}
	h.awaitOnline(h.names...)
}

// boot starts a node's daemon on a host that has just booted.
func (h *hosts) boot(node string) {
	h.t.Helper()
	if err := h.switchOn(node); err != nil {
		h.t.Fatal(err)
	}
}

func (h *hosts) switchOn(node string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := os.WriteFile(h.path("on", node), nil, 0o644); err != nil {
		return err
	}
	h.boots[node]++
	return h.launch(node)
}

// startDaemon starts a daemon on a host that was not off.
func (h *hosts) startDaemon(node string) {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.launch(node); err != nil {
		h.t.Fatal(err)
	}
}

// launch runs a node's daemon; the caller holds mu.
func (h *hosts) launch(node string) error {
	log, err := os.OpenFile(h.path(node+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	args := append([]string{"netns", "exec", h.ns(node), h.bin, "daemon", "--dir", h.path(node), "--boot-id", fmt.Sprintf("%s-boot-%d", node, h.boots[node]),
		"--agents", h.path("ocf", "resource.d"), "--fence-agents", h.path("fence")}, h.args(node)...)
	cmd := exec.Command("ip", args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	h.cmds[node] = cmd
	h.waits.Go(func() {
		_ = cmd.Wait()
		h.ended(node, cmd)
	})
	return nil
}

func (h *hosts) demolish() {
	if h.t.Failed() {
		h.keepStates()
	}
	for _, node := range h.names {
		for range 100 {
			out, _ := h.try("ip", "netns", "pids", h.ns(node))
			pids := strings.Fields(out)
			if len(pids) == 0 {
				break
			}
			_, _ = h.try(append([]string{"kill", "-9"}, pids...)...)
		}
		if out, err := h.try("ip", "netns", "del", h.ns(node)); err != nil {
			h.t.Logf("namespace %s is left: %s", h.ns(node), out)
		}
	}
	h.net.close()
	h.waits.Wait()
	if h.t.Failed() || os.Getenv("CERCO_TEST_LOGS") != "" {
		h.keepLogs()
	}
}

// keepStates keeps what each node holds for the state of the cluster.
func (h *hosts) keepStates() {
	dir := os.Getenv("CERCO_TEST_LOGS")
	for _, node := range h.names {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		c, err := h.client(node)
		if err == nil && dir != "" {
			if data, err := c.CIB(ctx, true); err == nil {
				_ = os.WriteFile(filepath.Join(dir, strings.ReplaceAll(h.t.Name(), "/", "-")+"-"+node+".xml"), data, 0o644)
			}
			c.Close()
		}
		cancel()
	}
}

// keepLogs shows the end of what the daemons had to say.
func (h *hosts) keepLogs() {
	for _, node := range h.names {
		data, _ := os.ReadFile(h.path(node + ".log"))
		lines := strings.Split(strings.TrimSpace(string(data)), "\n")
		h.t.Logf("%s, the end of its log:\n%s", node, strings.Join(lines[max(0, len(lines)-40):], "\n"))
		if dir := os.Getenv("CERCO_TEST_LOGS"); dir != "" {
			_ = os.WriteFile(filepath.Join(dir, h.t.Name()+"-"+node+".log"), data, 0o644)
		}
	}
}

const device = `<primitive id="power" class="stonith" type="fence_ns">
  <operations><op id="power-monitor" name="monitor" interval="60s" timeout="20s"/></operations>
</primitive>`

const service = `<primitive id="%[1]s" class="ocf" provider="cerco" type="Service">
  <instance_attributes id="%[1]s-params"><nvpair id="%[1]s-record" name="record" value="%[2]s"/><nvpair id="%[1]s-tick" name="tick" value="0.05"/></instance_attributes>
  <meta_attributes id="%[1]s-meta"><nvpair id="%[1]s-stickiness" name="resource-stickiness" value="100"/></meta_attributes>
  <operations><op id="%[1]s-monitor" name="monitor" interval="2s" timeout="10s"/></operations>
</primitive>`

func (h *hosts) configure(services []string) {
	resources := "/cib/configuration/resources"
	edits := []cib.Edit{{Op: "create", Parent: resources, XML: device}}
	for _, id := range services {
		edits = append(edits, cib.Edit{Op: "create", Parent: resources, XML: fmt.Sprintf(service, id, h.path("records", id))})
	}
	h.edit(h.names[0], edits...)
	for _, id := range services {
		h.awaitRuns(10*time.Second, id, h.names...)
	}
}

func (h *hosts) client(node string) (*client.Client, error) {
	return client.Dial(h.path(node, "run", "cerco.sock"), nil)
}

// edit changes the configuration through a node.
func (h *hosts) edit(node string, edits ...cib.Edit) {
	h.t.Helper()
	h.await(15*time.Second, "a change of the configuration", func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		c, err := h.client(node)
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.Edit(ctx, wire.Edit{Edits: edits, Note: h.t.Name()}, client.Wait{})
		return err
	})
}

// change has a node commit something, which shows that the cluster can.
func (h *hosts) change(node string) {
	h.t.Helper()
	h.await(5*time.Second, "a change to be committed through "+node, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		c, err := h.client(node)
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.SetAttributes(ctx, []cib.AttributeUpdate{{Node: node, Name: "changed", Value: "value++"}}, client.Wait{})
		return err
	})
}

// await tries until it works.
func (h *hosts) await(limit time.Duration, what string, try func() error) time.Duration {
	h.t.Helper()
	began := time.Now()
	for {
		err := try()
		if err == nil {
			return time.Since(began)
		}
		if time.Since(began) > limit {
			h.t.Fatalf("waited %v for %s: %v", limit, what, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// node is what a node says of itself.
func (h *hosts) node(name string) (wire.Node, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	c, err := h.client(name)
	if err != nil {
		return wire.Node{}, err
	}
	defer c.Close()
	return c.Node(ctx)
}

// leader is the node that decides, as a node sees it, and its term.
func (h *hosts) leader(of string) (name string, term uint64) {
	h.t.Helper()
	h.await(10*time.Second, "a leader", func() error {
		n, err := h.node(of)
		if err == nil && n.Leader == "" {
			err = fmt.Errorf("%s knows of none: %+v", of, n)
		}
		name, term = n.Leader, n.Term
		return err
	})
	return name, term
}

// online are the nodes that are up, as a node sees it.
func (h *hosts) online(of string) ([]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	c, err := h.client(of)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	s, err := c.Status(ctx)
	if err != nil {
		return nil, err
	}
	doc, err := cib.Decode("status", []byte(s.CIB))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, n := range scheduler.Look(doc, scheduler.Options{Now: time.Now()}).Nodes {
		if n.Online {
			out = append(out, n.Name)
		}
	}
	slices.Sort(out)
	return out, nil
}

// awaitOnline waits until exactly these nodes are up.
func (h *hosts) awaitOnline(names ...string) {
	h.t.Helper()
	h.await(20*time.Second, fmt.Sprintf("%v to be up", names), func() error {
		got, err := h.online(names[0])
		if err == nil && !slices.Equal(got, names) {
			err = fmt.Errorf("up are %v", got)
		}
		return err
	})
}

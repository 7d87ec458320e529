//go:build host

package vmtest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/wire"
)

// boot makes a host out of the namespaces it is started in, and is its first process: it ends nothing by itself,
// and buries the dead, without which libvirtd waits for them for ever. /dev/kvm is hidden: the guest is to be
// emulated, with or without hardware for it.
const boot = `set -e
name=$1 dir=$2 number=$3 with=$4
hostname "$name"
mount -t tmpfs tmpfs /run
mkdir -p /run/lock /run/libvirt /run/resource-agents "$dir"/libvirt/lib/console "$dir"/libvirt/lib/qemu "$dir"/libvirt/log/qemu "$dir"/libvirt/cache
cp -r /etc/libvirt "$dir"/libvirt/etc
rm -rf "$dir"/libvirt/etc/qemu/networks "$dir"/libvirt/etc/qemu/autostart
cat >"$dir"/libvirt/etc/libvirtd.conf <<END
listen_tls = 0
listen_tcp = 1
auth_tcp = "none"
auth_unix_rw = "none"
host_uuid = "$(cat /proc/sys/kernel/random/uuid)"
END
cat >"$dir"/libvirt/etc/qemu.conf <<END
user = "root"
group = "root"
security_driver = "none"
cgroup_controllers = []
namespaces = []
remember_owner = 0
stdio_handler = "file"
seccomp_sandbox = 0
END
printf '127.0.0.1 localhost\n10.83.0.1 v1\n10.83.0.2 v2\n10.83.0.3 v3\n' >"$dir"/hosts
for d in lib log cache; do mount --bind "$dir"/libvirt/$d /var/$d/libvirt; done
mount --bind "$dir"/libvirt/etc /etc/libvirt
mount --bind "$dir"/hosts /etc/hosts
[ ! -e /dev/kvm ] || mount --bind /dev/null /dev/kvm
ip link set lo up
until ip link show e0 >/dev/null 2>&1; do sleep 0.05; done
ip addr add 10.83.0."$number"/24 dev e0
ip link set e0 up
if [ "$with" = libvirt ]; then libvirtd --listen >"$dir"/libvirtd.log 2>&1 & fi
touch "$dir"/up
while :; do sleep 1000 & wait $!; done
`

// fence is a fence agent that asks a power switch, and believes only its answer.
const fence = `#!/bin/sh
action=reboot port= dir=
while read -r line; do
	case $line in action=*) action=${line#*=} ;; port=* | plug=* | nodename=*) port=${line#*=} ;; dir=*) dir=${line#*=} ;; esac
done
case $action in
metadata) echo '<?xml version="1.0"?><resource-agent name="fence_switch"><parameters><parameter name="port"><content type="string"/></parameter><parameter name="dir"><content type="string"/></parameter><parameter name="action"><content type="string"/></parameter></parameters><actions><action name="on"/><action name="off"/><action name="reboot"/><action name="status"/><action name="monitor"/><action name="list"/><action name="metadata"/></actions></resource-agent>'; exit 0 ;;
monitor | on) exit 0 ;;
list) printf 'v1,\nv2,\nv3,\n'; exit 0 ;;
off | reboot)
	echo "$port" >"$dir/$$.new" && mv "$dir/$$.new" "$dir/$$.ask"
	n=0
	until [ -e "$dir/$$.off" ]; do n=$((n + 1)); [ $n -lt 400 ] || exit 1; sleep 0.05; done
	exit 0 ;;
esac
exit 1
`

// guest is a boot sector that counts in hexadecimal on its serial port, some 18 times a second.
var guest = []byte{
	0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xd0, 0xbc, 0x00, 0x7c, 0xfb, 0x31, 0xdb, 0xf4, 0x43, 0xb9, 0x04,
	0x00, 0x89, 0xde, 0xc1, 0xc6, 0x04, 0x89, 0xf0, 0x24, 0x0f, 0x04, 0x30, 0x3c, 0x3a, 0x72, 0x02,
	0x04, 0x07, 0xe8, 0x09, 0x00, 0xe2, 0xec, 0xb0, 0x0a, 0xe8, 0x02, 0x00, 0xeb, 0xde, 0x88, 0xc4,
	0xba, 0xfd, 0x03, 0xec, 0xa8, 0x20, 0x74, 0xfb, 0x88, 0xe0, 0xba, 0xf8, 0x03, 0xee, 0xc3,
}

const domain = `<domain type='qemu'>
  <name>vm1</name>
  <uuid>6c5a4d0e-0f0e-4a54-8f1e-0a3a5d3c7a11</uuid>
  <memory unit='MiB'>16</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type><boot dev='fd'/></os>
  <on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>destroy</on_crash>
  <devices>
    <disk type='file' device='floppy'><driver name='qemu' type='raw' cache='none'/><source file='%s'/><target dev='fda' bus='fdc'/><readonly/></disk>
    <serial type='file'><source path='/var/lib/libvirt/console/vm1.log' append='on'/><target port='0'/></serial>
    <memballoon model='none'/>
  </devices>
</domain>`

const resources = `<resources>
  <primitive id="switch" class="stonith" type="fence_switch">
    <instance_attributes id="switch-p"><nvpair id="switch-dir" name="dir" value="%s"/><nvpair id="switch-off" name="pcmk_reboot_action" value="off"/></instance_attributes>
  </primitive>
  <primitive id="vm1" class="ocf" provider="heartbeat" type="VirtualDomain">
    <instance_attributes id="vm1-p">
      <nvpair id="vm1-config" name="config" value="%s"/><nvpair id="vm1-hyp" name="hypervisor" value="qemu:///system"/>
      <nvpair id="vm1-tr" name="migration_transport" value="tcp"/><nvpair id="vm1-force" name="force_stop" value="true"/>
      <nvpair id="vm1-cpu" name="autoset_utilization_cpu" value="false"/><nvpair id="vm1-mem" name="autoset_utilization_hv_memory" value="false"/>
    </instance_attributes>
    <meta_attributes id="vm1-m"><nvpair id="vm1-migrate" name="allow-migrate" value="true"/></meta_attributes>
    <operations>
      <op id="vm1-start" name="start" interval="0" timeout="90s"/><op id="vm1-stop" name="stop" interval="0" timeout="60s"/>
      <op id="vm1-to" name="migrate_to" interval="0" timeout="90s"/><op id="vm1-from" name="migrate_from" interval="0" timeout="90s"/>
      <op id="vm1-mon0" name="monitor" interval="0" timeout="60s"/>
      <op id="vm1-mon" name="monitor" interval="2s" timeout="30s"/>
    </operations>
  </primitive>
</resources>`

const constraints = `<constraints>
  <rsc_location id="not-on-v3" rsc="vm1" node="v3" score="-INFINITY" resource-discovery="never"/>
  <rsc_location id="prefers" rsc="vm1" node="%s" score="100"/>
</constraints>`

// world is the hosts and what connects them.
type world struct {
	t     *testing.T
	dir   string
	cerco string
	hosts map[string]*host

	mu sync.Mutex
}

type host struct {
	name  string
	dir   string
	first *exec.Cmd // its end is the end of all
	off   bool
}

func TestVirtualMachineIsKeptRunning(t *testing.T) {
	if os.Getenv("CERCO_TEST_ALONE") == "" {
		inNamespaces(t)
		return
	}
	w := newWorld(t)
	for _, h := range []string{"v1", "v2", "v3"} {
		w.power(h)
	}
	w.cluster()
	watch := w.watch()

	w.edit("/cib/configuration/resources", fmt.Sprintf(resources, w.dir+"/switch", w.dir+"/vm.xml"), fmt.Sprintf(constraints, "v1"))
	w.runsOn("v1", time.Minute)
	before := w.counter("v1")
	t.Logf("started on v1, counts %d", before)

	w.serveGuests()
	asked := w.askAlong()
	w.edit("", "", fmt.Sprintf(constraints, "v2"))
	w.runsOn("v2", time.Minute)
	asked()
	first, last := w.first("v2"), w.counter("v1")
	if first < before || first < last-40 || first > last+40 {
		t.Errorf("the guest on v2 began at %d; on v1 it came to %d: it has not been migrated live", first, last)
	}
	t.Logf("migrated live to v2 at %d", first)
	w.migrated("v2")
	w.fenceGuest()

	w.killDaemon("v2")
	count := w.counter("v2")
	w.startDaemon("v2")
	w.runsOn("v2", time.Minute)
	if now := w.counter("v2"); now <= count || w.first("v2") != first {
		t.Errorf("the guest did not outlive its daemon: it counts %d after %d", now, count)
	}
	t.Logf("the daemon of v2 was killed and started again; the guest counts %d", w.counter("v2"))

	t.Log("power cut of v2")
	cut := time.Now()
	w.cut("v2")
	w.runsOn("v1", time.Minute)
	t.Logf("runs again after %s", time.Since(cut).Round(10*time.Millisecond))
	w.fenced("v2")
	if twice := watch(); twice > 1 { // of the migration, in whose moment both have written
		t.Errorf("the guest ran on two hosts at once (%d times)", twice)
	}
}

// inNamespaces runs the test again where it cannot hurt anybody, and where everything ends with it.
func inNamespaces(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, for namespaces")
	}
	for _, program := range []string{"libvirtd", "virsh", "qemu-system-x86_64", "unshare", "ip", "bash"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("needs libvirt and QEMU: %v", err)
		}
	}
	if _, err := os.Stat("/usr/lib/ocf/resource.d/heartbeat/VirtualDomain"); err != nil {
		t.Skipf("needs resource-agents: %v", err)
	}
	cmd := exec.Command("unshare", "-n", "-m", "-p", "-f", "--mount-proc", "--kill-child", "--propagation", "private", os.Args[0],
		"-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), "CERCO_TEST_ALONE=1")
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, dir: t.TempDir(), hosts: map[string]*host{}}
	w.cerco = filepath.Join(w.dir, "cerco")
	w.sh("go build -o " + w.cerco + " github.com/cerco-ha/cerco/cmd/cerco")
	w.sh("ip link set lo up; ip link add br0 type bridge; ip link set br0 up; mkdir -p " + w.dir + "/switch " + w.dir + "/fence")
	image := append(guest, make([]byte, 512-len(guest))...)
	image[510], image[511] = 0x55, 0xaa
	w.write("guest.img", string(image), 0o644)
	w.write("vm.xml", fmt.Sprintf(domain, w.dir+"/guest.img"), 0o644)
	w.write("fence/fence_switch", fence, 0o755)
	go w.serve()
	t.Cleanup(func() {
		if t.Failed() {
			w.sayLogs()
		}
		for _, h := range w.hosts {
			w.cut(h.name)
		}
	})
	return w
}

func (w *world) write(name, text string, mode os.FileMode) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), mode); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) sh(line string) {
	w.t.Helper()
	if out, err := exec.Command("sh", "-ec", line).CombinedOutput(); err != nil {
		w.t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// power starts a host.
func (w *world) power(name string) {
	w.t.Helper()
	number := name[1:]
	h := &host{name: name, dir: filepath.Join(w.dir, name)}
	w.hosts[name] = h
	with := "libvirt"
	if name == "v3" {
		with = "nothing"
	}
	w.sh("mkdir -p " + h.dir)
	log, err := os.Create(filepath.Join(h.dir, "boot.log"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer log.Close()
	h.first = exec.Command("unshare", "-n", "-m", "-u", "-i", "-p", "-f", "--mount-proc", "--kill-child", "--propagation", "private",
		"bash", "-c", boot, "boot", name, h.dir, number, with)
	h.first.Stdout, h.first.Stderr = log, log
	if err := h.first.Start(); err != nil {
		w.t.Fatal(err)
	}
	// unshare has gone into the new network before it starts the host's first process.
	w.until(10*time.Second, "the network of "+name, func() bool {
		own, _ := os.Readlink("/proc/self/ns/net")
		its, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", h.first.Process.Pid))
		return err == nil && own != its
	})
	w.sh(fmt.Sprintf("ip link add p%s type veth peer name e0 netns %d; ip link set p%s master br0 up", number, h.first.Process.Pid, number))
	w.until(20*time.Second, name+" to boot", func() bool { _, err := os.Stat(filepath.Join(h.dir, "up")); return err == nil })
}

// inside makes a command that runs on a host.
func (w *world) inside(name string, args ...string) *exec.Cmd {
	w.t.Helper()
	unshare := w.hosts[name].first.Process.Pid
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", unshare, unshare))
	if err != nil {
		w.t.Fatal(err)
	}
	return exec.Command("nsenter", append([]string{"-t", strings.TrimSpace(string(b)), "-m", "-u", "-i", "-n", "-p", "--"}, args...)...)
}

// cut ends every process of a host at once.
func (w *world) cut(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.hosts[name]
	if h == nil || h.off {
		return
	}
	h.off = true
	_ = h.first.Process.Signal(syscall.SIGKILL) // and the kernel ends the rest
	_ = h.first.Wait()
}

// serve is the power switch.
func (w *world) serve() {
	for ; ; time.Sleep(10 * time.Millisecond) {
		asked, _ := filepath.Glob(filepath.Join(w.dir, "switch", "*.ask"))
		for _, file := range asked {
			b, err := os.ReadFile(file)
			if err != nil {
				continue
			}
			w.cut(strings.TrimSpace(string(b)))
			_ = os.Rename(file, strings.TrimSuffix(file, "ask")+"off")
		}
	}
}

// cluster founds one on the first host and lets the others join.
func (w *world) cluster() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	for i, name := range []string{"v1", "v2", "v3"} {
		args, token := []string{w.cerco, "cluster", "setup", "vmtest"}, ""
		if i > 0 {
			c := w.client("v1")
			invited, err := c.Invite(ctx, wire.Invite{ValidMS: 60000})
			if err != nil {
				w.t.Fatal(err)
			}
			args, token = []string{w.cerco, "cluster", "join"}, invited.Token
		}
		args = append(args, "--dir", w.hosts[name].dir, "--node", name, "--addr", fmt.Sprintf("10.83.0.%d", i+1), "--api", "none", "--no-start")
		enter := w.inside(name, args...)
		enter.Stdin = strings.NewReader(token + "\n")
		if out, err := enter.CombinedOutput(); err != nil {
			w.t.Fatalf("%v: %v\n%s", args, err, out)
		}
		w.startDaemon(name)
	}
}

func (w *world) startDaemon(name string) {
	w.t.Helper()
	h := w.hosts[name]
	log, err := os.OpenFile(filepath.Join(h.dir, "daemon.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		w.t.Fatal(err)
	}
	defer log.Close()
	d := w.inside(name, "sh", "-c", `echo $$ >"$0"/daemon.pid; exec "$@"`, h.dir,
		w.cerco, "daemon", "--dir", h.dir, "--boot-id", name+"-boot-1", "--fence-agents", w.dir+"/fence", "--guests-conf", w.dir+"/guests.conf")
	d.Stdout, d.Stderr = log, log
	if err := d.Start(); err != nil {
		w.t.Fatal(err)
	}
	go d.Wait()
	w.until(20*time.Second, name+" to know its leader", func() bool {
		n, err := w.client(name).Node(w.t.Context())
		return err == nil && n.Leader != ""
	})
}

func (w *world) killDaemon(name string) {
	w.t.Helper()
	if out, err := w.inside(name, "sh", "-ec", `kill -9 $(cat "$0"/daemon.pid)`, w.hosts[name].dir).CombinedOutput(); err != nil {
		w.t.Fatalf("%v\n%s", err, out)
	}
}

// client talks to a host's daemon.
func (w *world) client(name string) *client.Client {
	w.t.Helper()
	c, err := client.Dial(filepath.Join(w.hosts[name].dir, "run", "cerco.sock"), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(c.Close)
	return c
}

func (w *world) edit(parent, resources, constraints string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	edits := []cib.Edit{{Op: "replace", XML: constraints}}
	if resources != "" {
		edits = append([]cib.Edit{{Op: "replace", XML: resources}}, edits...)
	}
	if _, err := w.client("v3").Edit(ctx, wire.Edit{Edits: edits}, client.Wait{}); err != nil {
		w.t.Fatal(err)
	}
}

// runsOn waits until the cluster says that the guest is there and nowhere else, and until it counts there.
func (w *world) runsOn(name string, within time.Duration) {
	w.t.Helper()
	w.until(within, "vm1 to run on "+name, func() bool {
		l, err := w.client("v3").Locate(w.t.Context(), "vm1")
		return err == nil && len(l.On) == 1 && l.On[0].Node == name
	})
	size := len(w.console(name))
	w.until(20*time.Second, "the guest to count on "+name, func() bool { return len(w.console(name)) > size })
}

func (w *world) console(name string) []byte {
	b, _ := os.ReadFile(filepath.Join(w.dir, name, "libvirt", "lib", "console", "vm1.log")) // not there: nothing was written
	return b
}

func (w *world) counter(name string) int {
	lines := bytes.Split(bytes.TrimSpace(w.console(name)), []byte("\n"))
	for len(lines) > 0 && len(lines[len(lines)-1]) != 4 {
		lines = lines[:len(lines)-1]
	}
	if len(lines) == 0 {
		return 0
	}
	n, _ := strconv.ParseInt(string(lines[len(lines)-1]), 16, 32)
	return int(n)
}

// first is the first whole number that the guest wrote on a host.
func (w *world) first(name string) int {
	for line := range bytes.Lines(w.console(name)) {
		if len(line) == 5 {
			n, _ := strconv.ParseInt(string(line[:4]), 16, 32)
			return int(n)
		}
	}
	return -1
}

// watch looks five times a second which hosts the guest counts on. The function that it returns says how often
// that were two of them.
func (w *world) watch() func() int {
	stop, twice := make(chan struct{}), make(chan int, 1)
	go func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		sizes, n := map[string]int{}, 0
		for {
			select {
			case <-stop:
				twice <- n
				return
			case <-tick.C:
			}
			grown := 0
			for _, name := range []string{"v1", "v2"} {
				if size := len(w.console(name)); size != sizes[name] {
					sizes[name] = size
					grown++
				}
			}
			if grown > 1 {
				n++
			}
		}
	}()
	return func() int { close(stop); return <-twice }
}

// migrated checks that QEMU was started there to take a guest in, not to boot it.
func (w *world) migrated(name string) {
	w.t.Helper()
	b, err := os.ReadFile(filepath.Join(w.dir, name, "libvirt", "log", "qemu", "vm1.log"))
	if err != nil || !strings.Contains(string(b), "-incoming") {
		w.t.Errorf("the guest was not taken in on %s: %v\n%s", name, err, b)
	}
}

func (w *world) fenced(name string) {
	w.t.Helper()
	records, err := w.client("v3").FencingHistory(w.t.Context(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range records {
		if r.State == cib.FenceDone && r.Evidence == cib.ByAgent {
			return
		}
	}
	w.t.Errorf("no proof that %s was off: %+v", name, records)
}

func (w *world) until(within time.Duration, what string, yes func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(within); !yes(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("waited %s in vain for %s", within, what)
		}
	}
}

// sayLogs shows the end of every log.
func (w *world) sayLogs() {
	for _, name := range []string{"v1", "v2", "v3"} {
		for _, log := range []string{"boot.log", "libvirtd.log", "daemon.log", "libvirt/log/qemu/vm1.log"} {
			b, err := os.ReadFile(filepath.Join(w.dir, name, log))
			if err != nil {
				continue
			}
			w.t.Logf("== %s %s\n%s", name, log, b[max(0, len(b)-4000):])
		}
	}
}

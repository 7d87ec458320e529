//go:build host

package guestfence_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence"
	"github.com/cerco-ha/cerco/internal/guestfence/guesttest"
	"github.com/cerco-ha/cerco/internal/guestfence/protocol"
	"github.com/cerco-ha/cerco/internal/guestfence/xvm"
	"golang.org/x/sys/unix"
)

// TestMain is also the guest's command, under its names, so that it can run in a namespace, and all that runs in an
// emulated machine.
func TestMain(m *testing.M) {
	if os.Getpid() == 1 {
		beTheOnlyProgram(m)
	}
	if name := filepath.Base(os.Args[0]); name == xvm.NameXVM || name == xvm.NameVirt || name == xvm.NameOurs {
		os.Exit(xvm.Run(context.Background(), xvm.Env{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Now: time.Now}, name, os.Args[1:]))
	}
	os.Exit(m.Run())
}

// run runs a command that must succeed.
func run(t testing.TB, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
}

func need(t testing.TB, programs ...string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("hosts are network namespaces: this needs root")
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not installed", p)
		}
	}
}

// network is a bridge with namespaces at it: hosts 10.91.0.1 and up, and guests, 10.91.0.100 and up.
type network struct {
	t      testing.TB
	guest  string // the first one
	guests []string
	hosts  []string
}

// newNetwork makes it, or skips where that is not possible.
func newNetwork(t testing.TB, hosts, guests int) *network {
	t.Helper()
	need(t, "ip")
	n := &network{t: t}
	mark := fmt.Sprintf("gf%d%02x", os.Getpid()%100000, rand.IntN(256))
	sw := mark + "s"
	run(t, "ip", "netns", "add", sw)
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", sw).Run() })
	if out, err := exec.Command("ip", "-n", sw, "link", "add", "br0", "type", "bridge", "mcast_snooping", "0").CombinedOutput(); err != nil {
		t.Skipf("this kernel makes no bridge: %s", out)
	}
	run(t, "ip", "-n", sw, "link", "set", "br0", "up")
	add := func(name string, number int) string {
		ns := mark + name
		run(t, "ip", "netns", "add", ns)
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
		run(t, "ip", "-n", sw, "link", "add", "p"+name, "type", "veth", "peer", "name", "eth0", "netns", ns)
		run(t, "ip", "-n", sw, "link", "set", "p"+name, "master", "br0", "up")
		run(t, "ip", "-n", ns, "link", "set", "lo", "up")
		run(t, "ip", "-n", ns, "addr", "add", fmt.Sprintf("10.91.0.%d/24", number), "dev", "eth0")
		run(t, "ip", "-n", ns, "addr", "add", fmt.Sprintf("fd91::%d/64", number), "dev", "eth0", "nodad")
		run(t, "ip", "-n", ns, "link", "set", "eth0", "up")
		run(t, "ip", "-n", ns, "route", "add", "default", "dev", "eth0")
		return ns
	}
	for i := range hosts {
		n.hosts = append(n.hosts, add(fmt.Sprintf("h%d", i+1), i+1))
	}
	for i := range guests {
		n.guests = append(n.guests, add(fmt.Sprintf("g%d", i), 100+i))
	}
	n.guest = n.guests[0]
	return n
}

// inside runs f on a thread of a namespace, which ends with it.
func inside(ns string, f func()) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never again unlocked: the thread is of no more use
		fd, err := unix.Open("/var/run/netns/"+ns, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err == nil {
			err = unix.Setns(fd, unix.CLONE_NEWNET)
			_ = unix.Close(fd)
		}
		if err == nil {
			f()
		}
		done <- err
	}()
	return <-done
}

// serve starts our server in a host's namespace.
func (n *network) serve(host int, m guestfence.Machines, groups []guestfence.Group, l guestfence.Listener) *guestfence.Server {
	n.t.Helper()
	ns := n.hosts[host]
	s, err := guestfence.New(guestfence.Config{
		Machines: m, Groups: groups, Listeners: []guestfence.Listener{l}, Dir: n.t.TempDir(), Log: testLog(n.t), Now: time.Now,
		Dial: func(ctx context.Context, network, address string) (conn net.Conn, err error) {
			if e := inside(ns, func() { conn, err = (&net.Dialer{}).DialContext(ctx, network, address) }); e != nil {
				return nil, e
			}
			return conn, err
		},
	})
	if err == nil {
		if e := inside(ns, func() { err = s.Start() }); e != nil {
			err = e
		}
	}
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(s.Stop)
	return s
}

// commands are a client: the original's, or ours under the same names.
func commands(t testing.TB, ours bool) (xvmPath, virtPath string) {
	t.Helper()
	if !ours {
		need(t, "fence_xvm", "fence_virt")
		return "fence_xvm", "fence_virt"
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	xvmPath, virtPath = filepath.Join(dir, xvm.NameXVM), filepath.Join(dir, xvm.NameVirt)
	if err := errors.Join(os.Symlink(self, xvmPath), os.Symlink(self, virtPath)); err != nil {
		t.Fatal(err)
	}
	return xvmPath, virtPath
}

// call runs a client in the guest's namespace; it returns the exit status and what was printed.
func (n *network) call(input, name string, args ...string) (int, string) {
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", n.guest, name}, args...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return exit.ExitCode(), out.String()
	case err != nil:
		return -1, err.Error()
	}
	return 0, out.String()
}

// stock starts the original's daemon in a host's namespace and waits until it is up.
func (n *network) stock(host int, conf string) {
	n.t.Helper()
	need(n.t, "fence_virtd")
	dir := n.t.TempDir()
	file, pid := filepath.Join(dir, "conf"), filepath.Join(dir, "pid")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		n.t.Fatal(err)
	}
	cmd := exec.Command("ip", "netns", "exec", n.hosts[host], "fence_virtd", "-F", "-f", file, "-p", pid)
	out := &lockedBuffer{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for range 100 {
		if _, err := os.Stat(pid); err == nil {
			time.Sleep(300 * time.Millisecond) // it opens its listener after it writes the file
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	n.t.Fatalf("fence_virtd does not come up: %s", out)
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// pair is who asks whom.
type pair struct{ ourClient, ourHost bool }

func (p pair) String() string {
	who := map[bool]string{false: "stock", true: "ours"}
	return who[p.ourClient] + " asks " + who[p.ourHost]
}

// step is one call of a client. Each of its traps is an answer of the original that ours gives otherwise.
type step struct {
	args, input string
	wrongKey    bool
	trap        string // what our host answers instead: exit status and output
}

// calls are what is asked, in this order; the machine runs at first.
// patience are options that may be needed to hear that nobody knows a machine.
func calls(patience string) []step {
	failed := "1 Operation failed\n"
	return []step{
		{args: "-o list"}, {args: "-o list-status"}, {args: "-o monitor"},
		{args: "-o status -n test"}, {args: "-o status -n " + strings.ToUpper(testDriverUUID)},
		{args: "-o status -n nobody" + patience, trap: failed},
		{args: "-o off -n nobody" + patience},
		{args: "-o null -n test"},
		{args: "-o off -n test"}, {args: "-o status -n test"}, {args: "-o list"}, {args: "-o off -n test"}, {args: "-o reboot -n test"}, {args: "-o status -n test"},
		{args: "-o on -n test"}, {args: "-o on -n test"}, {args: "-o reboot -n " + testDriverUUID}, {args: "-n test"}, {args: "-o status -n test"},
		{args: "-o status -n test -t 2", wrongKey: true}, {args: "-o off"}, {args: "-o bogus -n test"}, {args: "-o validate-all -n test"},
	}
}

const testDriverUUID = "6695eb01-f6a4-8304-79aa-97f2502e193f" // of the machine that libvirt's test driver has

func testDriverWorld() *guesttest.World {
	w := guesttest.NewWorld()
	w.Add("h", guestfence.Machine{Name: "test", UUID: testDriverUUID, State: guestfence.Running})
	return w
}

// essence drops what is each program's own or the moment's: the help that follows a complaint, what the original
// says of a terminal that has no modem lines, and by which error a closed connection is noticed.
func essence(out string) string {
	out, _, _ = strings.Cut(out, "usage: ")
	out = strings.TrimPrefix(out, "ioctl1: Inappropriate ioctl for device\n")
	if strings.HasPrefix(out, "Error reading challenge response: ") {
		if _, rest, ok := strings.Cut(out, "Invalid response"); ok {
			out = "Invalid response" + rest
		}
	}
	return out
}

// compare has every pair go through the steps, and holds each against the original's own pair.
func compare(t *testing.T, steps []step, prepare func(t *testing.T, p pair) (ask func(step) (int, string))) {
	var want []string
	for _, p := range []pair{{false, false}, {true, false}, {false, true}, {true, true}} {
		t.Run(p.String(), func(t *testing.T) {
			ask := prepare(t, p)
			for i, s := range steps {
				code, out := ask(s)
				got := fmt.Sprintf("%d %s", code, essence(out))
				if len(want) == i {
					want = append(want, got)
				}
				expected := want[i]
				if p.ourHost && s.trap != "" {
					expected = s.trap
				}
				if got != expected {
					t.Errorf("%s %s: %q, want %q", s.args, s.input, got, expected)
				}
			}
		})
	}
}

func TestInteropNetworks(t *testing.T) {
	right, wrong := keyFile(t, strings.Repeat("k", 4096)), keyFile(t, "another")
	key, err := protocol.ReadKey(right)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, listener, conf string
		l                    guestfence.ListenerSettings
		args                 string
	}{
		{"multicast", "multicast", `interface = "eth0";`, guestfence.ListenerSettings{Kind: guestfence.Multicast, Address: netip.MustParseAddr(protocol.Group4), Interface: "eth0"}, ""},
		{"multicast6", "multicast", `interface = "eth0"; family = "ipv6"; address = "ff05::3:1";`, guestfence.ListenerSettings{Kind: guestfence.Multicast, Address: netip.MustParseAddr(protocol.Group6), Interface: "eth0"}, "-i ipv6"},
		{"tcp", "tcp", `address = "10.91.0.1";`, guestfence.ListenerSettings{Kind: guestfence.TCP, Address: netip.MustParseAddr("10.91.0.1")}, "-T 10.91.0.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			steps := calls("")
			switch c.name {
			case "multicast":
				steps = calls(" -t 4 -r 5")
			case "multicast6":
				steps = []step{{args: "-o list"}, {args: "-o off -n test"}, {args: "-o status -n test"}, {args: "-o status -n test -t 2", wrongKey: true}}
			}
			compare(t, steps, func(t *testing.T, p pair) func(step) (int, string) {
				n := newNetwork(t, 1, 1)
				xvmPath, virtPath := commands(t, p.ourClient)
				if p.ourHost {
					l := guestfence.Listener{Key: key, ListenerSettings: c.l}
					l.Port, l.Hash, l.Auth = protocol.Port, protocol.SHA256, protocol.SHA256
					n.serve(0, testDriverWorld().Standalone("h"), nil, l)
				} else {
					n.stock(0, fmt.Sprintf("fence_virtd { listener = \"%s\"; backend = \"libvirt\"; }\nlisteners { %s { key_file = \"%s\"; %s } }\nbackends { libvirt { uri = \"test:///default\"; } }\n",
						c.listener, c.listener, right, c.conf))
				}
				name := xvmPath
				if c.listener == "tcp" {
					name = virtPath
				}
				return func(s step) (int, string) {
					k := right
					if s.wrongKey {
						k = wrong
					}
					return n.call(s.input, name, append(append(strings.Fields(c.args), "-k", k), strings.Fields(s.args)...)...)
				}
			})
		})
	}
}

func TestInteropGroups(t *testing.T) {
	right := keyFile(t, "secret")
	steps := []step{
		{args: "-o list"}, {args: "-o monitor"}, {args: "-o status -n test"}, {args: "-o off -n test"},
		{input: "action=status\nport=test\nnodename=me\nwhatever=1\n"}, {input: "action=list\n"},
	}
	for _, asker := range []string{"10.91.0.100", "10.91.0.101"} {
		t.Run(asker, func(t *testing.T) {
			compare(t, steps, func(t *testing.T, p pair) func(step) (int, string) {
				n := newNetwork(t, 1, 1)
				xvmPath, _ := commands(t, p.ourClient)
				if p.ourHost {
					n.serve(0, testDriverWorld().Standalone("h"), []guestfence.Group{{Machines: []string{"test", testDriverUUID}, Askers: []string{asker}}}, guestfence.Listener{
						Key: []byte("secret"),
						ListenerSettings: guestfence.ListenerSettings{
							Kind: guestfence.Multicast, Address: netip.MustParseAddr(protocol.Group4), Interface: "eth0", Port: protocol.Port, Hash: protocol.SHA256, Auth: protocol.SHA256,
						},
					})
				} else {
					n.stock(0, fmt.Sprintf("fence_virtd { listener = \"multicast\"; backend = \"libvirt\"; }\nlisteners { multicast { key_file = \"%s\"; interface = \"eth0\"; } }\n"+
						"backends { libvirt { uri = \"test:///default\"; } }\ngroups { group { ip = \"%s\"; uuid = \"test\"; uuid = \"%s\"; } }\n", right, asker, testDriverUUID))
				}
				return func(s step) (int, string) {
					if s.input != "" {
						return n.call(s.input+"key_file="+right+"\n", xvmPath)
					}
					return n.call("", xvmPath, append([]string{"-k", right}, strings.Fields(s.args)...)...)
				}
			})
		})
	}
}

// line is a serial line: at one end a terminal, which is the guest's, at the other a socket, the hypervisor's.
func line(t *testing.T, socket string) (device string) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("there are no terminals here: %v", err)
	}
	var number int
	raw, err := master.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if e := raw.Control(func(fd uintptr) {
		number, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		err = errors.Join(err, unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0))
		if term, e := unix.IoctlGetTermios(int(fd), unix.TCGETS); e == nil {
			term.Iflag, term.Oflag, term.Lflag = 0, 0, 0
			err = errors.Join(err, unix.IoctlSetTermios(int(fd), unix.TCSETS, term))
		}
	}); errors.Join(e, err) != nil {
		t.Fatal(errors.Join(e, err))
	}
	device = fmt.Sprintf("/dev/pts/%d", number)
	hold, err := os.OpenFile(device, os.O_RDWR|unix.O_NOCTTY, 0) // a line stays when nobody uses it
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _, _ = ln.Close(), master.Close(), hold.Close() })
	var mu sync.Mutex
	var host net.Conn
	connected := make(chan struct{})
	go func() {
		once := sync.OnceFunc(func() { close(connected) })
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			host = conn
			mu.Unlock()
			once()
			go func() { _, _ = io.Copy(master, conn) }()
		}
	}()
	go func() {
		<-connected
		b := make([]byte, 16) // as a UART's FIFO does
		for {
			k, err := master.Read(b)
			if err != nil {
				return
			}
			mu.Lock()
			_, _ = host.Write(b[:k])
			mu.Unlock()
		}
	}()
	return device
}

func TestInteropSerial(t *testing.T) {
	need(t, "fence_virtd")
	steps := calls("")
	for i := range steps { // there is no key to be wrong
		steps[i].wrongKey = false
	}
	compare(t, steps, func(t *testing.T, p pair) func(step) (int, string) {
		n := newNetwork(t, 1, 1)
		dir := t.TempDir()
		socket := filepath.Join(dir, "s")
		device := line(t, socket)
		_, virtPath := commands(t, p.ourClient)
		if p.ourHost {
			w := testDriverWorld()
			w.Add("h", guestfence.Machine{Name: "asker", UUID: askerUUID, State: guestfence.Running})
			w.Connect(guestfence.Port{Machine: guestfence.Machine{UUID: askerUUID}, Path: socket})
			n.serve(0, w.Standalone("h"), nil, guestfence.Listener{ListenerSettings: guestfence.ListenerSettings{Kind: guestfence.Serial, Path: dir}})
		} else {
			node := filepath.Join(dir, "node.xml")
			xml := fmt.Sprintf(nodeXML, testDriverUUID, askerUUID, socket)
			if err := os.WriteFile(node, []byte(xml), 0o600); err != nil {
				t.Fatal(err)
			}
			n.stock(0, fmt.Sprintf("fence_virtd { listener = \"serial\"; backend = \"libvirt\"; }\nlisteners { serial { key_file = \"%s\"; uri = \"test://%s\"; path = \"%s\"; mode = \"serial\"; } }\n"+
				"backends { libvirt { uri = \"test://%s\"; } }\n", keyFile(t, "unused"), node, dir, node))
		}
		return func(s step) (int, string) {
			return n.call("", virtPath, append([]string{"-D", device}, strings.Fields(s.args)...)...)
		}
	})
}

const askerUUID = "00000000-0000-4000-8000-00000000a5ce"

const nodeXML = `<node>
<domain type='test'><name>test</name><uuid>%s</uuid><memory>8192</memory><os><type>hvm</type></os></domain>
<domain type='test'><name>asker</name><uuid>%s</uuid><memory>8192</memory><os><type>hvm</type></os>
<devices><serial type='unix'><source mode='bind' path='%s'/><target port='0'/></serial></devices></domain>
</node>
`

//go:build host

package hypervisor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence"
)

// prepare gives libvirt directories of its own. It runs in namespaces of its own, as their first process, which
// buries the dead: without that libvirtd waits for them for ever. /dev/kvm is hidden: machines are to be emulated.
const prepare = `set -e
dir=$1; shift
mount -t tmpfs tmpfs /run
mkdir -p /run/lock /run/libvirt "$dir"/lib/qemu "$dir"/log/qemu "$dir"/cache
cp -r /etc/libvirt "$dir"/etc
rm -rf "$dir"/etc/qemu/networks "$dir"/etc/qemu/autostart
printf 'auth_unix_rw = "none"\nhost_uuid = "%s"\n' "$(cat /proc/sys/kernel/random/uuid)" >"$dir"/etc/libvirtd.conf
cat >"$dir"/etc/qemu.conf <<END
user = "root"
group = "root"
security_driver = "none"
cgroup_controllers = []
namespaces = []
remember_owner = 0
stdio_handler = "file"
seccomp_sandbox = 0
END
for d in lib log cache; do mount --bind "$dir"/$d /var/$d/libvirt; done
mount --bind "$dir"/etc /etc/libvirt
[ ! -e /dev/kvm ] || mount --bind /dev/null /dev/kvm
ip link set lo up
"$@" || exit 1
exit 0
`

const vm = `<domain type='qemu'><name>%s</name><uuid>%s</uuid><memory unit='MiB'>16</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type></os><devices><memballoon model='none'/></devices></domain>`

// TestLibvirt runs everything against one real libvirtd: its test driver, and real machines.
func TestLibvirt(t *testing.T) {
	if os.Getenv("CERCO_TEST_ALONE") == "" {
		alone(t, "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=2m")
		return
	}
	d := &libvirtd{t: t}
	d.start()
	t.Cleanup(d.kill)
	t.Run("the test driver", func(t *testing.T) {
		l := d.open(Config{URI: "test:///default"})
		m, err := l.Find(t.Context(), "test")
		if err != nil {
			t.Fatal(err)
		}
		conformance(t, subject{Host: l, name: "test", uuid: m.UUID, kind: guestfence.SaidOff})
	})
	l := d.open(Config{})
	d.define("vm1", testUUID)
	on(t, l, "vm1")
	t.Run("a real machine", func(t *testing.T) {
		conformance(t, subject{Host: l, name: "vm1", uuid: testUUID, kind: guestfence.ProcessGone})
	})
	t.Run("names that change hands", d.renamed)
	t.Run("a machine without a definition", d.transient)
	t.Run("a process that does not end", d.stubborn)
	t.Run("libvirtd killed in the middle", d.killed)
	t.Run("libvirtd away", d.away)
	t.Run("libvirtd hangs", d.hangs)
}

// alone runs this program again where libvirt has directories, a network and processes of its own.
func alone(t testing.TB, args ...string) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, for namespaces")
	}
	for _, program := range []string{"libvirtd", "virsh", "qemu-system-x86_64", "unshare", "ip", "bash"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("needs libvirt and QEMU: %v", err)
		}
	}
	cmd := exec.Command("unshare", append([]string{"-n", "-m", "-p", "-f", "--mount-proc", "--kill-child", "--propagation", "private", "bash", "-c", prepare, "prepare",
		t.TempDir(), os.Args[0]}, args...)...)
	cmd.Env = append(os.Environ(), "CERCO_TEST_ALONE=1")
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}

// libvirtd is the daemon of this namespace.
type libvirtd struct {
	t   testing.TB
	cmd *exec.Cmd
}

func (d *libvirtd) start(args ...string) {
	d.t.Helper()
	d.cmd = exec.Command("libvirtd", args...)
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
}

func (d *libvirtd) kill() {
	_ = d.cmd.Process.Kill()
	_ = d.cmd.Wait()
}

func (d *libvirtd) open(cfg Config) *Libvirt {
	d.t.Helper()
	cfg.Log, cfg.Now = slog.New(slog.NewTextHandler(d.t.Output(), nil)), time.Now
	if cfg.AskWithin == 0 {
		cfg.AskWithin = 20 * time.Second // the first question waits for libvirtd to come up
	}
	l, err := Open(cfg)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(l.Close)
	return l
}

func (d *libvirtd) define(name, uuid string) {
	d.t.Helper()
	file := filepath.Join(d.t.TempDir(), name+".xml")
	if err := os.WriteFile(file, fmt.Appendf(nil, vm, name, uuid), 0o600); err != nil {
		d.t.Fatal(err)
	}
	d.virsh("define", file)
}

func (d *libvirtd) virsh(args ...string) {
	d.t.Helper()
	if out, err := exec.Command("virsh", append([]string{"-c", DefaultURI}, args...)...).CombinedOutput(); err != nil {
		d.t.Fatalf("virsh %v: %v\n%s", args, err, out)
	}
}

func on(t testing.TB, l *Libvirt, id string) {
	t.Helper()
	if err := l.On(t.Context(), id); err != nil {
		t.Fatal(err)
	}
}

// renamed has names go from machine to machine: an answer is for the one that has the name now.
func (d *libvirtd) renamed(t *testing.T) {
	l := d.open(Config{})
	const first, second, third = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002", "00000000-0000-4000-8000-000000000003"
	is := func(id, name, uuid string, state guestfence.State) {
		t.Helper()
		for range 2 { // what was asked for before is asked for otherwise
			if m, err := l.Find(t.Context(), id); err != nil || m.Name != name || m.UUID != uuid || m.State != state {
				t.Errorf("%s is %+v, %v", id, m, err)
			}
		}
	}
	gone := func(id string) {
		t.Helper()
		for range 2 {
			if m, err := l.Find(t.Context(), id); !errors.Is(err, guestfence.ErrUnknown) {
				t.Errorf("%s is %+v, %v", id, m, err)
			}
		}
	}
	d.define("a", first)
	d.define("b", second)
	is("a", "a", first, guestfence.ShutOff)
	is(first, "a", first, guestfence.ShutOff)
	is("b", "b", second, guestfence.ShutOff)
	d.virsh("domrename", "a", "c")
	gone("a")
	is("c", "c", first, guestfence.ShutOff)
	is(first, "c", first, guestfence.ShutOff)
	d.virsh("domrename", "b", "a")
	is("a", "a", second, guestfence.ShutOff)
	on(t, l, "a")
	is("a", "a", second, guestfence.Running)
	is("c", "c", first, guestfence.ShutOff)
	if p, err := l.Off(t.Context(), "a"); err != nil || p.Kind != guestfence.ProcessGone {
		t.Errorf("%+v, %v", p, err)
	}
	d.virsh("undefine", "c")
	gone("c")
	gone(first)
	d.define("c", third)
	is("c", "c", third, guestfence.ShutOff)
	d.virsh("undefine", "a")
	d.virsh("undefine", "c")
	gone(second)
}

func (d *libvirtd) transient(t *testing.T) {
	l := d.open(Config{})
	file := filepath.Join(t.TempDir(), "vm2.xml")
	const uuid = "6c5a4d0e-0f0e-4a54-8f1e-0a3a5d3c7a22"
	if err := os.WriteFile(file, fmt.Appendf(nil, vm, "vm2", uuid), 0o600); err != nil {
		t.Fatal(err)
	}
	d.virsh("create", file)
	if p, err := l.Reboot(t.Context(), "vm2"); err != nil || p.Kind != guestfence.ProcessGone || !strings.Contains(p.Detail, "started again") {
		t.Fatalf("%+v, %v", p, err)
	}
	if m, err := l.Find(t.Context(), uuid); err != nil || m.State != guestfence.Running {
		t.Fatalf("after its reboot: %+v, %v", m, err)
	}
	if p, err := l.Off(t.Context(), uuid); err != nil || p.Kind != guestfence.ProcessGone {
		t.Fatalf("%+v, %v", p, err)
	}
	// libvirt forgets it when it has cleaned up; until then it is off, and never anything else.
	for {
		p, err := l.Off(t.Context(), uuid)
		if errors.Is(err, guestfence.ErrUnknown) {
			return
		}
		if err != nil || p.Kind == "" {
			t.Fatalf("%+v, %v", p, err)
		}
	}
}

// stubborn has QEMU stand still, so that it takes no notice of libvirt's SIGTERM.
func (d *libvirtd) stubborn(t *testing.T) {
	l := d.open(Config{KillAfter: time.Second})
	on(t, l, "vm1")
	b, err := os.ReadFile("/run/libvirt/qemu/vm1.pid")
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if p, err := l.Off(t.Context(), "vm1"); err != nil || p.Kind != guestfence.ProcessGone || !strings.Contains(p.Detail, "was killed") {
		t.Errorf("%+v, %v", p, err)
	}
	if m, err := l.Find(t.Context(), "vm1"); err != nil || !m.State.Off() {
		t.Errorf("right after it was off: %+v, %v", m, err)
	}
}

// killed kills libvirtd under requests again and again. None of them hangs, none lies, and each is answered when
// libvirtd is back.
func (d *libvirtd) killed(t *testing.T) {
	l := d.open(Config{KillAfter: 15 * time.Second})
	for round := range 4 {
		on(t, l, "vm1")
		var do func(context.Context) (guestfence.Proof, error)
		if round%2 == 0 {
			do = func(ctx context.Context) (guestfence.Proof, error) { return l.Off(ctx, "vm1") }
		} else {
			do = func(ctx context.Context) (guestfence.Proof, error) { return l.Reboot(ctx, "vm1") }
		}
		type result struct {
			proof guestfence.Proof
			err   error
		}
		done := make(chan result, 1)
		if round < 2 {
			d.kill() // before it is asked
		}
		go func() {
			p, err := do(t.Context())
			done <- result{p, err}
		}()
		if round >= 2 {
			d.kill() // while it is asked, or soon after
		}
		d.start()
		r := <-done
		if r.err != nil || r.proof.Kind == "" {
			t.Fatalf("round %d: %+v, %v", round, r.proof, r.err)
		}
		m, err := l.Find(t.Context(), "vm1")
		if err != nil || round%2 == 0 && m.State != guestfence.ShutOff || round%2 == 1 && m.State != guestfence.Running {
			t.Fatalf("round %d: %+v, %v", round, m, err)
		}
	}
}

// away has libvirtd gone for good: the process is ended all the same.
func (d *libvirtd) away(t *testing.T) {
	l := d.open(Config{})
	on(t, l, "vm1")
	d.kill()
	short := d.open(Config{AskWithin: time.Second, KillAfter: time.Second, OffWithin: 5 * time.Second})
	p, err := short.Off(t.Context(), testUUID)
	if err != nil || p.Kind != guestfence.ProcessGone {
		t.Fatalf("%+v, %v", p, err)
	}
	if p, err := short.Off(t.Context(), "vm1"); err == nil || p.Kind != "" || errors.Is(err, guestfence.ErrUnknown) {
		t.Errorf("without libvirt and without a process: %+v, %v", p, err)
	}
	d.start()
	notices(t, l)
}

// hangs has libvirtd stand still after it was found to know the machine.
func (d *libvirtd) hangs(t *testing.T) {
	l := d.open(Config{})
	on(t, l, "vm1")
	short := d.open(Config{AskWithin: time.Second, KillAfter: time.Second, OffWithin: 5 * time.Second})
	if _, err := short.Find(t.Context(), "vm1"); err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if _, err := short.List(t.Context()); !errors.Is(err, guestfence.ErrUnreachable) {
		t.Errorf("a list of what hangs: %v", err)
	}
	if err := short.Check(t.Context()); !errors.Is(err, guestfence.ErrUnreachable) {
		t.Errorf("a check of what hangs: %v", err)
	}
	if p, err := short.Off(t.Context(), "vm1"); err != nil || p.Kind != guestfence.ProcessGone {
		t.Errorf("%+v, %v", p, err)
	}
	if err := d.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if m, err := short.Find(t.Context(), "vm1"); err != nil || !m.State.Off() {
		t.Errorf("when libvirtd goes on: %+v, %v", m, err)
	}
	notices(t, l)
}

// notices waits until libvirt itself says that vm1 is off: l has not seen it end.
func notices(t *testing.T, l *Libvirt) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		m, err := l.Find(t.Context(), "vm1")
		if err == nil && m.State == guestfence.ShutOff {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("libvirt says %+v, %v", m, err)
		}
	}
}

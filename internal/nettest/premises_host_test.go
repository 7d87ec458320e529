//go:build host

package nettest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// premises are machines at one network, each with a network, an /etc, a state and a name of its own, and shells that reach
// each other. They live in namespaces of their own, whose first process ends them all.
type premises struct {
	t    *testing.T
	dir  string
	root string            // the repository, where commands are typed
	pids map[string]string // by machine
}

// machineScript is a machine until it is ended. What it writes is in memory and goes with it.
const machineScript = `set -e
site=$1 name=$2
hostname "$name"
mkdir "$site/$name"
mount -t tmpfs tmpfs "$site/$name"
for d in etc var/lib var/log usr/local; do
	mkdir -p "$site/$name/$d" "$site/$name/work/$d"
	mount -t overlay overlay -o "lowerdir=/$d,upperdir=$site/$name/$d,workdir=$site/$name/work/$d" "/$d"
done
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /dev/shm
[ ! -e /dev/kvm ] || mount --bind /dev/null /dev/kvm
mkdir -p /run/lock /run/libvirt /run/resource-agents
rm -rf /etc/libvirt/qemu/* /etc/libvirt/hooks /etc/cluster /etc/fence_virt.conf /etc/cerco /var/lib/cerco /var/lib/pacemaker/cib/* /var/lib/corosync/*
cp "$site/hosts" /etc/hosts
echo "$name" >/etc/hostname
install -m 755 "$site/ssh" "$site/scp" "$site/systemctl" /usr/local/bin
touch /usr/local/sbin/cerco
mount --bind "$site/cerco" /usr/local/sbin/cerco
printf 'auth_unix_rw = "none"\nhost_uuid = "%s"\n' "$(cat /proc/sys/kernel/random/uuid)" >/etc/libvirt/libvirtd.conf
cat >/etc/libvirt/qemu.conf <<END
user = "root"
group = "root"
security_driver = "none"
cgroup_controllers = []
namespaces = []
remember_owner = 0
stdio_handler = "file"
seccomp_sandbox = 0
END
ip link set lo up
echo $$ >"$site/$name.pid.new"
mv "$site/$name.pid.new" "$site/$name.pid"
exec sleep infinity
`

// The machines reach each other without a daemon for it: ssh runs a command in the namespaces of the other one.
const (
	sshScript = `#!/bin/sh
host=$1; shift
exec nsenter -t "$(cat SITE/"$host".pid)" -m -u -i -n -- sh -c "$*"
`
	scpScript = `#!/bin/sh
mode=644
[ "$1" != -p ] || { shift; mode=$(stat -c %a "$1"); }
host=${2%%:*} to=${2#*:}
case $to in */) to=$to$(basename "$1") ;; esac
exec SITE/ssh "$host" "cat >$to && chmod $mode $to" <"$1"
`
	// What systemd would run, from the unit that is installed with the program.
	systemctlScript = `#!/bin/sh
[ "$1 $2" = "enable --now" ] || exit 1
command=$(sed -n 's/^ExecStart=//p' UNITS/"$3".service)
[ -n "$command" ] || exit 1
setsid $command </dev/null >/var/log/"$3".log 2>&1 &
`
)

// newPremises makes the machines. Where it runs it is root of namespaces that nobody else is in.
func newPremises(t *testing.T, machines ...string) *premises {
	t.Helper()
	s := &premises{t: t, dir: t.TempDir(), pids: map[string]string{}}
	if strings.HasPrefix(s.dir, "/var/lib/") || strings.HasPrefix(s.dir, "/run/") {
		t.Skipf("%s is not the same for all machines; set TMPDIR", s.dir)
	}
	var err error
	if s.root, err = filepath.Abs("../.."); err != nil {
		t.Fatal(err)
	}
	names := "127.0.0.1 localhost\n"
	for i, m := range machines {
		names += fmt.Sprintf("10.92.0.%d %s\n", i+1, m)
	}
	fill := strings.NewReplacer("SITE", s.dir, "UNITS", filepath.Join(s.root, "packaging")).Replace
	for file, text := range map[string]string{"ssh": fill(sshScript), "scp": fill(scpScript), "systemctl": fill(systemctlScript), "hosts": names} {
		if err := os.WriteFile(filepath.Join(s.dir, file), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(os.Getenv("CERCO_TEST_BINARY"), filepath.Join(s.dir, "cerco")); err != nil {
		s.host("cp", os.Getenv("CERCO_TEST_BINARY"), filepath.Join(s.dir, "cerco"))
	}
	_, _ = exec.Command("ip", "link", "del", "site0").CombinedOutput()
	s.host("ip", "link", "add", "site0", "type", "bridge", "mcast_snooping", "0")
	s.host("ip", "link", "set", "site0", "up")
	for i, m := range machines {
		s.boot(m, i+1)
	}
	return s
}

// host runs a command outside of the machines.
func (s *premises) host(args ...string) {
	s.t.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// boot makes a machine and plugs it in. Its interface has the name of the bridge that guests are on in the example.
func (s *premises) boot(name string, number int) {
	s.t.Helper()
	cmd := exec.Command("unshare", "-m", "-u", "-i", "-n", "--propagation", "private", "sh", "-c", machineScript, "machine", s.dir, name)
	out := &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	s.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	s.await(20*time.Second, name, func() error {
		select {
		case <-ended:
			s.t.Skipf("no machine can be made of namespaces here: %s", out)
		default:
		}
		b, err := os.ReadFile(filepath.Join(s.dir, name+".pid"))
		s.pids[name] = strings.TrimSpace(string(b))
		return err
	})
	dev := "virbr0"
	port := "p" + s.pids[name]
	s.host("ip", "link", "add", port, "type", "veth", "peer", "name", dev, "netns", s.pids[name])
	s.host("ip", "link", "set", port, "master", "site0", "up")
	s.must(name, fmt.Sprintf("ip addr add 10.92.0.%d/24 dev %s && ip link set %s up", number, dev, dev))
}

// run runs a line of a shell on a machine.
func (s *premises) run(name, line string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "nsenter", "-t", s.pids[name], "-m", "-u", "-i", "-n", "--", "sh", "-c", "cd "+s.root+" && "+line)
	cmd.Env = append(os.Environ(), "PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root")
	cmd.WaitDelay = time.Second // a daemon that it has started holds its output
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState != nil && cmd.ProcessState.Success() {
		err = nil
	}
	return string(out), err
}

func (s *premises) must(name, line string) string {
	s.t.Helper()
	out, err := s.run(name, line)
	if err != nil {
		s.t.Fatalf("%s# %s: %v\n%s", name, line, err, out)
	}
	return out
}

// daemon starts what goes on until the machine ends.
func (s *premises) daemon(name, line string) {
	s.t.Helper()
	s.must(name, "setsid "+line+" </dev/null >/var/log/daemon-$(basename "+strings.Fields(line)[0]+").log 2>&1 &")
}

func (s *premises) await(limit time.Duration, what string, try func() error) {
	s.t.Helper()
	for began := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		err := try()
		if err == nil {
			return
		}
		if time.Since(began) > limit {
			s.t.Fatalf("waited %v for %s: %v", limit, what, err)
		}
	}
}

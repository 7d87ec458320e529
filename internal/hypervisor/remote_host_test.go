//go:build host

package hypervisor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence"
)

// TestRemote reaches a real libvirtd as one of another host is reached: through a real sshd, by TLS, and by TCP.
func TestRemote(t *testing.T) {
	if os.Getenv("CERCO_TEST_ALONE") == "" {
		if _, err := exec.LookPath("openssl"); err != nil {
			t.Skip("openssl is not installed")
		}
		alone(t, "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=2m")
		return
	}
	pki := certificates(t)
	more, err := os.OpenFile("/etc/libvirt/libvirtd.conf", os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := more.WriteString("listen_tls = 1\nlisten_tcp = 1\nauth_tcp = \"none\"\nlisten_addr = \"127.0.0.1\"\n" +
		strings.ReplaceAll("key_file = \"DIR/serverkey.pem\"\ncert_file = \"DIR/servercert.pem\"\nca_file = \"DIR/cacert.pem\"\n", "DIR", pki)); err != nil {
		t.Fatal(err)
	}
	_ = more.Close()
	d := &libvirtd{t: t}
	d.start("--listen")
	t.Cleanup(d.kill)
	local := d.open(Config{URI: "test:///default"})
	m, err := local.Find(t.Context(), "test") // libvirtd is up
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ transport, uri string }{
		{"tcp", "test+tcp://127.0.0.1/default"},
		{"tls", "test+tls://localhost/default?pkipath=" + pki},
		{"ssh", ""},
	} {
		t.Run(c.transport, func(t *testing.T) {
			uri := c.uri
			if c.transport == "ssh" {
				uri = sshd(t)
			}
			l := (&libvirtd{t: t}).open(Config{URI: uri})
			conformance(t, subject{Host: l, name: "test", uuid: m.UUID, kind: guestfence.SaidOff})
			if c.transport == "ssh" {
				silent(t, uri)
			}
		})
	}
}

// silent has every process of the way stand still: calls end in their time all the same.
func silent(t *testing.T, uri string) {
	l := (&libvirtd{t: t}).open(Config{URI: uri, AskWithin: time.Second, OffWithin: 2 * time.Second})
	if err := l.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := func(s syscall.Signal) {
		t.Helper()
		out, err := exec.Command("pgrep", "-x", "sshd").Output() // of this namespace, in which no others are
		if err != nil {
			t.Fatal(err)
		}
		for pid := range strings.FieldsSeq(string(out)) {
			var n int
			if _, err := fmt.Sscan(pid, &n); err == nil {
				_ = syscall.Kill(n, s)
			}
		}
	}
	all(syscall.SIGSTOP)
	defer all(syscall.SIGCONT)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := l.Find(ctx, "test"); !errors.Is(err, guestfence.ErrUnreachable) {
		t.Errorf("a look through what is silent: %v", err)
	}
	if p, err := l.Off(ctx, "test"); !errors.Is(err, guestfence.ErrUnreachable) || p.Kind != "" {
		t.Errorf("an off through what is silent: %+v, %v", p, err)
	}
	if ctx.Err() != nil {
		t.Error("calls hang")
	}
}

// sshd starts one that lets a key in which is made for this, and returns the way through it.
func sshd(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("sshd")
	if err != nil {
		program = "/usr/sbin/sshd" // not everybody's PATH has it
	}
	if _, err := os.Stat(program); err != nil {
		t.Skip("sshd is not installed (openssh-server)")
	}
	dir := t.TempDir()
	sh := func(script string) { t.Helper(); run(t, "sh", "-ec", "cd "+dir+"\n"+script) }
	// Where root's own keys are is hidden; the host has two keys, and is known by the one that would be taken last.
	sh(`mkdir -p /run/sshd
mount -t tmpfs -o mode=700 tmpfs /root
for k in host_ecdsa host_ed25519 id; do ssh-keygen -q -t "$(case $k in host_ecdsa) echo ecdsa;; *) echo ed25519;; esac)" -N '' -f $k; done
cp id.pub authorized
mkdir -m 700 /root/.ssh
printf '[127.0.0.1]:2222 %s\n' "$(cut -d' ' -f1,2 host_ed25519.pub)" >/root/.ssh/known_hosts
cat >conf <<END
Port 2222
ListenAddress 127.0.0.1
HostKey ` + dir + `/host_ecdsa
HostKey ` + dir + `/host_ed25519
AuthorizedKeysFile ` + dir + `/authorized
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
PidFile none
END
`)
	cmd := exec.Command(program, "-D", "-e", "-f", filepath.Join(dir, "conf"))
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		conn, err := net.Dial("tcp", "127.0.0.1:2222")
		if err == nil {
			_ = conn.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	return "test+ssh://root@127.0.0.1:2222/default?keyfile=" + filepath.Join(dir, "id")
}

// certificates makes those of both sides, and returns where they are.
func certificates(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	run(t, "sh", "-ec", "cd "+dir+`
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }
key ca.key
openssl req -x509 -new -key ca.key -subj /CN=test -days 2 -out cacert.pem
for who in server client; do
	key ${who}key.pem
	openssl req -new -key ${who}key.pem -subj /CN=localhost -out csr
	printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=%sAuth\nkeyUsage=digitalSignature\n' $who >ext
	openssl x509 -req -in csr -CA cacert.pem -CAkey ca.key -set_serial 0x$(openssl rand -hex 8) -days 2 -extfile ext -out ${who}cert.pem
done`)
	return dir
}

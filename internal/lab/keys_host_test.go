//go:build host

package lab

import (
	"crypto/tls"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// asNode asks a node's HTTPS API with the key of another one, as it is on the disk now, over a connection that is kept.
func asNode(t *testing.T, d *drill, node string) (get func() (int, error)) {
	t.Helper()
	etc := filepath.Join(d.dir, node, "etc")
	cert, err := tls.LoadX509KeyPair(filepath.Join(etc, "node.crt"), filepath.Join(etc, "node.key"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := Open(d.dir)
	if err != nil {
		t.Fatal(err)
	}
	n1, err := l.Node("n1")
	if err != nil {
		t.Fatal(err)
	}
	conf := &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{cert}} //nolint:gosec // the server is who it is
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: conf, ForceAttemptHTTP2: true}, Timeout: 5 * time.Second}
	return func() (int, error) {
		resp, err := c.Get("https://" + n1.API + "/v1/node")
		if err != nil {
			return 0, err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode, err
	}
}

// TestHostKeysAreExchangedAndRevoked exchanges all keys and the authority of a lab with services, and throws a node out.
func TestHostKeysAreExchangedAndRevoked(t *testing.T) {
	d := &drill{t: t, bin: filepath.Join(t.TempDir(), "cerco"), dir: filepath.Join(t.TempDir(), "lab")}
	if out, err := exec.Command("go", "build", "-o", d.bin, "../../cmd/cerco").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Cleanup(func() { d.try("n1", "lab", "down", "--dir", d.dir) })
	d.run("n1", "lab", "up", "--nodes", "3", "--dir", d.dir)
	d.waitForPeace()
	began := services(d.status())
	old := asNode(t, d, "n2")
	if status, err := old(); err != nil || status != http.StatusOK {
		t.Fatalf("a member gets %d, %v", status, err)
	}
	for range 3 {
		d.run("n1", "cluster", "rotate", "--all")
	}
	d.run("n2", "cluster", "rotate", "--ca")
	if status, err := old(); err == nil {
		t.Errorf("an old key still gets %d", status)
	}
	again := asNode(t, d, "n2")
	d.waitFor("the next key opens the door", 5*time.Second, func() bool { status, err := again(); return err == nil && status == http.StatusOK })
	time.Sleep(2 * time.Second) // longer than a loss takes to be noticed
	if s := d.status(); !strings.Contains(s, "Online: [ n1 n2 n3 ]") || services(s) != began {
		t.Errorf("before, and after:\n%s\n%s", began, s)
	}
	if h := d.run("n1", "stonith", "history"); strings.Contains(h, "reboot") || strings.Contains(h, "off") {
		t.Errorf("somebody was fenced:\n%s", h)
	}
	thrownOut := asNode(t, d, "n3")
	if status, err := thrownOut(); err != nil || status != http.StatusOK {
		t.Fatalf("a member gets %d, %v", status, err)
	}
	d.run("n1", "cluster", "remove", "--force", "n3")
	if status, err := thrownOut(); err == nil {
		t.Errorf("a node that was thrown out still gets %d", status)
	}
}

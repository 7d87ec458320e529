//go:build host

package executor

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/driver"
)

// real is an executor over this host's agents, unmodified. The cluster's commands that agents call write down
// what they were asked.
type real struct {
	t *testing.T
	*Executor
	host    *driver.Host
	results chan cib.OpResult
	links   string
	action  int
}

func newReal(t *testing.T, agents ...string) *real {
	t.Helper()
	for _, a := range agents {
		if _, err := os.Stat(filepath.Join("/usr/lib/ocf/resource.d", a)); err != nil {
			t.Skipf("needs Debian's resource-agents and pacemaker-resource-agents: %v", err)
		}
	}
	dir := t.TempDir()
	r := &real{t: t, results: make(chan cib.OpResult, 100), links: filepath.Join(dir, "links")}
	if err := os.MkdirAll(r.links, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"crm_master", "crm_attribute", "crm_node", "attrd_updater", "crm_resource"} {
		script := fmt.Sprintf("#!/bin/sh\necho \"%s $*\" >> %s/called\n", name, dir)
		if err := os.WriteFile(filepath.Join(r.links, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r.host = driver.New(driver.Config{Links: r.links, RunDir: dir, RscTmp: dir})
	t.Cleanup(r.host.Close)
	var err error
	r.Executor, err = New(Config{Dir: filepath.Join(dir, "ledger"), Node: "n1", BootID: "b", Driver: r.host, Report: func(_ context.Context, rs []cib.OpResult) error {
		for _, res := range rs {
			r.results <- res
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Stop)
	return r
}

// do orders an operation of ocf:PROVIDER:TYPE and returns its result.
func (r *real) do(agent, name string, interval int64, params ...string) cib.OpResult {
	r.t.Helper()
	provider, typ, _ := strings.Cut(agent, ":")
	r.action++
	op := cib.Operation{Epoch: cib.Epoch{Term: 1, Plan: 1}, Action: r.action, Node: "n1", Resource: "rsc", Class: "ocf", Provider: provider, Type: typ,
		Name: name, IntervalMS: interval, TimeoutMS: 20000}
	for _, p := range params {
		k, v, _ := strings.Cut(p, "=")
		op.Attrs = append(op.Attrs, cib.Attr{Name: k, Value: v})
	}
	op.Attrs = append(op.Attrs, cib.Attr{Name: "CRM_meta_timeout", Value: "20000"}, cib.Attr{Name: "CRM_meta_on_node", Value: "n1"}, cib.Attr{Name: "crm_feature_set", Value: "3.16.1"})
	if interval > 0 {
		op.Attrs = append(op.Attrs, cib.Attr{Name: "CRM_meta_interval", Value: fmt.Sprint(interval)})
	}
	if err := r.Do(op); err != nil {
		r.t.Fatal(err)
	}
	return r.next()
}

func (r *real) next() cib.OpResult {
	r.t.Helper()
	select {
	case res := <-r.results:
		return res
	case <-time.After(30 * time.Second):
		r.t.Fatal("no result")
		return cib.OpResult{}
	}
}

func (r *real) expect(rc int, res cib.OpResult) {
	r.t.Helper()
	if res.RC != rc || res.Status != cib.OpDone {
		r.t.Errorf("%s: rc %d, status %d, want rc %d: %s\n%s", res.Op.Name, res.RC, res.Status, rc, res.Reason, res.Output)
	}
}

// alone runs the test again in namespaces of its own: of the network, of mounts, and of processes, since agents
// kill what is in their way. It returns false in the process outside.
func alone(t *testing.T) bool {
	t.Helper()
	if os.Getenv("CERCO_TEST_ALONE") != "" {
		return true
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root, for namespaces")
	}
	cmd := exec.Command("unshare", "-n", "-m", "-p", "-f", "--mount-proc", "--kill-child", "--propagation", "private", os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), "CERCO_TEST_ALONE=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Errorf("%v\n%s", err, out)
	}
	if strings.Contains(string(out), "--- SKIP") {
		t.Skip(string(out))
	}
	return false
}

func sh(t *testing.T, line string) {
	t.Helper()
	if out, err := exec.Command("sh", "-ec", line).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

func TestHostDummy(t *testing.T) {
	r := newReal(t, "heartbeat/Dummy")
	const dummy = "heartbeat:Dummy"
	state := "state=" + filepath.Join(t.TempDir(), "state")
	r.expect(7, r.do(dummy, "monitor", 0, state))
	start := r.do(dummy, "start", 0, state)
	r.expect(0, start)
	if start.Digest == "" {
		t.Errorf("no digest: %+v", start)
	}
	r.expect(0, r.do(dummy, "monitor", 100, state))
	if err := os.Remove(strings.TrimPrefix(state, "state=")); err != nil {
		t.Fatal(err)
	}
	found := r.next()
	r.expect(7, found)
	if found.Op.IntervalMS != 100 {
		t.Errorf("%+v", found)
	}
	r.expect(0, r.do(dummy, "stop", 0, state))
	r.expect(0, r.do(dummy, "migrate_from", 0, state, "CRM_meta_migrate_source=n2", "CRM_meta_migrate_target=n1"))
	r.expect(0, r.do(dummy, "migrate_to", 0, state, "CRM_meta_migrate_source=n1", "CRM_meta_migrate_target=n2"))
	r.expect(7, r.do(dummy, "monitor", 0, state))
}

func TestHostIPaddr2(t *testing.T) {
	if !alone(t) {
		return
	}
	r := newReal(t, "heartbeat/IPaddr2")
	const ip = "heartbeat:IPaddr2"
	sh(t, "ip link set lo up; ip link add d0 type veth peer name d1; ip link set d1 up; ip addr add 10.9.9.1/24 dev d0; ip link set d0 up")
	params := []string{"ip=10.9.9.77", "cidr_netmask=24", "nic=d0", "arp_count=1"}
	has := func() bool {
		iface, err := net.InterfaceByName("d0")
		if err != nil {
			t.Fatal(err)
		}
		addrs, _ := iface.Addrs()
		return strings.Contains(fmt.Sprint(addrs), "10.9.9.77/24")
	}
	r.expect(7, r.do(ip, "monitor", 0, params...))
	r.expect(0, r.do(ip, "start", 0, params...))
	if !has() {
		t.Error("the address is not there")
	}
	r.expect(0, r.do(ip, "monitor", 200, params...))
	sh(t, "ip addr del 10.9.9.77/24 dev d0")
	r.expect(7, r.next())
	r.expect(0, r.do(ip, "start", 0, params...))
	r.expect(0, r.do(ip, "stop", 0, params...))
	if has() {
		t.Error("the address is still there")
	}
}

func TestHostFilesystem(t *testing.T) {
	if !alone(t) {
		return
	}
	r := newReal(t, "heartbeat/Filesystem")
	if _, err := exec.LookPath("fuser"); err != nil {
		t.Skip("needs fuser, of Debian's psmisc")
	}
	if _, err := exec.LookPath("modprobe"); err != nil { // nothing to load in a container
		if err := os.Symlink("/bin/true", filepath.Join(r.links, "modprobe")); err != nil {
			t.Fatal(err)
		}
	}
	const fs = "heartbeat:Filesystem"
	dir := t.TempDir()
	sh(t, "mkdir -p "+dir+"/from "+dir+"/to; echo here > "+dir+"/from/file")
	params := []string{"device=" + dir + "/from", "directory=" + dir + "/to", "fstype=none", "options=bind"}
	r.expect(7, r.do(fs, "monitor", 0, params...))
	r.expect(0, r.do(fs, "start", 0, params...))
	if b, err := os.ReadFile(dir + "/to/file"); err != nil || string(b) != "here\n" {
		t.Errorf("not mounted: %v", err)
	}
	r.expect(0, r.do(fs, "monitor", 20000, append(params, "OCF_CHECK_LEVEL=20")...))
	// What holds the file system open is killed, so that it can be unmounted.
	hold := exec.Command("sleep", "1000")
	hold.Dir = dir + "/to"
	if err := hold.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = hold.Process.Kill() }() // it should be gone long since
	r.expect(0, r.do(fs, "stop", 0, params...))
	gone := make(chan error, 1)
	go func() { gone <- hold.Wait() }()
	select {
	case <-gone:
	case <-time.After(5 * time.Second):
		t.Error("the holder was let live")
	}
	if _, err := os.Stat(dir + "/to/file"); err == nil {
		t.Error("still mounted")
	}
	missing := r.do(fs, "start", 0, "device=/dev/does-not-exist", "directory="+dir+"/to", "fstype=ext4")
	if missing.RC != cib.RCInstalled || missing.Reason == "" {
		t.Errorf("%+v", missing)
	}
}

// TestHostStateful promotes and demotes, and sees the scores that the agent sets.
func TestHostStateful(t *testing.T) {
	r := newReal(t, "pacemaker/Stateful")
	const st = "pacemaker:Stateful"
	state := "state=" + filepath.Join(t.TempDir(), "state")
	r.expect(7, r.do(st, "monitor", 0, state))
	r.expect(0, r.do(st, "start", 0, state))
	r.expect(0, r.do(st, "monitor", 11000, state))
	r.expect(0, r.do(st, "promote", 0, state))
	r.expect(8, r.do(st, "monitor", 10000, state))
	r.expect(0, r.do(st, "demote", 0, state))
	r.expect(0, r.do(st, "monitor", 11000, state))
	r.expect(0, r.do(st, "stop", 0, state))
	b, err := os.ReadFile(filepath.Join(filepath.Dir(r.links), "called"))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(b); !strings.Contains(got, "-v 5") || !strings.Contains(got, "-v 10") || !strings.Contains(got, " -D") {
		t.Errorf("scores set:\n%s", got)
	}
}

// TestHostMetadata reads what all agents of this host say of themselves.
func TestHostMetadata(t *testing.T) {
	r := newReal(t, "heartbeat/VirtualDomain")
	seen := 0
	for provider, agents := range r.host.Providers() {
		for _, typ := range agents {
			m, err := r.host.Metadata(t.Context(), "ocf", provider, typ)
			if err != nil {
				t.Logf("ocf:%s:%s: %v", provider, typ, err) // some need programs that are not there
				continue
			}
			if m.Name == "" || !m.Has("start") || !m.Has("monitor") || !m.Has("stop") {
				t.Errorf("ocf:%s:%s: %+v", provider, typ, m)
			}
			seen++
		}
	}
	if seen < 50 {
		t.Errorf("only %d agents describe themselves", seen)
	}
	m, err := r.host.Metadata(t.Context(), "ocf", "heartbeat", "VirtualDomain")
	if err != nil {
		t.Fatal(err)
	}
	if p := m.Parameter("config"); p == nil || !p.Required || !p.Unique {
		t.Errorf("%+v", p)
	}
	if p := m.Validate([]cib.Attr{{Name: "hypervisor", Value: "qemu:///system"}}); len(p) != 1 || p[0].Parameter != "config" {
		t.Errorf("%+v", p)
	}
}

func TestHostLSB(t *testing.T) {
	r := newReal(t)
	const script = "/etc/init.d/procps"
	if _, err := os.Stat(script); err != nil {
		t.Skip("needs Debian's procps: " + script)
	}
	res := r.host.Run(t.Context(), driver.Request{Class: "lsb", Type: "procps", Resource: "p", Action: "monitor", Timeout: 10 * time.Second})
	if res.Status != cib.OpDone || res.RC != cib.RCOk && res.RC != cib.RCNotRunning && res.RC != cib.RCError {
		t.Errorf("%+v", res)
	}
	if res := r.host.Run(t.Context(), driver.Request{Class: "lsb", Type: "no-such-script", Action: "monitor"}); res.RC != cib.RCInstalled {
		t.Errorf("%+v", res)
	}
}

// TestHostDaemonDiesDuringAStart kills nothing but the executor: the agent goes on, and the next executor finds
// what it has done.
func TestHostDaemonDiesDuringAStart(t *testing.T) {
	dir := t.TempDir()
	agent := filepath.Join(dir, "ocf", "resource.d", "test", "slow")
	if err := os.MkdirAll(filepath.Dir(agent), 0o755); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\ncase $1 in start) echo $$ >> $OCF_RESKEY_dir/starts; sleep 1; echo noise; touch $OCF_RESKEY_dir/up;; monitor) [ -e $OCF_RESKEY_dir/up ] || exit 7;; meta-data) exit 1;; esac\n"
	if err := os.WriteFile(agent, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	results := make(chan cib.OpResult, 10)
	host := driver.New(driver.Config{OCFRoots: []string{filepath.Join(dir, "ocf", "resource.d")}, RunDir: dir})
	defer host.Close()
	cfg := Config{Dir: filepath.Join(dir, "ledger"), Node: "n1", BootID: "b", Driver: host,
		Report: func(_ context.Context, rs []cib.OpResult) error { results <- rs[0]; return nil }}
	op := order(1, 1, "start", "rsc", 0)
	op.Type, op.Attrs = "slow", []cib.Attr{{Name: "dir", Value: dir}}
	for i := range 2 {
		e, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Start(); err != nil {
			t.Fatal(err)
		}
		if err := e.Do(op); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			for {
				if b, err := os.ReadFile(dir + "/starts"); err == nil && len(b) > 0 {
					break
				}
				time.Sleep(5 * time.Millisecond)
			}
			e.Stop()
			continue
		}
		res := <-results
		if res.RC != 0 || !res.Recovery {
			t.Errorf("%+v", res)
		}
		e.Stop()
	}
	if b, _ := os.ReadFile(dir + "/starts"); strings.Count(string(b), "\n") != 1 {
		t.Errorf("started more than once:\n%s", b)
	}
}

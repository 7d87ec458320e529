//go:build host

package hypervisor

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence"
)

const killConf = `fence_virtd { listener = "tcp"; backend = "libvirt"; }
listeners { tcp { key_file = "DIR/key"; address = "127.0.0.1"; } }
backends { libvirt { uri = "qemu:///system"; } }
`

// build makes the real binary, for a test that runs alone.
func build(t testing.TB) {
	t.Helper()
	cerco := filepath.Join(t.TempDir(), "cerco")
	if out, err := exec.Command("go", "build", "-o", cerco, "github.com/cerco-ha/cerco/cmd/cerco").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Setenv("CERCO_TEST_BINARY", cerco)
}

// TestDaemonKilled kills the real daemon with signal 9 at random moments of requests for a real machine, and holds what
// guests were told, before and after, against what libvirt says.
func TestDaemonKilled(t *testing.T) {
	if os.Getenv("CERCO_TEST_ALONE") == "" {
		build(t)
		alone(t, "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=3m")
		return
	}
	seed := uint64(time.Now().UnixNano())
	if s, err := strconv.ParseUint(os.Getenv("CERCO_TEST_SEED"), 10, 64); err == nil {
		seed = s
	}
	t.Logf("CERCO_TEST_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	d := &libvirtd{t: t}
	d.start()
	t.Cleanup(d.kill)
	l := d.open(Config{})
	if _, err := l.List(t.Context()); err != nil { // libvirtd is up
		t.Fatal(err)
	}
	d.define("vm1", testUUID)
	f := newFenced(t)
	f.serve()
	span := map[string]time.Duration{} // of a request that nothing disturbs
	for _, action := range []string{"off", "reboot"} {
		on(t, l, "vm1")
		began := time.Now()
		if code := <-f.ask(action); code != 0 {
			t.Fatalf("%s without a disturbance: %d", action, code)
		}
		span[action] = time.Since(began)
	}
	for round := range 20 {
		on(t, l, "vm1")
		action := []string{"off", "reboot"}[random.IntN(2)]
		again := []string{"", "off", "reboot"}[random.IntN(3)]
		within := span[action]
		if random.IntN(3) > 0 { // most often before a reboot starts the machine again, which takes longest
			within = span["off"]
		}
		after := time.Duration(random.Int64N(int64(within)))
		t.Logf("round %d: %s, killed after %v, then %q", round, action, after, again)
		f.round(action, again, after)
	}
	on(t, l, "vm1")
	f.round("reboot", "reboot", span["reboot"]*3/4) // who asks again ends what is being mended
	f.allEnded()
}

// fenced is a machine, vm1, and the daemon that guests ask for it.
type fenced struct {
	t      testing.TB
	dir    string
	daemon *exec.Cmd
}

func newFenced(t testing.TB) *fenced {
	t.Helper()
	f := &fenced{t: t, dir: t.TempDir()}
	for name, text := range map[string]string{"conf": strings.ReplaceAll(killConf, "DIR", f.dir), "key": "secret"} {
		if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if f.daemon != nil {
			f.kill()
		}
	})
	return f
}

// serve starts the daemon; it writes its number when it serves.
func (f *fenced) serve() {
	f.t.Helper()
	pid := filepath.Join(f.dir, "pid")
	_ = os.Remove(pid)
	f.daemon = exec.Command(os.Getenv("CERCO_TEST_BINARY"), "fence-virtd", "-F", "-f", filepath.Join(f.dir, "conf"), "-s", filepath.Join(f.dir, "state"), "-p", pid)
	f.daemon.Stderr = f.t.Output()
	if err := f.daemon.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.until("the daemon serves", func() bool { _, err := os.Stat(pid); return err == nil })
}

func (f *fenced) kill() {
	_ = f.daemon.Process.Kill()
	_ = f.daemon.Wait()
}

// ask is a guest that asks; its exit status comes when it has one.
func (f *fenced) ask(action string) <-chan int {
	code := make(chan int, 1)
	cmd := exec.Command(os.Getenv("CERCO_TEST_BINARY"), "fence-xvm", "-T", "127.0.0.1", "-k", filepath.Join(f.dir, "key"), "-o", action, "-n", "vm1", "-t", "60")
	cmd.Stderr = f.t.Output()
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	go func() {
		var exit *exec.ExitError
		switch err := cmd.Wait(); {
		case errors.As(err, &exit):
			code <- exit.ExitCode()
		case err != nil:
			code <- -1
		default:
			code <- 0
		}
	}()
	return code
}

// until waits for what must come.
func (f *fenced) until(what string, is func() bool) {
	f.t.Helper()
	for deadline := time.Now().Add(40 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			f.t.Fatalf("it does not come that %s", what)
		}
	}
}

// state is what libvirt's own command says of the machine.
func (f *fenced) state() string {
	f.t.Helper()
	out, err := exec.Command("virsh", "-c", DefaultURI, "domstate", "vm1").Output()
	if err != nil {
		f.t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func (f *fenced) running() bool { return f.state() == "running" }

// process is the number of the machine's process; 0 if it has none.
func (f *fenced) process() int {
	p, err := findProcess("/proc", "/run/libvirt/qemu", "vm1", testUUID)
	if err != nil {
		f.t.Fatal(err)
	}
	if p == nil {
		return 0
	}
	defer p.close()
	return p.pid
}

// told holds a success that a guest was told of against what is. before was the machine's process then.
func (f *fenced) told(action string, before int) {
	f.t.Helper()
	switch now := f.process(); {
	case action == "off" && now != 0:
		f.t.Errorf("the machine that is said to be off is process %d", now)
	case action == "reboot" && (now == before || now == 0 && before != 0):
		f.t.Errorf("the machine that is said to be rebooted was process %d and is %d", before, now)
	}
}

// round has a guest ask, kills the daemon after a while, starts it anew, and has a guest ask again.
func (f *fenced) round(action, again string, after time.Duration) {
	f.t.Helper()
	before := f.process()
	had := len(f.records())
	answer := f.ask(action)
	time.Sleep(after)
	f.kill()
	code := <-answer
	if code == 0 {
		f.told(action, before)
		if len(f.records()) == had {
			f.t.Errorf("%s: a success without a record", action)
		}
	}
	f.serve()
	switch {
	case again != "":
		before = f.process()
		code = <-f.ask(again)
		if code != 0 {
			f.t.Errorf("%s asked for again ends with %d", again, code)
		}
		// Of a machine that is off, a reboot is a success and leaves it off; one that a cut-off reboot left so is started.
		if again == "off" || before != 0 && f.process() != 0 {
			f.told(again, before)
		}
	case action == "reboot":
		time.Sleep(time.Duration(100+after.Milliseconds()%200) * time.Millisecond) // libvirt may still be at it
		f.until("a machine that was to be rebooted runs", f.running)
	}
	if again == "off" || again == "" && action == "off" && code == 0 {
		f.staysOff()
	}
}

// staysOff holds what a guest is told now, and libvirt says, against the off that a guest was told of.
func (f *fenced) staysOff() {
	f.t.Helper()
	if code := <-f.ask("status"); code != 2 {
		f.t.Errorf("the status of a machine that is off ends with %d", code)
	}
	time.Sleep(300 * time.Millisecond) // longer than the daemon looks away from what it mends
	if p := f.process(); p != 0 || f.running() {
		f.t.Errorf("a machine that a guest was told is off is %s, process %d", f.state(), p)
	}
}

func (f *fenced) records() []guestfence.Record {
	f.t.Helper()
	b, err := os.ReadFile(filepath.Join(f.dir, "state", "requests.log"))
	if err != nil {
		f.t.Fatal(err)
	}
	var out []guestfence.Record
	for in := bufio.NewScanner(bytes.NewReader(b)); in.Scan(); {
		var r guestfence.Record
		if json.Unmarshal(in.Bytes(), &r) == nil { // else a kill cut the line off
			out = append(out, r)
		}
	}
	return out
}

// allEnded waits until every request that was accepted is done or interrupted, once, and the machine of the last one, a
// reboot, runs then.
func (f *fenced) allEnded() {
	f.t.Helper()
	count := map[string]int{}
	f.until("every request that was accepted is ended in the log", func() bool {
		accepted, ended := map[string]bool{}, map[string]int{}
		clear(count)
		for _, r := range f.records() {
			if r.Event == guestfence.EventAccepted {
				accepted[r.ID] = true
				count["accepted"]++
				continue
			}
			ended[r.ID]++
			count[r.Event]++
			if ended[r.ID] > 1 {
				f.t.Fatalf("request %s ends twice", r.ID)
			}
		}
		for id := range accepted {
			if ended[id] == 0 {
				return false
			}
		}
		return true
	})
	f.t.Logf("%v", count)
	if !f.running() {
		f.t.Error("a reboot left the machine off")
	}
}

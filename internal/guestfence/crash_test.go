package guestfence_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence"
	"github.com/cerco-ha/cerco/internal/guestfence/guesttest"
)

// records reads the log of requests.
func records(t *testing.T, dir string) []guestfence.Record {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "requests.log"))
	if err != nil {
		t.Fatal(err)
	}
	var out []guestfence.Record
	in := bufio.NewScanner(bytes.NewReader(data))
	for in.Scan() {
		var r guestfence.Record
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			t.Fatalf("%s: %v", in.Text(), err)
		}
		out = append(out, r)
	}
	return out
}

func TestEveryRequestLeavesARecord(t *testing.T) {
	dir := t.TempDir()
	s := start(t, newWorld().Standalone("h1"), guestfence.TCP, func(c *guestfence.Config) { c.Dir = dir })
	name, args := reach(t, guestfence.TCP, s, "secret")
	for _, a := range []string{"-o off -n db", "-o status -n nobody"} {
		guest(t, name, append(args, strings.Fields(a)...)...)
	}
	s.Stop()
	got := records(t, dir)
	// That a request is done is written after its answer, so the next request's records may come before; a request's own
	// are in their order.
	slices.SortStableFunc(got, func(a, b guestfence.Record) int { return strings.Compare(a.Action, b.Action) })
	if len(got) != 3 {
		t.Fatalf("%+v", got)
	}
	for i, want := range []guestfence.Record{
		{Event: "accepted", Action: "off", Asked: "db", UUID: dbUUID, Was: "running"},
		{Event: "done", Action: "off", Asked: "db", UUID: dbUUID, Was: "running", Result: "success", Answered: true},
		{Event: "done", Action: "status", Asked: "nobody", Result: "failure", Answered: true},
	} {
		r := got[i]
		if r.Event != want.Event || r.Action != want.Action || r.Asked != want.Asked || r.UUID != want.UUID || r.Was != want.Was ||
			r.Result != want.Result || r.Answered != want.Answered || r.From != "127.0.0.1" || r.Listener != "tcp" {
			t.Errorf("%+v, want %+v", r, want)
		}
	}
	if p := got[1].Proof; p == nil || p.Kind != guestfence.SaidOff || p.Host != "h1" {
		t.Errorf("the proof is %+v", p)
	}
	if got[0].ID != got[1].ID || got[0].ID == got[2].ID {
		t.Error("the records of a request do not belong together")
	}
}

// A daemon is killed while it acts: what is on the disk then is copied, as a process that ends at once leaves it,
// and another daemon starts from the copy.
func TestKilledBetweenAcceptedAndDone(t *testing.T) {
	for _, c := range []struct {
		action    string
		meanwhile guestfence.State // of the machine when the daemon comes back
		after     guestfence.State // soon after that
		starts    int
	}{
		{"off", guestfence.Running, guestfence.Running, 0},    // it had not begun; who asked asks again
		{"off", guestfence.ShutOff, guestfence.ShutOff, 0},    // it was done, and nobody was told
		{"reboot", guestfence.Running, guestfence.Running, 0}, // it had not begun
		{"reboot", guestfence.ShutOff, guestfence.Running, 1}, // it was halfway: the machine must not stay off
	} {
		t.Run(c.action+" "+c.meanwhile.String(), func(t *testing.T) {
			w := newWorld()
			acting := make(chan string, 1)
			release := w.Hold("db", func(name string) { acting <- name })
			dir, left := t.TempDir(), t.TempDir()
			s := start(t, w.Standalone("h1"), guestfence.TCP, func(c *guestfence.Config) { c.Dir = dir })
			name, args := reach(t, guestfence.TCP, s, "secret")
			first := make(chan int)
			go func() {
				code, _ := guest(t, name, append(args, "-o", c.action, "-n", "db")...)
				first <- code
			}()
			<-acting
			if err := os.CopyFS(filepath.Join(left, "state"), os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			s.Stop() // cuts the guest off, as the end of the process does
			if code := <-first; code == 0 {
				t.Error("a guest was told of a success that nobody has seen")
			}
			release()
			w.Set("db", c.meanwhile)
			s = start(t, w.Standalone("h1"), guestfence.TCP, func(cfg *guestfence.Config) {
				cfg.Dir = filepath.Join(left, "state")
				guestfence.SettleWithin(cfg, time.Nanosecond)
			})
			name, args = reach(t, guestfence.TCP, s, "secret")
			// A request on the same machine comes after the mending or sees what it left.
			for _, r := range waitRecords(t, s, filepath.Join(left, "state")) {
				if r.Event == guestfence.EventInterrupted && r.Result == "success" {
					t.Errorf("%+v", r)
				}
			}
			if _, is := w.Where("db"); is != c.after {
				t.Errorf("the machine is %v, not %v", is, c.after)
			}
			if starts, _ := w.Count("db"); starts != c.starts {
				t.Errorf("%d starts", starts)
			}
			if code, out := guest(t, name, append(args, "-o", "off", "-n", "db")...); code != 0 {
				t.Errorf("asked again: %d, %q", code, out)
			}
		})
	}
}

// waitRecords stops the server once it has written what was interrupted, and starts nothing anew.
func waitRecords(t *testing.T, s *guestfence.Server, dir string) []guestfence.Record {
	t.Helper()
	s.Mended()
	return records(t, dir)
}

// cutOff is a log of requests that were accepted and never done, in their order.
func cutOff(t *testing.T, actions ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	now := time.Now().UTC()
	var lines strings.Builder
	for i, a := range actions {
		at := now.Add(time.Duration(i-len(actions)) * time.Second).Format(time.RFC3339Nano)
		fmt.Fprintf(&lines, `{"time":%q,"event":"accepted","id":"%d","action":%q,"uuid":%q,"was":"running"}`+"\n", at, i, a, dbUUID)
	}
	if err := os.WriteFile(filepath.Join(dir, "requests.log"), []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// The daemon died after it had told the hypervisor to end the machine, and is back before the machine has ended.
func TestRebootGoesOnWithoutTheDaemon(t *testing.T) {
	w := newWorld()
	s := start(t, w.Standalone("h1"), guestfence.TCP, func(c *guestfence.Config) { c.Dir = cutOff(t, "reboot") })
	w.Set("db", guestfence.ShutOff)
	s.Mended()
	if _, is := w.Where("db"); is != guestfence.Running {
		t.Errorf("the machine is %v", is)
	}
}

// The daemon died when it had answered an off that came after the reboot, before it could write so.
func TestOffAfterACutOffReboot(t *testing.T) {
	w := newWorld()
	w.Set("db", guestfence.ShutOff)
	s := start(t, w.Standalone("h1"), guestfence.TCP, func(c *guestfence.Config) { c.Dir = cutOff(t, "reboot", "off") })
	s.Mended()
	if starts, _ := w.Count("db"); starts > 0 {
		t.Error("a machine that a guest may have been told is off was started")
	}
}

func TestTornLogIsRead(t *testing.T) {
	dir := t.TempDir()
	w := newWorld()
	keep := func(c *guestfence.Config) { c.Dir = dir }
	s := start(t, w.Standalone("h1"), guestfence.TCP, keep)
	name, args := reach(t, guestfence.TCP, s, "secret")
	guest(t, name, append(args, "-o", "off", "-n", "db")...)
	s.Stop()
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		path := filepath.Join(dir, f.Name())
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if st, _ := f.Info(); st.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", f.Name(), st.Mode())
		}
		if err := os.WriteFile(path, data[:len(data)-3], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.Set("db", guestfence.Running)
	s = start(t, w.Standalone("h1"), guestfence.TCP, keep)
	name, args = reach(t, guestfence.TCP, s, "secret")
	if code, out := guest(t, name, append(args, "-o", "off", "-n", "db")...); code != 0 {
		t.Errorf("%d, %q", code, out)
	}
}

// A reboot was cut off while the machine was off. When the daemon comes back, the hypervisor is away; somebody asks for
// off before it is there: the machine stays off.
func TestMendingComesBeforeNobody(t *testing.T) {
	dir := cutOff(t, "reboot")
	w := newWorld()
	w.Set("db", guestfence.ShutOff)
	w.Break("h1", guestfence.ErrUnreachable)
	s := start(t, w.Standalone("h1"), guestfence.TCP, func(c *guestfence.Config) { c.Dir = dir })
	name, args := reach(t, guestfence.TCP, s, "secret")
	if code, _ := guest(t, name, append(args, "-o", "off", "-n", dbUUID)...); code == 0 {
		t.Error("off is a success while the hypervisor is away")
	}
	w.Break("h1", nil)
	if code, out := guest(t, name, append(args, "-o", "off", "-n", dbUUID)...); code != 0 {
		t.Errorf("%d, %q", code, out)
	}
	s.Mended()
	if starts, _ := w.Count("db"); starts > 0 {
		t.Error("a machine that a guest was told is off was started")
	}
}

// ending is a hypervisor that is told to end a machine, and does so a moment after it was looked at.
type ending struct {
	guestfence.Machines
	w     *guesttest.World
	looks atomic.Int32
}

func (e *ending) Find(ctx context.Context, id string) (guestfence.Machine, error) {
	m, err := e.Machines.Find(ctx, id)
	if e.looks.Add(1) == 2 {
		e.w.Set("db", guestfence.ShutOff)
	}
	return m, err
}

func (e *ending) On(ctx context.Context, id string) error {
	err := e.Machines.On(ctx, id)
	if e.looks.Load() < 2 { // it ran so far
		e.w.Set("db", guestfence.ShutOff)
	}
	return err
}

// The daemon died after it had told the hypervisor to end the machine; somebody asks for on before it has ended. Who
// is told that it is on finds it on.
func TestOnAfterACutOffOff(t *testing.T) {
	for _, action := range []string{"off", "reboot"} {
		t.Run(action, func(t *testing.T) {
			w := newWorld()
			s := start(t, &ending{Machines: w.Standalone("h1"), w: w}, guestfence.TCP, func(c *guestfence.Config) { c.Dir = cutOff(t, action) })
			name, args := reach(t, guestfence.TCP, s, "secret")
			if code, out := guest(t, name, append(args, "-o", "on", "-n", "db")...); code != 0 {
				t.Errorf("%d, %q", code, out)
			}
			if _, is := w.Where("db"); is != guestfence.Running {
				t.Errorf("the machine is %v", is)
			}
		})
	}
}

// nameless is a cluster whose machine is stopped and defined on no host: nobody tells its UUID.
type nameless struct{ guestfence.Machines }

func (n nameless) Find(_ context.Context, id string) (guestfence.Machine, error) {
	return guestfence.Machine{Name: id, State: guestfence.ShutOff}, nil
}

func (n nameless) Off(_ context.Context, id string) (guestfence.Proof, error) {
	if id != "db" {
		return guestfence.Proof{}, guestfence.ErrUnknown
	}
	return guestfence.Proof{Kind: guestfence.AlreadyOff}, nil
}

func TestOffOfWhatIsDefinedNowhere(t *testing.T) {
	s := start(t, nameless{}, guestfence.TCP, nil)
	name, args := reach(t, guestfence.TCP, s, "secret")
	if code, out := guest(t, name, append(args, "-o", "off", "-n", "db")...); code != 0 {
		t.Errorf("%d, %q", code, out)
	}
}

//go:build host

package fencer

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// bench is one fencer with real agents: those of testdata and those that are installed.
func bench(t *testing.T, resources string, more ...string) (*Fencer, *world) {
	t.Helper()
	dir, err := filepath.Abs("testdata/agents")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, resources, more...)
	f := New(Config{Node: "n1", State: func() cib.State { return w.state }, Agents: NewPrograms(append(AgentDirs(), dir), time.Now)})
	t.Cleanup(f.Stop)
	return f, w
}

// records are what the recording agents were told, call by call, each as sorted lines.
func records(t *testing.T, log string) []string {
	t.Helper()
	data, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, call := range strings.Split(string(data), "--- ")[1:] {
		lines := strings.Split(strings.TrimSpace(call), "\n")
		slices.Sort(lines[1:])
		out = append(out, strings.Join(lines, "\n"))
	}
	return out
}

func TestHostStandardInputOfAnAgent(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	f, w := bench(t, stonith("a", "fence_record", "name=a", "log="+log, "pcmk_host_map=n2:17", "password=two words = here",
		"pcmk_reboot_timeout=30", "stonith-timeout=5", "provides=unfencing", "crm_feature_set=3.16.1", "action=off"))
	r := f.Fence(t.Context(), request("reboot", "n2"), nil)
	w.wantDone(r, cib.ByAgent, "a")
	if err := f.Monitor(t.Context(), "a"); err != nil {
		t.Error(err)
	}
	rest := "\nlog=" + log + "\nname=a"
	want := []string{"a\naction=reboot" + rest + "\nnodename=n2\npassword=two words = here\nport=17",
		"a\naction=monitor" + rest + "\npassword=two words = here"}
	if got := records(t, log); !slices.Equal(got, want) {
		t.Errorf("told\n%s\nwanted\n%s", strings.Join(got, "\n\n"), strings.Join(want, "\n\n"))
	}
}

func TestHostLevels(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	device := func(id string, params ...string) string {
		return stonith(id, "fence_record", append(params, "name="+id, "log="+log, "state="+filepath.Join(dir, id), "pcmk_host_list=n2")...)
	}
	for _, id := range []string{"ipmi", "pdu1", "pdu2"} {
		if err := os.WriteFile(filepath.Join(dir, id), []byte("on\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, w := bench(t, device("ipmi", "fail=reboot off", "password=geheim")+device("pdu1")+device("pdu2"),
		topology(levelXML("n2", 1, "ipmi"), levelXML("n2", 2, "pdu1,pdu2")))
	began := time.Now()
	r := f.Fence(t.Context(), request("reboot", "n2"), nil)
	w.wantDone(r, cib.ByAgent, "pdu1", "pdu2")
	if took := time.Since(began); took < time.Second || took > 5*time.Second { // two tries, a second apart
		t.Errorf("took %s", took)
	}
	var got []string
	for _, call := range records(t, log) {
		lines := strings.Split(call, "\n")
		got = append(got, lines[0]+" "+strings.TrimPrefix(lines[1], "action="))
	}
	want := []string{"ipmi reboot", "ipmi reboot", "ipmi status", "pdu1 off", "pdu1 status", "pdu2 off", "pdu2 status", "pdu1 on", "pdu2 on"}
	if !slices.Equal(got, want) {
		t.Errorf("calls %v, wanted %v", got, want)
	}
	if text := fmt.Sprintf("%+v", r); strings.Contains(text, "geheim") || !strings.Contains(text, "login with *** refused") {
		t.Errorf("the record: %s", text)
	}
}

func TestHostTimeoutKillsTheProcessGroup(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	f, w := bench(t, stonith("a", "fence_record", "name=a", "log="+log, "hang=reboot", "pcmk_host_list=n2", "pcmk_reboot_timeout=700ms", "fail=status", "pcmk_status_retries=1"))
	began := time.Now()
	w.wantFailed(f.Fence(t.Context(), request("reboot", "n2"), nil), "a: ", "from n1: reboot: no answer in ", "killed", "cerco stonith confirm n2")
	if took := time.Since(began); took < 700*time.Millisecond || took > 1500*time.Millisecond {
		t.Errorf("killed after %s", took)
	}
	data, err := os.ReadFile(log + ".pids")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range strings.Fields(string(data)) {
		pid, _ := strconv.Atoi(s)
		for end := time.Now().Add(2 * time.Second); alive(pid); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Errorf("process %d of the agent is alive", pid)
				break
			}
		}
	}
	if n := len(records(t, log)); n != 2 { // a time-out is not tried again; the status asks what came of it
		t.Errorf("%d calls", n)
	}
}

// alive reports whether a process runs; one that waits to be reaped does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func TestHostListOfAnAgent(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	f, w := bench(t, stonith("a", "fence_record", "name=a", "log="+log))
	w.wantDone(f.Fence(t.Context(), request("reboot", "n2"), nil), cib.ByAgent, "a")
	w.wantFailed(f.Fence(t.Context(), request("reboot", "n3"), nil), "its list, seen from n1, has n1 n2 and not n3")
}

func TestHostFenceDummy(t *testing.T) {
	if _, err := os.Stat("/usr/sbin/fence_dummy"); err != nil {
		t.Skip("Debian's fence-agents are not installed")
	}
	state := filepath.Join(t.TempDir(), "status")
	f, w := bench(t, stonith("d", "fence_dummy", "status_file="+state, "pcmk_host_list=n2"))
	if err := f.Register(t.Context(), "d"); err != nil {
		t.Fatal(err)
	}
	if err := f.Monitor(t.Context(), "d"); err != nil {
		t.Error(err)
	}
	w.wantDone(f.Fence(t.Context(), request("off", "n2"), nil), cib.ByAgent, "d")
	w.wantDone(f.Fence(t.Context(), request("reboot", "n2"), nil), cib.ByAgent, "d")
	w.configure(stonith("d", "fence_dummy", "type=fail", "status_file="+state, "pcmk_host_list=n2", "pcmk_status_retries=1", "pcmk_off_timeout=3s"))
	w.wantFailed(f.Fence(t.Context(), request("off", "n2"), nil), "d: ", "from n1: off: no answer in 3s: killed")
}

func TestHostMetadataOfAllInstalledAgents(t *testing.T) {
	p := NewPrograms(AgentDirs(), time.Now)
	names := p.Installed()
	if len(names) < 20 {
		t.Skip("Debian's fence-agents are not installed")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	good, unfence := 0, []string(nil)
	for _, n := range names {
		m, err := p.Metadata(ctx, n)
		if err != nil {
			t.Logf("%s: %v", n, err)
			continue
		}
		good++
		if m.unfences() {
			unfence = append(unfence, n)
		}
	}
	t.Logf("%d of %d agents have metadata; unfencing: %v", good, len(names), unfence)
	if good < len(names)*9/10 {
		t.Error("too many agents are refused")
	}
	for _, n := range []string{"fence_scsi", "fence_mpath"} {
		if slices.Contains(names, n) && !slices.Contains(unfence, n) {
			t.Errorf("%s does not unfence", n)
		}
	}
}

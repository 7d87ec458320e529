package agents

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// agent is one of the agents, with a directory of its own and a crm_master that writes down what it is told.
type script struct {
	t    *testing.T
	dir  string
	path string
	env  []string
}

func install(t *testing.T, name string, params ...string) *script {
	t.Helper()
	dir := t.TempDir()
	root, err := Write(filepath.Join(dir, "ocf"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Write(filepath.Join(dir, "ocf")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "crm_master"), []byte("#!/bin/sh\necho \"$@\" >> "+dir+"/scores\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	s := &script{t: t, dir: dir, path: filepath.Join(root, "cerco", name)}
	s.env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "OCF_RESOURCE_INSTANCE=r1", "OCF_RESKEY_CRM_meta_on_node=n1",
		"OCF_RESKEY_state_dir="+dir, "OCF_RESKEY_record="+dir+"/record", "OCF_RESKEY_control="+dir, "OCF_RESKEY_tick=0.01")
	s.env = append(s.env, params...)
	t.Cleanup(func() { s.call("stop") })
	return s
}

func (s *script) call(action string) (int, string) {
	s.t.Helper()
	cmd := exec.Command(s.path, action)
	cmd.Env = s.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		s.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func (s *script) expect(action string, want int) string {
	s.t.Helper()
	rc, out := s.call(action)
	if rc != want {
		s.t.Errorf("%s: %d, want %d\n%s", action, rc, want, out)
	}
	return out
}

// await waits until a file holds a text.
func (s *script) await(file, text string) {
	s.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if b, err := os.ReadFile(filepath.Join(s.dir, file)); err == nil && strings.Contains(string(b), text) {
			return
		}
	}
	b, _ := os.ReadFile(filepath.Join(s.dir, file))
	s.t.Errorf("%s never holds %q:\n%s", file, text, b)
}

func TestService(t *testing.T) {
	s := install(t, "Service")
	s.expect("validate-all", 0)
	s.expect("monitor", 7)
	s.expect("stop", 0)
	s.expect("start", 0)
	s.expect("start", 0)
	s.expect("monitor", 0)
	var pid int
	b, err := os.ReadFile(filepath.Join(s.dir, "cerco-Service-r1"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Sscan(string(b), &pid)
	s.await("record", fmt.Sprintf("n1 %d ", pid))
	s.await("record", " r1 started\n")
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.expect("monitor", 7)
	s.expect("start", 0)
	s.expect("reload-agent", 0)
	s.expect("migrate_to", 0)
	s.expect("monitor", 7)
	s.expect("migrate_from", 0)
	s.expect("monitor", 0)
	s.expect("stop", 0)
	s.expect("monitor", 7)
	s.expect("nonsense", 3)
	before, _ := os.ReadFile(filepath.Join(s.dir, "record"))
	s.expect("monitor", 7)
	if after, _ := os.ReadFile(filepath.Join(s.dir, "record")); len(after) != len(before) {
		t.Error("it goes on writing after its stop")
	}
}

func TestOnDemand(t *testing.T) {
	s := install(t, "Service", "OCF_RESKEY_fail=start@n2 monitor@n1")
	s.expect("start", 0)
	if out := s.expect("monitor", 1); !strings.Contains(out, "ocf-exit-reason:monitor is to fail") {
		t.Error(out)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "r1.stop@n1"), []byte("fail no way\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out := s.expect("stop", 1); !strings.Contains(out, "ocf-exit-reason:no way") {
		t.Error(out)
	}
	os.Remove(filepath.Join(s.dir, "r1.stop@n1"))
	s.expect("stop", 0)
}

func TestStateful(t *testing.T) {
	s := install(t, "Stateful")
	s.expect("promote", 7)
	s.expect("start", 0)
	s.expect("monitor", 0)
	s.await("record", " r1 unpromoted\n")
	s.expect("promote", 0)
	s.expect("monitor", 8)
	s.await("record", " r1 promoted\n")
	s.expect("notify", 0)
	s.expect("demote", 0)
	s.expect("monitor", 0)
	s.expect("stop", 0)
	b, _ := os.ReadFile(filepath.Join(s.dir, "scores"))
	if got := strings.ReplaceAll(string(b), "\n", ";"); got != "-l reboot -v 5;-l reboot -v 10;-l reboot -v 5;-l reboot -D;" {
		t.Errorf("scores: %s", got)
	}
}

// TestJournal wants each action written down when it begins and when it ends, also those that fail.
func TestJournal(t *testing.T) {
	s := install(t, "Service", "OCF_RESKEY_fail=stop@n1")
	s.env = append(s.env, "OCF_RESKEY_journal="+s.dir+"/journal", "OCF_RESKEY_record=", "CERCO_OPERATION=3/4/5/n1/b")
	s.expect("start", 0)
	s.expect("monitor", 0)
	if pid, err := Process(s.dir, "Service", "r1"); err != nil || syscall.Kill(pid, 0) != nil {
		t.Errorf("its process is %d: %v", pid, err)
	}
	s.expect("stop", 1)
	s.env = append(s.env, "OCF_RESKEY_fail=")
	s.expect("stop", 0)
	if pid, err := Process(s.dir, "Service", "r1"); err == nil {
		t.Errorf("it is stopped, and its process is %d", pid)
	}
	s.expect("monitor", 7)
	data, err := os.ReadFile(filepath.Join(s.dir, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for l := range strings.Lines(string(data)) {
		_, rest, _ := strings.Cut(strings.TrimSpace(l), " ")
		got = append(got, strings.TrimSuffix(strings.TrimPrefix(rest, "n1 r1 "), " 3/4/5/n1/b"))
	}
	want := "start begin,start end 0,monitor begin,monitor end 0,stop begin,stop end 1,stop begin,stop end 0,monitor begin,monitor end 7"
	if strings.Join(got, ",") != want {
		t.Errorf("the journal holds %q, want %s", got, want)
	}
}

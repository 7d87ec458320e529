package lab

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

func testLab(t *testing.T, nodes int) *Lab {
	t.Helper()
	l, err := Create(t.TempDir(), nodes)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range l.Nodes {
		if err := os.MkdirAll(l.Path(n.Name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func blocked(t *testing.T, l *Lab) string {
	t.Helper()
	var out []string
	for _, n := range l.Nodes {
		f, err := readFaults(l.Path(n.Name, "faults"))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, n.Name+":"+strings.Join(f.Blocked, ","))
	}
	return strings.Join(out, " ")
}

func TestPartition(t *testing.T) {
	l := testLab(t, 4)
	for _, c := range []struct{ groups, want string }{
		{"n1|n2,n3", "n1:n2,n3,n4 n2:n1,n4 n3:n1,n4 n4:n1,n2,n3"},
		{"n1,n2|n3,n4", "n1:n3,n4 n2:n3,n4 n3:n1,n2 n4:n1,n2"},
		{"n4", "n1:n4 n2:n4 n3:n4 n4:n1,n2,n3"},
	} {
		if err := l.Partition(c.groups); err != nil {
			t.Fatal(err)
		}
		if got := blocked(t, l); got != c.want {
			t.Errorf("Partition(%q): %s, want %s", c.groups, got, c.want)
		}
	}
	for _, bad := range []string{"n1|n9", "n1,n1", "", "n1|n1"} {
		if err := l.Partition(bad); err == nil {
			t.Errorf("Partition(%q) is accepted", bad)
		}
	}
}

func TestFaultsOfANodeAddUp(t *testing.T) {
	l := testLab(t, 3)
	for _, err := range []error{l.Block("n1", "n2"), l.Block("n1", "n3", "n2"), l.SlowDisk("n1", 20*time.Millisecond)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	f, err := readFaults(l.Path("n1", "faults"))
	if err != nil || !slices.Equal(f.Blocked, []string{"n2", "n3"}) || f.SlowDisk != 20*time.Millisecond {
		t.Errorf("faults = %+v, %v", f, err)
	}
	if err := l.Heal(); err != nil {
		t.Fatal(err)
	}
	if got := blocked(t, l); got != "n1: n2: n3:" {
		t.Errorf("after Heal: %s", got)
	}
}

func TestFaultsFileWithAMistake(t *testing.T) {
	l := testLab(t, 1)
	if err := os.WriteFile(l.Path("n1", "faults"), []byte("block n2\nslow n3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readFaults(l.Path("n1", "faults")); err == nil || !strings.Contains(err.Error(), "faults:2: unknown fault") {
		t.Errorf("error = %v; want one about line 2", err)
	}
}

// marks starts a process that belongs to a node.
func marks(t *testing.T, l *Lab, node string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sleep", "60")
	cmd.Env = []string{l.mark(node), "PATH=" + os.Getenv("PATH")}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd
}

func TestFencingEndsTheProcessesOfOneNode(t *testing.T) {
	l := testLab(t, 11)
	marks(t, l, "n1")
	marks(t, l, "n1")
	other := marks(t, l, "n11")

	run := func(action string) int {
		var out, errs strings.Builder
		code := Fence(context.Background(), strings.NewReader("action="+action+"\nlab="+l.Dir+"\nport=n1\n"), &out, &errs)
		if errs.Len() > 0 {
			t.Errorf("%s: %s", action, &errs)
		}
		return code
	}
	if code := run("status"); code != 0 {
		t.Errorf("status of a node that is on = %d, want 0", code)
	}
	if code := run("off"); code != 0 {
		t.Errorf("off = %d, want 0", code)
	}
	if code := run("status"); code != 2 {
		t.Errorf("status after off = %d, want 2", code)
	}
	if pids, err := l.Processes("n11"); err != nil || !slices.Equal(pids, []int{other.Process.Pid}) {
		t.Errorf("processes of n11 = %v, %v; want %d alone", pids, err, other.Process.Pid)
	}
}

func TestFenceAgentSaysWhatIsWrong(t *testing.T) {
	l := testLab(t, 2)
	for in, want := range map[string]string{
		"action=off\nport=n1\n":                                "no lab in",
		"action=off\nlab=" + l.Dir + "\nport=n3\n":             `no node "n3"`,
		"action=dance\nlab=" + l.Dir + "\nport=n1\n":           `action "dance" is not known`,
		"lab=" + l.Dir + "\n":                                  `no node ""`,
		"action=status\nlab=" + l.Dir + "/none\nnodename=n1\n": "no lab in",
	} {
		var out, errs strings.Builder
		if code := Fence(context.Background(), strings.NewReader(in), &out, &errs); code != 1 || !strings.Contains(errs.String(), want) {
			t.Errorf("%q: exit %d, %q; want 1 and %q", in, code, errs.String(), want)
		}
	}
}

//go:build host

package nettest

import (
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestEveryNodeIsAlone wants a cluster of which no part is quorate to stop its services and to fence nobody, and to
// start them again once the network is back.
func TestEveryNodeIsAlone(t *testing.T) {
	h := newHosts(t, 3, 1, "db", "web")
	for _, n := range h.names {
		h.deaf(n, h.others(n))
	}
	took := h.await(10*time.Second, "services to stop", func() error {
		if h.runs("db").pid != 0 || h.runs("web").pid != 0 {
			return errNotYet
		}
		return nil
	})
	t.Logf("stopped after %v", took)
	if took > 4*time.Second { // the cut may come right after a start: it must be stopped all the same
		t.Errorf("services ran for %v without quorum", took)
	}
	time.Sleep(5 * time.Second)
	if h.runs("db").pid != 0 || h.runs("web").pid != 0 {
		t.Error("something was started without quorum")
	}
	h.noFencing()
	h.heal()
	for _, s := range []string{"db", "web"} {
		_, took := h.awaitRuns(20*time.Second, s, h.names...)
		t.Logf("%s is back %v after the network", s, took)
	}
	h.awaitOnline(h.names...)
	h.noFencing()
	h.checkOnce("db", "web")
}

// TestMinorityWithTheLeader cuts the leader and another node off from a majority of five.
func TestMinorityWithTheLeader(t *testing.T) {
	h := newHosts(t, 5, 1, "a", "b", "c", "d", "e")
	leader, _ := h.leader("n1")
	minority := []string{leader, h.others(leader)[0]}
	majority := h.others(minority...)
	for _, n := range minority {
		h.deaf(n, majority)
		h.mute(n, majority)
	}
	for _, s := range []string{"a", "b", "c", "d", "e"} {
		_, took := h.awaitRuns(20*time.Second, s, majority...)
		t.Logf("%s runs among the majority after %v", s, took)
	}
	h.await(10*time.Second, "both to be fenced", func() error {
		if len(h.fenced()) < 2 {
			return errNotYet
		}
		return nil
	})
	for _, f := range h.fenced() {
		if !strings.HasPrefix(f, minority[0]) && !strings.HasPrefix(f, minority[1]) {
			t.Errorf("fenced: %v; want %v alone", h.fenced(), minority)
		}
	}
	h.checkOnce("a", "b", "c", "d", "e")
	h.heal()
	for _, n := range minority {
		h.boot(n)
	}
	h.awaitOnline(h.names...)
}

// TestDaemonIsRestarted ends a daemon as systemd does for an upgrade, and leaves it away for longer than the token.
func TestDaemonIsRestarted(t *testing.T) {
	for nodes := 2; nodes <= 3; nodes++ {
		t.Run(fmt.Sprint(nodes), func(t *testing.T) {
			h := newHosts(t, nodes, 1, "db")
			leader, _ := h.leader("n1")
			for _, victim := range []string{h.runs("db").node, leader} {
				if err := h.cmds[victim].Process.Signal(syscall.SIGTERM); err != nil {
					t.Fatal(err)
				}
				h.quiet(4*time.Second, "db")
				h.startDaemon(victim)
				h.awaitOnline(h.names...)
				h.quiet(time.Second, "db")
			}
			h.checkOnce("db")
		})
	}
}

// TestTwoNodesDaemonIsKilled is the same without a warning, with two nodes: there is no majority meanwhile.
func TestTwoNodesDaemonIsKilled(t *testing.T) {
	h := newHosts(t, 2, 1, "db", "web")
	for range 3 {
		for _, victim := range h.names {
			if err := h.cmds[victim].Process.Kill(); err != nil {
				t.Fatal(err)
			}
			h.startDaemon(victim)
			h.quiet(3*time.Second, "db")
			h.awaitOnline(h.names...)
		}
	}
	h.change("n1")
	h.checkOnce("db", "web")
}

// TestBusyProcessors wants no false alarm while other work takes all of the machine's processors.
func TestBusyProcessors(t *testing.T) {
	h := newHosts(t, 5, 1, "db")
	for range 2 * runtime.NumCPU() {
		cmd := exec.Command("sh", "-c", "while :; do :; done")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	}
	_, term := h.leader("n1")
	h.quiet(time.Minute, "db")
	if _, now := h.leader("n1"); now != term {
		t.Errorf("%d elections", now-term)
	}
	h.checkOnce("db")
}

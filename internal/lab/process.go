package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// markName is the variable in the environment of every process of a node.
const markName = "CERCO_LAB_NODE"

func (l *Lab) mark(node string) string { return markName + "=" + l.Path(node) }

// Processes finds every living process of a node: daemon, agents, services.
func (l *Lab) Processes(node string) ([]int, error) { return marked(l.mark(node)) }

// marked finds the living processes that have a variable in their environment. A zombie has none any more.
func marked(variable string) ([]int, error) {
	mark := []byte(variable)
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		env, err := os.ReadFile(filepath.Join("/proc", e.Name(), "environ"))
		if err != nil {
			continue // gone, or somebody else's
		}
		for v := range bytes.SplitSeq(env, []byte{0}) {
			if bytes.Equal(v, mark) {
				pids = append(pids, pid)
				break
			}
		}
	}
	return pids, nil
}

// PowerOff ends every process of a node at once, and returns when none is left: what was started
// meanwhile is ended too.
func (l *Lab) PowerOff(ctx context.Context, node string) error {
	for {
		pids, err := l.Processes(node)
		if err != nil {
			return err
		}
		if len(pids) == 0 {
			return nil
		}
		for _, pid := range pids {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("ending process %d of %s: %w", pid, node, err)
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("processes %v of %s do not end: %w", pids, node, context.Cause(ctx))
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// Signal sends a signal to every process of a node.
func (l *Lab) Signal(node string, sig syscall.Signal) error {
	pids, err := l.Processes(node)
	if err != nil {
		return err
	}
	if len(pids) == 0 {
		return fmt.Errorf("%s is off: cerco lab boot %s starts it", node, node)
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("signal %v to process %d of %s: %w", sig, pid, node, err)
		}
	}
	return nil
}

// Boot starts a node that is off. As after the boot of a real machine it has a new boot id.
func (l *Lab) Boot(node string) error {
	n, err := l.Node(node)
	if err != nil {
		return err
	}
	if pids, err := l.Processes(node); err != nil || len(pids) > 0 {
		return errors.Join(err, fmt.Errorf("%s is on already", node))
	}
	return l.spawn(n, newBootID())
}

// KillDaemon ends the daemon of a node and nothing else, and starts it again, as systemd would.
func (l *Lab) KillDaemon(node string) error {
	n, err := l.Node(node)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(l.Path(node, "daemon.pid"))
	if err != nil {
		return err
	}
	pidText, boot, _ := strings.Cut(strings.TrimSpace(string(data)), " ")
	pid, err := strconv.Atoi(pidText)
	if err != nil {
		return fmt.Errorf("%s: %w", l.Path(node, "daemon.pid"), err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("the daemon of %s (process %d): %w", node, pid, err)
	}
	return l.spawn(n, boot)
}

// spawn starts a node's daemon as a process of its own, that outlives the one that started it.
func (l *Lab) spawn(n *Node, boot string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(l.Path(n.Name, "run"), 0o700); err != nil {
		return err
	}
	log, err := os.OpenFile(l.Path(n.Name, "daemon.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(self, "daemon", "--dir", l.Path(n.Name), "--boot-id", boot,
		"--agents", filepath.Join(l.Dir, "ocf", "resource.d"), "--fence-agents", filepath.Join(l.Dir, "fence"), "--faults", l.Path(n.Name, "faults"))
	cmd.Env = append(cleanEnv(), l.mark(n.Name))
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", n.Name, err)
	}
	pid := fmt.Sprintf("%d %s\n", cmd.Process.Pid, boot)
	go cmd.Wait() // whoever starts it may live long: no zombie is left
	return os.WriteFile(l.Path(n.Name, "daemon.pid"), []byte(pid), 0o600)
}

// cleanEnv is our environment without any node's mark: what a fence agent of one node starts for another
// must not die with the first.
func cleanEnv() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, markName+"=") && !strings.HasPrefix(v, "CERCO_SOCKET=") && !strings.HasPrefix(v, "OCF_") {
			env = append(env, v)
		}
	}
	return env
}

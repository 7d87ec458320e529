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

	"github.com/cerco-ha/cerco/internal/judge"
	"github.com/cerco-ha/cerco/internal/ordeal"
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
	return l.locked(node, func() error {
		if err := os.Remove(l.pidFile(node)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if err := l.endAll(ctx, node); err != nil {
			return err
		}
		return l.note(node, "off")
	})
}

// locked keeps others, fence agents above all, from switching a node off or on or starting its daemon meanwhile.
func (l *Lab) locked(node string, f func() error) error {
	if err := os.MkdirAll(l.Path(node), 0o700); err != nil {
		return err
	}
	lock, err := os.OpenFile(l.Path(node, "power.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("%s: %w", lock.Name(), err)
	}
	return f()
}

// note writes what happens to a host into the journal of the lab.
func (l *Lab) note(node, what string) error {
	return ordeal.Note(l.Journal(), judge.Event{Node: node, What: what})
}

// pidFile holds a node's daemon and the boot id of its host; a node that is off has none.
func (l *Lab) pidFile(node string) string { return l.Path(node, "daemon.pid") }

func (l *Lab) endAll(ctx context.Context, node string) error {
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
	return l.locked(node, func() error {
		if pids, err := l.Processes(node); err != nil || len(pids) > 0 {
			return errors.Join(err, fmt.Errorf("%s is on already", node))
		}
		if err := l.note(node, "on"); err != nil {
			return err
		}
		return l.spawn(n, newBootID())
	})
}

// EndDaemon ends the daemon of a node and nothing else, by a signal, and starts it again after a while, as systemd
// would, unless the node has been switched off meanwhile.
func (l *Lab) EndDaemon(node string, by syscall.Signal, away time.Duration) error {
	n, err := l.Node(node)
	if err != nil {
		return err
	}
	var pid int
	var boot string
	alive := func() error {
		data, err := os.ReadFile(l.pidFile(node))
		if err == nil {
			_, err = fmt.Sscan(string(data), &pid, &boot)
		}
		if err != nil {
			return fmt.Errorf("%s is off: %w", node, err)
		}
		return nil
	}
	err = l.locked(node, func() error {
		if err := alive(); err != nil {
			return err
		}
		if err := syscall.Kill(pid, by); err != nil {
			return fmt.Errorf("the daemon of %s (process %d): %w", node, pid, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := awaitEnd(pid); err != nil {
		return fmt.Errorf("the daemon of %s: %w", node, err)
	}
	time.Sleep(away)
	return l.locked(node, func() error {
		killed := pid
		if alive() != nil || pid != killed {
			return nil // it was switched off meanwhile
		}
		return l.spawn(n, boot)
	})
}

// endPatience is how long a daemon may take to end when it is asked to.
const endPatience = 10 * time.Second

func awaitEnd(pid int) error {
	for deadline := time.Now().Add(endPatience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid)); err != nil || len(env) == 0 { // a zombie has none
			return nil
		}
	}
	return fmt.Errorf("process %d does not end within %v", pid, endPatience)
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
	if l.Verbose {
		cmd.Args = append(cmd.Args, "--verbose")
	}
	cmd.Env = append(cleanEnv(), l.mark(n.Name))
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", n.Name, err)
	}
	pid := fmt.Sprintf("%d %s\n", cmd.Process.Pid, boot)
	go cmd.Wait() // whoever starts it may live long: no zombie is left
	return os.WriteFile(l.pidFile(n.Name), []byte(pid), 0o600)
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

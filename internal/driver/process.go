package driver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"golang.org/x/sys/unix"
)

// Process tells a process from every other of the same boot.
type Process struct {
	PID   int    `json:"pid"`   // of the agent, and of its process group
	Start uint64 `json:"start"` // when it began, in clock ticks since the boot: pids come back, these do not
}

// ended is what is known of an agent's process after it has ended.
type ended struct {
	rc        int
	killed    syscall.Signal // 0: it ended by itself
	timedOut  bool
	abandoned bool
	cancelled bool
	stdout    string
	stderr    string
	err       error // it could not be run at all
}

// keepOutput is how much of an agent's output is looked at, from its end.
const keepOutput = 64 << 10

// call runs a program in a process group of its own and waits for it; not for what it leaves in the
// background. Its output goes to files in memory rather than to pipes, so that it can go on writing when
// this process is gone, and so that nobody waits for a background process that holds the pipe open.
func (h *Host) call(ctx context.Context, path string, args, env []string, started func(Process)) ended {
	if ctx.Err() != nil { // what is not wanted any more is not begun
		return ended{abandoned: errors.Is(context.Cause(ctx), ErrAbandoned), timedOut: errors.Is(ctx.Err(), context.DeadlineExceeded), cancelled: true}
	}
	stdout, err := scratch()
	if err != nil {
		return ended{err: err}
	}
	defer stdout.Close()
	stderr, err := scratch()
	if err != nil {
		return ended{err: err}
	}
	defer stderr.Close()
	cmd := exec.Command(path, args...)
	cmd.Env, cmd.Dir = env, h.cfg.WorkDir
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return ended{err: err}
	}
	pid := cmd.Process.Pid
	ordinary(pid)
	if started != nil {
		started(Process{PID: pid, Start: startTime(pid)})
	}
	done := make(chan error, 1)
	go func() {
		ending(pid)
		done <- cmd.Wait()
	}()
	var e ended
	select {
	case err = <-done:
	case <-ctx.Done():
		cause := context.Cause(ctx)
		if errors.Is(cause, ErrAbandoned) {
			return ended{abandoned: true}
		}
		e.timedOut = errors.Is(ctx.Err(), context.DeadlineExceeded)
		e.cancelled = !e.timedOut
		_ = syscall.Kill(-pid, syscall.SIGKILL) // it may have ended this very moment
		err = <-done
	}
	e.stdout, e.stderr = tail(stdout), tail(stderr)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		ws := exit.Sys().(syscall.WaitStatus)
		if ws.Signaled() {
			e.killed = ws.Signal()
		}
		e.rc = exit.ExitCode()
	case err != nil:
		e.err = err
	}
	return e
}

// ending waits until a child has ended or is about to: without a thread of its own, where the kernel can tell in the
// way it tells of sockets.
func ending(pid int) {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err != nil {
		return
	}
	f := os.NewFile(uintptr(fd), "pidfd")
	defer f.Close()
	if c, err := f.SyscallConn(); err == nil {
		_ = c.Read(func(fd uintptr) bool { // with an error whoever waits for the process itself blocks instead
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
			return n > 0 || err != nil && err != unix.EINTR
		})
	}
}

// scratch makes a file in memory that no directory knows. Writes go to its end, whoever writes.
func scratch() (*os.File, error) {
	fd, err := unix.MemfdCreate("agent-output", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("no file for an agent's output: %w", err)
	}
	f := os.NewFile(uintptr(fd), "agent-output")
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFL, unix.O_APPEND); err != nil {
		return nil, errors.Join(fmt.Errorf("no file for an agent's output: %w", err), f.Close())
	}
	return f, nil
}

// tail reads the end of a file.
func tail(f *os.File) string {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return ""
	}
	b := make([]byte, min(size, keepOutput))
	n, _ := f.ReadAt(b, size-int64(len(b))) // what cannot be read is missing in a message for people
	b = bytes.ReplaceAll(b[:n], []byte{0}, nil)
	return strings.ToValidUTF8(string(b), "?")
}

// ordinary takes from a child what the daemon has for itself: its priority and its protection from the
// out-of-memory killer. Agents and what they start are to have neither.
func ordinary(pid int) {
	if p, err := unix.Getpriority(unix.PRIO_PROCESS, 0); err == nil && p != 20 { // the system call says 20-nice
		_ = unix.Setpriority(unix.PRIO_PGRP, pid, 0)
	}
	if own, err := os.ReadFile("/proc/self/oom_score_adj"); err == nil && len(own) > 0 && own[0] == '-' {
		_ = os.WriteFile("/proc/"+strconv.Itoa(pid)+"/oom_score_adj", []byte("0"), 0)
	}
}

// startTime is when a process began, in clock ticks since the boot; 0 when there is no such process.
func startTime(pid int) uint64 {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	_, rest, ok := strings.Cut(string(b[bytes.LastIndexByte(b, ')')+1:]), " ")
	if !ok {
		return 0
	}
	fields := strings.Fields(rest)
	if len(fields) < 20 || fields[0] == "Z" {
		return 0
	}
	n, _ := strconv.ParseUint(fields[19], 10, 64) // 0 when it is no number
	return n
}

// Alive reports whether a process is still there.
func Alive(p Process) bool { return p.PID > 0 && startTime(p.PID) == p.Start && p.Start != 0 }

// killedWithinMS is how long a process may take to die.
const killedWithinMS = 5000

// Await waits until a process that is no child of ours has ended. When the time-out passes or ctx ends first,
// its process group is killed and the answer is false; an abandoned ctx kills nothing.
func Await(ctx context.Context, p Process, timeout time.Duration) bool {
	fd, err := unix.PidfdOpen(p.PID, 0)
	if err != nil || !Alive(p) {
		if err == nil {
			unix.Close(fd)
		}
		return true
	}
	f := os.NewFile(uintptr(fd), "pidfd")
	defer f.Close()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for ctx.Err() == nil {
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 50)
			if n > 0 || err != nil && err != unix.EINTR {
				return
			}
		}
	}()
	<-gone
	if !Alive(p) {
		return true
	}
	if !errors.Is(context.Cause(ctx), ErrAbandoned) {
		_ = syscall.Kill(-p.PID, syscall.SIGKILL)                                             // it may have ended this very moment
		_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, killedWithinMS) // what cannot be killed is waited for no longer
	}
	return false
}

const exitReasonPrefix = "ocf-exit-reason:"

// exitReason is the last reason that an agent gave.
func exitReason(stderr string) string {
	i := strings.LastIndex(stderr, exitReasonPrefix)
	if i < 0 {
		return ""
	}
	line, _, _ := strings.Cut(stderr[i+len(exitReasonPrefix):], "\n")
	return strings.TrimSpace(line)
}

// result turns an ended process into a result. codes maps its exit code to the OCF standard's.
func (e *ended) result(r *Request, codes func(int) int) Result {
	res := Result{RC: cib.RCError, Status: cib.OpDone, Output: lastLines(e.stderr, e.stdout)}
	switch {
	case e.abandoned:
		res.Status = cib.OpUnknown
	case e.timedOut:
		res.Status, res.Reason = cib.OpTimedOut, fmt.Sprintf("Resource agent did not complete within %s", duration(r.Timeout))
	case e.cancelled:
		res.Status, res.Reason = cib.OpCancelled, "cancelled"
	case e.err != nil && (errors.Is(e.err, os.ErrNotExist) || errors.Is(e.err, syscall.ENOEXEC)):
		res.RC, res.Status, res.Reason = cib.RCInstalled, cib.OpNotInstalled, e.err.Error()
	case e.err != nil && errors.Is(e.err, os.ErrPermission):
		res.RC, res.Status, res.Reason = cib.RCPerm, cib.OpError, e.err.Error()
	case e.err != nil:
		res.Status, res.Reason = cib.OpError, e.err.Error()
	case e.killed != 0:
		res.Status, res.Reason = cib.OpError, fmt.Sprintf("Resource agent interrupted by signal %d (%s)", int(e.killed), e.killed)
	default:
		res.RC = codes(e.rc)
		res.Reason = exitReason(e.stderr)
	}
	return res
}

// duration writes whole seconds as such.
func duration(d time.Duration) string {
	if d%time.Second == 0 {
		return strconv.Itoa(int(d/time.Second)) + "s"
	}
	return strconv.Itoa(int(d/time.Millisecond)) + "ms"
}

// lastLines is the end of an agent's output, short enough to be sent and kept.
func lastLines(parts ...string) string {
	const keep = 2000
	s := strings.TrimSpace(strings.Join(parts, "\n"))
	if len(s) > keep {
		s = s[len(s)-keep:]
		if i := strings.IndexByte(s, '\n'); i >= 0 {
			s = s[i+1:]
		}
		s = strings.ToValidUTF8(s, "")
	}
	return s
}

// Find looks for the process of a running agent: the leader of its process group, with a variable (NAME=value) in
// its environment and the agent's name on its command line. It is for calls of a daemon that died before it could
// write down which process it had started.
func Find(env, typ string) (Process, bool) {
	dirs, _ := os.ReadDir("/proc") // without /proc there is nothing to be found
	for _, d := range dirs {
		pid, err := strconv.Atoi(d.Name())
		if err != nil {
			continue
		}
		environ, err := os.ReadFile("/proc/" + d.Name() + "/environ")
		if err != nil || !bytes.Contains(append([]byte{0}, environ...), append(append([]byte{0}, env...), 0)) {
			continue
		}
		cmdline, _ := os.ReadFile("/proc/" + d.Name() + "/cmdline") // it may have ended
		if pgid, err := syscall.Getpgid(pid); err == nil && pgid == pid && bytes.Contains(cmdline, []byte("/"+typ+"\x00")) {
			return Process{PID: pid, Start: startTime(pid)}, true
		}
	}
	return Process{}, false
}

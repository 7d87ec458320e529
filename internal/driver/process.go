package driver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
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

// notedAfter is how long an agent runs before it is told which process it is: most have ended by then. When the daemon
// dies before, Find knows it.
const notedAfter = 200 * time.Millisecond

// call runs a program in a process group of its own and waits for it; not for what it leaves in the
// background. Its output goes to files in memory rather than to pipes, so that it can go on writing when
// this process is gone, and so that nobody waits for a background process that holds the pipe open.
func (h *Host) call(ctx context.Context, path string, args, env []string, started func(Process)) ended {
	if ctx.Err() != nil { // what is not wanted any more is not begun
		return ended{abandoned: errors.Is(context.Cause(ctx), ErrAbandoned), timedOut: errors.Is(ctx.Err(), context.DeadlineExceeded), cancelled: true}
	}
	var out [2]scratch
	for i := range out {
		var err error
		if out[i], err = newScratch(); err != nil {
			return ended{err: err}
		}
		defer out[i].close()
	}
	pid, done, err := h.spawn(path, args, env, out)
	if err != nil {
		return ended{err: err}
	}
	timer := time.NewTimer(notedAfter)
	defer timer.Stop()
	note := sync.OnceFunc(func() {
		if started != nil {
			started(Process{PID: pid, Start: startTime(pid)})
		}
	})
	var e ended
	var status syscall.WaitStatus
	for going := true; going; {
		select {
		case status = <-done:
			going = false
		case <-timer.C:
			note()
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), ErrAbandoned) {
				note()
				return ended{abandoned: true}
			}
			e.timedOut = errors.Is(ctx.Err(), context.DeadlineExceeded)
			e.cancelled = !e.timedOut
			_ = syscall.Kill(-pid, syscall.SIGKILL) // it may have ended this very moment
			status, going = <-done, false
		}
	}
	e.stdout, e.stderr = out[0].tail(), out[1].tail()
	if e.rc = status.ExitStatus(); status.Signaled() {
		e.killed = status.Signal()
	}
	return e
}

// spawn starts a program. How it has ended comes out of the channel.
func (h *Host) spawn(path string, args, env []string, out [2]scratch) (pid int, done <-chan syscall.WaitStatus, err error) {
	null, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, nil, &os.PathError{Op: "open", Path: os.DevNull, Err: err}
	}
	defer unix.Close(null)
	pidfd := -1
	pid, err = syscall.ForkExec(path, append([]string{path}, args...), &syscall.ProcAttr{Dir: h.cfg.WorkDir, Env: env,
		Files: []uintptr{uintptr(null), uintptr(out[0]), uintptr(out[1])}, Sys: &syscall.SysProcAttr{Setpgid: true, PidFD: &pidfd}})
	if err != nil {
		return 0, nil, &os.PathError{Op: "fork/exec", Path: path, Err: err}
	}
	h.ordinary(pid)
	ended := make(chan syscall.WaitStatus, 1)
	go func() {
		ending(pidfd)
		var status syscall.WaitStatus
		_, err := syscall.Wait4(pid, &status, 0, nil)
		for err == syscall.EINTR {
			_, err = syscall.Wait4(pid, &status, 0, nil)
		}
		ended <- status
	}()
	return pid, ended, nil
}

// ending waits until a child has ended or is about to: without a thread of its own, where the kernel can tell in the
// way it tells of sockets.
func ending(pidfd int) {
	if pidfd < 0 {
		return
	}
	if err := unix.SetNonblock(pidfd, true); err != nil {
		unix.Close(pidfd)
		return
	}
	f := os.NewFile(uintptr(pidfd), "pidfd")
	defer f.Close()
	if c, err := f.SyscallConn(); err == nil {
		_ = c.Read(func(fd uintptr) bool { // with an error whoever waits for the process itself blocks instead
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
			return n > 0 || err != nil && err != unix.EINTR
		})
	}
}

// scratch is a file in memory that no directory knows. Writes go to its end, whoever writes.
type scratch int

func newScratch() (scratch, error) {
	fd, err := unix.MemfdCreate("agent-output", unix.MFD_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("no file for an agent's output: %w", err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFL, unix.O_APPEND); err != nil {
		return -1, errors.Join(fmt.Errorf("no file for an agent's output: %w", err), unix.Close(fd))
	}
	return scratch(fd), nil
}

func (f scratch) close() { _ = unix.Close(int(f)) }

// tail reads the end of a file.
func (f scratch) tail() string {
	size, err := unix.Seek(int(f), 0, io.SeekEnd)
	if err != nil || size == 0 {
		return ""
	}
	b := make([]byte, min(size, keepOutput))
	n, _ := unix.Pread(int(f), b, size-int64(len(b))) // what cannot be read is missing in a message for people
	b = bytes.ReplaceAll(b[:max(n, 0)], []byte{0}, nil)
	return strings.ToValidUTF8(string(b), "?")
}

// ordinary takes from a child what the daemon has for itself: its priority and its protection from the
// out-of-memory killer. Agents and what they start are to have neither.
func (h *Host) ordinary(pid int) {
	if p, err := unix.Getpriority(unix.PRIO_PROCESS, 0); err == nil && p != 20 { // the system call says 20-nice
		_ = unix.Setpriority(unix.PRIO_PGRP, pid, 0)
	}
	if h.protected() {
		_ = os.WriteFile("/proc/"+strconv.Itoa(pid)+"/oom_score_adj", []byte("0"), 0)
	}
}

// protected reports whether whoever started the daemon protects it from the out-of-memory killer.
func protected() bool {
	own, err := os.ReadFile("/proc/self/oom_score_adj")
	return err == nil && len(own) > 0 && own[0] == '-'
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

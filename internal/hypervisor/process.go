package hypervisor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// process is the QEMU that is a machine. It holds the process itself and not its number, which may be given
// to another process later.
type process struct {
	pid  int
	fd   int      // a pidfd; readable from the moment on that the process has ended
	file *os.File // fd, as the runtime waits for it
}

func (p *process) close() { _ = p.file.Close() }

// findProcess returns the process that is this machine, or nil if there is none. proc is /proc, pids where
// libvirt notes their numbers.
func findProcess(proc, pids, name, uuid string) (*process, error) {
	if b, err := os.ReadFile(filepath.Join(pids, name+".pid")); err == nil {
		if pid, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
			if p, err := openProcess(proc, pid, name, uuid); p != nil || err != nil {
				return p, err
			}
		}
	}
	entries, err := os.ReadDir(proc)
	if err != nil {
		return nil, fmt.Errorf("looking for the process of machine %s: %w", name, err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || !isMachine(proc, pid, name, uuid) {
			continue
		}
		if p, err := openProcess(proc, pid, name, uuid); p != nil || err != nil {
			return p, err
		}
	}
	return nil, nil
}

// openProcess takes hold of a process if it is this machine, and returns nil if it is not or has ended.
func openProcess(proc string, pid int, name, uuid string) (*process, error) {
	if pid <= 1 {
		return nil, nil
	}
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if errors.Is(err, unix.ESRCH) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("taking hold of process %d of machine %s: %w", pid, name, err)
	}
	p := &process{pid: pid, fd: fd, file: os.NewFile(uintptr(fd), "pidfd")}
	// Looked at after it is held, and found alive after that: so what was looked at is what is held.
	if !isMachine(proc, pid, name, uuid) || p.ended() {
		p.close()
		return nil, nil
	}
	return p, nil
}

// isMachine reads from its command line whether a process is the machine.
func isMachine(proc string, pid int, name, uuid string) bool {
	b, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "cmdline"))
	if err != nil {
		return false
	}
	called, id := commandLine(b)
	return called != "" && called == name && id != "" && strings.EqualFold(id, uuid)
}

// commandLine reads a machine's name and UUID from the arguments that libvirt gives to QEMU.
func commandLine(b []byte) (name, uuid string) {
	args := bytes.Split(b, []byte{0})
	for i := 0; i+1 < len(args); i++ {
		switch string(args[i]) {
		case "-name":
			rest, ok := strings.CutPrefix(string(args[i+1]), "guest=")
			if !ok {
				return "", ""
			}
			name = optionValue(rest)
		case "-uuid":
			uuid = string(args[i+1])
		default:
			continue
		}
		i++
	}
	return name, uuid
}

// optionValue reads a value of QEMU's option syntax: it ends at a comma, and two commas are one.
func optionValue(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == ',' {
			if i+1 == len(s) || s[i+1] != ',' {
				break
			}
			i++
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

// ended tells whether the process has ended, all its threads included.
func (p *process) ended() bool {
	fds := []unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds, 0)
		if !errors.Is(err, unix.EINTR) {
			return err == nil && n > 0
		}
	}
}

// wait returns nil when the process has ended, or why ctx did.
func (p *process) wait(ctx context.Context) error {
	raw, err := p.file.SyscallConn()
	if err != nil {
		return err
	}
	_ = p.file.SetReadDeadline(time.Time{})
	stop := context.AfterFunc(ctx, func() { _ = p.file.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	err = raw.Read(func(uintptr) bool { return p.ended() })
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return context.Cause(ctx)
	}
	return err
}

// kill ends the process that is held, and no other.
func (p *process) kill() error {
	err := unix.PidfdSendSignal(p.fd, unix.SIGKILL, nil, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	return err
}

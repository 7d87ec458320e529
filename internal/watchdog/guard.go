package watchdog

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Guard is the software watchdog: a process of its own that resets the node unless it is fed through a unix
// socket. It outlives the daemon, so that one which is killed and does not come back is no danger. It cannot
// help against a kernel that hangs: hardware can.
//
// The lines that it understands: "feed MS" (count MS milliseconds from now), "bye" (nothing runs here: end).
// It answers each with "ok".
type Guard struct {
	Socket string
	Reset  func() // ends this node; may return in tests
}

// Run serves until it is told that nothing runs here, the node was reset, or ctx ends. Before it is first fed,
// it does not count.
func (g *Guard) Run(ctx context.Context) error {
	l, err := listen(g.Socket)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	feeds := make(chan time.Duration)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { serveGuard(ctx, c, feeds) })
		}
	})
	return g.count(ctx, feeds)
}

// listen takes the socket over from a guard that is no more; one that lives keeps it.
func listen(path string) (net.Listener, error) {
	if c, err := net.Dial("unix", path); err == nil {
		_ = c.Close()
		return nil, fmt.Errorf("a guard listens on %s already", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	old := syscall.Umask(0o177)
	defer syscall.Umask(old)
	return net.Listen("unix", path)
}

// count waits for the next feed, as long as the last one allows.
func (g *Guard) count(ctx context.Context, feeds <-chan time.Duration) error {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	defer timer.Stop()
	for {
		select {
		case d := <-feeds:
			if d == 0 {
				return nil
			}
			timer.Reset(d)
		case <-timer.C:
			g.Reset()
			return errors.New("not fed in time: the node was reset")
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// maxGuarded is the longest time that a guard counts.
const maxGuarded = time.Hour

// parseGuard reads a line: for how long it feeds, 0 for a farewell.
func parseGuard(line string) (time.Duration, error) {
	if line == "bye" {
		return 0, nil
	}
	if s, ok := strings.CutPrefix(line, "feed "); ok {
		if ms, err := strconv.ParseInt(s, 10, 64); err == nil && ms > 0 && ms <= maxGuarded.Milliseconds() {
			return time.Duration(ms) * time.Millisecond, nil
		}
	}
	return 0, fmt.Errorf("%q is not understood", line)
}

func serveGuard(ctx context.Context, c net.Conn, feeds chan<- time.Duration) {
	defer c.Close()
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	lines := bufio.NewScanner(c)
	lines.Buffer(make([]byte, 64), 64)
	for lines.Scan() {
		d, err := parseGuard(lines.Text())
		if err != nil {
			return
		}
		select {
		case feeds <- d:
		case <-ctx.Done():
			return
		}
		if _, err := c.Write([]byte("ok\n")); err != nil {
			return
		}
	}
}

// ResetHost ends the host at once, without a word to its disks: what a watchdog does.
func ResetHost() {
	if f, err := os.OpenFile("/proc/sysrq-trigger", os.O_WRONLY, 0); err == nil {
		_, _ = f.WriteString("b")
		_ = f.Close()
	}
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
}

// guarded is the daemon's end of a Guard.
type guarded struct {
	socket  string
	timeout time.Duration
	start   func() error

	mu   sync.Mutex
	conn net.Conn
	in   *bufio.Reader
}

var _ Device = (*guarded)(nil)

// Guarded uses the guard behind the socket; start runs one where there is none, and again when it has died.
func Guarded(socket string, timeout time.Duration, start func() error) (Device, error) {
	if timeout <= 0 || timeout > maxGuarded {
		return nil, fmt.Errorf("a watchdog cannot count %s", timeout)
	}
	g := &guarded{socket: socket, timeout: timeout, start: start}
	if err := g.Feed(); err != nil {
		return nil, err
	}
	return g, nil
}

// StartGuard runs a guard: the program with the arguments, in a session of its own. It does not wait for it.
func StartGuard(program string, args ...string) error {
	cmd := exec.Command(program, args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }() // it ends with the guard, so that no dead child stays behind
	return nil
}

func (g *guarded) Timeout() time.Duration { return g.timeout }

func (g *guarded) Feed() error {
	return g.send(fmt.Sprintf("feed %d\n", g.timeout.Milliseconds()))
}

// patience is how long a guard may take to answer and, three times that, to come up.
const patience = time.Second

func (g *guarded) send(line string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.conn != nil {
		if err := g.exchange(line); err == nil {
			return nil
		}
		_ = g.conn.Close()
		g.conn = nil
	}
	c, err := net.Dial("unix", g.socket)
	if err != nil {
		if err := g.start(); err != nil {
			return fmt.Errorf("the guard cannot be started: %w", err)
		}
		for end := time.Now().Add(3 * patience); ; time.Sleep(10 * time.Millisecond) {
			if c, err = net.Dial("unix", g.socket); err == nil {
				break
			} else if time.Now().After(end) {
				return fmt.Errorf("the guard does not come up: %w", err)
			}
		}
	}
	g.conn, g.in = c, bufio.NewReader(c)
	return g.exchange(line)
}

func (g *guarded) exchange(line string) error {
	if err := g.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := g.conn.Write([]byte(line)); err != nil {
		return err
	}
	answer, err := g.in.ReadString('\n')
	if err == nil && answer != "ok\n" {
		err = fmt.Errorf("the guard says %q", answer)
	}
	return err
}

// Close implements Device.
func (g *guarded) Close(disarm bool) error {
	var err error
	if disarm {
		err = g.send("bye\n")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.conn != nil {
		err = errors.Join(err, g.conn.Close())
		g.conn = nil
	}
	return err
}

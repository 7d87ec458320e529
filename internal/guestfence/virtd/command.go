package virtd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence"
	"github.com/cerco-ha/cerco/internal/guestfence/protocol"
	"github.com/cerco-ha/cerco/internal/hypervisor"
	"github.com/cerco-ha/cerco/internal/owner"
)

// Command runs fence-virtd, called by name, until ctx ends. Its exit statuses are the original's: 0, 1 for a wrong
// call, 255 for what cannot be served.
func Command(ctx context.Context, name string, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	o, err := parseArgs(name, args, stderr)
	if err != nil {
		_, _ = fmt.Fprintf(stdout, usageText, name)
		return 1
	}
	if o.list {
		_, _ = fmt.Fprint(stdout, "Listeners: multicast, unicast, tcp, vsock, serial\nBackends: libvirt\n")
		return 0
	}
	switch {
	case o.hook:
		err = hook(o.conf, o.rest, stdin)
	case o.installHook:
		err = installHook(DefaultHook, o.conf, stdout)
	default:
		err = run(ctx, o, stdout, stderr)
	}
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return 255
	}
	return 0
}

func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	s, listeners, err := Load(o.conf)
	if err != nil {
		return err
	}
	if o.check {
		for _, w := range s.Warnings {
			_, _ = fmt.Fprintln(stdout, w)
		}
		_, _ = fmt.Fprintf(stdout, "%s can be served: %d listeners, %d groups\n", o.conf, len(listeners), len(s.Groups))
		return nil
	}
	if !o.foreground && !s.Foreground {
		return background(ctx, stderr)
	}
	for _, path := range []*string{&o.pidFile, &o.dir} {
		if *path == "" {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	log := newLog(stderr, o.debug)
	for _, w := range s.Warnings {
		log.Warn(w)
	}
	m, closeMachines, err := open(s, log)
	if err != nil {
		return err
	}
	defer closeMachines()
	if err := reach(ctx, m, o.wait || s.Wait, log); err != nil {
		return err
	}
	server, err := guestfence.New(guestfence.Config{Machines: m, Listeners: listeners, Groups: s.Groups, Dir: o.dir, Log: log, Now: time.Now})
	if err != nil {
		return err
	}
	if err := server.Start(); err != nil {
		return err
	}
	defer server.Stop()
	if o.pidFile != "" {
		if err := os.WriteFile(o.pidFile, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o644); err != nil { //nolint:gosec // for others to read
			return fmt.Errorf("writing the number of the process: %w", err)
		}
		defer func() { _ = os.Remove(o.pidFile) }()
	}
	log.Info("guests are served", "configuration", o.conf, "listeners", len(listeners), "groups", len(s.Groups))
	ready()
	<-ctx.Done()
	return nil
}

func newLog(w io.Writer, debug int) *slog.Logger {
	level := slog.LevelInfo
	if debug > 0 {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}

// Load reads a configuration and the keys that it names.
func Load(file string) (*guestfence.Settings, []guestfence.Listener, error) {
	s, err := settings(file)
	if err != nil {
		return nil, nil, err
	}
	listeners, err := withKeys(s.Listeners)
	return s, listeners, err
}

// withKeys reads the listeners' keys.
func withKeys(settings []guestfence.ListenerSettings) ([]guestfence.Listener, error) {
	var out []guestfence.Listener
	for _, s := range settings {
		l := guestfence.Listener{ListenerSettings: s}
		if s.KeyFile != "" {
			key, err := protocol.ReadKey(s.KeyFile)
			if err != nil {
				return nil, fmt.Errorf("the %s listener: %w", s.Kind, err)
			}
			l.Key = key
		}
		out = append(out, l)
	}
	return out, nil
}

// open makes the machines that a configuration speaks of: this host's, or those of several hypervisors.
func open(s *guestfence.Settings, log *slog.Logger) (guestfence.Machines, func(), error) {
	if s.Backend == "cpg" {
		return nil, nil, errors.New(`backend "cpg": hosts that are a cluster serve guests from "cerco daemon", not from fence-virtd`)
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, nil, fmt.Errorf("the name of this host: %w", err)
	}
	uris := s.URIs
	if len(uris) == 0 {
		uris = []string{""}
	}
	var hosts []owner.Named
	closeAll := func() {
		for _, h := range hosts {
			h.Host.(*hypervisor.Libvirt).Close() //nolint:forcetypeassert // made below
		}
	}
	for _, uri := range uris {
		l, err := hypervisor.Open(hypervisor.Config{URI: uri, Log: log, Now: time.Now})
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		hosts = append(hosts, owner.Named{Name: nameOf(uri, host), Host: l})
	}
	if len(hosts) > 1 {
		return owner.NewRemote(log, hosts...), closeAll, nil
	}
	m := owner.NewStandalone(hosts[0].Name, hosts[0].Host)
	m.Start()
	return m, func() {
		m.Stop()
		closeAll()
	}, nil
}

// nameOf names the host of a hypervisor's URI.
func nameOf(uri, self string) string {
	_, rest, _ := strings.Cut(uri, "://")
	name, _, _ := strings.Cut(rest, "/")
	if _, at, ok := strings.Cut(name, "@"); ok {
		name = at
	}
	if name == "" {
		return self
	}
	return name
}

// reach sees that the hypervisor can be asked. Without wait it says so and goes on: a hypervisor may come and go,
// and monitor tells.
func reach(ctx context.Context, m guestfence.Machines, wait bool, log *slog.Logger) error {
	for {
		err := m.Check(ctx)
		if err == nil {
			return nil
		}
		log.Warn("the hypervisor cannot be asked", "error", err)
		if !wait {
			return nil
		}
		t := time.NewTimer(time.Second)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return context.Cause(ctx)
		}
	}
}

// readyEnv tells a daemon in the background that descriptor 3 is to be closed when guests are served.
const readyEnv = "CERCO_FENCE_VIRTD_READY"

const readyFD = 3

// background starts the same call again in the foreground of a session of its own, and returns when it serves.
func background(ctx context.Context, stderr io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("going into the background: %w", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("going into the background: %w", err)
	}
	defer func() { _ = r.Close() }()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("going into the background: %w", err)
	}
	defer func() { _ = null.Close() }()
	errs := null
	if f, ok := stderr.(*os.File); ok {
		errs = f
	}
	attr := &os.ProcAttr{
		Env: append(os.Environ(), readyEnv+"=1"), Sys: &syscall.SysProcAttr{Setsid: true},
		Files: []*os.File{null, null, errs, w},
	}
	p, err := os.StartProcess(self, append(append([]string{os.Args[0]}, os.Args[1:]...), "-F"), attr)
	_ = w.Close()
	if err != nil {
		return fmt.Errorf("going into the background: %w", err)
	}
	undo := context.AfterFunc(ctx, func() { _ = p.Signal(syscall.SIGTERM) })
	defer undo()
	if b, _ := io.ReadAll(r); len(b) == 0 {
		_, _ = p.Wait()
		return errors.New("the daemon did not come up")
	}
	return p.Release()
}

// ready tells the process that waits in background, if there is one.
func ready() {
	signal.Ignore(syscall.SIGHUP)
	if os.Getenv(readyEnv) == "" {
		return
	}
	_ = os.Chdir("/") // all paths are absolute by now; it keeps no file system in use
	f := os.NewFile(readyFD, "ready")
	_, _ = f.WriteString("ready")
	_ = f.Close()
}

package driver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/coreos/go-systemd/v22/dbus"
)

// Units is systemd, as far as resources need it.
type Units interface {
	Known(unit string) bool                                            // it has such a unit
	Job(ctx context.Context, action, unit string) error                // "start", "stop" or "restart", waited for
	State(ctx context.Context, unit string) (active string, err error) // ActiveState; ErrNoUnit
	Close()
}

// ErrNoUnit says that systemd knows no such unit.
var ErrNoUnit = errors.New("systemd has no such unit")

// runUnit operates a unit of systemd.
func (h *Host) runUnit(ctx context.Context, r *Request) Result {
	unit := unitName(r.Type)
	switch r.Action {
	case "monitor", "status":
		return h.unitState(ctx, r, unit)
	case "start", "stop":
		return h.unitJob(ctx, r, unit)
	}
	return unsupported(r)
}

func (h *Host) unitJob(ctx context.Context, r *Request, unit string) Result {
	if _, err := h.units.State(ctx, unit); errors.Is(err, ErrNoUnit) {
		if r.Action == "stop" { // what is not there does not run
			return Result{RC: cib.RCOk, Status: cib.OpDone}
		}
		return unitError(ctx, r, err)
	}
	if err := h.units.Job(ctx, r.Action, unit); err != nil {
		return unitError(ctx, r, err)
	}
	return Result{RC: cib.RCOk, Status: cib.OpDone}
}

// unitState asks for the state of a unit. While it is on its way from one to another, there is no answer yet.
func (h *Host) unitState(ctx context.Context, r *Request, unit string) Result {
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	for {
		state, err := h.units.State(ctx, unit)
		if err != nil {
			return unitError(ctx, r, err)
		}
		switch state {
		case "active", "reloading", "refreshing":
			return Result{RC: cib.RCOk, Status: cib.OpDone, Output: state}
		case "activating", "deactivating":
		default:
			return Result{RC: cib.RCNotRunning, Status: cib.OpDone, Reason: state, Output: state}
		}
		select {
		case <-ctx.Done():
			return unitError(ctx, r, fmt.Errorf("it is still %s: %w", state, ctx.Err()))
		case <-again.C:
		}
	}
}

func unitError(ctx context.Context, r *Request, err error) Result {
	res := Result{RC: cib.RCError, Status: cib.OpError, Reason: fmt.Sprintf("%s of unit %s: %v", r.Action, unitName(r.Type), err)}
	switch {
	case errors.Is(err, ErrNoUnit):
		res.RC, res.Status = cib.RCInstalled, cib.OpNotInstalled
	case errors.Is(context.Cause(ctx), ErrAbandoned):
		res.Status = cib.OpUnknown
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		res.Status = cib.OpTimedOut
	case ctx.Err() != nil:
		res.Status = cib.OpCancelled
	}
	return res
}

func unitName(typ string) string {
	for _, suffix := range []string{".service", ".socket", ".mount", ".timer", ".path", ".target", ".slice", ".device", ".automount", ".swap", ".scope"} {
		if strings.HasSuffix(typ, suffix) {
			return typ
		}
	}
	return typ + ".service"
}

// systemBus is systemd over the system's D-Bus. The connection is made when it is needed, and anew after an
// error of it.
type systemBus struct {
	log    *slog.Logger
	runDir string // of drop-ins

	mu   sync.Mutex
	conn *dbus.Conn
}

func newSystemBus(log *slog.Logger) *systemBus {
	return &systemBus{log: log, runDir: "/run/systemd/system"}
}

func (b *systemBus) connect(ctx context.Context) (*dbus.Conn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn != nil && b.conn.Connected() {
		return b.conn, nil
	}
	if b.conn != nil {
		b.conn.Close()
		b.conn = nil
	}
	conn, err := dbus.NewSystemConnectionContext(context.WithoutCancel(ctx))
	if err != nil {
		return nil, fmt.Errorf("no connection to systemd's D-Bus: %w; does this host run systemd and a system bus?", err)
	}
	b.conn = conn
	return conn, nil
}

func (b *systemBus) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn != nil {
		b.conn.Close()
		b.conn = nil
	}
}

func (b *systemBus) Known(unit string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err := b.State(ctx, unitName(unit))
	return err == nil
}

func (b *systemBus) State(ctx context.Context, unit string) (string, error) {
	conn, err := b.connect(ctx)
	if err != nil {
		return "", err
	}
	load, err := conn.GetUnitPropertyContext(ctx, unit, "LoadState")
	if err != nil {
		return "", fmt.Errorf("asking systemd: %w", err)
	}
	active, err := conn.GetUnitPropertyContext(ctx, unit, "ActiveState")
	if err != nil {
		return "", fmt.Errorf("asking systemd: %w", err)
	}
	state, _ := active.Value.Value().(string)
	if l, _ := load.Value.Value().(string); l == "not-found" && state == "inactive" {
		return "", fmt.Errorf("%s: %w", unit, ErrNoUnit)
	}
	return state, nil
}

func (b *systemBus) Job(ctx context.Context, action, unit string) error {
	conn, err := b.connect(ctx)
	if err != nil {
		return err
	}
	if action == "start" {
		b.takeOver(ctx, conn, unit)
	}
	done := make(chan string, 1)
	switch action {
	case "start":
		_, err = conn.StartUnitContext(ctx, unit, "replace", done)
	case "stop":
		_, err = conn.StopUnitContext(ctx, unit, "replace", done)
	default:
		_, err = conn.RestartUnitContext(ctx, unit, "replace", done)
	}
	if err != nil {
		return fmt.Errorf("systemd takes no %s job: %w", action, err)
	}
	select {
	case result := <-done:
		if result != "done" {
			return fmt.Errorf("systemd's job ended as %q (see journalctl -u %s)", result, unit)
		}
	case <-ctx.Done():
		return ctx.Err()
	}
	if action == "stop" {
		b.handBack(ctx, conn, unit)
	}
	return nil
}

// dropIn keeps systemd from restarting a unit by itself, which the cluster must decide, and from stopping it
// at shutdown before the cluster has had its say.
const dropIn = `# Made by Cerco while the cluster runs this unit.
[Unit]
Description=Cluster Controlled %s
Before=cerco.service

[Service]
Restart=no
`

func (b *systemBus) takeOver(ctx context.Context, conn *dbus.Conn, unit string) {
	dir := filepath.Join(b.runDir, unit+".d")
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "50-cerco.conf"), fmt.Appendf(nil, dropIn, strings.TrimSuffix(unit, ".service")), 0o644)
	}
	if err == nil {
		err = conn.ReloadContext(ctx)
	}
	if err != nil {
		b.log.Warn("systemd may restart or stop a unit that the cluster runs", "unit", unit, "err", err)
	}
}

func (b *systemBus) handBack(ctx context.Context, conn *dbus.Conn, unit string) {
	dir := filepath.Join(b.runDir, unit+".d")
	if err := os.Remove(filepath.Join(dir, "50-cerco.conf")); err != nil {
		return // it was not there
	}
	_ = os.Remove(dir) // stays when others have files there
	if err := conn.ReloadContext(ctx); err != nil {
		b.log.Warn("systemd has not read its units again", "unit", unit, "err", err)
	}
}

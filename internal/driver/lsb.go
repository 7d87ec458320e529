package driver

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/cerco-ha/cerco/internal/cib"
)

func (h *Host) runLSB(ctx context.Context, r *Request) Result {
	path := filepath.Join(h.cfg.InitDir, r.Type)
	if !plainName(r.Type) || !executable(path) {
		return notInstalled(fmt.Errorf("init script %s is not there or cannot be run: %w", path, os.ErrNotExist))
	}
	action, codes := r.Action, lsbCode
	switch r.Action {
	case "monitor", "status":
		action, codes = "status", lsbStatus
	case "start", "stop":
	default:
		return unsupported(r)
	}
	env := append(slices.Clone(h.base), r.Env...)
	e := h.call(ctx, path, []string{action}, env, r.Started)
	return e.result(r, codes)
}

func unsupported(r *Request) Result {
	return Result{RC: cib.RCUnimplemented, Status: cib.OpNotSupported, Reason: fmt.Sprintf("%s has no action %q", r.Agent(), r.Action)}
}

// lsbStatus maps the codes of "status" (Linux Standard Base, "Init Script Actions"): 1 dead with a pid file,
// 2 dead with a lock file, 3 not running, 4 unknown. Dead is not running.
func lsbStatus(rc int) int {
	switch rc {
	case 0:
		return cib.RCOk
	case 1, 2, 3:
		return cib.RCNotRunning
	}
	return cib.RCError
}

// lsbCode maps the codes of all other actions: the standard's 1 to 7 mean what the OCF's do.
func lsbCode(rc int) int {
	if rc >= 0 && rc <= cib.RCNotRunning {
		return rc
	}
	return cib.RCError
}

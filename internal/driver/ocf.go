package driver

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// findOCF finds an OCF agent: the first root that has it.
func (h *Host) findOCF(provider, typ string) (root, path string, err error) {
	if !plainName(provider) || !plainName(typ) {
		return "", "", fmt.Errorf("ocf:%s:%s is no name of an agent: %w", provider, typ, os.ErrNotExist)
	}
	for _, root := range h.cfg.OCFRoots {
		path := filepath.Join(root, provider, typ)
		if executable(path) {
			return root, path, nil
		}
	}
	return "", "", fmt.Errorf("agent ocf:%s:%s is not installed (looked in %s): %w", provider, typ, strings.Join(h.cfg.OCFRoots, ", "), os.ErrNotExist)
}

// plainName keeps names from leading out of their directory.
func plainName(s string) bool {
	return s != "" && s != "." && s != ".." && !strings.ContainsAny(s, "/\x00")
}

func (h *Host) runOCF(ctx context.Context, r *Request) Result {
	root, path, err := h.findOCF(r.Provider, r.Type)
	if err != nil {
		return notInstalled(err)
	}
	e := h.call(ctx, path, []string{r.Action}, h.ocfEnv(r, root), r.Started)
	return e.result(r, ocfCode)
}

func notInstalled(err error) Result {
	return Result{RC: cib.RCInstalled, Status: cib.OpNotInstalled, Reason: err.Error()}
}

// ocfCode lets the codes of the OCF standard through; all others mean an error without a name.
func ocfCode(rc int) int {
	if rc >= cib.RCOk && rc <= cib.RCFailedPromoted || rc == cib.RCDegraded || rc == cib.RCDegradedProm {
		return rc
	}
	return cib.RCError
}

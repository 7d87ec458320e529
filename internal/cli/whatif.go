package cli

import (
	"io"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// WhatIf shows what a change of configuration would do, as the command plan does.
func WhatIf(w io.Writer, before, after *cib.CIB, now time.Time) error {
	after, err := withStateOf(after, before)
	if err != nil {
		return err
	}
	ch := change{before: before, after: after, now: now, stamp: now}
	out := newOutline(w, true)
	if _, err := ch.tell(out); err != nil {
		return err
	}
	return out.flush()
}

package status

import (
	"fmt"
	"io"
	"time"

	"github.com/cerco-ha/cerco/internal/scheduler"
)

// Failures writes the operations that failed; nothing if none did.
func Failures(w io.Writer, v *scheduler.View) error {
	t := &text{depth: 2}
	for i := range v.Failures {
		t.item(failureWords(&v.Failures[i], time.UTC))
	}
	return writeList(w, "Failed Resource Actions", t.out.String(), false)
}

func failureWords(f *scheduler.FailureView, zone *time.Location) string {
	key := f.Key
	if key == "" {
		key = fmt.Sprintf("%s_%s_%d", f.Resource, f.Task, f.IntervalMS)
	}
	s := fmt.Sprintf("%s on %s '%s' (%d): call=%d, status='%s'", key, f.Node, codeText(f.RC), f.RC, f.CallID, statusText(f.Status))
	if f.ExitReason != "" {
		s += ", exitreason='" + f.ExitReason + "'"
	}
	if f.LastRCChange != 0 {
		s += ", last-rc-change='" + timeWords(f.LastRCChange, zone) + "'"
		if f.Queued != "" && f.Exec != "" {
			s += ", queued=" + f.Queued + "ms, exec=" + f.Exec + "ms"
		}
	}
	return s
}

func timeWords(epoch int64, zone *time.Location) string {
	return time.Unix(epoch, 0).In(zone).Format("Mon Jan _2 15:04:05 2006")
}

// codeText is an agent's exit code in words, those apart that no agent should use.
func codeText(rc int) string {
	switch {
	case rc >= 0 && rc <= 9:
		return ExitText(rc)
	case rc == 190:
		return "OCF_DEGRADED"
	case rc == 191:
		return "promoted (degraded)"
	case rc == 124:
		return "OCF_TIMEOUT"
	}
	return "unknown"
}

// statusText is how an operation ended, apart from what the agent said.
func statusText(status int) string {
	words := []string{"complete", "Cancelled", "Timed Out", "NOT SUPPORTED", "Error", "Hard error", "Fatal error",
		"Not installed", "Internal communication failure", "Cannot execute now", "No fence device", "CIB secrets unavailable"}
	switch {
	case status == -1:
		return "pending"
	case status >= 0 && status < len(words):
		return words[status]
	}
	return "UNKNOWN!"
}

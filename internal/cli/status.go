package cli

import (
	"strconv"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/status"
)

// statusText is the cluster's status as text, laid out in the fancy way. pending says whether operations
// in flight are shown.
func statusText(v *scheduler.View, in *cib.CIB, o *simulateOptions, pending bool) string {
	if !pending {
		settled(v.Resources)
	}
	var b strings.Builder
	status.Text(&b, v) // a Builder takes everything
	if o.showAttrs {
		status.Attributes(&b, v)
	}
	if o.showFailcounts {
		status.FailCounts(&b, v, in)
		status.Failures(&b, v)
	}
	return b.String()
}

// settled takes out of a view what is in progress: after a simulation nothing is shown as being so.
func settled(rs []*scheduler.ResourceView) {
	for _, r := range rs {
		if r == nil {
			continue
		}
		r.Pending = ""
		settled(r.Children)
		for _, rep := range r.Replicas {
			settled([]*scheduler.ResourceView{rep.IP, rep.Container, rep.Remote, rep.Child})
		}
	}
}

func splitLines(text string) []string {
	return strings.Split(strings.TrimRight(text, "\n"), "\n")
}

// seconds is a duration the way crm_simulate prints it.
func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 2, 64) }

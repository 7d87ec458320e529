package cli

import (
	"strconv"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
)

// statusText is the cluster's status as text, laid out in the fancy way. pending says whether operations
// in flight are shown.
func statusText(v *scheduler.View, o *simulateOptions, pending bool) string {
	return ""
}

// statusXML is the cluster's status as elements.
func statusXML(v *scheduler.View, o *simulateOptions) []*cib.Element { return nil }

func splitLines(text string) []string {
	return strings.Split(strings.TrimRight(text, "\n"), "\n")
}

// seconds is a duration the way crm_simulate prints it.
func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 2, 64) }

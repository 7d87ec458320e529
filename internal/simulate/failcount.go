package simulate

import (
	"fmt"
	"strconv"

	"github.com/cerco-ha/cerco/internal/cib"
)

// notRunning is the return code of a monitor that found the resource stopped.
const notRunning = 7

// countFailure adds a failure of an operation to the transient attributes of its node: the count and the
// time. Success is no failure, nor is to find the resource stopped other than in a recurring operation.
func countFailure(n *cib.NodeEdit, e cib.Entry) []Step {
	if e.RC == 0 || e.RC == notRunning && e.IntervalMS == 0 {
		return nil
	}
	suffix := fmt.Sprintf("%s#%s_%d", e.Resource, e.Task, e.IntervalMS)
	stamp := strconv.FormatInt(e.Changed, 10)
	n.SetTransient(n.ID(), "fail-count-"+suffix, "value++")
	n.SetTransient(n.ID(), "last-failure-"+suffix, stamp)
	return []Step{
		{Kind: AttrStep, Attr: "fail-count-" + suffix, Value: "value++", NodeID: n.ID()},
		{Kind: AttrStep, Attr: "last-failure-" + suffix, Value: stamp, NodeID: n.ID()},
	}
}

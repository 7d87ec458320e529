package scheduler

import (
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// failAttr is a fail-count or last-failure attribute of a node.
type failAttr struct {
	instance bool // the name carries an instance number
	perOp    bool // the name carries an operation
	last     bool // last-failure, seconds since the epoch
	value    int
}

// unpackFailAttrs indexes the fail counts by resource. Since feature set 3.0.13 they are kept per
// operation (fail-count-RSC#OP_INTERVAL), before per resource; only the kind that belongs to the
// CIB's feature set counts.
func (p *planner) unpackFailAttrs() {
	p.legacyCounts = olderThan(p.in.FeatureSet, "3.0.13")
	p.failAttrs = make([]map[string][]failAttr, len(p.nodes))
	for _, n := range p.nodes {
		p.indexFailAttrs(n)
	}
}

func (p *planner) indexFailAttrs(n *node) {
	for len(p.failAttrs) <= n.idx {
		p.failAttrs = append(p.failAttrs, nil)
	}
	p.failAttrs[n.idx] = nil
	for name, value := range n.attrs { //house:unordered counts are summed and times compared
		rest, isCount := strings.CutPrefix(name, "fail-count-")
		if !isCount {
			var isLast bool
			if rest, isLast = strings.CutPrefix(name, "last-failure-"); !isLast {
				continue
			}
		}
		f := failAttr{last: !isCount}
		f.value = failValue(value, isCount)
		rsc := rest
		if i := strings.LastIndexByte(rest, '#'); i >= 0 {
			rsc, f.perOp = rest[:i], true
		}
		if f.perOp == p.legacyCounts {
			continue
		}
		if p.failAttrs[n.idx] == nil {
			p.failAttrs[n.idx] = map[string][]failAttr{}
		}
		p.failAttrs[n.idx][rsc] = append(p.failAttrs[n.idx][rsc], f)
		if base := stripInstance(rsc); base != rsc {
			f.instance = true
			p.failAttrs[n.idx][base] = append(p.failAttrs[n.idx][base], f)
		}
	}
}

func failValue(value string, isCount bool) int {
	if isCount {
		count, _ := cib.ParseScore(value)
		return count
	}
	i, _ := strconv.Atoi(value)
	return i
}

// olderThan compares dotted versions.
func olderThan(version, limit string) bool {
	a, b := strings.Split(version, "."), strings.Split(limit, ".")
	for i := 0; i < len(a) || i < len(b); i++ {
		x, y := 0, 0
		if i < len(a) {
			x, _ = strconv.Atoi(a[i])
		}
		if i < len(b) {
			y, _ = strconv.Atoi(b[i])
		}
		if x != y {
			return x < y
		}
	}
	return false
}

// countFailures sums r's fail counts on n whether expired or not; last is the time of the last failure.
func (p *planner) countFailures(r *resource, n *node) (count int, last int64) {
	if n.idx >= len(p.failAttrs) || p.failAttrs[n.idx] == nil {
		return 0, 0
	}
	name := r.name
	if !r.unique {
		name = stripInstance(name)
	}
	for _, f := range p.failAttrs[n.idx][name] {
		switch {
		case f.instance && r.unique:
		case f.last:
			last = max(last, int64(f.value))
		default:
			count = cib.AddScores(count, f.value)
		}
	}
	return count, last
}

// failCount is how often r failed on n, as far as it still counts: expired failures are not in it.
// The instances of an anonymous clone share one count a node.
func (p *planner) failCount(r *resource, n *node) int {
	count, _ := p.effectiveFailures(r, n, nil)
	return count
}

// failCountWithin is failCount with the failures of what runs inside of a container added to its own. A
// bundle's containers answer for themselves alone.
func (p *planner) failCountWithin(r *resource, n *node) int {
	count := p.failCount(r, n)
	if r.bundleOf != nil {
		return count
	}
	for _, f := range r.fillers {
		count = cib.AddScores(count, p.failCount(f, n))
	}
	return count
}

// effectiveFailures is the count of failures that have not expired. op is the history entry that the
// question is about, nil for any. Where a failure blocks the resource there is no expiry.
func (p *planner) effectiveFailures(r *resource, n *node, op *cib.LrmOp) (count int, last int64) {
	count, last = p.countFailures(r, n)
	if count == 0 || r.failureTimeoutMS == 0 {
		return count, last
	}
	if p.blocksOnFailure(r, n, op) {
		p.warn("failure-timeout of " + r.id + " is ignored: it conflicts with on-fail=block")
		r.failureTimeoutMS = 0
		return count, last
	}
	if last > 0 && p.now.Unix() > last+r.failureTimeoutMS/1000 {
		return 0, last
	}
	return count, last
}

// blocksOnFailure reports whether an operation with on-fail=block has failed on n: that of op, or any.
func (p *planner) blocksOnFailure(r *resource, n *node, op *cib.LrmOp) bool {
	for _, conf := range r.ops {
		if attrOf(conf, "on-fail") != "block" {
			continue
		}
		if op != nil {
			if matchesFailure(r, conf, op) {
				return true
			}
			continue
		}
		if lrm := p.lrmOf(r.name, n); lrm != nil {
			for i := range lrm.Ops {
				if matchesFailure(r, conf, &lrm.Ops[i]) {
					return true
				}
			}
		}
	}
	return false
}

// matchesFailure reports whether a history entry is a failure of the configured operation.
func matchesFailure(r *resource, conf *cib.Op, op *cib.LrmOp) bool {
	if conf.Name != op.Operation || conf.IntervalMS != op.IntervalMS {
		return false
	}
	switch op.El.Attr("id") {
	case r.cfg.ID + "_last_failure_0":
		return true
	case opKey(r.cfg.ID, conf.Name, conf.IntervalMS):
		return op.RC != op.TargetRC
	}
	return false
}

// isLastFailure: the executor keeps the last failure of each resource under an entry of its own.
func isLastFailure(op *cib.LrmOp) bool { return strings.HasSuffix(op.El.Attr("id"), "_last_failure_0") }

func attrOf(op *cib.Op, name string) string {
	for _, a := range op.Attrs {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

// expired reports whether a history entry is older than its resource's failure-timeout, so that what it
// says of failure no longer counts; the fail count is then cleared. It also notes when to look again.
func (p *planner) expired(r *resource, n *node, op *cib.LrmOp) bool {
	if op.Status == execNotInstalled || r.failureTimeoutMS == 0 || !hasChange(op) {
		return false
	}
	now, timeout := p.now.Unix(), r.failureTimeoutMS/1000
	old := now >= op.LastRCChange+timeout && !p.keepsFailure(r, op)
	count, last := p.effectiveFailures(r, n, op)
	if count > 0 && last > 0 {
		p.recheckAt(last + timeout)
	}
	if old {
		if all, _ := p.countFailures(r, n); all > 0 {
			if count > 0 {
				return false
			}
			p.clear(r, n, becauseExpired)
		} else if isLastFailure(op) && r.reconnectMS > 0 {
			p.clear(r, n, becauseReconnect)
		}
	}
	if old {
		if p.stale == nil {
			p.stale = map[*cib.LrmOp]bool{}
		}
		p.stale[op] = true
	}
	if old && isProbe(op) {
		switch op.RC {
		case rcOK, rcNotRunning, rcPromoted, rcDegraded, rcDegradedPromoted:
			return false // what a probe found stays found
		}
	}
	return old
}

// keepsFailure: with a reconnect interval, the failed monitor of a connection counts until its node was
// fenced, since a monitor that keeps failing the same way reports nothing new.
func (p *planner) keepsFailure(r *resource, op *cib.LrmOp) bool {
	if r.reconnectMS == 0 || !p.cfg.fencing || op.IntervalMS == 0 || op.Operation != "monitor" {
		return false
	}
	n := p.nodeByName[r.id]
	return n != nil && !n.remoteWasFenced
}

// Reasons for forgetting failures that have become too old.
const (
	becauseExpired   = "it expired"
	becauseReconnect = "reconnect interval is set"
)

// clear notes that r's failures on n are to be forgotten.
func (p *planner) clear(r *resource, n *node, reason string) {
	for _, c := range p.clearFailures {
		if c.rsc == r && c.node == n {
			return
		}
	}
	p.clearFailures = append(p.clearFailures, clearFailure{rsc: r, node: n, reason: reason})
}

// forgetOrphanFailures clears what was counted for resources that are not configured any more. Spare
// instances of a clone are no such resources: their failures count for the others, too.
func (p *planner) forgetOrphanFailures() {
	for _, r := range p.resources {
		if !r.orphan {
			continue
		}
		for _, n := range p.nodes {
			if n.online && p.failCount(r, n) > 0 {
				p.clear(r, n, "it is orphaned")
			}
		}
	}
}

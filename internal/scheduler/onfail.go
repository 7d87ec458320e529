package scheduler

import (
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// onFail is what to do about a failed operation, from the mildest to the severest.
type onFail uint8

const (
	failIgnore onFail = iota
	failDemote
	failRecover
	failResetRemote
	failRestartBox // restart the container that the resource is in
	failBan
	failBlock
	failStop
	failStandby
	failFence
)

// failurePolicy is what an operation's failure leads to; stops tells that the resource is not to be
// started again at all.
type failurePolicy struct {
	do    onFail
	stops bool
}

// policyFor is what to do about a failure of r that history tells of: on-fail where it is configured
// for such an operation and makes sense, else the default.
func (p *planner) policyFor(r *resource, op *cib.LrmOp) failurePolicy {
	task, intervalMS := op.Operation, op.IntervalMS
	conf := findOp(r, task, intervalMS)
	if key := historyKey(op); conf != nil && op.El.Attr("operation_key") == "" {
		suffix := "_" + task + "_" + strconv.FormatInt(intervalMS, 10)
		if key != r.id+suffix && key != r.name+suffix {
			conf = nil // an old entry that does not say which operation it was
		}
	}
	value := p.onFailValue(r, conf, task, intervalMS)
	if p.isReset(r, task, intervalMS) && (value == "" || !r.managed) {
		return connectionPolicy(r)
	}
	switch value {
	case "block":
		return failurePolicy{do: failBlock}
	case "fence":
		if p.cfg.fencing {
			return failurePolicy{do: failFence}
		}
		p.warn("on-fail=fence of " + r.id + " needs fencing, which is disabled; taking stop")
		return failurePolicy{do: failStop, stops: true}
	case "standby":
		return failurePolicy{do: failStandby}
	case "ignore", "nothing":
		return failurePolicy{do: failIgnore}
	case "migrate":
		return failurePolicy{do: failBan}
	case "stop":
		return failurePolicy{do: failStop, stops: true}
	case "restart":
		return failurePolicy{do: failRecover}
	case "restart-container":
		if r.container != nil {
			return failurePolicy{do: failRestartBox}
		}
	case "demote":
		return failurePolicy{do: failDemote}
	}
	switch {
	case r.container != nil:
		return failurePolicy{do: failRestartBox}
	case task == "stop" && p.cfg.fencing:
		return failurePolicy{do: failFence}
	case task == "stop":
		return failurePolicy{do: failBlock}
	}
	return failurePolicy{do: failRecover}
}

// isReset reports whether a failure says that a connection, once up, is lost: that of anything but a
// start or a probe.
func (p *planner) isReset(r *resource, task string, intervalMS int64) bool {
	if !r.isConn || r.container != nil || p.nodeByName[r.id] == nil {
		return false
	}
	return task != "start" && !(task == "monitor" && intervalMS == 0)
}

// connectionPolicy: a remote node that does not answer is reset, and with a reconnect interval the
// connection is down until that has passed. A connection that nobody manages is only stopped.
func connectionPolicy(r *resource) failurePolicy {
	if !r.managed {
		return failurePolicy{do: failStop, stops: true}
	}
	return failurePolicy{do: failResetRemote, stops: r.reconnectMS > 0}
}

// onFailValue is the configured on-fail in small letters, empty if there is none that is allowed for
// such an operation.
func (p *planner) onFailValue(r *resource, conf *cib.Op, task string, intervalMS int64) string {
	value := strings.ToLower(p.opSetting(r, conf, task, intervalMS, "on-fail"))
	switch {
	case value == "" && task == "demote":
		return p.promotedMonitorOnFail(r)
	case task == "stop" && (value == "standby" || value == "demote" || value == "stop"):
		p.warn("on-fail=" + value + " is not allowed for the stop of " + r.id + "; taking the default")
		return ""
	case value == "demote" && task != "promote" && !promotedMonitor(conf):
		p.warn("on-fail=demote is not allowed for the " + task + " of " + r.id + "; taking the default")
		return ""
	}
	return value
}

// promotedMonitorOnFail is the on-fail of the monitor of the promoted role: a demote that says nothing
// of its own follows it.
func (p *planner) promotedMonitorOnFail(r *resource) string {
	for _, op := range r.ops {
		if !promotedMonitor(op) {
			continue
		}
		if v := attrOf(op, "on-fail"); v != "" && v != "demote" {
			return strings.ToLower(v)
		}
	}
	return ""
}

func promotedMonitor(op *cib.Op) bool {
	if op == nil || op.Name != "monitor" || op.IntervalMS == 0 || !enabled(op) {
		return false
	}
	ro, _ := parseRole(attrOf(op, "role"))
	return ro == rolePromoted
}

func enabled(op *cib.Op) bool {
	b, ok := cib.ParseBool(attrOf(op, "enabled"))
	return b || !ok
}

// enabledOp is the enabled operation of that name and interval, nil if there is none.
func enabledOp(r *resource, task string, intervalMS int64) *cib.Op {
	for _, op := range r.ops {
		if op.Name == task && op.IntervalMS == intervalMS && enabled(op) {
			return op
		}
	}
	return nil
}

// findOp is enabledOp, but takes a disabled one where there is no other: it still says what its failure
// means.
func findOp(r *resource, task string, intervalMS int64) *cib.Op {
	if op := enabledOp(r, task, intervalMS); op != nil {
		return op
	}
	for _, op := range r.ops {
		if op.Name == task && op.IntervalMS == intervalMS {
			return op
		}
	}
	return nil
}

// opSetting is one setting of an operation: its XML attribute, else its blocks, else op_defaults.
func (p *planner) opSetting(r *resource, conf *cib.Op, task string, intervalMS int64, name string) string {
	if conf != nil {
		if v := attrOf(conf, name); v != "" {
			return v
		}
	}
	in := p.ruleInput(r, nil)
	in.Op = &cib.OpMatch{Name: task, IntervalMS: intervalMS}
	if conf != nil && len(conf.Meta) > 0 {
		values, change := cib.Evaluate(conf.Meta, in, "")
		p.changesAt(change)
		if v := values[name]; v != "" {
			return v
		}
	}
	values, change := cib.Evaluate(p.in.OpDefaults, in, "")
	p.changesAt(change)
	return values[name]
}

package scheduler

import (
	"strconv"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Tasks an action can have.
const (
	taskStart       = "start"
	taskStarted     = "running"
	taskStop        = "stop"
	taskStopped     = "stopped"
	taskPromote     = "promote"
	taskPromoted    = "promoted"
	taskDemote      = "demote"
	taskDemoted     = "demoted"
	taskMonitor     = "monitor"
	taskNotify      = "notify"
	taskNotified    = "notified"
	taskMigrateTo   = "migrate_to"
	taskMigrateFrom = "migrate_from"
	taskReload      = "reload-agent"
	taskDelete      = "delete"
	taskCancel      = "cancel"
	taskFence       = "stonith"
	taskShutdown    = "do_shutdown"
	taskClearFail   = "clear_failcount"
	taskLrmDelete   = "lrm_delete"
	taskReprobe     = "probe_again"
)

// actFlags is what is known of an action; the fixpoint of update.go only ever moves them one way:
// optional and runnable are cleared, never set again.
type actFlags uint16

const (
	actPseudo      actFlags = 1 << iota // nothing is executed
	actRunnable                         // it can be executed
	actOptional                         // nobody needs it
	actPrint                            // it is in the graph although optional
	actMigratable                       // it may be part of a live migration
	actRequiresAny                      // runnable when enough of its inputs are (one-or-more)
	actDangle                           // ends a live migration that was cut short
	actReschedule                       // the recurring action is only to be scheduled anew
	actInGraph                          // will be written
	actOnDC                             // executed by the DC
)

// action is one node of the graph being made.
type action struct {
	seq      int // order of creation, from 1
	task     string
	key      string // operation key; may be shared by actions on different nodes
	interval int64  // ms
	rsc      *resource
	node     *node
	flags    actFlags
	priority int

	op       *cib.Op // configured operation, nil if none
	meta     []cib.Attr
	needs    need
	after    []*link // edges to actions that come later
	before   []*link // edges from actions that come first
	reason   string
	cancels  string // cancel: operation it cancels
	lrmCall  int    // cancel: call id
	targetRC int    // probes and role monitors: expected result, -1: none

	needed      int           // one-or-more: how many runnable inputs it wants
	found       int           // one-or-more: how many it has
	notify      *notification // clone pseudo action that others are told of
	notifyExtra []cib.Attr
	fenceOp     string // fencing: "reboot", "off", "on"
	mark        uint32
}

type need uint8

const (
	needNothing need = iota
	needQuorum
	needFencing
)

func (a *action) has(f actFlags) bool { return a.flags&f != 0 }
func (a *action) optional() bool      { return a.flags&actOptional != 0 }
func (a *action) runnable() bool      { return a.flags&actRunnable != 0 }

func (a *action) require(reason string) {
	if a.optional() {
		a.flags &^= actOptional
		if a.reason == "" {
			a.reason = reason
		}
	}
}

func (a *action) block(reason string) {
	if a.runnable() {
		a.flags &^= actRunnable
		if a.reason == "" || a.optional() {
			a.reason = reason
		}
	}
}

func (a *action) set(name, value string) {
	for i := range a.meta {
		if a.meta[i].Name == name {
			a.meta[i].Value = value
			return
		}
	}
	a.meta = append(a.meta, cib.Attr{Name: name, Value: value})
}

func (a *action) get(name string) (string, bool) {
	for i := range a.meta {
		if a.meta[i].Name == name {
			return a.meta[i].Value, true
		}
	}
	return "", false
}

func opKey(id, task string, interval int64) string {
	return id + "_" + task + "_" + strconv.FormatInt(interval, 10)
}

// newAction makes an action without looking for an equal one.
func (p *planner) newAction(r *resource, key, task string, interval int64, n *node, flags actFlags) *action {
	if len(p.actionSlab) == 0 {
		p.actionSlab = make([]action, 256)
	}
	a := &p.actionSlab[0]
	p.actionSlab = p.actionSlab[1:]
	*a = action{seq: len(p.actions) + 1, task: task, key: key, interval: interval, rsc: r, node: n, flags: flags, targetRC: -1}
	p.actions = append(p.actions, a)
	if r != nil {
		a.priority = r.opPriority
		r.actions = append(r.actions, a)
	}
	return a
}

// findAction returns the resource's action of that task and interval on that node (nil: on any), or nil.
func (r *resource) findAction(task string, interval int64, n *node) *action {
	for _, a := range r.actions {
		if a.task == task && a.interval == interval && (n == nil || a.node == n) {
			return a
		}
	}
	return nil
}

// op returns the operation of a resource on a node, made if there is none yet. optional=false makes an
// existing one required.
func (p *planner) op(r *resource, task string, interval int64, n *node, optional bool) *action {
	for _, a := range r.actions {
		if a.task == task && a.interval == interval && a.node == n {
			if !optional {
				a.flags &^= actOptional
			}
			p.assessRunnable(a)
			return a
		}
	}
	return p.freshOp(r, task, interval, n, optional)
}

// freshOp is op when the caller knows that there is none yet.
func (p *planner) freshOp(r *resource, task string, interval int64, n *node, optional bool) *action {
	a := p.newAction(r, opKey(r.id, task, interval), task, interval, n, actRunnable)
	if optional {
		a.flags |= actOptional
	}
	p.configureOp(a)
	p.assessRunnable(a)
	return a
}

// pseudoOp returns a pseudo action of a collective resource, made if there is none yet.
func (p *planner) pseudoOp(r *resource, task string, optional, runnable bool) *action {
	a := r.findAction(task, 0, nil)
	if a == nil {
		a = p.newAction(r, opKey(r.id, task, 0), task, 0, nil, actPseudo|actOptional)
	}
	if !optional {
		a.flags &^= actOptional
	}
	if runnable {
		a.flags |= actRunnable
	}
	return a
}

// assessRunnable decides from the node, the resource and the quorum whether an action can be executed.
func (p *planner) assessRunnable(a *action) {
	r, n := a.rsc, a.node
	if a.has(actPseudo) || r == nil {
		return
	}
	if n != nil && !r.managed && a.interval == 0 && a.task != taskMonitor && a.task != taskNotify {
		a.flags |= actOptional
	}
	switch {
	case n == nil:
		a.flags &^= actRunnable
	case !n.online && !(n.kind == guestNode && !n.remoteReset):
		a.flags &^= actRunnable
		if r.managed && a.task == taskStop && !n.unclean {
			p.fence(n, "resource actions are unrunnable", false)
		}
	case n.pending:
		a.flags &^= actRunnable
	case a.needs == needNothing && n.kind == guestNode && !p.canFence(n):
		a.flags &^= actRunnable // whether it runs there still, nobody can tell
	case a.needs == needNothing:
		a.flags |= actRunnable
	case p.cfg.quorate:
		a.flags |= actRunnable
	case p.cfg.noQuorum == noQuorumDemote && (r.role == roleUnpromoted || r.role == rolePromoted):
		// What has roles may stay, but not promoted.
		if r.nextRole > roleUnpromoted {
			setNextRole(r, roleUnpromoted, "no-quorum-policy=demote")
		}
		a.flags |= actRunnable
	case p.cfg.noQuorum == noQuorumStop || p.cfg.noQuorum == noQuorumSuicide || p.cfg.noQuorum == noQuorumDemote:
		a.block("no quorum")
	case p.cfg.noQuorum == noQuorumFreeze:
		if !r.active(true) || r.nextRole > r.role {
			a.block("quorum freeze")
		}
	default:
		a.flags |= actRunnable
	}
}

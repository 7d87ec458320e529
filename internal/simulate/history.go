package simulate

import (
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/transition"
)

// FeatureSet is the crm_feature_set whose history format is written.
const FeatureSet = "3.16.1"

// noUUID stands where a cluster writes the identity of the controller that asked for the operation.
const noUUID = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"

// operation is one operation with its result.
type operation struct {
	rsc        string // the resource's name in history
	task       string
	intervalMS int64
	rc, target int
	reason     string // exit reason of a failure
	stamp      int64
	digest     string // of the parameters; empty: not known

	notifyType, notifyTask       string
	migrateSource, migrateTarget string
	shutdownLock                 string
}

// operationOf is the operation an action asks for, with the result that is expected of it.
func operationOf(a *transition.Action) operation {
	op := operation{rsc: a.Rsc.ID, task: a.Task, intervalMS: a.Interval(), digest: digest(a),
		notifyType: a.Attr("CRM_meta_notify_type"), notifyTask: a.Attr("CRM_meta_notify_operation"),
		shutdownLock: a.ShutdownLock}
	if s := a.Attr("CRM_meta_op_target_rc"); s != "" {
		op.target, _ = strconv.Atoi(s) // a graph that says otherwise expects success
	}
	op.rc = op.target
	if strings.HasPrefix(a.Task, "migrate_") {
		op.migrateSource, op.migrateTarget = a.Attr("CRM_meta_migrate_source"), a.Attr("CRM_meta_migrate_target")
	}
	return op
}

func (op *operation) failed() bool { return op.rc != op.target }

// entryIDs are the ids of the history entries that an operation writes. A failure has an entry of its
// own; that of a recurring operation leaves the entry of its last success alone.
func (op *operation) entryIDs() []string {
	switch {
	case op.task == "notify":
		return []string{op.rsc + "_" + op.notifyType + "_notify_" + op.notifyTask + "_0"}
	case op.task == "migrate_to" || op.task == "migrate_from":
		return []string{op.key()}
	case op.failed() && op.intervalMS > 0:
		return []string{op.rsc + "_last_failure_0"}
	case op.failed():
		return []string{op.rsc + "_last_failure_0", op.rsc + "_last_0"}
	case op.intervalMS > 0:
		return []string{op.key()}
	}
	return []string{op.rsc + "_last_0"}
}

func (op *operation) key() string {
	return op.rsc + "_" + op.task + "_" + strconv.FormatInt(op.intervalMS, 10)
}

// record writes an operation into the history of its resource.
func (h *history) record(op operation) {
	if op.task == "reload" || op.task == "reload-agent" { // recorded as the start that it makes up for
		op.task = "start"
	}
	if op.task == "notify" { // may not fail
		op.rc = op.target
	}
	if !op.failed() {
		op.reason = ""
	}
	h.calls++
	state := h.node.state
	for _, id := range op.entryIDs() {
		i, known := h.index[id]
		if !known {
			i = len(h.ops)
			state.scratch = op.attrs(append(state.scratch[:0], cib.Attr{Name: "id", Value: id}), h.calls)
			h.ops = append(h.ops, cib.NewElement("lrm_rsc_op", state.scratch))
			h.index[id] = i
			continue
		}
		h.ops[i] = h.ops[i].WithAttrs(op.attrs(h.ops[i].AttrList(), h.calls))
	}
	h.changed = true
	h.node.changed = true
	h.node.state.updates++
}

// attrs sets the attributes of a history entry in the order in which clusters write them.
func (op *operation) attrs(list []cib.Attr, call int) []cib.Attr {
	number := strconv.Itoa(call)
	key := number + ":-1:" + strconv.Itoa(op.target) + ":" + noUUID
	rc := strconv.Itoa(op.rc)
	set := func(name, value string) { list = cib.SetAttr(list, name, value) }
	set("operation_key", op.key())
	set("operation", op.task)
	set("crm-debug-origin", origin)
	set("crm_feature_set", FeatureSet)
	set("transition-key", key)
	set("transition-magic", "0:"+rc+";"+key)
	set("exit-reason", op.reason)
	set("call-id", number)
	set("rc-code", rc)
	set("op-status", "0")
	set("interval", strconv.FormatInt(op.intervalMS, 10))
	set("last-rc-change", strconv.FormatInt(op.stamp, 10))
	set("exec-time", "0")
	set("queue-time", "0")
	if op.migrateSource != "" || op.migrateTarget != "" {
		set("migrate_source", op.migrateSource)
		set("migrate_target", op.migrateTarget)
	}
	if op.digest != "" {
		set("op-digest", op.digest)
	}
	return list
}

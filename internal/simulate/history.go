package simulate

import (
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/transition"
)

// noUUID stands where a cluster writes the identity of the controller that asked for the operation.
const noUUID = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"

// origin is what history and node states that are made here say about who wrote them.
const origin = "crm_simulate"

// entryOf is what history says of an action, with the result that is expected of it.
func entryOf(a *transition.Action) cib.Entry {
	e := cib.Entry{Resource: a.Rsc.ID, Task: a.Task, IntervalMS: a.Interval(), Origin: origin, Digest: digest(a),
		NotifyType: a.Attr("CRM_meta_notify_type"), NotifyTask: a.Attr("CRM_meta_notify_operation")}
	if s := a.Attr("CRM_meta_op_target_rc"); s != "" {
		e.Target, _ = strconv.Atoi(s) // a graph that says otherwise expects success
	}
	e.RC = e.Target
	if strings.HasPrefix(a.Task, "migrate_") {
		e.MigrateSource, e.MigrateTarget = a.Attr("CRM_meta_migrate_source"), a.Attr("CRM_meta_migrate_target")
	}
	return e
}

// record writes an operation into the history of its resource.
func record(h *cib.HistoryEdit, e cib.Entry) {
	e.CallID = h.NextCall()
	e.Key = strconv.Itoa(e.CallID) + ":-1:" + strconv.Itoa(e.Target) + ":" + noUUID
	h.Record(e)
}

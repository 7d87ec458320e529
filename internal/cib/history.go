package cib

import (
	"slices"
	"strconv"
	"strings"
)

// FeatureSet is the crm_feature_set whose format of history is written: Pacemaker 2.1.5's.
const FeatureSet = "3.16.1"

// Entry is one operation with its result, as it stands in the history.
type Entry struct {
	Resource   string // its name in history
	Task       string
	IntervalMS int64
	Node       string // on_node; empty: not told
	Origin     string // crm-debug-origin: who wrote it
	Key        string // transition-key
	CallID     int
	RC, Target int
	Status     int    // op-status
	Reason     string // exit reason of a failure
	Changed    int64  // last-rc-change
	ExecMS     int64
	QueueMS    int64

	NotifyType, NotifyTask       string
	MigrateSource, MigrateTarget string

	Digest                 string // of the parameters; empty: not known, nor are those below
	Restart, RestartDigest string
	Secure, SecureDigest   string
}

// Failed reports whether the result is other than what was expected.
func (e *Entry) Failed() bool {
	return e.Status != OpPending && e.Status != OpCancelled && (e.RC != e.Target || e.Status > OpCancelled)
}

// ids are the ids of the history entries that an operation writes. A failure has an entry of its own;
// that of a recurring operation leaves the entry of its last success alone.
func (e *Entry) ids() []string {
	switch {
	case e.Task == "notify":
		return []string{e.Resource + "_" + e.NotifyType + "_notify_" + e.NotifyTask + "_0"}
	case e.Task == "migrate_to" || e.Task == "migrate_from":
		return []string{e.key()}
	case e.Failed() && e.IntervalMS > 0:
		return []string{lastFailure(e.Resource)}
	case e.Failed():
		return []string{lastFailure(e.Resource), e.Resource + "_last_0"}
	case e.IntervalMS > 0:
		return []string{e.key()}
	}
	return []string{e.Resource + "_last_0"}
}

// lastFailure is the id of the entry of a resource's last failure.
func lastFailure(resource string) string { return resource + "_last_failure_0" }

func (e *Entry) key() string { return operationKey(e.Resource, e.Task, e.IntervalMS) }

// operationKey is the operation_key of an operation.
func operationKey(resource, task string, intervalMS int64) string {
	return resource + "_" + task + "_" + strconv.FormatInt(intervalMS, 10)
}

// attrs sets the attributes of a history entry in the order in which clusters write them.
func (e *Entry) attrs(list []Attr) []Attr {
	rc, status := strconv.Itoa(e.RC), strconv.Itoa(e.Status)
	set := func(name, value string) { list = SetAttr(list, name, value) }
	some := func(name, value string) {
		if value != "" {
			set(name, value)
		}
	}
	set("operation_key", e.key())
	set("operation", e.Task)
	set("crm-debug-origin", e.Origin)
	set("crm_feature_set", FeatureSet)
	set("transition-key", e.Key)
	set("transition-magic", status+":"+rc+";"+e.Key)
	set("exit-reason", e.Reason)
	some("on_node", e.Node)
	set("call-id", strconv.Itoa(e.CallID))
	set("rc-code", rc)
	set("op-status", status)
	set("interval", strconv.FormatInt(e.IntervalMS, 10))
	set("last-rc-change", strconv.FormatInt(e.Changed, 10))
	set("exec-time", strconv.FormatInt(e.ExecMS, 10))
	set("queue-time", strconv.FormatInt(e.QueueMS, 10))
	if e.MigrateSource != "" || e.MigrateTarget != "" {
		set("migrate_source", e.MigrateSource)
		set("migrate_target", e.MigrateTarget)
	}
	some("op-digest", e.Digest)
	some("op-force-restart", e.Restart)
	some("op-restart-digest", e.RestartDigest)
	some("op-secure-params", e.Secure)
	some("op-secure-digest", e.SecureDigest)
	return list
}

// HistoryEdit is one lrm_resource while it is changed.
type HistoryEdit struct {
	node    *NodeEdit
	lrm     *LrmResource // as it was read; nil: new
	attrs   []Attr       // of a new one, or when they changed
	ops     []*Element
	index   map[string]int // entry id -> place in ops; nil: not indexed yet
	calls   int            // highest call-id
	changed bool
	removed bool
}

// History finds the history of a resource by either of its names, or makes one under the plain name.
func (n *NodeEdit) History(name, plain, class, provider, agent string) *HistoryEdit {
	h := n.find(name)
	if h == nil && plain != name {
		h = n.find(plain)
	}
	if h == nil {
		h = &HistoryEdit{node: n, index: make(map[string]int), attrs: []Attr{{"id", plain}, {"class", class}}}
		if provider != "" {
			h.attrs = append(h.attrs, Attr{"provider", provider})
		}
		h.attrs = append(h.attrs, Attr{"type", agent})
		n.keep(plain, h)
		n.lrmFirst = n.lrmFirst || n.transient == nil
		h.touch()
	}
	if h.index == nil {
		h.indexEntries()
	}
	return h
}

func (h *HistoryEdit) touch() {
	h.changed = true
	h.node.touch()
}

// find is the history of that name, nil if there is none (any more).
func (n *NodeEdit) find(name string) *HistoryEdit {
	if h, looked := n.byRsc[name]; looked {
		return h
	}
	if r := n.read(name); r != nil {
		return n.keep(name, &HistoryEdit{node: n, lrm: r})
	}
	return nil
}

// keep notes a history that was looked at.
func (n *NodeEdit) keep(name string, h *HistoryEdit) *HistoryEdit {
	n.histories = append(n.histories, h)
	if n.byRsc == nil {
		n.byRsc = make(map[string]*HistoryEdit)
	}
	if old, looked := n.byRsc[name]; !looked || old == nil && h.lrm == nil {
		n.byRsc[name] = h
	}
	return h
}

// before are the histories as they were read, in document order.
func (n *NodeEdit) before() []*LrmResource {
	if n.orig == nil || n.emptied {
		return nil
	}
	return n.orig.Lrm
}

// fewLookups is how many histories of a node are looked for one by one: for more of them an index is made.
const fewLookups = 12

// read is the first history of that name as it was read.
func (n *NodeEdit) read(name string) *LrmResource {
	list := n.before()
	if n.lookups++; n.lookups <= fewLookups {
		for _, r := range list {
			if r.ID == name {
				return r
			}
		}
		return nil
	}
	if n.index == nil {
		n.index = make(map[string]*LrmResource, len(list))
		for _, r := range list {
			if _, known := n.index[r.ID]; !known {
				n.index[r.ID] = r
			}
		}
	}
	return n.index[name]
}

func (h *HistoryEdit) indexEntries() {
	h.ops = make([]*Element, 0, len(h.lrm.El.Children)+2)
	h.index = make(map[string]int, len(h.lrm.El.Children)+2)
	for _, c := range h.lrm.El.Children {
		h.ops = append(h.ops, c)
		if c.Name == "lrm_rsc_op" {
			if _, known := h.index[c.ID()]; !known {
				h.index[c.ID()] = len(h.ops) - 1
			}
		}
	}
	for i := range h.lrm.Ops {
		h.calls = max(h.calls, h.lrm.Ops[i].CallID)
	}
}

// NextCall is a call-id that no entry of the history has yet.
func (h *HistoryEdit) NextCall() int {
	h.calls++
	return h.calls
}

// Record writes an operation into the history of its resource.
func (h *HistoryEdit) Record(e Entry) {
	if e.Task == "reload" || e.Task == "reload-agent" { // recorded as the start that it makes up for
		e.Task = "start"
	}
	if e.Task == "notify" { // may not fail
		e.RC, e.Status = e.Target, OpDone
	}
	if !e.Failed() {
		e.Reason = ""
	}
	h.calls = max(h.calls, e.CallID)
	s := h.node.status
	for _, id := range e.ids() {
		i, known := h.index[id]
		switch {
		case known && s.KeepOld:
			h.ops[i] = h.ops[i].WithAttrs(e.attrs(h.ops[i].AttrList()))
			continue
		case !known:
			i = len(h.ops)
			h.ops = append(h.ops, nil)
			h.index[id] = i
		}
		s.scratch = e.attrs(append(s.scratch[:0], Attr{"id", id}))
		h.ops[i] = NewElement("lrm_rsc_op", s.scratch)
	}
	h.touch()
	s.updates++
}

// Remove takes the entry of that id out; it reports whether there was one.
func (h *HistoryEdit) Remove(id string) bool {
	at, known := h.index[id]
	if !known {
		return false
	}
	h.ops = slices.Delete(h.ops, at, at+1)
	delete(h.index, id)
	for other, i := range h.index {
		if i > at {
			h.index[other] = i - 1
		}
	}
	h.touch()
	h.node.status.updates++
	return true
}

// set sets an attribute of the lrm_resource, or takes it out if the value is empty.
func (h *HistoryEdit) set(name, value string) {
	if h.attrs == nil {
		if h.lrm.El.Attr(name) == value {
			return
		}
		h.attrs = h.lrm.El.AttrList()
	}
	if value == "" {
		h.attrs = slices.DeleteFunc(h.attrs, func(a Attr) bool { return a.Name == name })
	} else {
		h.attrs = SetAttr(h.attrs, name, value)
	}
	h.touch()
}

// build makes the lrm_resource element.
func (h *HistoryEdit) build() *Element {
	if h.lrm == nil {
		return NewElement("lrm_resource", h.attrs, h.ops...)
	}
	e := h.lrm.El.WithChildren(h.ops)
	if h.attrs != nil {
		e = e.WithAttrs(h.attrs)
	}
	return e
}

// drop takes the history of a resource out.
func (h *HistoryEdit) drop() {
	h.removed = true
	if name := h.id(); h.node.byRsc[name] == h {
		h.node.byRsc[name] = nil
	}
	h.touch()
	h.node.status.updates++
}

// known are the histories of a resource that the node has, in document order: of its own name, or of its
// instances. An empty name asks for all.
func (n *NodeEdit) known(resource string) []*HistoryEdit {
	have := make(map[*LrmResource]*HistoryEdit, len(n.histories))
	var added []*HistoryEdit
	for _, h := range n.histories {
		if h.lrm != nil {
			have[h.lrm] = h
		} else {
			added = append(added, h)
		}
	}
	var found []*HistoryEdit
	take := func(h *HistoryEdit) {
		if h.removed {
			return
		}
		if h.index == nil {
			h.indexEntries()
		}
		found = append(found, h)
	}
	for _, r := range n.before() {
		if resource != "" && !isInstanceOf(r.ID, resource) {
			continue
		}
		h := have[r]
		if h == nil {
			h = n.keep(r.ID, &HistoryEdit{node: n, lrm: r})
		}
		take(h)
	}
	for _, h := range added {
		if resource == "" || isInstanceOf(h.id(), resource) {
			take(h)
		}
	}
	return found
}

func (h *HistoryEdit) id() string {
	if h.lrm != nil {
		return h.lrm.ID
	}
	return h.attrs[0].Value
}

// isInstanceOf reports whether a name in history is the resource's: "web" and "web:1" are web's.
func isInstanceOf(name, resource string) bool {
	base, number, ok := strings.Cut(name, ":")
	return name == resource || ok && base == resource && number != "" && strings.Trim(number, "0123456789") == ""
}

// buildLrm makes the lrm element; nil when there is no history, or none was touched.
func (n *NodeEdit) buildLrm() *Element {
	if !slices.ContainsFunc(n.histories, func(h *HistoryEdit) bool { return h.changed }) {
		return nil
	}
	var lrm, list *Element
	if n.orig != nil && !n.emptied {
		lrm = n.orig.El.Child("lrm")
		list = lrm.Child("lrm_resources")
	}
	built := make(map[*Element]*Element) // nil: taken out
	var added []*Element
	for _, h := range n.histories {
		switch {
		case h.lrm == nil && !h.removed:
			added = append(added, h.build())
		case h.lrm != nil && h.removed:
			built[h.lrm.El] = nil
		case h.lrm != nil && h.changed:
			built[h.lrm.El] = h.build()
		}
	}
	if list == nil {
		list = NewElement("lrm_resources", nil, added...)
		if lrm != nil {
			return lrm.WithChild(list)
		}
		return NewElement("lrm", []Attr{{"id", n.id}}, list)
	}
	children := make([]*Element, 0, len(list.Children)+len(added))
	for _, c := range list.Children {
		if b, ok := built[c]; ok {
			if c = b; c == nil {
				continue
			}
		}
		children = append(children, c)
	}
	return lrm.Swap(list, list.WithChildren(append(children, added...)))
}

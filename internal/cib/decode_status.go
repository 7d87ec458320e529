package cib

import "strings"

// decoded is what was decoded of an earlier document.
type decoded struct {
	byElement map[*Element]*NodeState
	byID      map[string]*NodeState
	// attrs: blocks of attributes are as they were. They may refer to the configuration, so that they are read
	// again when that changes.
	attrs bool
}

func newDecoded(old *CIB, sameConfiguration bool) *decoded {
	list := old.Status.Nodes
	d := &decoded{make(map[*Element]*NodeState, len(list)), make(map[string]*NodeState, len(list)), sameConfiguration}
	for _, n := range list {
		d.byElement[n.El], d.byID[n.ID] = n, n
	}
	return d
}

// status reads the status section; what was decoded before is taken from there.
func (d *decoder) status(section *Element, before *decoded) {
	st := &d.cib.Status
	for e := range section.Elements() {
		switch e.Name {
		case "node_state":
			n := before.byElement[e]
			if n == nil || !before.attrs && len(n.Attrs) > 0 {
				n = d.nodeState(e, before)
			}
			st.Nodes = append(st.Nodes, n)
		case "tickets":
			for t := range e.Elements() {
				if t.Name == "ticket_state" {
					st.Tickets = append(st.Tickets, ticketState(t))
				}
			}
		}
	}
}

func (d *decoder) nodeState(e *Element, before *decoded) *NodeState {
	n := &NodeState{El: e}
	for name, value := range e.Attrs() {
		switch name {
		case "id":
			n.ID = value
		case "uname":
			n.Name = value
		case "in_ccm":
			n.InCCM = value
		case "crmd":
			n.Crmd = value
		case "join":
			n.Join = value
		case "expected":
			n.Expected = value
		case "remote_node":
			n.Remote = boolOr(value, false)
		}
	}
	old := before.byID[n.ID]
	if old != nil && before.attrs && sameChild(old.El, e, "transient_attributes") {
		n.Attrs = old.Attrs
	} else {
		for c := range e.Elements() {
			if c.Name == "transient_attributes" {
				n.Attrs = append(n.Attrs, d.setsInOrder(c, "instance_attributes")...)
			}
		}
		byPrecedence(n.Attrs)
	}
	if old != nil && sameChild(old.El, e, "lrm") {
		n.Lrm = old.Lrm
		return n
	}
	for c := range e.Elements() {
		if c.Name != "lrm" {
			continue
		}
		for r := range c.Elements() {
			if r.Name != "lrm_resources" {
				continue
			}
			if list := histories(r, old); n.Lrm == nil {
				n.Lrm = list
			} else {
				n.Lrm = append(n.Lrm, list...)
			}
		}
	}
	return n
}

// sameChild reports whether two elements share their only child of a name.
func sameChild(a, b *Element, name string) bool {
	shared := false
	for c := range b.Elements() {
		if c.Name == name {
			if shared || c != a.Child(name) {
				return false
			}
			shared = true
		}
	}
	return shared
}

// histories reads a node's lrm_resources. What the node state had before, mostly in the same order, is
// taken from there.
func histories(section *Element, old *NodeState) []*LrmResource {
	if old == nil || len(old.Lrm) == 0 {
		return allHistories(section)
	}
	list := make([]*LrmResource, 0, len(section.Children))
	at := 0 // in old.Lrm: all before it was used or is gone
	for e := range section.Elements() {
		if e.Name != "lrm_resource" {
			continue
		}
		if found := nextHistory(old.Lrm, at, e); found >= 0 {
			list = append(list, old.Lrm[found])
			at = found + 1
			continue
		}
		r := lrmResource(e)
		r.Ops = appendOps(nil, e)
		list = append(list, &r)
		if at < len(old.Lrm) && old.Lrm[at].ID == r.ID { // changed in its place
			at++
		}
	}
	return list
}

// nextHistory looks for the history of an element from a place on, and a few places beyond: further ones are
// read again.
func nextHistory(list []*LrmResource, at int, e *Element) int {
	for i := at; i < min(at+4, len(list)); i++ {
		if list[i].El == e {
			return i
		}
	}
	return -1
}

// allHistories reads all histories: few allocations however many there are.
func allHistories(section *Element) []*LrmResource {
	resources, ops := 0, 0
	for e := range section.Elements() {
		resources++
		ops += len(e.Children)
	}
	slab := make([]LrmResource, 0, resources)
	opSlab := make([]LrmOp, 0, ops)
	list := make([]*LrmResource, 0, resources)
	for e := range section.Elements() {
		if e.Name != "lrm_resource" {
			continue
		}
		slab = append(slab, lrmResource(e))
		r := &slab[len(slab)-1]
		first := len(opSlab)
		opSlab = appendOps(opSlab, e)
		r.Ops = opSlab[first:len(opSlab):len(opSlab)]
		list = append(list, r)
	}
	return list
}

// appendOps appends the operations of a history.
func appendOps(list []LrmOp, e *Element) []LrmOp {
	for c := range e.Elements() {
		if c.Name == "lrm_rsc_op" {
			list = append(list, lrmOp(c))
		}
	}
	return list
}

func lrmResource(e *Element) LrmResource {
	r := LrmResource{El: e}
	for name, value := range e.Attrs() {
		switch name {
		case "id":
			r.ID = value
		case "class":
			r.Class = value
		case "provider":
			r.Provider = value
		case "type":
			r.Type = value
		case "container":
			r.Container = value
		}
	}
	return r
}

func lrmOp(e *Element) LrmOp {
	op := LrmOp{CallID: -1, RC: -1, TargetRC: -1, Status: statusUnknown, El: e}
	var magic, key, opKey string
	for name, value := range e.Attrs() {
		switch name {
		case "operation":
			op.Operation = value
		case "operation_key":
			opKey = value
		case "call-id":
			op.CallID = parseInt(value, -1)
		case "rc-code":
			op.RC = parseInt(value, -1)
		case "op-status":
			op.Status = parseInt(value, statusUnknown)
		case "interval":
			op.IntervalMS = int64(parseInt(value, 0))
		case "last-rc-change":
			op.LastRCChange = int64(parseInt(value, 0))
		case "last-run":
			op.LastRun = int64(parseInt(value, 0))
		case "transition-key":
			key = value
		case "transition-magic":
			magic = value
		}
	}
	op.fromMagic(magic, key)
	if _, told := e.Lookup("rc-code"); !told && magic == "" { // as Pacemaker reads it
		op.RC = 0
	}
	if op.Operation == "" {
		op.Operation = operationOfKey(opKey)
	}
	return op
}

// statusUnknown is the op-status of an operation that has none.
const statusUnknown = -2

// fromMagic fills in what the transition key "action:transition:target-rc:uuid" and the transition magic
// "status:rc;key" tell.
func (op *LrmOp) fromMagic(magic, key string) {
	if result, magicKey, ok := strings.Cut(magic, ";"); ok {
		status, rc, _ := strings.Cut(result, ":")
		if op.Status == statusUnknown {
			op.Status = parseInt(status, statusUnknown)
		}
		if op.RC < 0 {
			op.RC = parseInt(rc, -1)
		}
		if key == "" {
			key = magicKey
		}
	}
	if target, ok := targetRC(key); ok {
		op.TargetRC = target
	}
}

// targetRC reads the return code that a transition key expects.
func targetRC(key string) (int, bool) {
	for range 2 {
		_, rest, ok := strings.Cut(key, ":")
		if !ok {
			return 0, false
		}
		key = rest
	}
	n, rest, ok := leadingInt(key)
	return int(n), ok && strings.HasPrefix(rest, ":")
}

// operationOfKey takes the operation out of "rsc_monitor_10000".
func operationOfKey(key string) string {
	end := strings.LastIndexByte(key, '_')
	if end < 0 {
		return ""
	}
	for _, name := range [...]string{"migrate_to", "migrate_from"} {
		if strings.HasSuffix(key[:end], "_"+name) {
			return name
		}
	}
	return key[strings.LastIndexByte(key[:end], '_')+1 : end]
}

func ticketState(e *Element) *TicketState {
	t := &TicketState{El: e}
	for name, value := range e.Attrs() {
		switch name {
		case "id":
			t.ID = value
		case "granted":
			t.Granted = boolOr(value, false)
		case "standby":
			t.Standby = boolOr(value, false)
		case "last-granted":
			t.LastGranted = int64(parseInt(value, 0))
		default:
			t.Attrs = append(t.Attrs, Attr{name, value})
		}
	}
	return t
}

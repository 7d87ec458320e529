package cib

import "strings"

// status reads the status section; node states that are in before are taken from there.
func (d *decoder) status(section *Element, before map[*Element]*NodeState) {
	st := &d.cib.Status
	for e := range section.Elements() {
		switch e.Name {
		case "node_state":
			n := before[e]
			if n == nil {
				n = d.nodeState(e)
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

func (d *decoder) nodeState(e *Element) *NodeState {
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
	for c := range e.Elements() {
		switch c.Name {
		case "transient_attributes":
			n.Attrs = append(n.Attrs, d.setsInOrder(c, "instance_attributes")...)
		case "lrm":
			for r := range c.Elements() {
				if r.Name == "lrm_resources" {
					n.Lrm = append(n.Lrm, histories(r)...)
				}
			}
		}
	}
	byPrecedence(n.Attrs)
	return n
}

// histories reads a node's lrm_resources: few allocations however many there are.
func histories(section *Element) []*LrmResource {
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
		for c := range e.Elements() {
			if c.Name == "lrm_rsc_op" {
				opSlab = append(opSlab, lrmOp(c))
			}
		}
		r.Ops = opSlab[first:len(opSlab):len(opSlab)]
		list = append(list, r)
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

package cib

// StatusEdit is the status section while it is changed: an index over what is there, and the changes. Node
// states are indexed at once, their histories are looked for when they are wanted. The CIB it was made from stays
// as it is, and what does not change is shared with the one that comes out.
type StatusEdit struct {
	// KeepOld leaves attributes of a history entry that a new result does not set, as crm_simulate does.
	KeepOld bool

	in      *CIB
	nodes   []*NodeEdit // in document order, new ones last
	byName  map[string]*NodeEdit
	byID    map[string]*NodeEdit
	tickets *ticketEdits
	scratch []Attr // attributes of the entry that is being written
	updates int    // writes so far
	changed bool
}

// NodeEdit is one node_state while it is changed.
type NodeEdit struct {
	status   *StatusEdit
	id, name string
	orig     *NodeState // nil: new
	attrs    []Attr     // when attrsChanged
	changed  bool       // anything below
	emptied  bool       // history and transient attributes are gone, those recorded later apart
	dropped  bool       // the whole node state is gone

	attrsChanged bool
	histories    []*HistoryEdit          // that were looked at, new ones in their order
	byRsc        map[string]*HistoryEdit // the same; nil: it was taken out
	index        map[string]*LrmResource // of those that were read, when many are looked for
	lookups      int
	transient    *Element // the transient_attributes element, when attributes were set
	lrmFirst     bool     // of both, history was there first
}

// EditStatus begins to change the status section of a CIB.
func EditStatus(in *CIB) *StatusEdit {
	s := &StatusEdit{in: in, byName: make(map[string]*NodeEdit, len(in.Status.Nodes)), byID: make(map[string]*NodeEdit, len(in.Status.Nodes))}
	for _, n := range in.Status.Nodes {
		s.add(&NodeEdit{status: s, id: n.ID, name: n.Name, orig: n})
	}
	return s
}

func (s *StatusEdit) add(n *NodeEdit) {
	s.nodes = append(s.nodes, n)
	if _, ok := s.byName[n.name]; !ok {
		s.byName[n.name] = n
	}
	if _, ok := s.byID[n.id]; !ok {
		s.byID[n.id] = n
	}
}

// Updates is how many writes there were: crm_simulate raises num_updates by them.
func (s *StatusEdit) Updates() int { return s.updates }

// Known finds a node's state by its name; nil if there is none.
func (s *StatusEdit) Known(name string) *NodeEdit {
	if n := s.byName[name]; n != nil && !n.dropped {
		return n
	}
	return nil
}

// Node finds a node's state, or makes one.
func (s *StatusEdit) Node(name, id string) *NodeEdit {
	if n := s.Known(name); n != nil {
		return n
	}
	if n := s.byID[id]; n != nil && n.name == "" && !n.dropped {
		return n
	}
	if id == "" {
		id = name
	}
	n := &NodeEdit{status: s, id: id, name: name, attrsChanged: true, attrs: []Attr{{"id", id}, {"uname", name}}}
	n.touch()
	s.nodes = append(s.nodes, n)
	s.byName[name], s.byID[id] = n, n
	return n
}

func (n *NodeEdit) touch() { n.changed, n.status.changed = true, true }

// ID is the id of the node.
func (n *NodeEdit) ID() string { return n.id }

// Set sets attributes of the node_state element.
func (n *NodeEdit) Set(pairs ...Attr) {
	if !n.attrsChanged {
		n.attrs, n.attrsChanged = n.orig.El.AttrList(), true
	}
	for _, p := range pairs {
		n.attrs = SetAttr(n.attrs, p.Name, p.Value)
	}
	n.touch()
	n.status.updates++
}

// Empty forgets history and transient attributes.
func (n *NodeEdit) Empty() {
	n.histories, n.byRsc, n.index, n.transient = nil, nil, nil, nil
	n.emptied, n.lrmFirst = true, false
	n.touch()
}

// Drop takes the whole node state out.
func (n *NodeEdit) Drop() {
	n.dropped = true
	n.touch()
}

// Root is the root element with the changed status section in it, which is made if it was not there.
func (s *StatusEdit) Root() *Element {
	root := s.in.Root
	status := root.Child("status")
	if status == nil {
		status = NewElement("status", nil)
		root = root.WithChild(status)
	}
	return root.Swap(status, s.section(status))
}

// section makes the status section. Elements that did not change are shared with the one that came in.
func (s *StatusEdit) section(status *Element) *Element {
	byElement := make(map[*Element]*NodeEdit, len(s.nodes))
	for _, n := range s.nodes {
		if n.orig != nil && n.changed {
			byElement[n.orig.El] = n
		}
	}
	children := make([]*Element, 0, len(status.Children)+2)
	for _, c := range status.Children {
		if n := byElement[c]; n != nil {
			if c = n.build(); c == nil {
				continue
			}
		} else if c.Name == "tickets" && s.tickets != nil {
			c = s.tickets.build(c)
		}
		children = append(children, c)
	}
	for _, n := range s.nodes {
		if n.orig == nil && !n.dropped {
			children = append(children, n.build())
		}
	}
	if s.tickets != nil && status.Child("tickets") == nil {
		children = append(children, s.tickets.build(nil))
	}
	return status.WithChildren(children)
}

// build makes the node_state element: its other children stay where they were, the history takes the
// place of the old one or comes last. Nil: it is dropped.
func (n *NodeEdit) build() *Element {
	if n.dropped {
		return nil
	}
	var e *Element
	var old []*Element
	if n.orig == nil {
		e = NewElement("node_state", n.attrs)
	} else {
		e, old = n.orig.El, n.orig.El.Children
		if n.attrsChanged {
			e = e.WithAttrs(n.attrs)
		}
	}
	lrm, transient := n.buildLrm(), n.transient
	children := make([]*Element, 0, len(old)+2)
	for _, c := range old {
		switch {
		case c.Kind != KindElement || c.Name != "lrm" && c.Name != "transient_attributes":
			children = append(children, c)
		case n.emptied:
		case c.Name == "lrm" && lrm != nil:
			children, lrm = append(children, lrm), nil
		case c.Name == "transient_attributes" && transient != nil:
			children, transient = append(children, transient), nil
		default:
			children = append(children, c)
		}
	}
	last := []*Element{transient, lrm}
	if n.lrmFirst {
		last = []*Element{lrm, transient}
	}
	for _, c := range last {
		if c != nil {
			children = append(children, c)
		}
	}
	return e.WithChildren(children)
}

// ticketEdits is the tickets section while it is changed.
type ticketEdits struct {
	children []*Element
}

// SetTicket sets an attribute of a ticket's state, and makes the state if the ticket was never seen.
func (s *StatusEdit) SetTicket(id, attr, value string) {
	if s.tickets == nil {
		s.tickets = &ticketEdits{}
		if section := s.in.Root.Child("status").Child("tickets"); section != nil {
			s.tickets.children = append(s.tickets.children, section.Children...)
		}
	}
	s.updates++
	s.changed = true
	for i, c := range s.tickets.children {
		if c.Kind == KindElement && c.Name == "ticket_state" && c.ID() == id {
			s.tickets.children[i] = c.With(attr, value)
			return
		}
	}
	s.tickets.children = append(s.tickets.children, NewElement("ticket_state", []Attr{{"id", id}, {attr, value}}))
}

func (t *ticketEdits) build(old *Element) *Element {
	if old != nil {
		return old.WithChildren(t.children)
	}
	return NewElement("tickets", nil, t.children...)
}

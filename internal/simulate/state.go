package simulate

import (
	"strconv"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/transition"
)

// origin is what history and node states that are made here say about who wrote them.
const origin = "crm_simulate"

// state is the status section while it is changed: an index over what is there, and the changes. Node
// states are indexed at once, their histories when they are first touched.
type state struct {
	in      *cib.CIB
	stamp   time.Time
	nodes   []*nodeState // in document order, new ones last
	byName  map[string]*nodeState
	byID    map[string]*nodeState
	tickets *ticketEdits

	newNodes []string   // nodes to be added to the configuration
	scratch  []cib.Attr // attributes of the entry that is being written
	updates  int        // writes so far: num_updates counts them
}

// nodeState is one node_state while it is changed.
type nodeState struct {
	state    *state
	id, name string
	orig     *cib.NodeState // nil: new
	el       *cib.Element   // nil: new
	attrs    []cib.Attr     // when attrsChanged
	changed  bool           // anything below
	emptied  bool           // history and transient attributes are gone, those recorded later apart

	attrsChanged bool
	histories    []*history // in document order, new ones last
	byRsc        map[string]*history
	transient    *cib.Element // the transient_attributes element, when attributes were set
	lrmFirst     bool         // of both, history was there first
}

// history is one lrm_resource while it is changed.
type history struct {
	node    *nodeState
	el      *cib.Element // as it was read; nil: new
	attrs   []cib.Attr   // of a new one
	lrm     *cib.LrmResource
	ops     []*cib.Element
	index   map[string]int // entry id -> place in ops; nil: not indexed yet
	calls   int            // highest call-id
	changed bool
}

func newState(in *cib.CIB, stamp time.Time) *state {
	s := &state{in: in, stamp: stamp, byName: make(map[string]*nodeState), byID: make(map[string]*nodeState)}
	for _, n := range in.Status.Nodes {
		s.add(&nodeState{state: s, id: n.ID, name: n.Name, orig: n, el: n.El})
	}
	return s
}

func (s *state) add(n *nodeState) {
	s.nodes = append(s.nodes, n)
	if _, ok := s.byName[n.name]; !ok {
		s.byName[n.name] = n
	}
	if _, ok := s.byID[n.id]; !ok {
		s.byID[n.id] = n
	}
}

// node finds a node's state, or makes one.
func (s *state) node(name, id string) *nodeState {
	if n := s.byName[name]; n != nil {
		return n
	}
	if n := s.byID[id]; n != nil && n.name == "" {
		return n
	}
	if id == "" {
		id = name
	}
	n := &nodeState{state: s, id: id, name: name, changed: true, attrsChanged: true,
		attrs: []cib.Attr{{Name: "id", Value: id}, {Name: "uname", Value: name}}}
	s.add(n)
	return n
}

// set sets attributes of the node_state element.
func (n *nodeState) set(pairs ...cib.Attr) {
	if !n.attrsChanged {
		n.attrs, n.attrsChanged = n.el.AttrList(), true
	}
	for _, p := range pairs {
		n.attrs = cib.SetAttr(n.attrs, p.Name, p.Value)
	}
	n.changed = true
	n.state.updates++
}

// empty forgets history and transient attributes.
func (n *nodeState) empty() {
	n.histories, n.byRsc, n.transient = nil, make(map[string]*history), nil
	n.changed, n.emptied, n.lrmFirst = true, true, false
}

// history finds the history of an action's resource by either of its names, or makes one under the plain name.
func (n *nodeState) history(name string, rsc *transition.Resource) *history {
	return n.historyOf(name, rsc.ID, ResourceType{rsc.Class, rsc.Provider, rsc.Type})
}

func (n *nodeState) historyOf(name, plain string, rt ResourceType) *history {
	if n.byRsc == nil {
		n.indexHistories()
	}
	h := n.byRsc[name]
	if h == nil {
		h = n.byRsc[plain]
	}
	if h == nil {
		h = &history{node: n, index: make(map[string]int), attrs: []cib.Attr{{Name: "id", Value: plain}, {Name: "class", Value: rt.Class}}}
		if rt.Provider != "" {
			h.attrs = append(h.attrs, cib.Attr{Name: "provider", Value: rt.Provider})
		}
		h.attrs = append(h.attrs, cib.Attr{Name: "type", Value: rt.Type})
		n.histories = append(n.histories, h)
		n.byRsc[plain] = h
		n.lrmFirst = n.lrmFirst || n.transient == nil
	}
	if h.index == nil {
		h.indexEntries()
	}
	return h
}

func (n *nodeState) indexHistories() {
	n.byRsc = make(map[string]*history)
	if n.orig == nil {
		return
	}
	slab := make([]history, len(n.orig.Lrm))
	n.histories = make([]*history, len(n.orig.Lrm), len(n.orig.Lrm)+8)
	for i, r := range n.orig.Lrm {
		slab[i] = history{node: n, el: r.El, lrm: r}
		n.histories[i] = &slab[i]
		if _, ok := n.byRsc[r.ID]; !ok {
			n.byRsc[r.ID] = &slab[i]
		}
	}
}

func (h *history) indexEntries() {
	h.ops = make([]*cib.Element, 0, len(h.el.Children)+2)
	h.index = make(map[string]int, len(h.el.Children)+2)
	for _, c := range h.el.Children {
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

// build puts the CIB together again.
func (s *state) build() (*cib.CIB, error) { return cib.DecodeRoot(s.in.File, s.root()) }

// root makes the new root element. Elements that did not change are shared with the one that came in.
func (s *state) root() *cib.Element {
	root := s.in.Root
	status := root.Child("status")
	if status == nil {
		status = cib.NewElement("status", nil)
		root = root.WithChildren(append(append([]*cib.Element(nil), root.Children...), status))
	}
	byElement := make(map[*cib.Element]*nodeState, len(s.nodes))
	for _, n := range s.nodes {
		if n.el != nil && n.changed {
			byElement[n.el] = n
		}
	}
	children := make([]*cib.Element, 0, len(status.Children)+2)
	for _, c := range status.Children {
		if n := byElement[c]; n != nil {
			c = n.build()
		} else if c.Name == "tickets" && s.tickets != nil {
			c = s.tickets.build(c)
		}
		children = append(children, c)
	}
	for _, n := range s.nodes {
		if n.el == nil {
			children = append(children, n.build())
		}
	}
	if s.tickets != nil && status.Child("tickets") == nil {
		children = append(children, s.tickets.build(nil))
	}
	root = replaceChild(root, status, status.WithChildren(children))
	return root.With("num_updates", strconv.Itoa(s.in.Version.NumUpdates+s.updates))
}

// replaceChild returns a copy of the element with one child exchanged.
func replaceChild(e, old, new *cib.Element) *cib.Element {
	children := append([]*cib.Element(nil), e.Children...)
	for i, c := range children {
		if c == old {
			children[i] = new
			break
		}
	}
	return e.WithChildren(children)
}

// build makes the node_state element: its other children stay where they were, the history takes the
// place of the old one or comes last.
func (n *nodeState) build() *cib.Element {
	var e *cib.Element
	var old []*cib.Element
	if n.el == nil {
		e = cib.NewElement("node_state", n.attrs)
	} else {
		e, old = n.el, n.el.Children
		if n.attrsChanged {
			e = e.WithAttrs(n.attrs)
		}
	}
	lrm, transient := n.buildLrm(), n.transient
	children := make([]*cib.Element, 0, len(old)+2)
	for _, c := range old {
		switch {
		case c.Kind != cib.KindElement || c.Name != "lrm" && c.Name != "transient_attributes":
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
	last := []*cib.Element{transient, lrm}
	if n.lrmFirst {
		last = []*cib.Element{lrm, transient}
	}
	for _, c := range last {
		if c != nil {
			children = append(children, c)
		}
	}
	return e.WithChildren(children)
}

// buildLrm makes the lrm element; nil when there is no history, or none was touched.
func (n *nodeState) buildLrm() *cib.Element {
	if len(n.histories) == 0 {
		return nil
	}
	var lrm, list *cib.Element
	if n.el != nil && !n.emptied {
		lrm = n.el.Child("lrm")
		list = lrm.Child("lrm_resources")
	}
	built := make(map[*cib.Element]*cib.Element)
	var added []*cib.Element
	for _, h := range n.histories {
		switch {
		case h.el == nil:
			added = append(added, cib.NewElement("lrm_resource", h.attrs, h.ops...))
		case h.changed:
			built[h.el] = h.el.WithChildren(h.ops)
		}
	}
	if list == nil {
		list = cib.NewElement("lrm_resources", nil, added...)
		if lrm != nil {
			return lrm.WithChildren(append(append([]*cib.Element(nil), lrm.Children...), list))
		}
		return cib.NewElement("lrm", []cib.Attr{{Name: "id", Value: n.id}}, list)
	}
	children := make([]*cib.Element, 0, len(list.Children)+len(added))
	for _, c := range list.Children {
		if b := built[c]; b != nil {
			c = b
		}
		children = append(children, c)
	}
	return replaceChild(lrm, list, list.WithChildren(append(children, added...)))
}

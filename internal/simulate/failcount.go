package simulate

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// notRunning is the return code of a monitor that found the resource stopped.
const notRunning = 7

// countFailure adds a failure of an operation to the transient attributes of its node: the count and the
// time. Success is no failure, nor is to find the resource stopped other than in a recurring operation.
func (s *state) countFailure(n *nodeState, rsc string, op operation) []Step {
	if op.rc == 0 || op.rc == notRunning && op.intervalMS == 0 {
		return nil
	}
	suffix := fmt.Sprintf("%s#%s_%d", rsc, op.task, op.intervalMS)
	stamp := strconv.FormatInt(op.stamp, 10)
	n.setTransient("fail-count-"+suffix, "value++")
	n.setTransient("last-failure-"+suffix, stamp)
	return []Step{
		{Kind: AttrStep, Attr: "fail-count-" + suffix, Value: "value++", NodeID: n.id},
		{Kind: AttrStep, Attr: "last-failure-" + suffix, Value: stamp, NodeID: n.id},
	}
}

// setTransient sets a transient attribute; "value++" adds one to what is there.
func (n *nodeState) setTransient(name, value string) {
	t := n.transient
	if t == nil && !n.emptied {
		t = n.el.Child("transient_attributes")
	}
	if t == nil {
		t = cib.NewElement("transient_attributes", []cib.Attr{{Name: "id", Value: n.id}})
	}
	set := t.Child("instance_attributes")
	if set == nil {
		set = cib.NewElement("instance_attributes", []cib.Attr{{Name: "id", Value: n.id}})
		t = t.WithChildren(append(append([]*cib.Element(nil), t.Children...), set))
	}
	n.transient = replaceChild(t, set, withPair(set, name, value))
	n.changed = true
}

// withPair sets an nvpair of a block.
func withPair(set *cib.Element, name, value string) *cib.Element {
	children := append([]*cib.Element(nil), set.Children...)
	for i, c := range children {
		if c.Kind == cib.KindElement && c.Name == "nvpair" && c.Attr("name") == name {
			if value == "value++" {
				value = increment(c.Attr("value"))
			}
			children[i] = c.With("value", value)
			return set.WithChildren(children)
		}
	}
	if value == "value++" {
		value = "1"
	}
	id := strings.Map(xmlIDRune, set.ID()+"-"+name)
	return set.WithChildren(append(children, cib.NewElement("nvpair", []cib.Attr{{Name: "id", Value: id},
		{Name: "name", Value: name}, {Name: "value", Value: value}})))
}

// increment adds one to a count; a count that is infinite stays so.
func increment(s string) string {
	n, ok := cib.ParseScore(s)
	if !ok {
		return "1"
	}
	if n >= cib.Infinity {
		return s
	}
	return strconv.Itoa(n + 1)
}

// xmlIDRune replaces what an XML id may not hold.
func xmlIDRune(r rune) rune {
	switch {
	case r == ':' || r == '#' || r == ' ' || r == '/' || r == '@':
		return '.'
	}
	return r
}

package configure

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Update is a change of a resource.
type Update struct {
	ID string
	Options
	Stonith bool
}

// UpdateResource changes a resource: a primitive's parameters, meta attributes and operations, a clone's meta attributes.
func UpdateResource(d *Draft, agents Agents, u *Update) error {
	p := d.Find(u.ID, resourceTags()...)
	if p == nil {
		return d.refuse("Unable to find resource: %s%s", u.ID, d.near(u.ID))
	}
	d.wrongNoun(u.Stonith, []string{u.ID}, "update")
	d.checkGuestOf(p.Last(), u.Meta)
	switch p.Last().Name {
	case "primitive":
		d.updatePrimitive(agents, p, u)
	case "clone", "master":
		d.updateClone(agents, p, u)
	default:
		return d.refuse("Unable to find resource: %s: it is a %s; 'resource meta' changes its meta attributes", u.ID, p.Last().Name)
	}
	return d.Refused()
}

func (d *Draft) updateClone(agents Agents, p cib.Path, u *Update) {
	if len(u.Ops) > 0 {
		d.Fail("op settings must be changed on base resource, not the clone")
		return
	}
	pairs := slices.Concat(u.Params, u.Meta)
	d.checkCloneMeta(agents, p.Last(), pairs)
	if d.Refused() == nil {
		d.SetPairs(d.asClone(p), "meta_attributes", Sorted(pairs))
	}
}

// checkCloneMeta notes what a clone is to be that its agents cannot be.
func (d *Draft) checkCloneMeta(agents Agents, e *cib.Element, meta []Pair) {
	if v, ok := Lookup(meta, "promotable"); ok && isTrue(v) {
		d.checkPromotable(agents, e)
	}
	d.checkUnique(agents, e, meta)
}

func (d *Draft) updatePrimitive(agents Agents, p cib.Path, u *Update) {
	e := p.Last()
	name := AgentOf(e)
	if len(u.Params) > 0 {
		if name.Class == "stonith" {
			u.Params = d.oldAction(u.Params)
		}
		d.checkParams(name, d.metadata(agents, name), u.Params, append(pairsOf(e, "instance_attributes"), Pair{}), u.ID)
	}
	d.checkRemoteParams(name, u.Params, u.ID)
	if before := pairsOf(e, "instance_attributes"); len(u.Params) > 0 {
		d.validate(u.Validator, name, u.ID, updated(before, u.Params), before)
	}
	if d.Refused() != nil {
		return
	}
	p = d.SetPairs(p, "instance_attributes", u.Params)
	p = d.SetPairs(p, "meta_attributes", u.Meta)
	if Child(p, "operations") == nil {
		d.Add(p, cib.NewElement("operations", nil))
	}
	for _, op := range u.Ops {
		if len(op.Pairs) > 0 {
			d.replaceOp(u.ID, op)
		}
	}
}

// checkRemoteParams notes that the address of a remote node is changed, which the cluster would not follow.
func (d *Draft) checkRemoteParams(name AgentName, params []Pair, id string) {
	server, ok := Lookup(params, "server")
	if name != remoteAgent() || !ok || server == "" {
		return
	}
	if slices.Contains(d.remotes(id), server) {
		d.Fail("'%s' already exists: a node has that name or address", server)
	}
}

// pairAt is a meta attribute of a resource, empty if it has none of that name.
func pairAt(e *cib.Element, name string) string {
	v, _ := Lookup(pairsOf(e, "meta_attributes"), name)
	return v
}

// checkGuestOf notes that a resource is made a guest node, or no longer one.
func (d *Draft) checkGuestOf(e *cib.Element, meta []Pair) {
	have := d.remotes(e.ID())
	for _, n := range d.checkGuest(meta) {
		if slices.Contains(have, n) || d.Taken(n) && n != pairAt(e, "remote-node") {
			d.Fail("'%s' already exists: a node has that name or address, or something has that id", n)
		}
	}
}

// SetMeta sets meta attributes of a resource.
func SetMeta(d *Draft, agents Agents, id string, pairs []Pair, stonith bool) error {
	p := d.resource(id)
	if p == nil {
		return d.Refused()
	}
	if p.Last().Name == "bundle" {
		return d.refuse("unable to find a resource/clone/group: %s: it is a bundle; 'resource bundle update %s meta' changes its meta attributes", id, id)
	}
	d.wrongNoun(stonith, []string{id}, "meta")
	d.checkGuestOf(p.Last(), pairs)
	if e := p.Last(); e.Name == "clone" || e.Name == "master" {
		d.checkCloneMeta(agents, e, pairs)
	}
	if d.Refused() == nil {
		d.SetPairs(d.asClone(p), "meta_attributes", pairs)
	}
	return d.Refused()
}

// Utilization sets utilization attributes of a primitive.
func Utilization(d *Draft, id string, pairs []Pair) error {
	p := d.Find(id, "primitive")
	if p == nil {
		return d.refuse("Unable to find a resource: %s%s", id, d.near(id))
	}
	for _, a := range pairs {
		if a.Value == "" {
			continue
		}
		if !isInteger(a.Value) {
			d.Fail("Value of utilization attribute must be integer: '%s=%s'", a.Name, a.Value)
		}
	}
	if d.Refused() == nil {
		d.SetPairs(p, "utilization", Sorted(pairs))
	}
	return d.Refused()
}

func isInteger(s string) bool {
	s = strings.TrimPrefix(strings.TrimPrefix(s, "-"), "+")
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// replaceOp puts an operation in the place of the first one of its name and role, or adds it.
func (d *Draft) replaceOp(resource string, op Op) {
	op, ok := d.typedOp(op)
	if !ok {
		return
	}
	list := Child(d.Find(resource, "primitive"), "operations")
	role, _ := Lookup(op.Pairs, "role")
	at := slices.IndexFunc(list.Last().Children, func(e *cib.Element) bool {
		return e.Name == "op" && e.Attr("name") == op.Name && (e.Attr("role") == role || d.Role(e.Attr("role")) == role)
	})
	if at < 0 {
		at = len(list.Last().Children)
	} else {
		d.Put(append(list, list.Last().Children[at]), nil)
		list = Child(d.Find(resource, "primitive"), "operations")
	}
	if d.sameOp(list.Last(), op) {
		return
	}
	d.Put(list, list.Last().Insert(at, d.laterOp(resource, op)))
}

// AddOp adds an operation to a primitive.
func AddOp(d *Draft, id string, op Op, stonith bool) error {
	p := d.Find(id, "primitive")
	if p == nil {
		return d.refuse("Unable to find resource: %s%s", id, d.near(id))
	}
	d.wrongNoun(stonith, []string{id}, "op add")
	op, ok := d.typedOp(op)
	if !ok {
		return d.Refused()
	}
	if Child(p, "operations") == nil {
		p = d.Add(p, cib.NewElement("operations", nil))
		p = p[:len(p)-1]
	}
	list := Child(p, "operations")
	if d.sameOp(list.Last(), op) || d.similarOp(id, list.Last(), op) {
		return d.Refused()
	}
	d.Add(list, d.laterOp(id, op))
	return nil
}

// sameOp notes that there is an operation of that name and interval.
func (d *Draft) sameOp(list *cib.Element, op Op) bool {
	interval, _ := Lookup(op.Pairs, "interval")
	ms, ok := cib.ParseDuration(interval)
	for e := range list.Elements() {
		have, valid := cib.ParseDuration(e.Attr("interval"))
		if e.Attr("name") != op.Name || !(ok && valid && ms == have || interval == e.Attr("interval")) {
			continue
		}
		d.Fail("operation %s with interval %s already specified: %s", op.Name, e.Attr("interval"), opText(e))
		return true
	}
	return false
}

// similarOp notes that there is an operation of that name, which is probably the one meant. Monitors may be several: one for each
// role, and deeper ones.
func (d *Draft) similarOp(id string, list *cib.Element, op Op) bool {
	_, level := Lookup(op.Pairs, "OCF_CHECK_LEVEL")
	role, _ := Lookup(op.Pairs, "role")
	for e := range list.Elements() {
		another := op.Name == "monitor" && (level || d.Role(cmp.Or(e.Attr("role"), "Started")) != cmp.Or(role, "Started"))
		if e.Attr("name") == op.Name && !another {
			return !d.Doubt("operation %s already specified for %s: %s", op.Name, id, opText(e))
		}
	}
	return false
}

func opText(e *cib.Element) string {
	text := e.Attr("name")
	for name, value := range e.Attrs() {
		if name != "name" && name != "id" {
			text += " " + name + "=" + value
		}
	}
	return fmt.Sprintf("%s (%s)", text, e.ID())
}

// typedOp checks an operation that is added to a resource that is there, and gives it an interval.
func (d *Draft) typedOp(op Op) (Op, bool) {
	fine := true
	pairs := slices.Clone(op.Pairs)
	for i, p := range pairs {
		switch {
		case !slices.Contains(opOptions(), p.Name) || p.Name == "name" && len(op.Pairs) == 1:
			fine = d.Doubt("%s is not a valid op option", p.Name) && fine
		case p.Name == "role":
			if slices.Contains([]string{"Master", "Promoted", "Slave", "Started", "Stopped", "Unpromoted"}, p.Value) {
				pairs[i].Value = d.Role(p.Value)
			} else {
				fine = d.Doubt("role must be: 'Master', 'Promoted', 'Slave', 'Started', 'Stopped' or 'Unpromoted'") && fine
			}
		case p.Name == "id":
			switch {
			case !d.CheckID(p.Value, "operation id"):
				fine = false
			case d.Taken(p.Value):
				fine = d.Fail("id '%s' is already in use, please specify another one", p.Value)
			}
		}
	}
	op.Pairs = pairs
	if v, ok := Lookup(pairs, "interval"); !ok || v == "" {
		op = withInterval(op)
	}
	return op, fine
}

// laterOp makes the element of an operation of a resource that is there: its ids differ from those of new resources.
func (d *Draft) laterOp(resource string, op Op) *cib.Element {
	var attrs []cib.Attr
	level, deep := "", false
	id, given := Lookup(op.Pairs, "id")
	interval, _ := Lookup(op.Pairs, "interval")
	if !given {
		id = d.Free(resource + "-" + op.Name + "-interval-" + interval)
	}
	attrs = append(attrs, cib.Attr{Name: "id", Value: id}, cib.Attr{Name: "name", Value: op.Name})
	for _, p := range Sorted(op.Pairs) {
		switch p.Name {
		case "id":
		case "OCF_CHECK_LEVEL":
			level, deep = p.Value, true
		default:
			attrs = cib.SetAttr(attrs, p.Name, p.Value)
		}
	}
	e := cib.NewElement("op", attrs)
	if !deep {
		return e
	}
	pair := cib.NewElement("nvpair", []cib.Attr{{Name: "name", Value: "OCF_CHECK_LEVEL"}, {Name: "value", Value: level},
		{Name: "id", Value: d.Free(id + "-OCF_CHECK_LEVEL-" + level)}})
	return e.WithChild(cib.NewElement("instance_attributes", []cib.Attr{{Name: "id", Value: d.Free("params-" + id)}}, pair))
}

// RemoveOp takes operations out: that of an id, or those of a resource's that have the name and, if any are given, exactly the
// options.
func RemoveOp(d *Draft, id string, op *Op) error {
	if op == nil {
		p := d.Find(id, "op")
		if p == nil {
			return d.refuse("unable to find operation id: %s", id)
		}
		d.Put(p, nil)
		return nil
	}
	p := d.Find(id, "primitive")
	if p == nil {
		return d.refuse("Unable to find resource: %s%s", id, d.near(id))
	}
	removed := false
	for e := range p.Last().Child("operations").Elements() {
		if e.Name != "op" || !opMatches(e, op) {
			continue
		}
		d.Put(d.Find(e.ID(), "op"), nil)
		removed = true
	}
	if !removed {
		text := op.Name
		for _, a := range op.Pairs {
			text += " " + a.Name + "=" + a.Value
		}
		return d.refuse("Unable to find operation matching: %s", text)
	}
	return nil
}

func opMatches(e *cib.Element, op *Op) bool {
	if e.Attr("name") != op.Name {
		return false
	}
	if len(op.Pairs) == 0 {
		return true
	}
	n := 0
	for name, value := range e.Attrs() {
		if name == "id" || name == "name" {
			continue
		}
		n++
		if v, ok := Lookup(op.Pairs, name); !ok || v != value {
			return false
		}
	}
	return n == len(slices.DeleteFunc(slices.Clone(op.Pairs), func(p Pair) bool { return p.Name == "id" }))
}

package cib

import (
	"errors"
	"fmt"
	"slices"
)

// config applies edits of the CIB, one after the other.
func (a *applying) config(c *ConfigChange) error {
	if b := c.Base; b != nil {
		if v := a.state.CIB.Version; v.AdminEpoch != b.AdminEpoch || v.Epoch != b.Epoch {
			return fmt.Errorf("%w: the change was made for %d.%d, the configuration is %d.%d by now: read it again and repeat the change",
				ErrVersion, b.AdminEpoch, b.Epoch, v.AdminEpoch, v.Epoch)
		}
	}
	if err := a.flush(); err != nil {
		return err
	}
	root := a.cib.Root
	for i := range c.Edits {
		var err error
		if root, err = c.Edits[i].apply(root); err != nil {
			return fmt.Errorf("edit %d (%s): %w", i+1, c.Edits[i].Op, err)
		}
		if root == nil || root.Name != "cib" || root.Child("configuration") == nil {
			return refuse("leave those two where they are", "edit %d leaves no <cib> with a <configuration>", i+1)
		}
	}
	if err := a.replaceRoot(keepOurs(a.cib.Root, root)); err != nil {
		return err
	}
	return a.ensureNodes()
}

// keepOurs gives an edited document back what no edit may change: the version, and what the cluster says of itself.
func keepOurs(old, edited *Element) *Element {
	if edited == old {
		return old
	}
	for _, name := range [...]string{"admin_epoch", "epoch", "num_updates", "have-quorum", "dc-uuid"} {
		if v, ok := old.Lookup(name); ok {
			edited = edited.With(name, v)
		} else {
			edited = edited.Without(name)
		}
	}
	return edited
}

// apply makes one step.
func (e *Edit) apply(root *Element) (*Element, error) {
	var el *Element
	if e.XML != "" {
		var err error
		if el, err = parseFragment(e.XML); err != nil {
			return nil, err
		}
	}
	if el == nil && (e.Op != "delete" || e.XPath == "") {
		return nil, refuse("give the element", "the edit has no XML")
	}
	switch e.Op {
	case "replace":
		return e.replace(root, el)
	case "modify":
		return e.modify(root, el)
	case "create":
		return e.create(root, el)
	case "delete":
		return e.remove(root, el)
	case "patch":
		return patchConfig(root, el)
	}
	return nil, refuse("use replace, modify, create, delete or patch", "there is no edit called %q", e.Op)
}

// parseFragment reads the XML of an edit. Where the element stood in there means nothing to others.
func parseFragment(text string) (*Element, error) {
	el, err := Parse("", []byte(text))
	if err != nil {
		return nil, refuse("correct the XML", "%v", err)
	}
	return el.unplaced(), nil
}

// unplaced is a copy of an element that does not say where it was read.
func (e *Element) unplaced() *Element {
	c := *e
	c.Line = 0
	c.Children = make([]*Element, len(e.Children))
	for i, child := range e.Children {
		c.Children[i] = child.unplaced()
	}
	return &c
}

func (e *Edit) replace(root, el *Element) (*Element, error) {
	if e.XPath == "" && el.Name == "cib" {
		return replaceDocument(root, el), nil
	}
	p, err := e.find(root, el)
	if err != nil {
		return nil, err
	}
	if len(p) == 0 {
		return nil, refuse("create it", "there is no %s to replace", describe(el))
	}
	return p.Replace(el), nil
}

// replaceDocument puts another document in the place of this one. The status stays: it is observed, and not
// for anybody to say.
func replaceDocument(root, el *Element) *Element {
	children := slices.DeleteFunc(slices.Clone(el.Children), func(c *Element) bool { return c.Kind == KindElement && c.Name == "status" })
	if status := root.Child("status"); status != nil {
		children = append(children, status)
	}
	return el.WithChildren(children)
}

func (e *Edit) modify(root, el *Element) (*Element, error) {
	p, err := e.find(root, el)
	if err != nil {
		return nil, err
	}
	switch {
	case len(p) > 0:
		return p.Replace(p.Last().Merge(el)), nil
	case e.Create:
		return e.create(root, el)
	}
	return nil, refuse("create it, or look for the id with `cibadmin --query`", "there is no %s to modify", describe(el))
}

func (e *Edit) create(root, el *Element) (*Element, error) {
	p, err := e.parent(root, el)
	if err != nil {
		return nil, err
	}
	return p.Add(el)
}

func (e *Edit) remove(root, el *Element) (*Element, error) {
	if e.XPath == "" {
		p, err := e.find(root, el)
		switch {
		case err != nil:
			return nil, err
		case len(p) > 1:
			return p.Replace(nil), nil
		case len(p) == 1:
			return nil, refuse("delete what is in it", "the whole document cannot be deleted")
		case e.All:
			return root, nil
		}
		return nil, refuse("look for the id with `cibadmin --query`", "there is no %s to delete", describe(el))
	}
	found, err := Query(root, e.XPath)
	switch {
	case err != nil:
		return nil, refuse("correct the XPath", "%v", err)
	case !e.All && len(found) != 1:
		return nil, refuse("write an XPath that finds one, or ask for all", "%q finds %d elements", e.XPath, len(found))
	}
	return removeAll(root, found)
}

// removeAll takes out what was found: elements, and attributes.
func removeAll(root *Element, found []Match) (*Element, error) {
	gone, bare := make(map[*Element]bool), make(map[*Element][]string)
	deepest := false
	for _, m := range found {
		if m.Attr != "" {
			bare[m.Element()] = append(bare[m.Element()], m.Attr)
		} else if gone[m.Element()] = true; m.Element() == root {
			return nil, refuse("delete what is in it", "the whole document cannot be deleted")
		}
		deepest = deepest || len(m.Path) > 1 && m.Path[1].Name != "configuration"
	}
	if len(found) == 1 && len(gone) == 1 {
		return found[0].Path.Replace(nil), nil
	}
	// What f of Map is shown may be a copy with fewer children, so it is looked up before.
	var change func(e *Element) *Element
	change = func(e *Element) *Element {
		children, changed := make([]*Element, 0, len(e.Children)), false
		for _, c := range e.Children {
			if gone[c] {
				changed = true
				continue
			}
			now := c
			if c.Kind == KindElement && (e != root || deepest || c.Name == "configuration") {
				now = change(c)
			}
			changed = changed || now != c
			children = append(children, now)
		}
		out := e
		if changed {
			out = e.WithChildren(children)
		}
		for _, name := range bare[e] {
			out = out.Without(name)
		}
		return out
	}
	return change(root), nil
}

// find is the path to the element that an edit is about: what its XPath finds or else the section, or the
// element with the name and the id of its XML. Empty: there is none.
func (e *Edit) find(root, el *Element) (Path, error) {
	if e.XPath != "" {
		m, err := QueryOne(root, e.XPath)
		switch {
		case err != nil:
			return nil, refuse("write an XPath that finds one element", "%v", err)
		case m.Attr != "":
			return nil, refuse("leave the attribute out of the XPath", "%q finds an attribute, not an element", e.XPath)
		}
		return m.Path, nil
	}
	if el.Name == "cib" {
		return Path{root}, nil
	}
	conf := root.Child("configuration")
	if el.Name == "configuration" {
		return Path{root, conf}, nil
	}
	if el.Name == "status" {
		return pathTo(root, root.Child("status")), nil
	}
	if slices.Contains(configSections[:], el.Name) {
		if section := conf.Child(el.Name); section != nil {
			return Path{root, conf, section}, nil
		}
		return nil, nil
	}
	id := el.Attr("id")
	if id == "" {
		return nil, refuse("give an id, or an XPath", "<%s> has no id to find it by", el.Name)
	}
	return findByID(Path{root, conf}, el.Name, id), nil
}

func pathTo(root, child *Element) Path {
	if child == nil {
		return nil
	}
	return Path{root, child}
}

// findByID finds an element by name and id at any depth below the end of a path.
func findByID(at Path, name, id string) Path {
	for c := range at.Last().Elements() {
		here := append(at[:len(at):len(at)], c)
		if c.Name == name && c.Attr("id") == id {
			return here
		}
		if found := findByID(here, name, id); found != nil {
			return found
		}
	}
	return nil
}

// configSections are the sections of a configuration.
var configSections = [...]string{"crm_config", "rsc_defaults", "op_defaults", "nodes", "resources", "constraints",
	"fencing-topology", "alerts", "acls", "tags"}

// sectionOf is the section in which elements of a name stand; empty if the name does not tell.
func sectionOf(element string) string {
	switch element {
	case "cluster_property_set":
		return "crm_config"
	case "node":
		return "nodes"
	case "primitive", "group", "clone", "master", "bundle", "template":
		return "resources"
	case "rsc_location", "rsc_colocation", "rsc_order", "rsc_ticket":
		return "constraints"
	case "fencing-level":
		return "fencing-topology"
	case "alert":
		return "alerts"
	case "acl_role", "acl_target", "acl_group", "acl_user":
		return "acls"
	case "tag":
		return "tags"
	}
	return ""
}

// parent is the path to where a new element belongs. A section that is not there is made.
func (e *Edit) parent(root, el *Element) (Path, error) {
	where := e.Parent
	if where == "" {
		if where = sectionOf(el.Name); slices.Contains(configSections[:], el.Name) {
			where = "configuration"
		}
	}
	switch {
	case where == "":
		return nil, refuse("give its parent, as a section's name or an XPath", "it cannot be told where <%s> belongs", el.Name)
	case where == "configuration":
		return Path{root, root.Child("configuration")}, nil
	case slices.Contains(configSections[:], where):
		conf := root.Child("configuration")
		if conf.Child(where) == nil {
			with := conf.WithChild(NewElement(where, nil))
			root, conf = root.Swap(conf, with), with
		}
		return Path{root, conf, conf.Child(where)}, nil
	}
	m, err := QueryOne(root, where)
	switch {
	case err != nil:
		return nil, refuse("write an XPath that finds one element", "%v", err)
	case m.Attr != "":
		return nil, refuse("leave the attribute out of the XPath", "%q finds an attribute, not an element", where)
	}
	return m.Path, nil
}

// patchConfig applies a patch. The version that it is for counts, if it has one, except for num_updates: results come in all the
// time.
func patchConfig(root, el *Element) (*Element, error) {
	p, err := ReadPatch(el)
	if err != nil {
		return nil, refuse("give a diff of format 2, as crm_diff makes them", "%v", err)
	}
	v := VersionOf(root)
	if (p.Source != Version{}) && (p.Source.AdminEpoch != v.AdminEpoch || p.Source.Epoch != v.Epoch) {
		return nil, fmt.Errorf("%w: it is for %d.%d, the configuration is %d.%d: read it again", ErrVersion,
			p.Source.AdminEpoch, p.Source.Epoch, v.AdminEpoch, v.Epoch)
	}
	patched, err := p.run(root)
	if err != nil {
		return nil, refuse("make the patch anew from the configuration as it is", "%v", err)
	}
	return patched, nil
}

// describe is an element in words: its name and its id.
func describe(el *Element) string {
	if id := el.Attr("id"); id != "" {
		return fmt.Sprintf("<%s id=%q>", el.Name, id)
	}
	return "<" + el.Name + ">"
}

// IsRefusal reports whether an error of Apply is about the command: the user's to read, and the same
// whenever it is tried.
func IsRefusal(err error) bool {
	var c *CommandError
	return errors.As(err, &c) || errors.Is(err, ErrExists) || errors.Is(err, ErrVersion)
}

var _ error = (*CommandError)(nil)

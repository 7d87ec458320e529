package cib

import (
	"fmt"
	"time"
)

// Decode reads a CIB. It accepts everything that can be planned with, however odd (Check tells what is
// wrong with it); the error is about what is not XML, or not a CIB. The CIB keeps data: it must never be
// changed afterwards.
func Decode(file string, data []byte) (*CIB, error) {
	root, err := Parse(file, data)
	if err != nil {
		return nil, err
	}
	return DecodeRoot(file, root)
}

// DecodeRoot is Decode of a document that is already parsed.
func DecodeRoot(file string, root *Element) (*CIB, error) {
	return decodeFrom(&CIB{File: file, Root: NewElement("cib", nil)}, root)
}

// Update is DecodeRoot of a document made from c's: the configuration, node states and histories of
// resources that the two share are not decoded again.
func (c *CIB) Update(root *Element) (*CIB, error) { return decodeFrom(c, root) }

func decodeFrom(old *CIB, root *Element) (*CIB, error) {
	if root == nil || root.Name != "cib" {
		name, line := "", 0
		if root != nil {
			name, line = root.Name, int(root.Line)
		}
		return nil, &SyntaxError{old.File, line, fmt.Sprintf("the root element is <%s>, not <cib>: this is not a CIB", name)}
	}
	d := &decoder{cib: &CIB{File: old.File, Root: root, Templates: make(map[string]*Template)}}
	c := root.Child("configuration")
	same := c != nil && c == old.Root.Child("configuration")
	if same {
		shared := *old
		d.cib = &shared
		d.cib.Root, d.cib.Status = root, Status{}
	} else {
		d.old = isOldSchema(root.Attr("validate-with"))
		if d.configuration(c); d.old {
			d.upgradeProperties()
		}
	}
	d.head(root)
	for section := range root.Elements() {
		if section.Name == "status" {
			d.status(section, newDecoded(old, same))
		}
	}
	return d.cib, nil
}

// decoder turns elements into the model. It never fails: what makes no sense is left out.
type decoder struct {
	cib  *CIB
	byID map[string]*Element // every element of the configuration with an id, once asked for
	// ruled holds the rules that were read, nil while they are: references can make circles.
	ruled map[*Element]*Rule
	// everything keeps resources that cannot be planned with, for Check to complain of.
	everything bool
	old        bool // of a schema before 3.0
}

// maxReferences limits chains of id-ref.
const maxReferences = 16

func (d *decoder) head(root *Element) {
	c := d.cib
	c.Version, c.ValidateWith, c.FeatureSet, c.DCUUID, c.ExecutionDate = Version{}, "", "", "", time.Time{}
	c.HaveQuorum, c.NoQuorumPanic = true, false
	for name, value := range root.Attrs() {
		switch name {
		case "admin_epoch":
			c.Version.AdminEpoch = parseInt(value, 0)
		case "epoch":
			c.Version.Epoch = parseInt(value, 0)
		case "num_updates":
			c.Version.NumUpdates = parseInt(value, 0)
		case "validate-with":
			c.ValidateWith = value
		case "crm_feature_set":
			c.FeatureSet = value
		case "dc-uuid":
			c.DCUUID = value
		case "have-quorum":
			c.HaveQuorum = boolOr(value, false)
		case "no-quorum-panic":
			c.NoQuorumPanic = boolOr(value, false)
		case "execution-date":
			c.ExecutionDate = executionDate(value)
		}
	}
}

func (d *decoder) configuration(section *Element) {
	c := d.cib
	for e := range section.Elements() {
		switch e.Name {
		case "crm_config":
			c.Properties = d.sets(e, "cluster_property_set")
		case "rsc_defaults":
			c.RscDefaults = d.sets(e, "meta_attributes")
		case "op_defaults":
			c.OpDefaults = d.sets(e, "meta_attributes")
		case "nodes":
			d.nodes(e)
		case "resources":
			d.resources(e)
		case "constraints":
			d.constraints(e)
		case "fencing-topology":
			d.fencingTopology(e)
		case "alerts":
			d.alerts(e)
		case "acls":
			d.acls(e)
		case "tags":
			d.tags(e)
		}
	}
}

// find returns the element of the configuration that has the id, or nil.
func (d *decoder) find(id string) *Element {
	if d.byID == nil {
		d.byID = make(map[string]*Element)
		for e := range d.cib.Root.Child("configuration").All() {
			if id, ok := e.Lookup("id"); ok && d.byID[id] == nil {
				d.byID[id] = e
			}
		}
	}
	return d.byID[id]
}

// resolve follows an element's id-ref to the element of the same kind that it stands for. An element
// without id-ref is itself; nil if the reference leads nowhere.
func (d *decoder) resolve(e *Element) *Element {
	for range maxReferences {
		ref, ok := e.Lookup("id-ref")
		if !ok {
			return e
		}
		target := d.find(ref)
		if target == nil || target.Name != e.Name || target == e {
			return nil
		}
		e = target
	}
	return nil
}

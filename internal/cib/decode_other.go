package cib

import "strings"

func (d *decoder) fencingTopology(section *Element) {
	for e := range section.Elements() {
		if e.Name != "fencing-level" {
			continue
		}
		l := &FencingLevel{
			ID: e.Attr("id"), Target: e.Attr("target"), TargetPattern: e.Attr("target-pattern"),
			TargetAttribute: e.Attr("target-attribute"), TargetValue: e.Attr("target-value"),
			Index: parseInt(e.Attr("index"), 0), El: e,
		}
		for device := range strings.SplitSeq(e.Attr("devices"), ",") {
			if device = strings.TrimSpace(device); device != "" {
				l.Devices = append(l.Devices, device)
			}
		}
		d.cib.Levels = append(d.cib.Levels, l)
	}
}

func (d *decoder) alerts(section *Element) {
	for e := range section.Elements() {
		if e.Name != "alert" {
			continue
		}
		a := &Alert{ID: e.Attr("id"), Path: e.Attr("path"), Select: e.Child("select"), El: e}
		a.Meta = d.sets(e, "meta_attributes")
		a.Params = d.sets(e, "instance_attributes")
		for r := range e.Elements() {
			if r.Name == "recipient" {
				a.Recipients = append(a.Recipients, AlertRecipient{ID: r.Attr("id"), Value: r.Attr("value"),
					Meta: d.sets(r, "meta_attributes"), Params: d.sets(r, "instance_attributes")})
			}
		}
		d.cib.Alerts = append(d.cib.Alerts, a)
	}
}

func (d *decoder) tags(section *Element) {
	for e := range section.Elements() {
		if e.Name != "tag" {
			continue
		}
		t := &Tag{ID: e.Attr("id"), El: e}
		for ref := range e.Elements() {
			if ref.Name == "obj_ref" {
				t.Refs = append(t.Refs, ref.Attr("id"))
			}
		}
		d.cib.Tags = append(d.cib.Tags, t)
	}
}

func (d *decoder) acls(section *Element) {
	a := &d.cib.ACLs
	for e := range section.Elements() {
		switch e.Name {
		case "acl_role":
			a.Roles = append(a.Roles, aclRole(e))
		case "acl_target", "acl_group", "acl_user":
			t := ACLTarget{ID: e.Attr("id"), Name: e.Attr("name"), Group: e.Name == "acl_group"}
			if t.Name == "" {
				t.Name = t.ID
			}
			for c := range e.Elements() {
				if c.Name == "role" || c.Name == "role_ref" {
					t.Roles = append(t.Roles, c.Attr("id"))
				}
			}
			if own := aclRole(e); e.Name == "acl_user" && len(own.Perms) > 0 { // 1.x: a user's own permissions
				own.ID = "acl_user " + t.ID
				a.Roles = append(a.Roles, own)
				t.Roles = append(t.Roles, own.ID)
			}
			a.Targets = append(a.Targets, t)
		}
	}
}

func aclRole(e *Element) ACLRole {
	r := ACLRole{ID: e.Attr("id")}
	for c := range e.Elements() {
		p := ACLPermission{ID: c.Attr("id"), XPath: c.Attr("xpath"), Attribute: c.Attr("attribute")}
		switch c.Name {
		case "acl_permission":
			p.Kind, p.ObjectType, p.Reference = c.Attr("kind"), c.Attr("object-type"), c.Attr("reference")
		case "read", "write", "deny": // 1.x
			p.Kind, p.ObjectType, p.Reference = c.Name, c.Attr("tag"), c.Attr("ref")
		default:
			continue
		}
		r.Perms = append(r.Perms, p)
	}
	return r
}

package configure

import (
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Permission is one permission of a role: read, write or deny what an XPath finds, or what has an id.
type Permission struct {
	Kind  string
	XPath bool
	Of    string
}

// aclTag is the element of a user or a group.
func aclTag(group bool) string {
	if group {
		return "acl_group"
	}
	return "acl_target"
}

func aclWord(tag string) string {
	return map[string]string{"acl_target": "ACL user", "acl_group": "ACL group", "acl_role": "ACL role", "acl_permission": "ACL permission"}[tag]
}

// aclPart is the path to a user, group, role or permission, nil with a problem noted if there is none.
func (d *Draft) aclPart(tag, id string) cib.Path {
	p := d.acl(tag, id)
	if p == nil {
		d.Fail("%s '%s' does not exist", aclWord(tag), id)
	}
	return p
}

func (d *Draft) acl(tag, id string) cib.Path {
	return firstOf(d.Where(func(e *cib.Element) bool { return e.Name == tag && e.ID() == id }))
}

// NewRole makes a role.
func NewRole(d *Draft, id, description string, permissions []Permission) error {
	d.NewID(id, "ACL role")
	d.checkPermissions(permissions)
	if err := d.Refused(); err != nil {
		return err
	}
	attrs := []cib.Attr{{Name: "id", Value: id}}
	if description != "" {
		attrs = append(attrs, cib.Attr{Name: "description", Value: description})
	}
	d.permit(d.Add(d.Section("acls"), cib.NewElement("acl_role", attrs)), permissions)
	return nil
}

func (d *Draft) checkPermissions(list []Permission) {
	for _, p := range list {
		if !p.XPath && d.Find(p.Of) == nil {
			d.Fail("id '%s' does not exist", p.Of)
		}
	}
}

func (d *Draft) permit(role cib.Path, list []Permission) {
	for _, p := range list {
		attrs := []cib.Attr{{Name: "id", Value: d.Free(role.Last().ID() + "-" + p.Kind)}, {Name: "kind", Value: p.Kind}}
		if p.XPath {
			attrs = append(attrs, cib.Attr{Name: "xpath", Value: p.Of})
		} else {
			attrs = append(attrs, cib.Attr{Name: "reference", Value: p.Of})
		}
		added := d.Add(role, cib.NewElement("acl_permission", attrs))
		role = added[:len(added)-1]
	}
}

// RemoveRole takes a role out, and away from all who have it. Who has none then, goes too if purge is set.
func RemoveRole(d *Draft, id string, purge bool) error {
	p := d.aclPart("acl_role", id)
	if p == nil {
		return d.Refused()
	}
	d.Put(p, nil)
	for {
		owner := firstOf(d.Where(func(e *cib.Element) bool {
			return (e.Name == "acl_target" || e.Name == "acl_group") && e.Find("role", id) != nil
		}))
		if owner == nil {
			return nil
		}
		d.unassign(owner, id, purge)
	}
}

func (d *Draft) unassign(owner cib.Path, role string, purge bool) {
	e := owner.Last()
	e = e.Replace(e.Index(e.Find("role", role)), nil)
	if purge && e.Child("role") == nil {
		e = nil
	}
	d.Put(owner, e)
}

// AddPermissions gives a role more permissions; a role that is not there yet is made.
func AddPermissions(d *Draft, role string, permissions []Permission) error {
	p := d.acl("acl_role", role)
	if p == nil {
		d.NewID(role, "ACL role")
	}
	d.checkPermissions(permissions)
	if err := d.Refused(); err != nil {
		return err
	}
	if p == nil {
		p = d.Add(d.Section("acls"), cib.NewElement("acl_role", []cib.Attr{{Name: "id", Value: role}}))
	}
	d.permit(p, permissions)
	return nil
}

// RemovePermission takes a permission away from its role.
func RemovePermission(d *Draft, id string) error {
	p := d.aclPart("acl_permission", id)
	if p != nil {
		d.Put(p, nil)
	}
	return d.Refused()
}

// NewACLUser makes a user, or a group, with roles.
func NewACLUser(d *Draft, group bool, name string, roles []string) error {
	switch {
	case group: // its name is an id of the document, that of a user is not
		d.NewID(name, "ACL group")
	case d.acl(aclTag(group), name) != nil:
		d.Fail("'%s' already exists", name)
	}
	var children []*cib.Element
	for i, r := range roles {
		d.aclPart("acl_role", r)
		if slices.Contains(roles[:i], r) {
			d.Fail("Role '%s' is already assigned to '%s'", r, name)
		}
		children = append(children, cib.NewElement("role", []cib.Attr{{Name: "id", Value: r}}))
	}
	if err := d.Refused(); err != nil {
		return err
	}
	d.Add(d.Section("acls"), cib.NewElement(aclTag(group), []cib.Attr{{Name: "id", Value: name}}, children...))
	return nil
}

// RemoveACLUser takes a user, or a group, out.
func RemoveACLUser(d *Draft, group bool, name string) error {
	p := d.aclPart(aclTag(group), name)
	if p != nil {
		d.Put(p, nil)
	}
	return d.Refused()
}

// owner is the path to whom a role is given to: a user, a group, or where kind is empty the one that there is.
func (d *Draft) owner(kind, name string) cib.Path {
	var words []string
	for _, tag := range []string{"acl_target", "acl_group"} {
		if kind != "" && kind != strings.TrimPrefix(aclWord(tag), "ACL ") {
			continue
		}
		if p := d.acl(tag, name); p != nil {
			return p
		}
		words = append(words, aclWord(tag))
	}
	slices.Sort(words)
	d.Fail("%s '%s' does not exist", strings.Join(words, "/"), name)
	return nil
}

// AssignRole gives a role to a user or a group; kind is "user", "group" or empty for either.
func AssignRole(d *Draft, role, kind, name string) error {
	d.aclPart("acl_role", role)
	owner := d.owner(kind, name)
	if owner != nil && owner.Last().Find("role", role) != nil {
		d.Fail("Role '%s' is already assigned to '%s'", role, name)
	}
	if err := d.Refused(); err != nil {
		return err
	}
	d.Add(owner, cib.NewElement("role", []cib.Attr{{Name: "id", Value: role}}))
	return nil
}

// UnassignRole takes a role away from a user or a group; who has none then, goes too if purge is set.
func UnassignRole(d *Draft, role, kind, name string, purge bool) error {
	owner := d.owner(kind, name)
	if owner != nil && owner.Last().Find("role", role) == nil {
		d.Fail("Role '%s' is not assigned to '%s'", role, name)
	}
	if err := d.Refused(); err != nil {
		return err
	}
	d.unassign(owner, role, purge)
	return nil
}

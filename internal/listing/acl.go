package listing

import (
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// ACLs shows whether access rules count, who has which roles, and what the roles permit.
func ACLs(c *cib.CIB) Lines {
	out := Lines{"ACLs are disabled, run 'pcs acl enable' to enable", ""}
	if on, _ := cib.ParseBool(propertyValues(c)["enable-acl"]); on {
		out[0] = "ACLs are enabled"
	}
	acls := section(c, "acls")
	for _, kind := range []struct{ name, title string }{{"acl_target", "User: "}, {"acl_group", "Group: "}} {
		for _, e := range children(acls, kind.name) {
			roles := []string{"  Roles:"}
			for _, r := range children(e, "role") {
				roles = append(roles, r.ID())
			}
			out = append(out, kind.title+e.ID(), strings.Join(roles, " "))
		}
	}
	for _, r := range children(acls, "acl_role") {
		out = append(out, "Role: "+r.ID())
		if d := r.Attr("description"); d != "" {
			out = append(out, "  Description: "+d)
		}
		for _, p := range children(r, "acl_permission") {
			out = append(out, "  Permission: "+permission(p)+" ("+p.ID()+")")
		}
	}
	return out
}

func permission(p *cib.Element) string {
	parts := []string{p.Attr("kind")}
	for _, a := range []struct{ attr, word string }{{"xpath", "xpath"}, {"reference", "id"}, {"object-type", "object-type"}, {"attribute", "attribute"}} {
		if v, ok := p.Lookup(a.attr); ok {
			parts = append(parts, a.word, v)
		}
	}
	return strings.Join(parts, " ")
}

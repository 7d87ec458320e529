package pcs

import (
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/configure"
	"github.com/cerco-ha/cerco/internal/listing"
)

const permissionArgs = "(read|write|deny) (xpath QUERY | id ID)"

func aclNoun() *verb {
	return &verb{name: "acl", what: "Manage who may read and change what of the configuration.", bare: "config", sub: []*verb{
		{name: "config", aliases: []string{"show"}, run: aclConfig, what: "List users, groups, roles and what they permit."},
		{name: "enable", run: aclSwitch("true"), what: "Let access rules count."},
		{name: "disable", run: aclSwitch("false"), what: "Let access rules not count."},
		{name: "role", what: "Manage roles.", sub: []*verb{
			{name: "create", args: "ROLE [description=TEXT] [" + permissionArgs + "]...", run: roleCreate, what: "Make a role with permissions."},
			{name: "delete", aliases: []string{"remove"}, args: "ROLE", options: []string{"autodelete"}, run: roleDelete,
				what: "Remove a role, also from all who have it. With --autodelete who has none then is removed, too."},
			{name: "assign", args: "ROLE [to] [user|group] NAME", run: roleAssign, what: "Give a role to a user or a group."},
			{name: "unassign", args: "ROLE [from] [user|group] NAME", options: []string{"autodelete"}, run: roleUnassign,
				what: "Take a role away. With --autodelete who has none then is removed, too."},
		}},
		aclUsers("user", false),
		aclUsers("group", true),
		{name: "permission", what: "Manage permissions of roles.", sub: []*verb{
			{name: "add", args: "ROLE " + permissionArgs + " [" + permissionArgs + "]...", run: permissionAdd,
				what: "Give a role permissions. A role that is not there yet is made."},
			{name: "delete", aliases: []string{"remove"}, args: "ID", run: permissionDelete, what: "Remove a permission."},
		}},
	}}
}

// aclUsers is the noun of users or of groups.
func aclUsers(noun string, group bool) *verb {
	return &verb{name: noun, what: "Manage " + noun + "s that have roles.", sub: []*verb{
		{name: "create", args: "NAME [ROLE]...", what: "Give roles to a " + noun + " of the system.", run: func(c *call) error {
			if err := c.want(1, -1); err != nil {
				return err
			}
			return c.change(func(d *configure.Draft) error { return configure.NewACLUser(d, group, c.words[0], c.words[1:]) })
		}},
		{name: "delete", aliases: []string{"remove"}, args: "NAME", what: "Remove a " + noun + ".", run: func(c *call) error {
			if err := c.want(1, 1); err != nil {
				return err
			}
			return c.change(func(d *configure.Draft) error { return configure.RemoveACLUser(d, group, c.words[0]) })
		}},
	}}
}

func aclConfig(c *call) error {
	if err := c.want(0, 0); err != nil {
		return err
	}
	return c.print("acls", func(doc *cib.CIB) listing.Lines { return listing.ACLs(doc) })
}

func aclSwitch(value string) func(c *call) error {
	return func(c *call) error {
		if err := c.want(0, 0); err != nil {
			return err
		}
		return c.change(func(d *configure.Draft) error {
			return configure.SetProperties(d, []configure.Pair{{Name: "enable-acl", Value: value}})
		})
	}
}

// permissions reads (read|write|deny) (xpath QUERY | id ID) as often as it comes.
func (c *call) permissions(words []string) ([]configure.Permission, error) {
	var list []configure.Permission
	for ; len(words) > 0; words = words[3:] {
		if len(words) < 3 {
			return nil, c.misused("'%s' is no whole permission: write %s", strings.Join(words, " "), permissionArgs)
		}
		kind, what := strings.ToLower(words[0]), strings.ToLower(words[1])
		switch {
		case !slices.Contains([]string{"read", "write", "deny"}, kind):
			return nil, c.misused("'%s' is no permission: it is read, write or deny", words[0])
		case what != "xpath" && what != "id":
			return nil, c.misused("'%s' does not say what is meant: it is xpath or id", words[1])
		}
		list = append(list, configure.Permission{Kind: kind, XPath: what == "xpath", Of: words[2]})
	}
	return list, nil
}

func roleCreate(c *call) error {
	if err := c.want(1, -1); err != nil {
		return err
	}
	rest := c.words[1:]
	description := ""
	if len(rest) > 0 && strings.HasPrefix(rest[0], "description=") {
		description, rest = strings.TrimPrefix(rest[0], "description="), rest[1:]
		if description == "" {
			return c.misused("the description is empty")
		}
	}
	list, err := c.permissions(rest)
	if err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.NewRole(d, c.words[0], description, list) })
}

func roleDelete(c *call) error {
	if err := c.want(1, 1); err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.RemoveRole(d, c.words[0], c.has("autodelete")) })
}

// assignment reads ROLE [to] [user|group] NAME; between is the word that may stand after the role.
func (c *call) assignment(between string) (role, kind, name string, err error) {
	if err = c.want(2, 4); err != nil {
		return
	}
	role, rest := c.words[0], c.words[1:]
	if len(rest) > 1 && rest[0] == between {
		rest = rest[1:]
	}
	if len(rest) > 1 && (rest[0] == "user" || rest[0] == "group") {
		kind, rest = rest[0], rest[1:]
	}
	if len(rest) != 1 {
		return "", "", "", c.misused("write: ROLE [%s] [user|group] NAME", between)
	}
	return role, kind, rest[0], nil
}

func roleAssign(c *call) error {
	role, kind, name, err := c.assignment("to")
	if err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.AssignRole(d, role, kind, name) })
}

func roleUnassign(c *call) error {
	role, kind, name, err := c.assignment("from")
	if err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error {
		return configure.UnassignRole(d, role, kind, name, c.has("autodelete"))
	})
}

func permissionAdd(c *call) error {
	if err := c.want(4, -1); err != nil {
		return err
	}
	list, err := c.permissions(c.words[1:])
	if err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.AddPermissions(d, c.words[0], list) })
}

func permissionDelete(c *call) error {
	if err := c.want(1, 1); err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.RemovePermission(d, c.words[0]) })
}

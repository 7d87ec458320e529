package listing

import (
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Commands shows the resources as the commands of a shell that make them again. Descriptions and rules have no
// place in such commands.
func (r Resources) Commands() Lines {
	var list []Lines
	var inBundles []*cib.Element
	for _, b := range ofKind(r.all, "bundle") {
		list = append(list, bundleCommand(b))
		for _, m := range members(b) {
			inBundles = append(inBundles, m)
			list = append(list, primitiveCommands(m, b.ID())...)
		}
	}
	for _, p := range ofKind(r.all, "primitive") {
		if !slices.Contains(inBundles, p) {
			list = append(list, primitiveCommands(p, "")...)
		}
	}
	for _, g := range ofKind(r.all, "group") {
		list = append(list, groupCommands(g)...)
	}
	for _, c := range ofKind(mastersLast(r.all), "clone") {
		list = append(list, cloneCommands(c)...)
	}
	return joinCommands(list)
}

// joinCommands puts backslashes between the lines of a command, and semicolons between commands.
func joinCommands(list []Lines) Lines {
	var out Lines
	for i, command := range list {
		for k, line := range command {
			switch {
			case k < len(command)-1:
				line += ` \`
			case i < len(list)-1:
				line += ";"
			}
			out = append(out, line)
		}
	}
	return out
}

// shell writes a word so that a shell reads it as it is.
func shell(s string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_"
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'"'"'`) + "'"
}

func shellPairs(pairs []pair) string {
	list := make([]string, len(pairs))
	for i, p := range pairs {
		list[i] = shell(p.name + "=" + p.value)
	}
	return strings.Join(list, " ")
}

func shellIDs(list []*cib.Element) string {
	var ids []string
	for _, e := range list {
		ids = append(ids, shell(e.ID()))
	}
	return strings.Join(ids, " ")
}

func primitiveCommands(e *cib.Element, bundle string) []Lines {
	verb, agent := "resource", agentName(e)
	if isStonith(e) {
		verb, agent = "stonith", e.Attr("type")
	}
	create := Lines{"pcs " + verb + " create --no-default-ops --force -- " + shell(e.ID()) + " " + shell(agent)}
	if params := byID(pairsOf(e.Child("instance_attributes"))); len(params) > 0 {
		create = append(create, "  "+shellPairs(params))
	}
	if ops := children(e.Child("operations"), "op"); len(ops) > 0 {
		create = append(create, "  op")
		for _, op := range ops {
			options := slices.Concat(attrs(op, "interval", "id"), opOptions(op))
			create = append(create, "    "+shell(op.Attr("name"))+" "+shellPairs(options))
		}
	}
	if meta := byID(pairsOf(e.Child("meta_attributes"))); len(meta) > 0 {
		create = append(create, "  meta "+shellPairs(meta))
	}
	if bundle != "" {
		create = append(create, "  bundle "+shell(bundle))
	}
	list := []Lines{create}
	if use := byID(pairsOf(e.Child("utilization"))); len(use) > 0 {
		list = append(list, Lines{"pcs resource utilization " + shell(e.ID()), "  " + shellPairs(use)})
	}
	return list
}

// agentName is an agent as it is typed: class:provider:type, or class:type.
func agentName(e *cib.Element) string {
	if p := e.Attr("provider"); p != "" {
		return e.Attr("class") + ":" + p + ":" + e.Attr("type")
	}
	return e.Attr("class") + ":" + e.Attr("type")
}

func groupCommands(g *cib.Element) []Lines {
	list := []Lines{{"pcs resource group add " + shell(g.ID()), "  " + shellIDs(members(g))}}
	if meta := byID(pairsOf(g.Child("meta_attributes"))); len(meta) > 0 {
		list = append(list, Lines{"pcs resource meta " + shell(g.ID()), "  " + shellPairs(meta)})
	}
	return list
}

func cloneCommands(c *cib.Element) []Lines {
	command := Lines{"pcs resource clone " + shellIDs(members(c)) + " " + shell(c.ID())}
	if meta := cloneMeta(c); len(meta) > 0 {
		command = append(command, "  meta "+shellPairs(meta))
	}
	return []Lines{command}
}

func bundleCommand(b *cib.Element) Lines {
	out := Lines{"pcs resource bundle create " + shell(b.ID())}
	if c := container(b); c != nil {
		out = append(out, "  container "+c.Name, "    "+shellPairs(containerOptions(c)))
	}
	if options := networkOptions(b.Child("network")); len(options) > 0 {
		out = append(out, "  network "+shellPairs(options))
	}
	for _, m := range children(b.Child("network"), "port-mapping") {
		out = append(out, "  port-map "+shellPairs(portOptions(m)))
	}
	for _, m := range children(b.Child("storage"), "storage-mapping") {
		out = append(out, "  storage-map "+shellPairs(storageOptions(m)))
	}
	if meta := byID(pairsOf(b.Child("meta_attributes"))); len(meta) > 0 {
		out = append(out, "  meta "+shellPairs(meta))
	}
	return out
}

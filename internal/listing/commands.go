package listing

import (
	"slices"

	"github.com/cerco-ha/cerco/internal/cib"
)

// PropertyCommands shows the properties that are set as the command that sets them again.
func PropertyCommands(c *cib.CIB) Lines {
	var pairs []pair
	values := propertyValues(c)
	for name := range values {
		pairs = append(pairs, pair{name: name, value: values[name]})
	}
	return joinCommands(manyLines("pcs property set --force --", byName(pairs)))
}

// manyLines is a command with a line for each of its pairs, none at all if it has none.
func manyLines(head string, pairs []pair) []Lines {
	if len(pairs) == 0 {
		return nil
	}
	command := Lines{head}
	for _, p := range pairs {
		command = append(command, "  "+shellPairs([]pair{p}))
	}
	return []Lines{command}
}

// TagCommands shows tags as the commands that make them again.
func TagCommands(c *cib.CIB, names ...string) Lines {
	var list []Lines
	for _, t := range children(section(c, "tags"), "tag") {
		if len(names) == 0 || slices.Contains(names, t.ID()) {
			list = append(list, Lines{"pcs -- tag create " + shell(t.ID()), "  " + shellIDs(children(t, "obj_ref"))})
		}
	}
	return joinCommands(list)
}

// AlertCommands shows alerts and their recipients as the commands that make them again.
func AlertCommands(c *cib.CIB) Lines {
	var list []Lines
	for _, a := range children(section(c, "alerts"), "alert") {
		list = append(list, alertCommand("pcs -- alert create "+shellPairs(attrs(a, "path", "id", "description")), a))
		for _, r := range children(a, "recipient") {
			list = append(list, alertCommand("pcs -- alert recipient add "+shell(a.ID())+" "+shellPairs(attrs(r, "value", "id", "description")), r))
		}
	}
	return joinCommands(list)
}

func alertCommand(head string, e *cib.Element) Lines {
	command := Lines{head}
	for _, kind := range []struct{ tag, word string }{{"instance_attributes", "options"}, {"meta_attributes", "meta"}} {
		if pairs := byID(pairsOf(e.Child(kind.tag))); len(pairs) > 0 {
			command = append(command, "  "+kind.word+" "+shellPairs(pairs))
		}
	}
	return command
}

// NodeAttributeCommands shows attributes of nodes as NodeAttributes picks them, as the commands that set them again.
func NodeAttributeCommands(c *cib.CIB, node, name string) Lines {
	return nodeCommands("pcs -- node attribute ", nodePairs(c, "instance_attributes", node, name))
}

// NodeUtilizationCommands is NodeAttributeCommands of utilization attributes.
func NodeUtilizationCommands(c *cib.CIB, node, name string) Lines {
	return nodeCommands("pcs -- node utilization ", nodePairs(c, "utilization", node, name))
}

func nodeCommands(head string, owners []owner) Lines {
	var list []Lines
	for _, o := range owners {
		list = append(list, manyLines(head+shell(o.name), byName(o.pairs))...)
	}
	return joinCommands(list)
}

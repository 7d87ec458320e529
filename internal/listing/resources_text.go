package listing

import (
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Text shows the resources with everything that is configured for them. Of several sets of a kind it shows the
// first, the one that commands change.
func (r Resources) Text() Lines {
	var out Lines
	for _, kind := range kinds {
		for _, e := range ofKind(r.shown, kind) {
			out = append(out, resourceText(e)...)
		}
	}
	return out
}

func resourceText(e *cib.Element) Lines {
	var body Lines
	if d := e.Attr("description"); d != "" {
		body = append(body, "Description: "+d)
	}
	title := "Resource: " + e.ID()
	switch kindOf(e) {
	case "primitive":
		title += " (" + agentText(e) + ")"
		body = append(body, primitiveText(e)...)
	case "group":
		title = "Group: " + e.ID()
		body = append(body, setLines("Attributes", e, "instance_attributes")...)
		body = append(body, setLines("Meta Attributes", e, "meta_attributes")...)
	case "clone":
		title = "Clone: " + e.ID()
		body = append(body, setLines("Attributes", e, "instance_attributes")...)
		if meta := byName(cloneMeta(e)); len(meta) > 0 {
			body = append(body, heading("Meta Attributes", e.Child("meta_attributes").ID()))
			body = append(body, Lines(words(meta)).In(2)...)
		}
	case "bundle":
		title = "Bundle: " + e.ID()
		body = append(body, bundleText(e)...)
	}
	for _, m := range members(e) {
		body = append(body, resourceText(m)...)
	}
	return append(Lines{title}, body.In(2)...)
}

func agentText(e *cib.Element) string {
	var parts []string
	for _, p := range attrs(e, "template", "class", "provider", "type") {
		parts = append(parts, p.name+"="+p.value)
	}
	return strings.Join(parts, " ")
}

func primitiveText(e *cib.Element) Lines {
	out := setLines("Attributes", e, "instance_attributes")
	out = append(out, setLines("Meta Attributes", e, "meta_attributes")...)
	out = append(out, setLines("Utilization", e, "utilization")...)
	ops := children(e.Child("operations"), "op")
	if len(ops) > 0 {
		out = append(out, "Operations:")
	}
	for _, op := range ops {
		out = append(out, "  "+op.Attr("name")+": "+op.ID())
		options := append(attrs(op, "interval"), opOptions(op)...)
		out = append(out, Lines(words(options)).In(4)...)
	}
	return out
}

func bundleText(e *cib.Element) Lines {
	var out Lines
	if c := container(e); c != nil {
		title := strings.ToUpper(c.Name[:1]) + c.Name[1:] + ":"
		out = append(out, strings.Join(append([]string{title}, words(containerOptions(c))...), " "))
	}
	if options := networkOptions(e.Child("network")); len(options) > 0 {
		out = append(out, "Network: "+strings.Join(words(options), " "))
	}
	out = append(out, mappings("Port Mapping:", children(e.Child("network"), "port-mapping"), portOptions)...)
	out = append(out, mappings("Storage Mapping:", children(e.Child("storage"), "storage-mapping"), storageOptions)...)
	return append(out, setLines("Meta Attributes", e, "meta_attributes")...)
}

func mappings(title string, list []*cib.Element, options func(*cib.Element) []pair) Lines {
	if len(list) == 0 {
		return nil
	}
	out := Lines{title}
	for _, m := range list {
		out = append(out, "  "+strings.Join(words(options(m)), " ")+" ("+m.ID()+")")
	}
	return out
}

// Levels shows the fencing levels: nodes by name, then patterns, then attributes of nodes.
func Levels(c *cib.CIB) Lines {
	var out Lines
	for _, t := range levelTargets(c) {
		out = append(out, t.title)
		for _, l := range t.levels {
			out = append(out, "  Level "+l.Attr("index")+" - "+l.Attr("devices"))
		}
	}
	return out
}

// Stonith shows fence devices, and under them, when all are shown, the levels.
func Stonith(c *cib.CIB, devices Resources, levels bool) Lines {
	out := devices.Text()
	if l := Levels(c); levels && len(l) > 0 {
		out = append(out, "", "Fencing Levels:")
		out = append(out, l.In(1)...)
	}
	return out
}

package configure

import (
	"slices"
	"strings"
)

// ResolveAgent finds the agent that somebody means; what speaks against it is noted in the draft.
func ResolveAgent(d *Draft, agents Agents, text string) (AgentName, bool) {
	if strings.Contains(text, ":") {
		name, ok := splitAgent(text)
		if !ok {
			hint := ""
			if strings.Contains(text, "::") {
				if fixed, ok := splitAgent(strings.ReplaceAll(text, "::", ":")); ok {
					hint = " Probably '" + fixed.String() + "' is meant."
				}
			}
			d.Fail("Invalid resource agent name '%s'. Use standard:provider:type when standard is 'ocf' or standard:type otherwise.%s", text, hint)
		}
		return name, ok
	}
	list := agents.Find(text)
	switch {
	case len(list) == 0:
		d.Fail("Unable to find agent '%s', try specifying its full name", text)
		return AgentName{}, false
	case len(list) > 1:
		names := make([]string, len(list))
		for i, n := range list {
			names[i] = n.String()
		}
		d.Fail("Multiple agents match '%s', please specify full name: '%s'", text, strings.Join(names, "' or '"))
		return AgentName{}, false
	}
	d.Info("Assumed agent name '%s' (deduced from '%s')", list[0], text)
	return list[0], true
}

// splitAgent takes a full agent name apart.
func splitAgent(text string) (AgentName, bool) {
	class, rest, _ := strings.Cut(text, ":")
	if !slices.Contains([]string{"ocf", "lsb", "systemd", "service", "stonith", "upstart", "nagios"}, class) || rest == "" {
		return AgentName{}, false
	}
	name := AgentName{Class: class, Type: rest}
	if class == "ocf" {
		provider, typ, ok := strings.Cut(rest, ":")
		if !ok || provider == "" || typ == "" || strings.Contains(typ, ":") {
			return AgentName{}, false
		}
		name.Provider, name.Type = provider, typ
	} else if strings.Contains(rest, ":") && class != "systemd" && class != "service" {
		return AgentName{}, false
	}
	return name, true
}

// AgentOf is the agent of a primitive.
func AgentOf(e interface{ Attr(string) string }) AgentName {
	return AgentName{e.Attr("class"), e.Attr("provider"), e.Attr("type")}
}

func (d *Draft) fenceAgent(text string) (AgentName, bool) {
	if strings.Contains(text, ":") {
		return AgentName{}, d.Fail("Invalid stonith agent name '%s'. Agent name cannot contain the ':' character, do not use the 'stonith:' prefix.", text)
	}
	return AgentName{Class: "stonith", Type: text}, true
}

// metadata is what the agent says of itself; nil with a doubt noted if it does not.
func (d *Draft) metadata(agents Agents, name AgentName) *Agent {
	a, err := agents.Metadata(name.Class, name.Provider, name.Type)
	if err != nil {
		d.Doubt("Agent '%s' is not installed or does not provide valid metadata: %v", name, err)
		return nil
	}
	return a
}

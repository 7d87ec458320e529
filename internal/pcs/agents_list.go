package pcs

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/configure"
)

// agentsNoun has what tells of the agents of this host.
func agentsNoun() *verb {
	return &verb{name: "resource", sub: []*verb{
		{name: "list", args: "[FILTER]", options: []string{"nodesc"}, run: func(c *call) error { return c.listAgents("") },
			what: "List the agents of this host whose names have the filter in them."},
		{name: "describe", args: "[CLASS:[PROVIDER:]]TYPE", options: []string{"full"}, run: resourceDescribe, what: "Tell what an agent does, its options and default operations. With --full the advanced and the deprecated ones too."},
		{name: "standards", run: func(c *call) error {
			return c.agentWords(func(n configure.AgentName) []string { return standards(n.Class) })
		}, what: "List the classes of agents of this host."},
		{name: "providers", run: func(c *call) error {
			return c.agentWords(func(n configure.AgentName) []string { return []string{n.Provider} })
		}, what: "List the providers of OCF agents of this host."},
		{name: "agents", args: "[CLASS[:PROVIDER]]", run: agentTypes, what: "List the types of agents of this host, of all classes or of one."},
	}}
}

func fenceAgentsNoun() *verb {
	return &verb{name: "stonith", sub: []*verb{
		{name: "list", args: "[FILTER]", options: []string{"nodesc"}, run: func(c *call) error { return c.listAgents("stonith") },
			what: "List the fence agents of this host whose names have the filter in them."},
		{name: "describe", args: "TYPE", options: []string{"full"}, run: stonithDescribe, what: "Tell what a fence agent does and its options. With --full the advanced and the deprecated ones too."},
	}}
}

// lister lists agents; those of the host do.
type lister interface {
	// All lists the agents for resources or, of class stonith, the fence agents.
	All(class string) []configure.AgentName
}

func (c *call) all(class string) ([]configure.AgentName, error) {
	l, ok := c.Agents.(lister)
	if !ok {
		return nil, errors.New("this program knows no agents")
	}
	return l.All(class), nil
}

func (c *call) listAgents(class string) error {
	if err := c.want(0, 1); err != nil {
		return err
	}
	list, err := c.all(class)
	if err != nil {
		return err
	}
	found := false
	for _, n := range list {
		name := n.String()
		if class == "stonith" {
			name = n.Type
		}
		if len(c.words) > 0 && !strings.Contains(strings.ToLower(name), strings.ToLower(c.words[0])) {
			continue
		}
		found = true
		if !c.has("nodesc") {
			if a, err := c.Agents.Metadata(n.Class, n.Provider, n.Type); err == nil && a.Short != "" {
				name += " - " + oneLine(a.Short)
			}
		}
		fmt.Fprintln(c.Stdout, name)
	}
	if !found {
		return fmt.Errorf("no agents match '%s'", strings.Join(c.words, " "))
	}
	return nil
}

// agentWords prints what names of agents have, each word once.
func (c *call) agentWords(of func(configure.AgentName) []string) error {
	if err := c.want(0, 0); err != nil {
		return err
	}
	list, err := c.all("")
	if err != nil {
		return err
	}
	var words []string
	for _, n := range list {
		words = append(words, of(n)...)
	}
	slices.Sort(words)
	for _, w := range slices.Compact(words) {
		if w != "" {
			fmt.Fprintln(c.Stdout, w)
		}
	}
	return nil
}

// standards are the classes that an agent of a class belongs to: what systemd or init can start is a service, too.
func standards(class string) []string {
	if class == "lsb" || class == "systemd" {
		return []string{class, "service"}
	}
	return []string{class}
}

func agentTypes(c *call) error {
	if err := c.want(0, 1); err != nil {
		return err
	}
	list, err := c.all("")
	if err != nil {
		return err
	}
	found := false
	for _, n := range list {
		if len(c.words) == 0 || strings.HasPrefix(n.String()+":", c.words[0]+":") {
			fmt.Fprintln(c.Stdout, n.Type)
			found = true
		}
	}
	if !found {
		return fmt.Errorf("no agents of %s are here", strings.Join(c.words, " "))
	}
	return nil
}

func resourceDescribe(c *call) error {
	if err := c.want(1, 1); err != nil {
		return err
	}
	agents, err := c.agents()
	if err != nil {
		return err
	}
	empty, err := cib.Decode("", []byte(emptyCIB))
	if err != nil {
		return err
	}
	d := configure.Of(empty)
	name, ok := configure.ResolveAgent(d, agents, c.words[0])
	c.tell(d, nil)
	if !ok {
		return d.Refused()
	}
	return c.describe(agents, name, name.String(), "Resource options:")
}

func stonithDescribe(c *call) error {
	if err := c.want(1, 1); err != nil {
		return err
	}
	agents, err := c.agents()
	if err != nil {
		return err
	}
	typ := strings.TrimPrefix(c.words[0], "stonith:")
	return c.describe(agents, configure.AgentName{Class: "stonith", Type: typ}, typ, "Stonith options:")
}

func (c *call) describe(agents configure.Agents, name configure.AgentName, title, heading string) error {
	a, err := agents.Metadata(name.Class, name.Provider, name.Type)
	if err != nil {
		return fmt.Errorf("agent '%s' is not installed or does not provide valid metadata: %w", title, err)
	}
	if a.Short != "" {
		title += " - " + oneLine(a.Short)
	}
	fmt.Fprintln(c.Stdout, title)
	if a.Long != "" {
		fmt.Fprintf(c.Stdout, "\n%s\n", oneLine(a.Long))
	}
	if params := configure.ParametersOf(name, a); len(params) > 0 {
		fmt.Fprintf(c.Stdout, "\n%s\n", heading)
		for _, p := range params {
			if c.has("full") || !p.Deprecated && !p.Advanced {
				describeParameter(c.Stdout, p)
			}
		}
	}
	fmt.Fprintf(c.Stdout, "\nDefault operations:\n")
	for _, op := range configure.DefaultOps(name, a) {
		fmt.Fprintf(c.Stdout, "  %s:\n", op.Name)
		for _, p := range op.Pairs {
			fmt.Fprintf(c.Stdout, "    %s=%s\n", p.Name, p.Value)
		}
	}
	return nil
}

func describeParameter(w io.Writer, p configure.Parameter) {
	text := "  " + p.Name
	switch {
	case len(p.DeprecatedBy) > 0:
		text += " (deprecated by " + strings.Join(p.DeprecatedBy, ", ") + ")"
	case p.Deprecated:
		text += " (deprecated)"
	}
	if p.Required {
		text += " (required)"
	}
	if strings.HasPrefix(p.UniqueGroup, "unique of ") {
		text += " (unique)"
	} else if p.UniqueGroup != "" {
		text += " (unique group: " + p.UniqueGroup + ")"
	}
	what := oneLine(p.Long)
	if what == "" {
		what = oneLine(p.Short)
	}
	if what == "" {
		what = "No description available"
	}
	fmt.Fprintf(w, "%s: %s\n", text, what)
}

func oneLine(text string) string { return strings.ReplaceAll(strings.TrimSpace(text), "\n", " ") }

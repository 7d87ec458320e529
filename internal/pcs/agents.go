package pcs

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/configure"
	"github.com/cerco-ha/cerco/internal/driver"
	"github.com/cerco-ha/cerco/internal/fencer"
)

// hostAgents are the agents of this host, as far as configurations go.
type hostAgents struct {
	ctx       context.Context
	resources *driver.Host
	fencing   *fencer.Programs
}

var _ configure.Agents = (*hostAgents)(nil)

// HostAgents are the agents that this host has; roots are looked at before the place that they are usually in. None is started before
// it is asked for.
func HostAgents(ctx context.Context, now func() time.Time, roots ...string) configure.Agents {
	return &hostAgents{ctx: ctx, resources: driver.New(driver.Config{Now: now, OCFRoots: append(roots, driver.OCFRoot)}), fencing: fencer.NewPrograms(fencer.AgentDirs(), now)}
}

// Metadata implements configure.Agents.
func (h *hostAgents) Metadata(class, provider, typ string) (*configure.Agent, error) {
	switch class {
	case "stonith":
		return h.fenceAgent(typ)
	case "systemd":
		return systemdAgent(typ)
	case "lsb":
		return lsbAgent(typ)
	case "service":
		if a, err := systemdAgent(typ); err == nil {
			return a, nil
		}
		return lsbAgent(typ)
	}
	m, err := h.resources.Metadata(h.ctx, class, provider, typ)
	if err != nil {
		return nil, err
	}
	a := &configure.Agent{Modern: m.Modern(), Short: m.Short, Long: m.Long, Actions: written(m.Actions)}
	for _, p := range m.Parameters {
		group := p.UniqueGroup
		if p.Unique && !m.Modern() {
			group = "unique of " + p.Name
		}
		out := configure.Parameter{Name: p.Name, Type: p.Type, Default: p.Default, Short: p.Short, Long: p.Long, Required: p.Required,
			Deprecated: p.Deprecated, UniqueGroup: group, Reloadable: p.Reloadable}
		if p.ReplacedBy != "" {
			out.DeprecatedBy = []string{p.ReplacedBy}
		}
		a.Parameters = append(a.Parameters, out)
	}
	return a, nil
}

func (h *hostAgents) fenceAgent(typ string) (*configure.Agent, error) {
	m := fencer.Builtin(typ)
	if m == nil {
		var err error
		if m, err = h.fencing.Metadata(h.ctx, typ); err != nil {
			return nil, err
		}
	}
	a := &configure.Agent{Short: m.Short, Long: m.Long}
	for _, action := range m.Actions {
		a.Actions = append(a.Actions, []cib.Attr{{Name: "name", Value: action.Name}})
	}
	if raw, err := driver.ParseMetadata([]byte(m.Raw)); err == nil {
		a.Actions = written(raw.Actions)
	}
	for _, p := range m.Parameters {
		if p.Name == "help" || p.Name == "version" { // of the program, not of the device
			continue
		}
		out := configure.Parameter{Name: p.Name, Type: p.Type, Default: p.Default, Short: p.Short, Required: p.Required, Deprecated: p.Deprecated}
		for _, other := range m.Parameters {
			if other.Obsoletes == p.Name {
				out.DeprecatedBy, out.Deprecated = append(out.DeprecatedBy, other.Name), true
			}
		}
		a.Parameters = append(a.Parameters, out)
	}
	return a, nil
}

func written(actions []driver.Action) [][]cib.Attr {
	var list [][]cib.Attr
	for _, a := range actions {
		list = append(list, a.Written)
	}
	return list
}

// systemdAgent is what a cluster knows of a systemd unit, as Pacemaker's metadata for them has it.
func systemdAgent(unit string) (*configure.Agent, error) {
	file := unit
	if filepath.Ext(unit) == "" {
		file += ".service"
	}
	if name, instance, ok := strings.Cut(file, "@"); ok {
		file = name + "@" + filepath.Ext(instance)
	}
	for _, dir := range []string{"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"} {
		if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
			return &configure.Agent{Short: "systemd unit file for " + unit, Actions: plainActions("100", "60")}, nil
		}
	}
	return nil, fmt.Errorf("there is no unit %s on this host", file)
}

// lsbAgent is what a cluster knows of an init script.
func lsbAgent(name string) (*configure.Agent, error) {
	info, err := os.Stat(filepath.Join("/etc/init.d", name))
	if err != nil || info.IsDir() || strings.Contains(name, "/") {
		return nil, fmt.Errorf("there is no init script /etc/init.d/%s on this host", name)
	}
	return &configure.Agent{Short: "init script " + name, Actions: plainActions("15", "15")}, nil
}

func plainActions(timeout, interval string) [][]cib.Attr {
	var list [][]cib.Attr
	for _, name := range []string{"start", "stop", "status", "monitor"} {
		a := []cib.Attr{{Name: "name", Value: name}}
		if name == "monitor" {
			a = append(a, cib.Attr{Name: "interval", Value: interval})
		}
		list = append(list, append(a, cib.Attr{Name: "timeout", Value: timeout}))
	}
	return append(list, []cib.Attr{{Name: "name", Value: "meta-data"}, {Name: "timeout", Value: "5"}})
}

// Find implements configure.Agents: the OCF agents of a type, by provider.
func (h *hostAgents) Find(typ string) []configure.AgentName {
	var list []configure.AgentName
	for provider, types := range h.resources.Providers() {
		for _, t := range types {
			if strings.EqualFold(t, typ) {
				list = append(list, configure.AgentName{Class: "ocf", Provider: provider, Type: t})
			}
		}
	}
	slices.SortFunc(list, func(a, b configure.AgentName) int { return cmp.Compare(a.String(), b.String()) })
	return list
}

// agents are those of the host, or an error if the program was started without.
func (c *call) agents() (configure.Agents, error) {
	if c.Agents == nil {
		return nil, fmt.Errorf("this program knows no agents")
	}
	return c.Agents, nil
}

var _ lister = (*hostAgents)(nil)

// noFenceAgents are programs whose names look like those of fence agents: daemons, which are not to be asked for metadata,
// and tools.
func noFenceAgents() []string {
	return []string{"fence_virtd", "fence_xvmd", "fence_sanlockd", "fence_kdump_send", "fence_node", "fence_tool"}
}

// All implements lister.
func (h *hostAgents) All(class string) []configure.AgentName {
	var list []configure.AgentName
	if class == "stonith" {
		for _, typ := range append(h.fencing.Installed(), fencer.ManualAgent, fencer.WatchdogAgent) {
			if slices.Contains(noFenceAgents(), typ) {
				continue
			}
			list = append(list, configure.AgentName{Class: class, Type: typ})
		}
		slices.SortFunc(list, func(a, b configure.AgentName) int { return cmp.Compare(a.Type, b.Type) })
		return slices.Compact(list)
	}
	for provider, types := range h.resources.Providers() {
		for _, typ := range types {
			list = append(list, configure.AgentName{Class: "ocf", Provider: provider, Type: typ})
		}
	}
	scripts, _ := os.ReadDir("/etc/init.d") // a host without it has none
	for _, s := range scripts {
		if info, err := s.Info(); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			list = append(list, configure.AgentName{Class: "lsb", Type: s.Name()})
		}
	}
	slices.SortFunc(list, func(a, b configure.AgentName) int {
		return cmp.Compare(strings.ToLower(a.String()), strings.ToLower(b.String()))
	})
	return list
}

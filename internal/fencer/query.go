package fencer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/secret"
)

// DeviceInfo is what may be shown of a device.
type DeviceInfo struct {
	ID       string            `json:"id"`
	Agent    string            `json:"agent"`
	Params   map[string]string `json:"params"` // secrets masked
	Priority int               `json:"priority,omitempty"`
	Check    string            `json:"host_check"`
	Started  bool              `json:"started"`            // its resource runs on this node
	Unusable string            `json:"unusable,omitempty"` // why this node may not use it
	Targets  []string          `json:"targets,omitempty"`  // that its parameters name
	Error    string            `json:"error,omitempty"`    // what is wrong with its agent
}

// Devices lists the devices of the configuration as this node sees them.
func (f *Fencer) Devices(ctx context.Context) []DeviceInfo {
	var out []DeviceInfo
	for _, d := range f.devices() {
		info := DeviceInfo{ID: d.ID, Agent: d.Agent, Priority: d.Priority, Params: make(map[string]string, len(d.Params)),
			Started: f.Registered(d.ID), Unusable: d.Unusable}
		for name, value := range d.Params {
			if secret.Is(name) && !strings.HasPrefix(value, secret.Prefix) {
				value = secret.Mask
			}
			info.Params[name] = value
		}
		meta, err := f.metadata(ctx, d.Agent)
		if err != nil {
			info.Error = err.Error()
		}
		info.Check = d.check(meta)
		if names, told := d.static(); told {
			slices.Sort(names)
			info.Targets = slices.Compact(names)
		}
		out = append(out, info)
	}
	return out
}

// Capable is whether a device can fence a target from this node; if not, Why.
type Capable struct {
	Device string `json:"device"`
	Level  int    `json:"level,omitempty"` // of the topology; 0: there is none for the target
	OK     bool   `json:"ok"`
	Why    string `json:"why,omitempty"`
}

// CanFence asks each device whether it can fence the target from here, those of the target's topology first.
func (f *Fencer) CanFence(ctx context.Context, target string) []Capable {
	var out []Capable
	check := func(device string, index int) {
		if isWatchdog(device) {
			ok := f.watchdogTimeout() > 0 && f.armed(target) > 0
			out = append(out, Capable{Device: device, Level: index, OK: ok})
			return
		}
		a := f.serve(ctx, try{V: wireVersion, Device: device, Level: index, Target: target, Action: "check"})
		out = append(out, Capable{Device: device, Level: index, OK: a.OK, Why: cmpOr(a.Cannot, a.Error)})
	}
	if lvls := levels(f.cfg.State().CIB, target); len(lvls) > 0 {
		for _, l := range lvls {
			for _, id := range l.devices {
				check(id, l.index)
			}
		}
		return out
	}
	for _, d := range f.devices() {
		check(d.ID, 0)
	}
	return out
}

// Targets lists whom a device can fence: the nodes of its parameters, or what its list says.
func (f *Fencer) Targets(ctx context.Context, device string) ([]string, error) {
	d, ok := f.device(device)
	if !ok {
		return nil, fmt.Errorf("there is no fence device %s", device)
	}
	meta, err := f.metadata(ctx, d.Agent)
	if err != nil {
		return nil, err
	}
	switch d.check(meta) {
	case checkStatic:
		names, _ := d.static()
		slices.Sort(names)
		return slices.Compact(names), nil
	case checkDynamic:
		return f.list(ctx, &d, meta)
	}
	return f.nodes(), nil
}

// History returns the fencings of the target (empty: of all), the newest first.
func (f *Fencer) History(target string) []cib.FenceRecord {
	var out []cib.FenceRecord
	for _, r := range slices.Backward(f.cfg.State().Fencing) {
		if target == "" || strings.EqualFold(r.Target, target) {
			out = append(out, r)
		}
	}
	return out
}

// Installed lists the fence agents of this node, with the built-in ones.
func (f *Fencer) Installed() []string {
	out := append(f.cfg.Agents.Installed(), ManualAgent, WatchdogAgent)
	slices.Sort(out)
	return slices.Compact(out)
}

// Metadata is what an agent says of itself.
func (f *Fencer) Metadata(ctx context.Context, agent string) (*Metadata, error) {
	return f.metadata(ctx, agent)
}

// Validate holds parameters against the agent's metadata, and has the agent validate them if it can. It returns
// everything that is wrong; an error says that it could not be found out.
func (f *Fencer) Validate(ctx context.Context, agent string, params map[string]string) ([]string, error) {
	meta, err := f.metadata(ctx, agent)
	if err != nil {
		return nil, err
	}
	wrong := CheckParams(meta, params)
	if meta.Action("validate-all") == nil || Builtin(agent) != nil || len(wrong) > 0 {
		return wrong, nil
	}
	u := &use{f: f, d: Device{ID: agent, Agent: agent, Params: params}, meta: meta, base: f.baseTimeout(),
		t: try{Target: f.cfg.Node, Action: "validate-all"}}
	r, err := u.run(ctx, "validate-all")
	if err != nil {
		return nil, err
	}
	if r.RC != 0 {
		wrong = append(wrong, agent+" refuses the parameters: "+describe(r))
	}
	return wrong, nil
}

// CheckParams finds what is wrong with the parameters of a device, by the metadata of its agent.
func CheckParams(meta *Metadata, params map[string]string) []string {
	var wrong []string
	have := make(map[string]bool)
	for name := range params {
		have[strings.ReplaceAll(name, "-", "_")] = true
		if p := meta.Parameter(name); kept(name) && p == nil {
			wrong = append(wrong, fmt.Sprintf("%s has no parameter %q", meta.Agent, name))
		} else if p != nil && p.Deprecated {
			for _, o := range meta.Parameters {
				if strings.ReplaceAll(o.Obsoletes, "-", "_") == strings.ReplaceAll(name, "-", "_") {
					wrong = append(wrong, fmt.Sprintf("%s is an old name: use %s", name, o.Name))
				}
			}
		}
	}
	for _, p := range meta.Parameters {
		name := strings.ReplaceAll(p.Name, "-", "_")
		old := p.Obsoletes != "" && have[strings.ReplaceAll(p.Obsoletes, "-", "_")]
		// The target comes from the fencer, the action too.
		if p.Required && !p.Deprecated && p.Default == "" && !have[name] && !old && name != "action" && name != "port" && name != "plug" {
			wrong = append(wrong, fmt.Sprintf("%s needs the parameter %s", meta.Agent, p.Name))
		}
	}
	slices.Sort(wrong)
	return wrong
}

package fencer

import (
	"context"
	"fmt"

	"github.com/cerco-ha/cerco/internal/cib"
)

// The built-in agents.
const (
	ManualAgent    = "fence_manual"   // asks a person, and waits for `cerco stonith confirm`
	WatchdogAgent  = "fence_watchdog" // waits for the target's watchdog
	WatchdogDevice = "watchdog"       // what a level of the topology calls it
)

// Question is what an operator is asked.
type Question struct {
	Target, Action, Device, Why string
	Text                        string            // all of it, for people
	Params                      map[string]string // of the device: mailto, wall, ...
}

// manual asks an operator. Nothing else can come of it than a confirmation, which ends the whole flight.
func (j *job) manual(ctx context.Context, d *Device, action string) outcome {
	t := j.fl.req.Target
	if d.Unusable != "" {
		return outcome{problem: d.ID + ": " + d.Unusable}
	}
	if action == "on" {
		return outcome{problem: d.ID + ": an operator who has switched a node on needs not say so"}
	}
	if !j.asked[d.ID] {
		j.asked[d.ID] = true
		q := Question{Target: t, Action: j.fl.req.Action, Device: d.ID, Why: j.fl.req.Why, Params: d.Params, Text: question(j.fl.req)}
		j.f.cfg.Log.Warn("an operator must look after a node", "target", t, "device", d.ID, "do", "switch "+t+" off, then: cerco stonith confirm "+t)
		j.f.report(j.fl, []cib.FenceTry{{Device: d.ID, Node: j.f.cfg.Node, Action: action, At: j.f.cfg.Now(), RC: -1, Output: "an operator was asked"}})
		if j.f.cfg.Ask != nil {
			if err := j.f.cfg.Ask(ctx, q); err != nil {
				j.f.cfg.Log.Warn("not everybody could be told that an operator is needed", "target", t, "device", d.ID, "error", err)
			}
		}
	}
	return outcome{waits: true, problem: fmt.Sprintf("%s waits for an operator", d.ID)}
}

func question(req cib.FenceRequest) string {
	return fmt.Sprintf(`The cluster needs your help with %[1]s.

Why: %[2]s
It must be certain that %[1]s is off before its services may run elsewhere, and no device could make sure.

1. Switch %[1]s off (pull its plug if need be), and see that it is off.
2. Say so, on any node of the cluster:  cerco stonith confirm %[1]s

Do not confirm what you have not seen: two nodes that run the same thing destroy its data.
`, req.Target, req.Why)
}

// Builtin is the metadata of a built-in agent, or nil.
func Builtin(agent string) *Metadata {
	switch agent {
	case ManualAgent:
		return &Metadata{Agent: agent, Short: "Asks an operator",
			Long: "Asks an operator to switch a node off, by mail, log and console, and waits until that is confirmed with `cerco stonith confirm NODE`.",
			Parameters: []Parameter{
				{Name: "mailto", Type: "string", Short: "addresses that are written to, parted by commas"},
				{Name: "wall", Type: "boolean", Default: "true", Short: "write to all terminals of the node"},
				{Name: "sendmail", Type: "string", Default: "/usr/sbin/sendmail", Short: "the program that sends mail"},
			},
			Actions: []Action{{Name: "off"}, {Name: "reboot"}, {Name: "monitor"}, {Name: "metadata"}, {Name: "validate-all"}},
		}
	case WatchdogAgent:
		return &Metadata{Agent: agent, Short: "Waits for the target's watchdog",
			Long:    "Takes a node for off when its armed watchdog must have reset it: stonith-watchdog-timeout after its lease ended.",
			Actions: []Action{{Name: "off"}, {Name: "reboot"}, {Name: "monitor"}, {Name: "metadata"}, {Name: "validate-all"}},
		}
	}
	return nil
}

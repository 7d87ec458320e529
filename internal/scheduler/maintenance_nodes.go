package scheduler

import "github.com/cerco-ha/cerco/internal/transition"

// maintenanceChanges is the event of remote and guest nodes having gone into maintenance or come back since
// the status section last said so; nil if there is nothing to record. Other nodes' own controllers know.
func (p *planner) maintenanceChanges() *transition.Action {
	var changed []transition.MaintenanceNode
	for _, n := range p.byName {
		if n.isRemote() && n.unpacked && n.maintenance != n.remoteMaintenance {
			changed = append(changed, transition.MaintenanceNode{ID: n.id, InMaintenance: n.maintenance})
		}
	}
	if changed == nil {
		return nil
	}
	const name = "maintenance_nodes"
	a := p.newAction(nil, name, name, 0, nil, actPseudo|actRunnable)
	return &transition.Action{ID: a.seq, Kind: transition.Pseudo, Task: name, Key: name, Maintenance: changed}
}

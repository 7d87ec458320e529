package cli

import (
	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/status"
	"github.com/cerco-ha/cerco/internal/wire"
)

// clusterJSON is the status as JSON.
type clusterJSON struct {
	Node      wire.Node         `json:"node"`
	DC        string            `json:"dc"`
	Quorate   bool              `json:"quorate"`
	Rest      wire.Rest         `json:"rest"`
	Nodes     []nodeJSON        `json:"nodes"`
	Resources []resourceJSON    `json:"resources"`
	Failures  []failureJSON     `json:"failures"`
	Fencing   []cib.FenceRecord `json:"fencing"`
	Votes     wire.Quorum       `json:"votes"`
	Links     []wire.Link       `json:"links,omitempty"`
}

type nodeJSON struct {
	Name        string            `json:"name"`
	ID          string            `json:"id"`
	Kind        string            `json:"kind"`
	State       string            `json:"state"` // in words, as the text has it
	Online      bool              `json:"online"`
	Unclean     bool              `json:"unclean,omitempty"`
	Pending     bool              `json:"pending,omitempty"`
	Standby     bool              `json:"standby,omitempty"`
	Maintenance bool              `json:"maintenance,omitempty"`
	DC          bool              `json:"dc,omitempty"`
	Resources   int               `json:"resources"`
	Attributes  map[string]string `json:"attributes,omitempty"`
}

type resourceJSON struct {
	ID        string         `json:"id"`
	Kind      string         `json:"kind"`
	Agent     string         `json:"agent,omitempty"`
	Role      string         `json:"role,omitempty"` // or what is being done to it
	On        []string       `json:"on,omitempty"`
	Target    string         `json:"target_role,omitempty"`
	Failed    bool           `json:"failed,omitempty"`
	Blocked   bool           `json:"blocked,omitempty"`
	Unmanaged bool           `json:"unmanaged,omitempty"`
	Disabled  bool           `json:"disabled,omitempty"`
	Orphaned  bool           `json:"orphaned,omitempty"`
	Members   []resourceJSON `json:"members,omitempty"`
}

type failureJSON struct {
	Resource   string `json:"resource"`
	Task       string `json:"task"`
	IntervalMS int64  `json:"interval_ms"`
	Node       string `json:"node"`
	RC         int    `json:"rc"`
	Status     string `json:"status"`
	Reason     string `json:"reason,omitempty"`
	At         int64  `json:"at,omitempty"` // seconds since the epoch
}

func statusJSON(st *wire.Status, v *scheduler.View) *clusterJSON {
	j := &clusterJSON{Node: st.Node, DC: v.DC, Quorate: v.Quorate, Rest: st.Rest, Fencing: st.Fencing, Votes: st.Cluster.Quorum,
		Links: st.Cluster.Links, Nodes: []nodeJSON{}, Failures: []failureJSON{}, Resources: resourcesJSON(v.Resources)}
	for _, n := range v.Nodes {
		j.Nodes = append(j.Nodes, nodeJSON{Name: n.Name, ID: n.ID, Kind: n.Kind, State: status.NodeState(n), Online: n.Online, Unclean: n.Unclean,
			Pending: n.Pending, Standby: n.Standby, Maintenance: n.Maintenance, DC: n.DC, Resources: n.Running, Attributes: n.Attrs})
	}
	for _, f := range v.Failures {
		j.Failures = append(j.Failures, failureJSON{Resource: f.Resource, Task: f.Task, IntervalMS: f.IntervalMS, Node: f.Node, RC: f.RC,
			Status: status.OpStatus(f.Status), Reason: f.ExitReason, At: f.LastRCChange})
	}
	return j
}

func resourcesJSON(list []*scheduler.ResourceView) []resourceJSON {
	out := []resourceJSON{}
	for _, r := range list {
		if r == nil || r.Internal {
			continue
		}
		j := resourceJSON{ID: r.ID, Kind: r.Kind, Target: r.Target, Failed: r.Failed, Blocked: r.Blocked, Unmanaged: !r.Managed,
			Disabled: r.Disabled, Orphaned: r.Orphaned}
		if r.Kind == "primitive" {
			j.Agent, j.Role = status.Agent(r), status.State(r)
			for _, n := range r.On {
				j.On = append(j.On, n.Name)
			}
		}
		if len(r.Children) > 0 {
			j.Members = resourcesJSON(r.Children)
		}
		for _, rep := range r.Replicas {
			j.Members = append(j.Members, resourcesJSON([]*scheduler.ResourceView{rep.IP, rep.Container, rep.Remote, rep.Child})...)
		}
		out = append(out, j)
	}
	return out
}

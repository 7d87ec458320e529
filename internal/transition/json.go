package transition

import (
	"encoding/json"
	"io"
)

// The JSON form of a graph. Field names are a promise to readers.
type (
	jsonGraph struct {
		Transition int          `json:"transition"`
		RecheckBy  int64        `json:"recheck_by,omitempty"` // seconds since the epoch
		Actions    []jsonAction `json:"actions"`
	}
	jsonAction struct {
		ID         int               `json:"id"`
		Kind       string            `json:"kind"` // "resource", "cluster" or "pseudo"
		Task       string            `json:"task"`
		Resource   string            `json:"resource,omitempty"` // with the instance number
		Node       string            `json:"node,omitempty"`
		Via        string            `json:"via,omitempty"` // cluster node that runs it for a remote node
		IntervalMS int64             `json:"interval_ms,omitempty"`
		Key        string            `json:"key"`
		Priority   int               `json:"priority,omitempty"`
		After      []int             `json:"after,omitempty"` // ids
		Reason     string            `json:"reason,omitempty"`
		Attributes map[string]string `json:"attributes,omitempty"`
	}
)

// WriteJSON writes the graph as one indented JSON document.
func (g *Graph) WriteJSON(w io.Writer) error {
	doc := jsonGraph{Transition: g.ID, RecheckBy: g.RecheckBy, Actions: make([]jsonAction, len(g.Actions))}
	for i, a := range g.Actions {
		j := jsonAction{ID: a.ID, Kind: [...]string{"resource", "cluster", "pseudo"}[a.Kind], Task: a.Task, Node: a.Node,
			Via: a.Router, IntervalMS: a.Interval(), Key: a.Key, Priority: a.Priority, After: a.inputIDs(), Reason: a.Reason}
		if a.Rsc != nil {
			j.Resource = a.Rsc.LongID
			if j.Resource == "" {
				j.Resource = a.Rsc.ID
			}
		}
		if len(a.Attrs) > 0 {
			j.Attributes = make(map[string]string, len(a.Attrs))
			for _, at := range a.Attrs {
				j.Attributes[at.Name] = at.Value
			}
		}
		doc.Actions[i] = j
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(doc)
}

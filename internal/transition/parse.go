package transition

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// ErrNotGraph means that the document holds no transition_graph.
var ErrNotGraph = errors.New("no <transition_graph> in it")

// ParseXML reads a graph that WriteXML or Pacemaker wrote. Elements it does not know are skipped. A
// graph in which an id occurs twice or an input names no action is refused.
func ParseXML(data []byte) (*Graph, error) {
	p := &parser{dec: xml.NewDecoder(bytes.NewReader(data))}
	if err := p.run(); err != nil {
		line, _ := p.dec.InputPos()
		return nil, fmt.Errorf("transition graph, line %d: %w", line, err)
	}
	if p.graph == nil {
		return nil, fmt.Errorf("transition graph: %w", ErrNotGraph)
	}
	if err := p.graph.check(); err != nil {
		return nil, fmt.Errorf("transition graph: %w", err)
	}
	return p.graph, nil
}

// parser keeps where in the document it is: the open elements from the graph down.
type parser struct {
	dec    *xml.Decoder
	graph  *Graph
	path   []string
	action *Action // of the open synapse
	prio   int
}

func (p *parser) run() error {
	for {
		tok, err := p.dec.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch t := tok.(type) {
		case xml.StartElement:
			if err := p.start(t); err != nil {
				return err
			}
			p.path = append(p.path, t.Name.Local)
		case xml.EndElement:
			p.path = p.path[:len(p.path)-1]
		}
	}
}

func (p *parser) under() string {
	if len(p.path) == 0 {
		return ""
	}
	return p.path[len(p.path)-1]
}

func (p *parser) start(e xml.StartElement) error {
	name := e.Name.Local
	if p.graph == nil {
		if name == "transition_graph" {
			return p.header(attrMap(e))
		}
		return nil
	}
	switch name {
	case "synapse":
		p.action = nil
		return number(attrMap(e), "priority", &p.prio)
	case "rsc_op", "crm_event", "pseudo_event":
		return p.mention(name, attrMap(e))
	}
	if p.action == nil {
		return nil
	}
	a := p.action
	switch name {
	case "primitive":
		m := attrMap(e)
		a.Rsc = &Resource{ID: m["id"], LongID: m["long-id"], Class: m["class"], Provider: m["provider"], Type: m["type"]}
	case "attributes":
		for _, at := range e.Attr {
			a.Attrs = append(a.Attrs, cib.Attr{Name: at.Name.Local, Value: at.Value})
		}
	case "param":
		if m := attrMap(e); p.under() == "attributes" {
			a.Attrs = append(a.Attrs, cib.Attr{Name: m["name"], Value: m["value"]})
		}
	case "node":
		m := attrMap(e)
		switch p.under() {
		case "downed":
			a.Downed = append(a.Downed, m["id"])
		case "maintenance":
			a.Maintenance = append(a.Maintenance, MaintenanceNode{ID: m["id"], InMaintenance: m["node_in_maintenance"] == "1"})
		}
	}
	return nil
}

func (p *parser) header(m map[string]string) error {
	p.graph = &Graph{ClusterDelay: m["cluster-delay"], FencingTimeout: m["stonith-timeout"],
		FailedStopOffset: m["failed-stop-offset"], FailedStartOffset: m["failed-start-offset"],
		BatchLimit: m["batch-limit"], MigrationLimit: m["migration-limit"]}
	if s := m["recheck-by"]; s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return fmt.Errorf("recheck-by=%q is not a number of seconds", s)
		}
		p.graph.RecheckBy = n
	}
	return number(m, "transition_id", &p.graph.ID)
}

// mention takes in an action where it is defined, or as somebody's input.
func (p *parser) mention(element string, m map[string]string) error {
	var id int
	if err := number(m, "id", &id); err != nil {
		return err
	}
	switch p.under() {
	case "trigger":
		if p.action == nil {
			return fmt.Errorf("action %d is an input of nothing: its synapse has no action_set before it", id)
		}
		p.action.Inputs = append(p.action.Inputs, Input{ID: id})
	case "action_set":
		if p.action != nil {
			return fmt.Errorf("action %d: its synapse has an action already", id)
		}
		a := &Action{ID: id, Task: m["operation"], Key: m["operation_key"], LongKey: m["internal_operation_key"],
			Node: m["on_node"], NodeID: m["on_node_uuid"], Router: m["router_node"], Mode: m["mode"],
			ShutdownLock: m["shutdown-lock"], Priority: p.prio}
		switch element {
		case "crm_event":
			a.Kind = ClusterEvent
		case "pseudo_event":
			a.Kind = Pseudo
		}
		p.action = a
		p.graph.Actions = append(p.graph.Actions, a)
	}
	return nil
}

// check refuses what a runner could not run.
func (g *Graph) check() error {
	seen := make(map[int]bool, len(g.Actions))
	for i, a := range g.Actions {
		if seen[a.ID] {
			return fmt.Errorf("synapse %d: action id %d is used twice", i, a.ID)
		}
		seen[a.ID] = true
		slices.SortFunc(a.Inputs, func(x, y Input) int { return x.ID - y.ID })
		slices.SortStableFunc(a.Attrs, func(x, y cib.Attr) int { return strings.Compare(x.Name, y.Name) })
		a.CanFail = a.Attr("CRM_meta_can_fail") == "true"
	}
	for i, a := range g.Actions {
		for _, in := range a.Inputs {
			if !seen[in.ID] {
				return fmt.Errorf("synapse %d: its input %d is no action of this graph", i, in.ID)
			}
		}
	}
	return nil
}

// Attr returns one of the action's <attributes>, empty when it is absent.
func (a *Action) Attr(name string) string {
	for i := range a.Attrs {
		if a.Attrs[i].Name == name {
			return a.Attrs[i].Value
		}
	}
	return ""
}

func attrMap(e xml.StartElement) map[string]string {
	m := make(map[string]string, len(e.Attr))
	for _, a := range e.Attr {
		m[a.Name.Local] = a.Value
	}
	return m
}

// number reads an attribute that may be absent, which is 0.
func number(m map[string]string, name string, to *int) error {
	*to = 0
	s, ok := m[name]
	if !ok {
		return nil
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return fmt.Errorf("%s=%q is not a number", name, s)
	}
	*to = n
	return nil
}

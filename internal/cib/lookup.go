package cib

import (
	"iter"
	"time"
)

// Node returns the configured node of that id, or nil.
func (c *CIB) Node(id string) *Node {
	for _, n := range c.Nodes {
		if n.ID == id {
			return n
		}
	}
	return nil
}

// NodeByName returns the configured node of that name, or nil.
func (c *CIB) NodeByName(name string) *Node {
	for _, n := range c.Nodes {
		if n.Name == name {
			return n
		}
	}
	return nil
}

// Option returns a cluster option as it is at a time, empty when it is not set.
func (c *CIB) Option(name string, now time.Time) string {
	v, _ := Value(c.Properties, &RuleInput{Now: now}, name)
	return v
}

// NodeStateByName returns the state of the node of that name, or nil.
func (c *CIB) NodeStateByName(name string) *NodeState {
	for _, n := range c.Status.Nodes {
		if n.Name == name {
			return n
		}
	}
	return nil
}

// NodeState returns the state of the node of that id, or nil.
func (c *CIB) NodeState(id string) *NodeState {
	for _, n := range c.Status.Nodes {
		if n.ID == id {
			return n
		}
	}
	return nil
}

// AllResources ranges over the resources of the configuration, each before those inside of it.
func (c *CIB) AllResources() iter.Seq[*Resource] {
	return func(yield func(*Resource) bool) { walkResources(c.Resources, yield) }
}

func walkResources(list []*Resource, yield func(*Resource) bool) bool {
	for _, r := range list {
		if !yield(r) || !walkResources(r.Children, yield) {
			return false
		}
	}
	return true
}

// Resource returns the resource of the configuration that has the id, or nil.
func (c *CIB) Resource(id string) *Resource {
	for r := range c.AllResources() {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// History returns the history of a resource on the node, or nil.
func (n *NodeState) History(resource string) *LrmResource {
	for _, r := range n.Lrm {
		if r.ID == resource {
			return r
		}
	}
	return nil
}

// Attr returns an attribute of the operation, empty when it is absent.
func (op *Op) Attr(name string) string {
	for _, a := range op.Attrs {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

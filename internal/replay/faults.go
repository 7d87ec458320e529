package replay

import (
	"slices"
	"strconv"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/controller"
	"github.com/cerco-ha/cerco/internal/transition"
)

// Crash takes a node's power away.
func (w *World) Crash(name string) {
	w.trace("** crash %s", name)
	if n := w.Node(name); n.Alive {
		n.die()
	}
}

// die ends all that runs on a host.
func (n *Node) die() {
	n.w.hear()
	n.Alive, n.Daemon = false, false
	n.boots++
	n.empty()
	n.w.changed()
}

// Start switches a node on, or starts its daemon.
func (n *Node) Start() {
	if n.Alive && n.Daemon {
		return
	}
	n.w.trace("%s is on", n.Name)
	n.Alive, n.Daemon, n.leaving = true, true, false
	n.w.changed()
	if n.w.leader == nil {
		n.w.elect()
	}
	n.report()
}

// StopDaemon ends a node's daemon; what runs there goes on.
func (n *Node) StopDaemon() {
	if n.Alive && n.Daemon {
		n.w.trace("%s: the daemon has stopped", n.Name)
		n.w.hear()
		n.Daemon = false
		n.w.changed()
	}
}

// Partition parts the nodes that are named from all others.
func (w *World) Partition(names ...string) {
	w.trace("** partition %v from the others", names)
	w.hear()
	for _, n := range w.nodes {
		n.side = 0
		if slices.Contains(names, n.Name) {
			n.side = 1
		}
	}
	w.changed()
}

// Heal ends a partition.
func (w *World) Heal() {
	w.trace("** heal")
	for _, n := range w.nodes {
		n.side = 0
	}
	w.changed()
	for _, n := range w.nodes {
		n.report()
	}
}

// Fail has an agent fail with rc whenever it is called for a task on a node, until rc 0 is given.
func (w *World) Fail(node, resource, task string, rc int) {
	key := node + " " + resource + " " + task
	if rc == 0 {
		delete(w.failing, key)
		return
	}
	w.trace("** %s will fail with rc %d", key, rc)
	w.failing[key] = rc
}

// Break ends a resource on a node without anybody having asked for it. Its monitors notice.
func (w *World) Break(name, resource string) {
	n := w.Node(name)
	if !n.Runs(resource) {
		return
	}
	w.trace("** %s breaks on %s", resource, name)
	n.become(resource, stopped)
	boot := n.boots
	w.after(w.vary(w.delay.Operation), func() {
		if n.boots != boot || !n.Alive {
			return
		}
		for _, key := range sorted(n.monitors) {
			m := n.monitors[key]
			if rc := n.observe(resource); m.op.Resource == resource && rc != m.rc {
				m.rc = rc
				n.result(&m.op, m.call, rc, "", w.Now)
			}
		}
	})
}

// StopNode asks for a node to leave in good order.
func (w *World) StopNode(name string) {
	w.trace("** stop %s", name)
	w.Propose(cib.Command{By: "root", Attributes: []cib.AttributeUpdate{{Node: name, Name: "shutdown", Value: strconv.FormatInt(w.Now.Unix(), 10)}}})
}

// Option sets a cluster option.
func (w *World) Option(name, value string) {
	w.trace("** option %s=%s", name, value)
	w.Propose(cib.Command{By: "root", Config: &cib.ConfigChange{Edits: []cib.Edit{{Op: "modify", Create: true, XML: OptionXML(name, value)}}}})
}

// OptionXML is the element that sets a cluster option.
func OptionXML(name, value string) string {
	return `<cluster_property_set id="cib-bootstrap-options"><nvpair id="cib-bootstrap-options-` + name + `" name="` + name + `" value="` + value + `"/></cluster_property_set>`
}

// alone does what a node does by itself when it has no quorum.
func (n *Node) alone() {
	w := n.w
	if !n.Alive || !n.Daemon || n.lone {
		return
	}
	n.lone = true
	epoch := cib.Epoch{Term: n.seen.Term, Plan: n.seen.Plan + 1}
	l, err := controller.LocalStops(w.State, n.Name, epoch, w.Now)
	if err != nil {
		w.breach("%s alone: %v", n.Name, err)
		return
	}
	w.trace("%s is alone: %d actions, reboot %v", n.Name, len(l.Graph.Actions), l.Reboot)
	if l.Reboot {
		n.die()
		w.after(w.delay.Boot, n.Start)
		return
	}
	n.bind(epoch)
	n.follow(l, transition.NewRunner(l.Graph))
}

// follow leads through the plan of a node that is alone.
func (n *Node) follow(l *controller.Local, r *transition.Runner) {
	for a := r.Next(); a != nil && n.lone; a = r.Next() {
		if a.Kind == transition.Pseudo {
			r.Finish(a.ID, true)
			continue
		}
		n.enqueue(&order{op: l.Operation(a), boot: n.boots, then: func(ok bool) {
			r.Finish(a.ID, ok)
			n.follow(l, r)
		}})
	}
}

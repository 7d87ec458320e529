package convert

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// ClusterConf converts the cluster.conf of CMAN and rgmanager. Errors name the file and the line.
func ClusterConf(file string, data []byte) (*Result, error) {
	root, err := cib.Parse(file, data)
	if err != nil {
		return nil, err
	}
	if root.Name != "cluster" {
		return nil, fmt.Errorf("%s:%d: a cluster.conf begins with <cluster>, not with <%s>", file, root.Line, root.Name)
	}
	r := &Result{Cluster: root.Attr("name")}
	if r.Cluster == "" {
		r.note(Wrong, int(root.Line), "the cluster has no name")
	}
	r.members(root.Child("clusternodes"))
	r.fencing(root)
	for e := range root.Elements() {
		switch e.Name {
		case "clusternodes", "fencedevices":
		case "cman":
			r.cman(e)
		case "totem":
			if v := e.Attr("token"); v != "" {
				r.note(Changed, int(e.Line), "token %s ms: Cerco notices a loss within 800 ms; 'cerco cluster options token=%s' keeps the old pace", v, v)
			}
			if e.Attr("rrp_mode") != "" {
				r.note(Changed, int(e.Line), "rrp_mode: every address of a node (altname) is a ring, and all of them are used")
			}
		case "quorumd":
			r.note(Changed, int(e.Line), "the quorum disk becomes a witness, a third vote without resources: cerco cluster add-witness; its heuristics are dropped")
		case "fence_daemon":
			r.note(Changed, int(e.Line), "post_join_delay and post_fail_delay: a node that starts alone waits for the others (wait_for_all), "+
				"and fencing begins when the loss is certain; pcmk_delay_max on a fence device delays it")
		case "rm":
			r.services(e)
		case "logging", "dlm", "gfs_controld", "group", "uidgid":
			r.note(Dropped, int(e.Line), "<%s>: this is the business of other programs", e.Name)
		default:
			r.note(Dropped, int(e.Line), "<%s> is not known", e.Name)
		}
	}
	return r, nil
}

func (r *Result) members(list *cib.Element) {
	for e := range list.Elements() {
		if e.Name != "clusternode" {
			r.note(Dropped, int(e.Line), "<%s> among the nodes is not known", e.Name)
			continue
		}
		n := Node{Name: e.Attr("name"), Votes: 1, Addrs: []string{e.Attr("name")}}
		if v := e.Attr("votes"); v != "" {
			votes, err := strconv.Atoi(v)
			if err != nil || votes < 0 {
				r.note(Wrong, int(e.Line), "votes=%q of %s is no number: 1 is used", v, n.Name)
				votes = 1
			}
			n.Votes = votes
		}
		for c := range e.Elements() {
			if c.Name == "altname" {
				n.Addrs = append(n.Addrs, c.Attr("name"))
			}
		}
		if n.Name == "" {
			r.note(Wrong, int(e.Line), "a node has no name")
			continue
		}
		r.Nodes = append(r.Nodes, n)
	}
}

func (r *Result) cman(e *cib.Element) {
	if e.Attr("two_node") == "1" {
		r.Quorum = append(r.Quorum, "two_node=1")
		r.note(Changed, int(e.Line), "two_node: the survivor goes on once the other is proved off, and only then; a node that starts alone waits for the other (wait_for_all)")
	}
	if v := e.Attr("expected_votes"); v != "" && v != strconv.Itoa(len(r.Nodes)) && e.Attr("two_node") != "1" {
		r.Quorum = append(r.Quorum, "expected_votes="+v)
	}
	if e.Child("multicast") != nil || e.Attr("transport") != "" {
		r.note(Changed, int(e.Line), "multicast and transport: the nodes talk over TLS on TCP port 2225 of each of their addresses")
	}
	if e.Attr("keyfile") != "" {
		r.note(Changed, int(e.Line), "keyfile: the nodes have certificates of their own")
	}
}

// use is how a node is fenced through a device: the step of a method.
type use struct {
	node   string
	device string
	el     *cib.Element
	id     string // of the resource that it becomes
}

// fencing makes devices and levels. A device that several nodes use through nothing but a port of their own is one
// resource; with other differences, each node has its own.
func (r *Result) fencing(root *cib.Element) {
	devices := map[string]*cib.Element{}
	for d := range root.Child("fencedevices").Elements() {
		devices[d.Attr("name")] = d
	}
	methods := map[string][][]*use{} // by node: its methods, each of several devices
	var all []*use
	for n := range root.Child("clusternodes").Elements() {
		node := n.Attr("name")
		for m := range n.Child("fence").Elements() {
			var steps []*use
			for d := range m.Elements() {
				if d.Name != "device" {
					continue
				}
				dev := devices[d.Attr("name")]
				switch {
				case dev == nil:
					r.note(Wrong, int(d.Line), "%s is fenced with %q, and there is no such device", node, d.Attr("name"))
					continue
				case dev.Attr("agent") == "fence_pcmk":
					r.note(Changed, int(d.Line), "%s: fence_pcmk handed fencing over to Pacemaker; here the devices of the cluster do it: make them with 'pcs stonith create'", node)
					continue
				case d.Attr("action") == "on", d.Attr("option") == "enable":
					continue // the second half of off and on again, which "reboot" is
				}
				u := &use{node: node, device: d.Attr("name"), el: d}
				steps, all = append(steps, u), append(all, u)
			}
			if len(steps) > 0 {
				methods[node] = append(methods[node], steps)
			}
		}
		if n.Child("unfence") != nil {
			r.note(Changed, int(n.Child("unfence").Line), "%s: unfencing: give the device 'meta provides=unfencing'", node)
		}
	}
	for d := range root.Child("fencedevices").Elements() {
		r.device(d, all)
	}
	for _, n := range r.Nodes {
		r.levels(n.Name, methods[n.Name])
	}
}

// device makes the resources of one device.
func (r *Result) device(dev *cib.Element, all []*use) {
	var uses []*use
	for _, u := range all {
		if u.device == dev.Attr("name") {
			uses = append(uses, u)
		}
	}
	agent := dev.Attr("agent")
	switch {
	case agent == "fence_pcmk":
		return
	case len(uses) == 0:
		r.note(Dropped, int(dev.Line), "the fence device %s is used by no node", dev.Attr("name"))
		return
	case agent == "fence_manual":
		r.note(Changed, int(dev.Line), "fence_manual asks an operator here too, and waits for 'pcs stonith confirm'")
	}
	shared := len(uses) > 1
	for _, u := range uses {
		for a := range u.el.Attrs() {
			if a != "name" && a != "port" && a != "option" && a != "action" {
				shared = false
			}
		}
		if u.el.Attr("port") == "" {
			shared = false
		}
	}
	if !shared {
		for _, u := range uses {
			u.id = name(dev.Attr("name"))
			if len(uses) > 1 {
				u.id = name(dev.Attr("name") + "-" + u.node)
			}
			r.stonith(u.id, dev, []*use{u})
		}
		return
	}
	for _, u := range uses {
		u.id = name(dev.Attr("name"))
	}
	r.stonith(uses[0].id, dev, uses)
}

func (r *Result) stonith(id string, dev *cib.Element, uses []*use) {
	words := []string{"stonith", "create", id, dev.Attr("agent")}
	add := func(n, v string) {
		switch n {
		case "name", "agent", "port", "option":
		case "action":
			if v == "off" || v == "on" || v == "reboot" {
				words = append(words, "pcmk_reboot_action="+strings.Replace(v, "on", "reboot", 1))
			}
		case "ipaddr":
			words = append(words, "ip="+v)
		case "login":
			words = append(words, "username="+v)
		case "passwd":
			words = append(words, "password="+v)
		case "passwd_script":
			words = append(words, "password_script="+v)
		default:
			words = append(words, n+"="+v)
		}
	}
	for n, v := range dev.Attrs() {
		add(n, v)
	}
	if len(uses) == 1 {
		u := uses[0]
		for n, v := range u.el.Attrs() {
			add(n, v)
		}
		words = append(words, option("pcmk_host_list", u.node))
		if port := u.el.Attr("port"); port != "" {
			words[len(words)-1] = "pcmk_host_map=" + u.node + ":" + port
		}
	} else {
		var pairs []string
		for _, u := range uses {
			pairs = append(pairs, u.node+":"+u.el.Attr("port"))
		}
		words = append(words, "pcmk_host_map="+strings.Join(pairs, ";"))
	}
	r.command(append(words, "--force")...)
}

// levels makes the levels of a node; a single device needs none.
func (r *Result) levels(node string, methods [][]*use) {
	if len(methods) == 0 {
		r.note(Wrong, 0, "%s cannot be fenced: it has no method, and nothing of it would be recovered", node)
		return
	}
	if len(methods) == 1 && len(methods[0]) == 1 {
		return
	}
	for i, steps := range methods {
		words := []string{"stonith", "level", "add", strconv.Itoa(i + 1), node}
		for _, u := range steps {
			words = append(words, u.id)
		}
		r.command(words...)
	}
}

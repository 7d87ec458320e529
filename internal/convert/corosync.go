package convert

import (
	"strconv"

	"github.com/cerco-ha/cerco/internal/corosync"
)

// Corosync converts a corosync.conf. Errors name the file and the line.
func Corosync(file string, data []byte) (*Result, error) {
	c, err := corosync.Decode(file, data)
	if err != nil {
		return nil, err
	}
	r := &Result{Cluster: c.Name()}
	for i, s := range c.Root.Child("nodelist").All("node") {
		n := c.Nodes()[i]
		node := Node{Name: n.Name, Votes: 1}
		for _, a := range n.Addrs {
			node.Addrs = append(node.Addrs, a.Addr)
		}
		if node.Name == "" && len(node.Addrs) > 0 {
			node.Name = node.Addrs[0]
			r.note(Changed, 0, "the node with nodeid %s has no name: it is called by its first address, %s", n.ID, node.Name)
		}
		if v := s.Get("quorum_votes"); v != "" {
			if node.Votes, err = strconv.Atoi(v); err != nil {
				r.note(Wrong, 0, "quorum_votes=%s of %s is no number: 1 is used", v, node.Name)
				node.Votes = 1
			}
		}
		r.Nodes = append(r.Nodes, node)
	}
	if len(r.Nodes) == 0 {
		r.note(Wrong, 0, "there is no nodelist: corosync found its nodes by multicast; name them when you set the cluster up")
	}
	q := c.Root.Child("quorum")
	for _, name := range []string{"two_node", "wait_for_all", "auto_tie_breaker", "auto_tie_breaker_node", "last_man_standing",
		"last_man_standing_window", "expected_votes"} {
		if v := q.Get(name); v != "" {
			r.Quorum = append(r.Quorum, name+"="+v)
		}
	}
	if d := c.Device(); d != nil {
		r.note(Changed, 0, "the quorum device (model %s, host %s) becomes a witness: cerco cluster add-witness shows the command for that host",
			d.Model, d.Net.Get("host"))
	}
	r.totem(c.Root.Child("totem"), c)
	return r, nil
}

// totem accounts for how the nodes talked.
func (r *Result) totem(s *corosync.Section, c *corosync.Config) {
	if v := s.Get("token"); v != "" {
		r.note(Changed, 0, "token %s ms: Cerco notices a loss within 800 ms; 'cerco cluster options token=%s' keeps the old pace", v, v)
	}
	switch {
	case s.Get("secauth") == "off" || s.Get("crypto_cipher") == "none":
		r.note(Changed, 0, "the nodes talked in clear text: here they always talk over TLS with certificates of their own")
	case s != nil:
		r.note(Changed, 0, "the shared authkey and the ciphers are not needed: the nodes talk over TLS with certificates of their own")
	}
	if t := c.Transport(); t != corosync.Knet {
		r.note(Changed, 0, "transport %s (multicast addresses and ports with it): the nodes talk over TCP, port 2225 of each of their addresses", t)
	}
	if len(c.Links()) > 0 {
		r.note(Dropped, 0, "options of links (interface sections): every ring is used, and one that is silent is left out by itself")
	}
	for _, name := range []string{"logging", "uidgid", "resources", "system"} {
		if c.Root.Child(name) != nil {
			r.note(Dropped, 0, "section %s: logs go to the journal, rights are those of the group haclient", name)
		}
	}
}

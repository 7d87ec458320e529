package cib

import (
	"slices"
	"strconv"
)

// NewState is the state of a cluster that has just been made: its members are nodes, nothing is configured
// and nothing observed.
func NewState(c Cluster) State {
	section := func(name string) *Element { return NewElement(name, nil) }
	root := NewElement("cib", []Attr{{"crm_feature_set", FeatureSet}, {"validate-with", "pacemaker-3.9"}, {"epoch", "0"},
		{"num_updates", "0"}, {"admin_epoch", "0"}, {"have-quorum", "0"}},
		NewElement("configuration", nil, firstOptions(c.Name), section("nodes"), section("resources"), section("constraints")),
		section("status"))
	empty, err := DecodeRoot("", root)
	if err != nil {
		panic("cib: the first CIB is none: " + err.Error())
	}
	s := State{CIB: empty, Spoken: CommandVersion}
	made, err := Apply(s, Command{Cluster: &c})
	if err != nil {
		s.Cluster = c // what is wrong with it shows when it is changed
		return s
	}
	return made
}

// firstOptions are what tools look for in every cluster: which dialect of Pacemaker is spoken, and by whom.
func firstOptions(cluster string) *Element {
	const set = "cib-bootstrap-options"
	pair := func(name, value string) *Element {
		return NewElement("nvpair", []Attr{{"id", set + "-" + name}, {"name", name}, {"value", value}})
	}
	return NewElement("crm_config", nil, NewElement("cluster_property_set", []Attr{{"id", set}},
		pair("dc-version", "2.1.5-cerco"), pair("cluster-infrastructure", "cerco"), pair("cluster-name", cluster)))
}

// clone is a copy that shares nothing with c.
func (c Cluster) clone() Cluster {
	c.Members = slices.Clone(c.Members)
	for i := range c.Members {
		c.Members[i].Addrs = slices.Clone(c.Members[i].Addrs)
	}
	c.Invites = slices.Clone(c.Invites)
	return c
}

// check says what is wrong with the description of a cluster that follows old.
func (c *Cluster) check(old *Cluster) error {
	if c.LastID < old.LastID {
		return refuse("read the cluster again and repeat the change", "member ids up to %d were given, not %d", old.LastID, c.LastID)
	}
	if t := c.Timing.WithDefaults(); 2*t.HeartbeatMS >= t.LeaseMS || t.LeaseMS >= t.TokenMS {
		return refuse("let two heartbeats be shorter than the lease, and the lease shorter than the token",
			"a heartbeat each %d ms, a lease of %d ms and a token of %d ms do not go together", t.HeartbeatMS, t.LeaseMS, t.TokenMS)
	}
	if c.KeyDays < 0 || c.KeyDays > 36500 {
		return refuse("use 0 for never", "keys cannot be exchanged every %d days", c.KeyDays)
	}
	ids, names := make(map[string]bool), make(map[string]bool)
	for _, m := range c.Members {
		n, ok := memberNumber(m.ID)
		switch {
		case !ok || strconv.Itoa(n) != m.ID:
			return refuse("use a positive number", "the id %q of member %q is not a number", m.ID, m.Name)
		case m.Name == "":
			return refuse("give it a name", "member %s has no name", m.ID)
		case ids[m.ID] || names[m.Name]:
			return refuse("use a free id and a free name", "there are two members with id %s or name %q", m.ID, m.Name)
		case m.Votes < 0:
			return refuse("use 0 or more", "member %q has %d votes", m.Name, m.Votes)
		case n > c.LastID:
			return refuse("raise last_id with it", "member %q has id %d, beyond the highest given, %d", m.Name, n, c.LastID)
		}
		ids[m.ID], names[m.Name] = true, true
	}
	return nil
}

// cluster takes over a description of the cluster, and keeps the nodes of the CIB in step with it.
func (a *applying) cluster(c Cluster) error {
	c = c.clone()
	slices.SortStableFunc(c.Members, func(x, y Member) int { return compareIDs(x.ID, y.ID) })
	if err := c.check(&a.state.Cluster); err != nil {
		return err
	}
	old := a.state.Cluster
	a.state.Cluster = c
	for _, m := range old.Members {
		now := slices.IndexFunc(c.Members, func(n Member) bool { return n.ID == m.ID })
		switch {
		case now < 0:
			if err := a.removeNode(m.ID); err != nil {
				return err
			}
		case c.Members[now].Name != m.Name:
			if err := a.renameNode(m.ID, c.Members[now].Name); err != nil {
				return err
			}
		}
	}
	return a.ensureNodes()
}

// ensureNodes gives every member its <node>.
func (a *applying) ensureNodes() error {
	for _, m := range a.state.Cluster.Members {
		if m.Witness {
			continue
		}
		if n := a.cib.Node(m.ID); n != nil && n.Name == m.Name {
			continue
		}
		if err := a.addNode(m.ID, m.Name, ""); err != nil {
			return err
		}
	}
	return nil
}

// addNode adds a <node>, or gives the one that is there its name.
func (a *applying) addNode(id, name, kind string) error {
	return a.editConfiguration(func(conf *Element) *Element {
		return editSection(conf, "nodes", func(nodes *Element) *Element {
			if n := nodes.Find("node", id); n != nil {
				return nodes.Swap(n, n.With("uname", name))
			}
			attrs := []Attr{{"id", id}, {"uname", name}}
			if kind != "" {
				attrs = append(attrs, Attr{"type", kind})
			}
			return nodes.WithChild(NewElement("node", attrs))
		})
	})
}

// removeNode takes out all that there is of a node.
func (a *applying) removeNode(id string) error {
	for _, n := range a.edit().nodes {
		if n.id == id {
			n.Drop()
		}
	}
	if at := slices.IndexFunc(a.state.Nodes, func(f NodeFacts) bool { return f.ID == id }); at >= 0 {
		a.facts(id)
		a.state.Nodes = slices.Delete(a.state.Nodes, at, at+1)
	}
	return a.editConfiguration(func(conf *Element) *Element {
		nodes := conf.Child("nodes")
		if n := nodes.Find("node", id); n != nil {
			return conf.Swap(nodes, nodes.Swap(n, nil))
		}
		return conf
	})
}

func (a *applying) renameNode(id, name string) error {
	for _, n := range a.edit().nodes {
		if n.id == id && !n.dropped {
			n.Set(Attr{"uname", name})
		}
	}
	return a.flush()
}

// editSection changes a section of the configuration, which is made if it is not there.
func editSection(conf *Element, name string, edit func(section *Element) *Element) *Element {
	section := conf.Child(name)
	if section == nil {
		section = NewElement(name, nil)
		conf = conf.WithChild(section)
	}
	changed := edit(section)
	if changed == section {
		return conf
	}
	return conf.Swap(section, changed)
}

// lead notes who decides, and whether the cluster is quorate.
func (a *applying) lead(l *LeadUpdate) {
	quorum := "0"
	if l.HaveQuorum {
		quorum = "1"
	}
	root := a.root().With("have-quorum", quorum)
	if l.DC == "" {
		root = root.Without("dc-uuid")
	} else {
		root = root.With("dc-uuid", l.DC)
	}
	_ = a.replaceRoot(root) // cannot fail: it is a <cib>
}

package doctor

import (
	"slices"
	"strings"
)

// hostsOf returns the hosts that members with a property are on, each once, in the order of the hosts.
func (d *Description) hostsOf(with func(*Guest) bool) []*Host {
	var out []*Host
	for i := range d.Hosts {
		if slices.ContainsFunc(d.Guests, func(g Guest) bool {
			return g.Cluster != "" && g.virtual() && g.Host == d.Hosts[i].Name && with(&g)
		}) {
			out = append(out, &d.Hosts[i])
		}
	}
	return out
}

// backend calls f with the daemon of every host that carries members which are fenced through it.
func (d *Description) backend(v *verdict, f func(h *Host, daemon *Daemon)) {
	for _, h := range d.hostsOf((*Guest).xvm) {
		switch {
		case h.Daemon == nil:
			v.need("daemon of %s", h.Name)
		case h.Daemon.Program == "fence_virtd" && h.Daemon.Backend == "":
			v.need("backend of the daemon of %s", h.Name)
		default:
			f(h, h.Daemon)
		}
	}
}

// backendRules are the rules on how hosts know where machines are.
func backendRules() []Rule {
	return []Rule{
		{ID: "C1", Severity: Unsupported, Says: "Where a host's daemon knows only its own machines, clustered guests are not migrated live.",
			Why:    "The request reaches hosts that do not have the machine, and with stock daemons those say that it is off.",
			Remedy: "Forbid migration of these guests, or let a cluster of the hosts answer: cerco on the hosts (docs/guest-fencing.md).", check: ruleC1},
		{ID: "C2", Severity: Unsupported, Says: "The backends checkpoint and cpg need a cluster of hosts that runs.", Why: "Without it no host learns where the machines are.",
			Remedy: "Start the hosts' cluster, or use another backend.", check: func(d *Description, v *verdict) {
				d.backend(v, func(h *Host, daemon *Daemon) {
					switch {
					case daemon.Backend != "checkpoint" && daemon.Backend != "cpg" && (daemon.Program != "cerco" || daemon.Backend != "cluster"):
					case h.HostCluster == nil:
						v.need("host-cluster of %s", h.Name)
					case !*h.HostCluster:
						v.broken("%s has the backend %s and no cluster of hosts", h.Name, daemon.Backend)
					}
				})
			}},
		{ID: "C3", Severity: Information, Says: "The backend libvirt-qpid (QMF) follows migration without a cluster of hosts.", Why: "It is gone from current fence-virt.",
			Remedy: "cerco fence-virtd with several libvirt URIs does the same.", check: func(d *Description, v *verdict) {
				d.backend(v, func(h *Host, daemon *Daemon) {
					if daemon.Backend == "libvirt-qpid" {
						v.broken("%s has the backend libvirt-qpid", h.Name)
					}
				})
			}},
		{ID: "C4", Severity: Unsupported, Says: "On RHEL 5 Xen fence_xvmd needs a cluster of hosts that runs.", Why: "It learns from it where the machines are, and whether their host is dead.",
			Remedy: "Start the hosts' cluster, or fence all guests by fence_scsi.", check: func(d *Description, v *verdict) {
				for _, h := range d.hostsOf((*Guest).xvm) {
					switch {
					case h.Platform == "":
						v.need("platform of %s", h.Name)
					case h.Platform != "xen":
					case h.HostCluster == nil:
						v.need("host-cluster of %s", h.Name)
					case !*h.HostCluster:
						v.broken("%s carries guests that are fenced by fence_xvm, and has no cluster of hosts", h.Name)
					}
				}
			}},
		{ID: "C5", Severity: Unsupported, Says: "On RHEL 5 Xen with fence_xvmd all clustered guests use fence_xvm.", Why: "The hosts' cluster and another agent would not know of each other's doings.",
			Remedy: "Use fence_xvm for all guests, or fence_scsi for all and no fence_xvmd.", check: ruleC5},
	}
}

// fencingRules are the rules on which hosts and guests fence, and by what.
func fencingRules() []Rule {
	return []Rule{
		{ID: "C6", Severity: Unsupported, Says: "KVM hosts whose guests use fence_xvm run fence_virtd.", Why: "Nobody else there answers the guests.",
			Remedy: "Run fence_virtd, or cerco fence-virtd, on the host.", check: func(d *Description, v *verdict) {
				for _, h := range d.hostsOf((*Guest).xvm) {
					if yes, known := h.answers(); h.Platform == "kvm" && !known {
						v.need("daemon of %s", h.Name)
					} else if h.Platform == "kvm" && !yes {
						v.broken("no daemon runs on %s", h.Name)
					}
				}
			}},
		{ID: "C7", Severity: Information, Says: "fence_virtd is not needed where all guests are fenced by fence_scsi.", Why: "fence_scsi acts on the storage and asks no host.",
			Remedy: "The daemon may be left out.", check: func(d *Description, v *verdict) {
				if !d.onlySCSI(v) {
					return
				}
				for _, h := range d.Hosts {
					if yes, _ := h.answers(); yes {
						v.broken("%s runs %s, and all its clustered guests use fence_scsi", h.Name, h.Daemon.Program)
					}
				}
			}},
		{ID: "C8", Severity: Unsupported, Says: "The daemon runs on every host.", Why: "A host can only cut off its own guests, and a guest may come to any host.",
			Remedy: "Run the daemon on every host to which these guests can come.", check: ruleC8},
		{ID: "C9", Severity: Unsupported, Says: "Hosts are no members of the guest cluster.", Why: "Fencing a failed host takes all its guests along, and quorum may be lost for good.",
			Remedy: "Take the hosts out of the guest cluster; they may be a cluster of their own.", check: func(d *Description, v *verdict) {
				for _, g := range d.Guests {
					if g.Cluster != "" && d.host(g.Name) != nil {
						v.broken("host %s is a member of cluster %s", g.Name, g.Cluster)
					}
				}
			}},
		{ID: "C10", Severity: Warning, Says: "Only guests with quorum ask for fencing.", Why: "The daemon obeys whoever has the key: without quorum both halves cut each other off.",
			Remedy: "Do not set no-quorum-policy to ignore.", check: func(d *Description, v *verdict) {
				names, _ := d.members()
				for _, name := range names {
					switch d.cluster(name).NoQuorumPolicy {
					case "":
						v.need("no-quorum-policy of cluster %s", name)
					case "ignore":
						v.broken("cluster %s has no-quorum-policy=ignore", name)
					}
				}
			}},
		{ID: "C15", Severity: Unsupported, Says: "A clustered fence_xvmd is not started with -L or -X.", Why: "-L leaves the cluster of hosts out and -X its configuration: the daemon then guesses whose the machine is.",
			Remedy: "Take the option away and start the daemon again.", check: func(d *Description, v *verdict) {
				for _, h := range d.Hosts {
					if h.Daemon == nil || h.Daemon.Program != "fence_xvmd" || h.HostCluster == nil || !*h.HostCluster {
						continue
					}
					for _, a := range strings.Fields(h.Daemon.Arguments) {
						if letters, one := strings.CutPrefix(a, "-"); one && !strings.HasPrefix(letters, "-") && strings.ContainsAny(letters, "LX") {
							v.broken("fence_xvmd on %s is started with %s", h.Name, a)
						}
					}
				}
			}},
		{ID: "C16", Severity: Information, Says: "Hosts have the daemon's package and guests the client's.", Why: "fence_xvm works on KVM and Xen, with a program on either side.",
			Remedy: "Install the package.", check: ruleC16},
		{ID: "C17", Severity: Unsupported, Says: "Only one guest cluster on a set of hosts is fenced through stock daemons.", Why: "They have one key and one port, so that each cluster could cut off the others' members.",
			Remedy: "Give each cluster its own hosts, or let cerco answer with a key for each cluster.", check: ruleC17},
		{ID: "C18", Severity: Information, Says: "Several guest clusters on one set of hosts work with fence_scsi on iSCSI, or with fence_vmware on VMware.", Why: "These agents name their target in a way that no other cluster shares.",
			Remedy: "Use one of these combinations as it is meant.", check: ruleC18},
	}
}

func ruleC1(d *Description, v *verdict) {
	d.backend(v, func(h *Host, daemon *Daemon) {
		if daemon.Backend != "libvirt" && daemon.Backend != "standalone" {
			return
		}
		for _, g := range d.Guests {
			switch {
			case g.Cluster == "" || g.Host != h.Name || !g.xvm():
			case g.Migration == nil:
				v.need("migration of %s", g.Name)
			case *g.Migration:
				v.broken("%s may be migrated, and %s answers for its own machines only", g.Name, h.Name)
			}
		}
	})
}

func ruleC5(d *Description, v *verdict) {
	d.eachPlaced(v, func(g *Guest, h *Host) {
		switch {
		case h.Platform != "xen" || h.Daemon == nil || h.Daemon.Program != "fence_xvmd":
		case len(g.Agents) == 0:
			v.need("agents of %s", g.Name)
		case !g.xvm():
			v.broken("%s on %s is fenced by %s", g.Name, h.Name, strings.Join(g.Agents, ", "))
		}
	})
}

// onlySCSI tells whether all members are fenced by fence_scsi and by nothing else.
func (d *Description) onlySCSI(v *verdict) bool {
	n := 0
	for i := range d.Guests {
		g := &d.Guests[i]
		switch {
		case g.Cluster == "":
			continue
		case len(g.Agents) == 0:
			v.need("agents of %s", g.Name)
			return false
		case len(g.Agents) != 1 || g.Agents[0] != "fence_scsi":
			return false
		}
		n++
	}
	return n > 0
}

func ruleC8(d *Description, v *verdict) {
	now := d.hostsOf((*Guest).xvm)
	if len(now) == 0 {
		return
	}
	moves := slices.ContainsFunc(d.Guests, func(g Guest) bool { return g.xvm() && g.Migration != nil && *g.Migration })
	for i := range d.Hosts {
		h := &d.Hosts[i]
		carries := slices.Contains(now, h)
		if h.Platform == "kvm" && carries || !carries && !moves { // C6 has the first
			continue
		}
		if yes, known := h.answers(); !known {
			v.need("daemon of %s", h.Name)
		} else if !yes {
			v.broken("no daemon runs on %s", h.Name)
		}
	}
}

func ruleC16(d *Description, v *verdict) {
	has := func(packages []string, any ...string) bool {
		return slices.ContainsFunc(packages, func(p string) bool { return slices.Contains(any, p) })
	}
	for _, h := range d.hostsOf((*Guest).xvm) {
		if len(h.Packages) == 0 {
			v.need("packages of %s", h.Name)
		} else if !has(h.Packages, "fence-virtd", "cman", "cerco") {
			v.broken("%s has no package with the daemon (fence-virtd, cman, cerco)", h.Name)
		}
	}
	for _, g := range d.Guests {
		switch {
		case g.Cluster == "" || !g.xvm():
		case len(g.Packages) == 0:
			v.need("packages of %s", g.Name)
		case !has(g.Packages, "fence-virt", "cman", "cerco"):
			v.broken("%s has no package with the client (fence-virt, cman, cerco)", g.Name)
		}
	}
}

// sharing returns pairs of clusters that have members with a property on the same host.
func (d *Description) sharing(with func(*Guest, *Host) bool) (pairs [][3]string) {
	for _, h := range d.Hosts {
		var clusters []string
		for i := range d.Guests {
			g := &d.Guests[i]
			if g.Cluster != "" && g.virtual() && g.Host == h.Name && with(g, &h) && !slices.Contains(clusters, g.Cluster) {
				clusters = append(clusters, g.Cluster)
			}
		}
		for i := 1; i < len(clusters); i++ {
			pairs = append(pairs, [3]string{h.Name, clusters[0], clusters[i]})
		}
	}
	return pairs
}

func ruleC17(d *Description, v *verdict) {
	for _, p := range d.sharing(func(g *Guest, h *Host) bool {
		if h.Daemon == nil {
			if g.xvm() {
				v.need("daemon of %s", h.Name)
			}
			return false
		}
		return g.xvm() && h.Daemon.Program != "cerco"
	}) {
		v.broken("clusters %s and %s are both fenced through the daemon of %s", p[1], p[2], p[0])
	}
}

func ruleC18(d *Description, v *verdict) {
	for _, p := range d.sharing(func(g *Guest, h *Host) bool {
		scsi := g.fences("fence_scsi") && slices.ContainsFunc(d.cluster(g.Cluster).Storage, func(s Disk) bool { return s.Transport == "native" })
		return scsi || g.fences("fence_vmware", "fence_vmware_soap") && h.Platform != "vmware"
	}) {
		v.broken("clusters %s and %s share %s, with neither fence_scsi on iSCSI nor fence_vmware on VMware", p[1], p[2], p[0])
	}
}

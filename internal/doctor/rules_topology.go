package doctor

import (
	"slices"
	"strings"
)

func topologyRules() []Rule {
	return []Rule{
		{ID: "E1", Severity: Unsupported, Says: "The guests of a cluster are on more than one host.", Why: "With the host the whole cluster is lost.",
			Remedy: "Move guests to other hosts; for development say profile: development.", check: func(d *Description, v *verdict) {
				names, _ := d.members()
				for _, c := range names {
					if host := d.allOn(v, c, d.placement()); host != "" {
						severity := v.rule.Severity
						if d.Profile == "development" {
							severity = Advice
						}
						v.broke(severity, "all guests of cluster %s are on %s", c, host)
					}
				}
			}},
		{ID: "E2", Severity: Warning, Says: "The loss of any one host leaves the cluster its quorum, and a host has one guest of it.", Why: "As many guests as a host has, so many members fail at once.",
			Remedy: "Spread the members over more hosts, so that no host has half of the votes.", check: ruleE2},
		{ID: "E3", Severity: Warning, Says: "Guests that are no members do not share hosts that a cluster may fence.", Why: "They die when their host is fenced.",
			Remedy: "Move them to other hosts, or let the hosts' cluster operate them, too.", check: ruleE3},
		{ID: "E4", Severity: Warning, Says: "The guests' memory fits into their host's.", Why: "A host that swaps stops its guests long enough to have them fenced.",
			Remedy: "Move guests, or make them smaller.", check: func(d *Description, v *verdict) { d.capacity(v, memory) }},
		{ID: "E5", Severity: Warning, Says: "The guests have no more processors than their host.", Why: "A guest that waits for a processor misses its heartbeats.",
			Remedy: "Move guests, or give them fewer processors.", check: func(d *Description, v *verdict) { d.capacity(v, processors) }},
		{ID: "E6", Severity: Warning, Says: "After the loss of any one host, the rest still keeps E1, E4 and E5.", Why: "Recovery that overloads the other hosts loses them next.",
			Remedy: "Leave as much room free as the largest host needs, or add a host.", check: ruleE6},
	}
}

// placement is where each virtual guest is: host by guest.
func (d *Description) placement() map[string]string {
	p := map[string]string{}
	for _, g := range d.Guests {
		if g.virtual() {
			p[g.Name] = g.Host
		}
	}
	return p
}

// allOn returns the host that all members of a cluster of more than one are on, or "".
func (d *Description) allOn(v *verdict, cluster string, p map[string]string) string {
	var hosts []string
	n := 0
	for _, g := range d.Guests {
		if g.Cluster != cluster {
			continue
		}
		n++
		switch {
		case !g.virtual():
			return "" // it is a host of its own
		case p[g.Name] == "":
			v.need("host of %s", g.Name)
			return ""
		case !slices.Contains(hosts, p[g.Name]):
			hosts = append(hosts, p[g.Name])
		}
	}
	if n < 2 || len(hosts) != 1 {
		return ""
	}
	return hosts[0]
}

func ruleE2(d *Description, v *verdict) {
	names, of := d.members()
	for _, name := range names {
		total := 0
		for _, g := range of[name] {
			total += g.votes()
		}
		for _, h := range d.Hosts {
			lost, gone := 0, []string(nil)
			for _, g := range of[name] {
				if g.virtual() && g.Host == h.Name {
					lost += g.votes()
					gone = append(gone, g.Name)
				}
			}
			switch {
			case len(gone) == 0 || len(gone) == len(of[name]): // E1 has the second
			case 2*(total-lost) <= total && len(of[name]) > 2:
				v.broken("with %s cluster %s loses %d of %d votes (%s), and its quorum", h.Name, name, lost, total, strings.Join(gone, ", "))
			case len(gone) > 1:
				v.broke(Advice, "%d guests of cluster %s are on %s: %s", len(gone), name, h.Name, strings.Join(gone, ", "))
			}
		}
	}
}

func ruleE3(d *Description, v *verdict) {
	for _, h := range d.Hosts {
		var others []string
		for _, g := range d.Guests {
			if g.Host == h.Name && g.Cluster == "" {
				others = append(others, g.Name)
			}
		}
		switch {
		case len(others) == 0:
		case h.HostCluster == nil:
			v.need("host-cluster of %s", h.Name)
		case *h.HostCluster:
			v.broken("%s die when %s is fenced", strings.Join(others, ", "), h.Name)
		}
	}
}

// resource is one kind of what a host has and guests use.
type resource struct {
	unit string
	has  func(*Host) int
	uses func(*Guest) int
	key  string // the field of either
}

var (
	memory = resource{"MiB of memory", func(h *Host) int {
		if h.MemoryMiB == 0 {
			return 0
		}
		return max(1, h.MemoryMiB-h.reserve())
	}, func(g *Guest) int { return g.MemoryMiB }, "memory-mib"}
	processors = resource{"processors", func(h *Host) int { return h.CPUs }, func(g *Guest) int { return g.CPUs }, "cpus"}
)

// capacity checks that hosts have what their guests use.
func (d *Description) capacity(v *verdict, r resource) {
	for i := range d.Hosts {
		h := &d.Hosts[i]
		used := 0
		for j := range d.Guests {
			g := &d.Guests[j]
			if g.Host != h.Name || !g.virtual() {
				continue
			}
			if r.uses(g) == 0 {
				v.need("%s of %s", r.key, g.Name)
			}
			used += r.uses(g)
		}
		switch {
		case used == 0:
		case r.has(h) == 0:
			v.need("%s of %s", r.key, h.Name)
		case used > r.has(h):
			v.broken("the guests on %s use %d %s, and it has %d for them", h.Name, used, r.unit, r.has(h))
		}
	}
}

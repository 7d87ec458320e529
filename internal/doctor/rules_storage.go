package doctor

import (
	"slices"
	"strings"
)

func storageRules() []Rule {
	return []Rule{
		{ID: "D1", Severity: Information, Says: "fence_scsi with iSCSI may replace native storage and a native fence device on every platform.", Why: "It asks neither the hypervisor nor its hosts.",
			Remedy: "Where the platform's own device is missing, put the shared storage on iSCSI and fence by fence_scsi.", check: ruleD1},
		{ID: "D2", Severity: Unsupported, Says: "With fence_scsi the target supports SCSI-3 persistent reservations and PREEMPT AND ABORT.", Why: "Without them a fenced guest goes on writing.",
			Remedy: "Test the target, and use another one if it fails.", check: ruleD2},
		{ID: "D3", Severity: Advice, Says: "The storage's vendor was asked for both.", Why: "Some targets answer and do not keep what they say.",
			Remedy: "Ask, and write vendor-asked: true.", check: scsiDisks(func(v *verdict, c string, s Disk) {
				if s.VendorAsked == nil || !*s.VendorAsked {
					v.broken("cluster %s: nobody has asked the vendor of %s", c, s.Name)
				}
			})},
		{ID: "D4", Severity: Unsupported, Says: "The iSCSI server of scsi-target-utils is not used with fence_scsi.", Why: "It lacks persistent reservations as fence_scsi needs them.",
			Remedy: "Use another target, or fence by fence_vmware or fence_rhevm.", check: scsiDisks(func(v *verdict, c string, s Disk) {
				if s.Transport == "iscsi" && s.Target == "" {
					v.need("target of %s", s.Name)
				} else if stockTarget(s) {
					v.broken("cluster %s is fenced by fence_scsi, and %s comes from %s", c, s.Name, s.Target)
				}
			})},
		{ID: "D5", Severity: Information, Says: "As plain shared storage the same server is fine with fence_vmware and fence_rhevm.", Why: "They need nothing of the target.",
			Remedy: "With other agents, test it.", check: ruleD5},
		{ID: "D6", Severity: Unsupported, Says: "With fence_scsi all shared storage is iSCSI.", Why: "What comes through the hypervisor is not cut off by a reservation.",
			Remedy: "Move all shared storage to iSCSI, or use another fence device.", check: scsiDisks(func(v *verdict, c string, s Disk) {
				if s.Transport == "" {
					v.need("transport of %s", s.Name)
				} else if s.Transport != "iscsi" {
					v.broken("cluster %s is fenced by fence_scsi, and %s is %s storage", c, s.Name, s.Transport)
				}
			})},
		{ID: "D7", Severity: Information, Says: "With fence_scsi on all guests no cluster of hosts is needed.", Why: "Nobody needs to know which host has the machine.",
			Remedy: "The hosts' cluster may be left out.", check: func(d *Description, v *verdict) {
				if !d.onlySCSI(v) {
					return
				}
				for _, h := range d.Hosts {
					if h.HostCluster != nil && *h.HostCluster {
						v.broken("%s belongs to a cluster of hosts, and all clustered guests use fence_scsi", h.Name)
					}
				}
			}},
		{ID: "D8", Severity: Warning, Says: "Native shared storage on Xen and KVM is a block device of the host or a raw file.", Why: "Other formats keep state in the host's memory that two guests do not share.",
			Remedy: "Use a block device, or convert the image: qemu-img convert -O raw.", check: ruleD8},
		{ID: "D9", Severity: Unsupported, Says: "Native shared storage on VMware is a raw device.", Why: "Other disks are locked by one machine.",
			Remedy: "Use raw device mappings.", check: nativeDisks(func(v *verdict, c string, platform string, s Disk) {
				if platform == "vmware" && s.Kind == "" {
					v.need("kind of %s", s.Name)
				} else if platform == "vmware" && s.Kind != "raw-device" {
					v.broken("cluster %s shares %s, which is a %s", c, s.Name, s.Kind)
				}
			})},
		{ID: "D10", Severity: Unsupported, Says: "On RHEV-M 2.2 fence_scsi is the only fencing; 3.0 adds fence_rhevm.", Why: "Other agents cannot reach the machines there.",
			Remedy: "Use one of these agents.", check: ruleD10},
		{ID: "D11", Severity: Warning, Says: "fence_vmware_soap has VMware's Perl API on every clustered guest.", Why: "The agent does not start without it.",
			Remedy: "Install the vendor's package in all members.", check: func(d *Description, v *verdict) {
				for _, g := range d.Guests {
					switch {
					case g.Cluster == "" || !g.fences("fence_vmware_soap"):
					case len(g.Packages) == 0:
						v.need("packages of %s", g.Name)
					case !slices.ContainsFunc(g.Packages, func(p string) bool { return strings.Contains(strings.ToLower(p), "vsphere-perl") }):
						v.broken("%s has no vsphere-perl-sdk", g.Name)
					}
				}
			}},
	}
}

// stockTarget tells whether a disk comes from scsi-target-utils.
func stockTarget(s Disk) bool {
	t := strings.ToUpper(s.Target)
	return strings.Contains(t, "IET") && strings.Contains(t, "VIRTUAL-DISK") || t == "TGT" || t == "SCSI-TARGET-UTILS"
}

// uses tells whether a member of a cluster uses one of these agents.
func (d *Description) uses(cluster string, agents ...string) bool {
	return slices.ContainsFunc(d.Guests, func(g Guest) bool { return g.Cluster == cluster && g.fences(agents...) })
}

// eachDisk applies a check to what the members of each cluster share.
func (d *Description) eachDisk(v *verdict, f func(cluster string, s Disk)) {
	names, _ := d.members()
	for _, name := range names {
		c := d.cluster(name)
		if len(c.Storage) == 0 {
			v.need("storage of cluster %s", name)
		}
		for _, s := range c.Storage {
			f(name, s)
		}
	}
}

// scsiDisks applies a check to the disks of clusters that are fenced by fence_scsi.
func scsiDisks(f func(v *verdict, cluster string, s Disk)) func(*Description, *verdict) {
	return func(d *Description, v *verdict) {
		d.eachDisk(v, func(c string, s Disk) {
			if d.uses(c, "fence_scsi") {
				f(v, c, s)
			}
		})
	}
}

// nativeDisks applies a check to disks that come through a hypervisor.
func nativeDisks(f func(v *verdict, cluster, platform string, s Disk)) func(*Description, *verdict) {
	return func(d *Description, v *verdict) {
		d.eachDisk(v, func(c string, s Disk) {
			if s.Transport == "" {
				v.need("transport of %s", s.Name)
			}
			for _, g := range d.Guests {
				if h := d.host(g.Host); g.Cluster == c && h != nil && s.Transport == "native" {
					f(v, c, h.Platform, s)
					return
				}
			}
		})
	}
}

func ruleD1(d *Description, v *verdict) {
	names, of := d.members()
	for _, name := range names {
		for _, g := range of[name] {
			h := d.host(g.Host)
			if h == nil {
				continue
			}
			r, known := matrixRow(h)
			if !known {
				v.need("platform and version of %s", h.Name)
			}
			if r != nil && len(g.Agents) > 0 && !g.fences(r.agents...) {
				v.broken("cluster %s has no fencing that %s supports", name, r.name)
				break
			}
		}
	}
}

func ruleD2(d *Description, v *verdict) {
	scsiDisks(func(v *verdict, c string, s Disk) {
		for what, has := range map[string]*bool{"persistent-reservations": s.Reservations, "preempt-and-abort": s.PreemptAbort} {
			if has == nil {
				v.need("whether %s has persistent-reservations and preempt-and-abort", s.Name)
			} else if !*has {
				v.broken("cluster %s: %s has no %s", c, s.Name, what)
			}
		}
	})(d, v)
	slices.SortStableFunc(v.findings, func(a, b Finding) int { return strings.Compare(a.What, b.What) })
}

func ruleD5(d *Description, v *verdict) {
	d.eachDisk(v, func(c string, s Disk) {
		if stockTarget(s) && !d.uses(c, "fence_scsi", "fence_vmware", "fence_vmware_soap", "fence_rhevm") {
			v.broken("cluster %s shares %s of %s, and is fenced by neither of them", c, s.Name, s.Target)
		}
	})
}

func ruleD8(d *Description, v *verdict) {
	nativeDisks(func(v *verdict, c, platform string, s Disk) {
		if platform != "xen" && platform != "kvm" {
			return
		}
		switch s.Kind {
		case "":
			v.need("kind of %s", s.Name)
		case "block", "raw":
		default:
			v.broken("cluster %s shares %s, which is %s", c, s.Name, s.Kind)
		}
	})(d, v)
}

func ruleD10(d *Description, v *verdict) {
	d.eachPlaced(v, func(g *Guest, h *Host) {
		if h.Platform != "rhev-m" {
			return
		}
		r, known := matrixRow(h)
		if !known {
			v.need("version of %s", h.Name)
		}
		if len(g.Agents) == 0 {
			v.need("agents of %s", g.Name)
		}
		for _, a := range g.Agents {
			if r != nil && !slices.Contains(r.agents, a) {
				v.broken("%s is fenced by %s on %s", g.Name, a, r.name)
			}
		}
	})
}

package doctor

import (
	"slices"
	"strings"
)

// row is a line of the support matrix.
type row struct {
	name       string
	agents     []string // of guests; fence_virt is another name of fence_xvm
	guestOS    func(release) bool
	guestWords string
	mixed      bool // members of bare metal are permitted
}

// matrixRow finds the line of a host. known is false while facts are missing.
func matrixRow(h *Host) (r *row, known bool) {
	os, _ := parseRelease(h.OS)
	version, hasVersion := parseRelease(h.Version)
	rhel5or6 := func(r release) bool { return r.from("rhel", 5, 6) || r.from("rhel", 6, 1) }
	switch h.Platform {
	case "":
		return nil, false
	case "xen", "kvm":
		switch {
		case h.OS == "":
			return nil, false
		case h.Platform == "xen" && os.from("rhel", 5, 3):
			return &row{"RHEL 5.3+ Xen", []string{"fence_xvm", "fence_scsi"}, func(r release) bool { return r.from("rhel", 5, 3) }, "RHEL 5.3+", false}, true
		case h.Platform == "kvm" && os.from("rhel", 6, 1):
			return &row{"RHEL 6.1+ KVM", []string{"fence_xvm", "fence_virt", "fence_scsi"}, rhel5or6, "RHEL 5.6+ or 6.1+", true}, true
		}
	case "rhev-m":
		switch {
		case !hasVersion:
			return nil, false
		case version.major == 3 && version.minor == 0:
			return &row{"RHEV-M 3.0", []string{"fence_scsi", "fence_rhevm"}, rhel5or6, "RHEL 5.6+ or 6.1+", true}, true
		case version.major == 2 && version.minor >= 2:
			return &row{"RHEV-M 2.2+", []string{"fence_scsi"}, rhel5or6, "RHEL 5.6+ or 6.1+", true}, true
		}
	case "vmware":
		switch {
		case !hasVersion:
			return nil, false
		case version.major == 4 && version.minor == 1, version.major == 5 && version.minor == 0:
			return &row{"VMware 4.1 and 5.0", []string{"fence_vmware_soap", "fence_scsi"},
				func(r release) bool { return r.from("rhel", 5, 7) || r.from("rhel", 6, 2) }, "RHEL 5.7+ or 6.2+", true}, true
		}
	}
	return nil, true
}

// eachPlaced calls f with every virtual member of a cluster whose host is known.
func (d *Description) eachPlaced(v *verdict, f func(g *Guest, h *Host)) {
	for i := range d.Guests {
		g := &d.Guests[i]
		if g.Cluster == "" || !g.virtual() {
			continue
		}
		if h := d.host(g.Host); h != nil {
			f(g, h)
		} else {
			v.need("host of %s", g.Name)
		}
	}
}

// platformOf calls f with the members of each cluster that has some on this platform.
func (d *Description) platformOf(v *verdict, platform string, f func(cluster string, members []*Guest)) {
	names, of := d.members()
	for _, name := range names {
		if slices.ContainsFunc(of[name], func(g *Guest) bool { h := d.host(g.Host); return h != nil && h.Platform == platform }) {
			f(name, of[name])
		}
	}
	for _, h := range d.Hosts {
		if h.Platform == "" {
			v.need("platform of %s", h.Name)
		}
	}
}

// oneRelease checks that the members of a cluster are all of one major release.
func oneRelease(v *verdict, cluster string, members []*Guest) {
	majors := map[int]string{}
	var seen []string
	for _, g := range members {
		r, ok := parseRelease(g.OS)
		if !ok {
			v.need("os of %s", g.Name)
			continue
		}
		if majors[r.major] == "" {
			majors[r.major] = g.Name
			seen = append(seen, g.Name+" has "+g.OS)
		}
	}
	if len(seen) > 1 {
		v.broken("cluster %s mixes releases: %s", cluster, strings.Join(seen, ", "))
	}
}

func platformRules() []Rule {
	return []Rule{
		{ID: "B1", Severity: Unsupported, Says: "The host's platform and version, and the agents on it, are a line of the support matrix.",
			Why:    "On what nobody has tested, nobody knows that a machine that is called off is off.",
			Remedy: "Use a platform of the matrix (docs/doctor.md), or say support: none to leave the matrix out.", check: ruleB1},
		{ID: "B2", Severity: Unsupported, Says: "RHEL 5 KVM hosts carry no guest clusters.", Why: "The platform has no fencing for its guests.",
			Remedy: "Move the hosts to RHEL 6.1 or later.", check: onHosts(func(v *verdict, h *Host) {
				if os, ok := parseRelease(h.OS); h.Platform == "kvm" && !ok {
					v.need("os of %s", h.Name)
				} else if h.Platform == "kvm" && os.name == "rhel" && os.major == 5 {
					v.broken("%s runs KVM on %s", h.Name, h.OS)
				}
			})},
		{ID: "B3", Severity: Unsupported, Says: "Hyper-V hosts carry no guest clusters.", Why: "The platform has no fencing for its guests.",
			Remedy: "Move the guests to another platform.", check: onHosts(func(v *verdict, h *Host) {
				if h.Platform == "hyper-v" {
					v.broken("%s runs Hyper-V", h.Name)
				}
			})},
		{ID: "B4", Severity: Unsupported, Says: "Each member's operating system is one that its platform supports.", Why: "Others were not tested there.",
			Remedy: "Update the guests.", check: ruleB4},
		{ID: "B5", Severity: Unsupported, Says: "RHEL 4 guests are never members.", Why: "Its cluster software has no fencing on these platforms.",
			Remedy: "Update the guests.", check: func(d *Description, v *verdict) {
				for _, g := range d.Guests {
					if r, ok := parseRelease(g.OS); g.Cluster != "" && !ok {
						v.need("os of %s", g.Name)
					} else if g.Cluster != "" && r.name == "rhel" && r.major == 4 {
						v.broken("%s has %s", g.Name, g.OS)
					}
				}
			}},
		{ID: "B6", Severity: Unsupported, Says: "On RHEV-M the members of a cluster are all RHEL 5.6+ or all 6.1+.", Why: "The releases' cluster software does not work together.",
			Remedy: "Bring all members to one release.", check: func(d *Description, v *verdict) {
				d.platformOf(v, "rhev-m", func(c string, m []*Guest) { oneRelease(v, c, m) })
			}},
		{ID: "B7", Severity: Unsupported, Says: "On VMware the members of a cluster are all RHEL 5.7+ or all 6.", Why: "The releases' cluster software does not work together.",
			Remedy: "Bring all members to one release.", check: func(d *Description, v *verdict) {
				d.platformOf(v, "vmware", func(c string, m []*Guest) { oneRelease(v, c, m) })
			}},
		{ID: "B8", Severity: Warning, Says: "Virtual members and members of bare metal mix only where that is permitted.", Why: "For Xen nobody says that it is.",
			Remedy: "Use members of one kind, or another platform.", check: ruleB8},
		{ID: "B9", Severity: Unsupported, Says: "All hosts under one guest cluster use the same virtualisation.", Why: "A machine cannot be fenced or moved across different hypervisors in one way.",
			Remedy: "Keep a cluster's guests on hosts of one platform.", check: ruleB9},
		{ID: "B10", Severity: Warning, Says: "vSphere 5.0 has the vendor's fix before fence_vmware_soap is used.", Why: "As first released its WSDL is incomplete, and the agent fails.",
			Remedy: "Install the vendor's fix and write wsdl-fixed: true.", check: func(d *Description, v *verdict) {
				d.eachPlaced(v, func(g *Guest, h *Host) {
					r, _ := parseRelease(h.Version)
					switch {
					case h.Platform != "vmware" || r.major != 5 || r.minor != 0 || !g.fences("fence_vmware_soap"):
					case h.WSDLFixed == nil:
						v.need("wsdl-fixed of %s", h.Name)
					case !*h.WSDLFixed:
						v.broken("%s is vSphere 5.0 without the fix, and %s is fenced by fence_vmware_soap", h.Name, g.Name)
					}
				})
			}},
		{ID: "B11", Severity: Information, Says: "Support of RHEL 6 guests covers the high availability and resilient storage add-ons.", Why: "That is GFS2, clvmd and cmirror; others were not tested in guests.",
			Remedy: "Ask the vendor about others.", check: func(d *Description, v *verdict) {
				for _, g := range d.Guests {
					if r, _ := parseRelease(g.OS); r.name != "rhel" || r.major != 6 || g.Cluster == "" {
						continue
					}
					for _, a := range g.Addons {
						if !slices.Contains([]string{"high-availability", "resilient-storage", "gfs2", "clvmd", "cmirror"}, a) {
							v.broken("%s has the add-on %s", g.Name, a)
						}
					}
				}
			}},
		{ID: "B12", Severity: Advice, Says: "Hosts and guests have the latest packages first.", Why: "Fencing and storage were mended in many of them.",
			Remedy: "Update, one host at a time.", check: ruleB12},
	}
}

// onHosts applies a check to every host.
func onHosts(f func(v *verdict, h *Host)) func(*Description, *verdict) {
	return func(d *Description, v *verdict) {
		for i := range d.Hosts {
			if d.Hosts[i].Platform == "" {
				v.need("platform of %s", d.Hosts[i].Name)
				continue
			}
			f(v, &d.Hosts[i])
		}
	}
}

func ruleB1(d *Description, v *verdict) {
	if d.Support == "none" {
		return
	}
	for i := range d.Hosts {
		h := &d.Hosts[i]
		r, known := matrixRow(h)
		os, _ := parseRelease(h.OS)
		switch {
		case !known:
			v.need("platform and version of %s", h.Name)
		case r == nil && h.Platform != "hyper-v" && (h.Platform != "kvm" || os.major != 5): // B2 and B3 have those
			v.broken("%s is %s on %s, which is no line of the matrix", h.Name, h.Platform, h.OS+h.Version)
		}
	}
	d.eachPlaced(v, func(g *Guest, h *Host) {
		r, _ := matrixRow(h)
		if r == nil || h.Platform == "rhev-m" { // D10 has that
			return
		}
		for _, a := range g.Agents {
			if !slices.Contains(r.agents, a) {
				v.broken("%s is fenced by %s, and on %s there is only %s", g.Name, a, r.name, strings.Join(r.agents, ", "))
			}
		}
	})
}

func ruleB4(d *Description, v *verdict) {
	if d.Support == "none" {
		return
	}
	d.eachPlaced(v, func(g *Guest, h *Host) {
		r, known := matrixRow(h)
		os, ok := parseRelease(g.OS)
		switch {
		case !known:
			v.need("platform and version of %s", h.Name)
		case !ok:
			v.need("os of %s", g.Name)
		case r != nil && !r.guestOS(os) && (os.name != "rhel" || os.major != 4): // B5 has that
			v.broken("%s has %s, and %s supports %s", g.Name, g.OS, r.name, r.guestWords)
		}
	})
}

func ruleB8(d *Description, v *verdict) {
	names, of := d.members()
	for _, name := range names {
		var metal *Guest
		for _, g := range of[name] {
			if !g.virtual() {
				metal = g
			}
		}
		if metal == nil {
			continue
		}
		for _, g := range of[name] {
			h := d.host(g.Host)
			if !g.virtual() || h == nil {
				continue
			}
			if r, known := matrixRow(h); !known {
				v.need("platform and version of %s", h.Name)
			} else if r != nil && !r.mixed {
				v.broken("cluster %s has %s of bare metal and %s on %s", name, metal.Name, g.Name, r.name)
				break
			}
		}
	}
}

func ruleB9(d *Description, v *verdict) {
	names, of := d.members()
	for _, name := range names {
		var first *Host
		for _, g := range of[name] {
			h := d.host(g.Host)
			switch {
			case h == nil:
			case h.Platform == "":
				v.need("platform of %s", h.Name)
			case first == nil:
				first = h
			case h.Platform != first.Platform:
				v.broken("cluster %s has guests on %s (%s) and on %s (%s)", name, first.Name, first.Platform, h.Name, h.Platform)
				first = h
			}
		}
	}
}

func ruleB12(d *Description, v *verdict) {
	one := func(name string, pending *int) {
		switch {
		case pending == nil:
			v.need("updates-pending of %s", name)
		case *pending > 0:
			v.broken("%d updates wait on %s", *pending, name)
		}
	}
	for _, h := range d.Hosts {
		one(h.Name, h.UpdatesPending)
	}
	for _, g := range d.Guests {
		if g.Cluster != "" {
			one(g.Name, g.UpdatesPending)
		}
	}
}

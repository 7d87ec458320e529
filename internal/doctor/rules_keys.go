package doctor

import (
	"slices"
	"strings"
)

// keyRules are the rules on keys and on what each member's configuration knows.
func keyRules() []Rule {
	return []Rule{
		{ID: "C11", Severity: Unsupported, Says: "One key is made once and copied to all members and to every host.", Why: "With another key a request is not understood, and nobody answers.",
			Remedy: "Copy the key of one host to all others and to the members.", check: ruleC11},
		{ID: "C12", Severity: Warning, Says: "The key comes from /dev/urandom, has 4096 bytes or more and is root's alone.", Why: "Whoever has the key can cut off every guest.",
			Remedy: "dd if=/dev/urandom of=/etc/cluster/fence_xvm.key bs=4096 count=1; chmod 0400 /etc/cluster/fence_xvm.key; copy it everywhere.", check: ruleC12},
		{ID: "C13", Severity: Unsupported, Says: "The key file that a fence device is configured with is there.", Why: "A device without its key cuts nobody off.",
			Remedy: "Configure the device with the file that is there, or copy the key to where it is looked for.", check: func(d *Description, v *verdict) {
				for _, g := range d.Guests {
					switch {
					case g.Cluster == "" || !g.xvm():
					case g.KeyFile == "" || g.Key == nil || g.Key.Path == "":
						v.need("key-file and key of %s", g.Name)
					case g.KeyFile != g.Key.Path:
						v.broken("the device of %s reads %s, and its key is %s", g.Name, g.KeyFile, g.Key.Path)
					}
				}
			}},
		{ID: "C14", Severity: Unsupported, Says: "Every member's configuration describes all fence devices, not only its own.", Why: "Any member may have to fence any other one.",
			Remedy: "Copy the whole configuration to all members.", check: ruleC14},
	}
}

// keys calls f with every key of a member of a cluster that is fenced by fence_xvm, and of their hosts.
func (d *Description) keys(v *verdict, f func(cluster, holder string, k *Key)) {
	names, of := d.members()
	for _, name := range names {
		var hosts []string
		for _, g := range of[name] {
			if !g.xvm() {
				continue
			}
			if g.Key == nil {
				v.need("key of %s", g.Name)
			} else {
				f(name, g.Name, g.Key)
			}
			h := d.host(g.Host)
			if h == nil || slices.Contains(hosts, h.Name) {
				continue
			}
			hosts = append(hosts, h.Name)
			if h.Key == nil {
				v.need("key of %s", h.Name)
			} else {
				f(name, h.Name, h.Key)
			}
		}
	}
}

func ruleC11(d *Description, v *verdict) {
	first := map[string][2]string{} // of a cluster: who has which key
	d.keys(v, func(cluster, holder string, k *Key) {
		switch {
		case k.SHA256 == "":
			v.need("sha256 of the key of %s", holder)
		case first[cluster][0] == "":
			first[cluster] = [2]string{holder, k.SHA256}
		case !strings.EqualFold(first[cluster][1], k.SHA256):
			v.broken("cluster %s: the key of %s is not the key of %s", cluster, holder, first[cluster][0])
		}
	})
}

func ruleC12(d *Description, v *verdict) {
	var seen []string
	d.keys(v, func(_, holder string, k *Key) {
		if slices.Contains(seen, holder) {
			return
		}
		seen = append(seen, holder)
		switch {
		case k.Size == 0:
			v.need("size of the key of %s", holder)
		case k.Size < 4096:
			v.broken("the key of %s has %d bytes", holder, k.Size)
		}
		switch mode := strings.TrimLeft(k.Mode, "0"); mode {
		case "":
			v.need("mode of the key of %s", holder)
		case "400", "600":
		default:
			v.broken("the key of %s has mode %s", holder, k.Mode)
		}
		if k.Owner != "" && k.Owner != "root" {
			v.broken("the key of %s belongs to %s", holder, k.Owner)
		}
		if k.Source != "" && k.Source != "/dev/urandom" && k.Source != "/dev/random" {
			v.broken("the key of %s was made from %s", holder, k.Source)
		}
	})
}

func ruleC14(d *Description, v *verdict) {
	names, of := d.members()
	for _, name := range names {
		all := slices.Clone(d.cluster(name).Devices)
		for _, g := range of[name] {
			for _, dev := range g.Devices {
				if !slices.Contains(all, dev) {
					all = append(all, dev)
				}
			}
		}
		for _, g := range of[name] {
			if len(g.Devices) == 0 {
				v.need("devices of %s", g.Name)
				continue
			}
			for _, dev := range all {
				if !slices.Contains(g.Devices, dev) {
					v.broken("the configuration of %s does not describe %s", g.Name, dev)
				}
			}
		}
	}
}

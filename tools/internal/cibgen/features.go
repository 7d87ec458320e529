package cibgen

import (
	"fmt"
	"slices"
	"strings"
)

// Core are the features that every random CIB may use.
var Core = []string{
	"groups", "clones", "promotable", "order", "colocation", "location", "rules", "stickiness",
	"failures", "standby", "maintenance", "fencing", "offline", "quorum", "history", "partial", "targetrole",
	"priority", "options", "unmanaged", "shutdown", "migration",
}

// Extra are the features that are used only when asked for.
var Extra = []string{
	"utilization", "tickets", "bundles", "sets", "members", "unique", "notify", "multiactive", "pending",
	"orphans", "health", "digests", "loops", "onfail", "params", "migrating", "remote",
}

// Features reads a list such as "core,+tickets,-clones", "all" or "groups,order".
func Features(list string) ([]string, error) {
	var on []string
	for _, f := range strings.Split(list, ",") {
		f = strings.TrimSpace(f)
		name := strings.TrimLeft(f, "+-")
		var names []string
		switch {
		case name == "core":
			names = Core
		case name == "all":
			names = append(slices.Clone(Core), Extra...)
		case slices.Contains(Core, name) || slices.Contains(Extra, name):
			names = []string{name}
		default:
			return nil, fmt.Errorf("unknown feature %q; there are core, all, %s, %s", name,
				strings.Join(Core, ", "), strings.Join(Extra, ", "))
		}
		for _, n := range names {
			i := slices.Index(on, n)
			switch {
			case strings.HasPrefix(f, "-") && i >= 0:
				on = slices.Delete(on, i, i+1)
			case !strings.HasPrefix(f, "-") && i < 0:
				on = append(on, n)
			}
		}
	}
	slices.Sort(on) // the order given must not change what a seed makes
	return on, nil
}

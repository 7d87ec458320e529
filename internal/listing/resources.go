package listing

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Resources are resources chosen to be shown. They are shown kind by kind: primitives, groups, clones, bundles.
type Resources struct {
	shown []*cib.Element // what was asked for; members of these are shown inside
	all   []*cib.Element // the same, and everything in it
}

// AllResources chooses every resource but the fence devices at the top.
func AllResources(c *cib.CIB) Resources {
	var r Resources
	for e := range section(c, "resources").Elements() {
		if kindOf(e) == "" || isStonith(e) {
			continue
		}
		r.shown = append(r.shown, e)
		r.all = append(r.all, family(e)...)
	}
	return r
}

// AllStonith chooses every fence device, wherever it is.
func AllStonith(c *cib.CIB) Resources {
	var r Resources
	for _, e := range family(section(c, "resources")) {
		if isStonith(e) {
			r.shown, r.all = append(r.shown, e), append(r.all, e)
		}
	}
	return r
}

// Choose picks resources by id from those chosen, inner ones included, sorted by id. It also returns the ids that
// there are none of.
func (r Resources) Choose(ids []string) (chosen Resources, missing []string) {
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		i := slices.IndexFunc(r.all, func(e *cib.Element) bool { return e.ID() == id })
		if i < 0 {
			missing = append(missing, id)
			continue
		}
		chosen.shown = append(chosen.shown, r.all[i])
		for _, e := range family(r.all[i]) {
			if !slices.Contains(chosen.all, e) {
				chosen.all = append(chosen.all, e)
			}
		}
	}
	slices.SortStableFunc(chosen.all, func(a, b *cib.Element) int { return cmp.Compare(a.ID(), b.ID()) })
	return chosen, missing
}

// Empty reports whether nothing is chosen.
func (r Resources) Empty() bool { return len(r.shown) == 0 }

// kinds are the kinds of resources, in the order in which they are listed.
var kinds = [...]string{"primitive", "group", "clone", "bundle"}

// kindOf returns the kind of a resource's element, empty for anything else.
func kindOf(e *cib.Element) string {
	switch e.Name {
	case "primitive", "group", "clone", "bundle":
		return e.Name
	case "master":
		return "clone"
	}
	return ""
}

func ofKind(list []*cib.Element, kind string) []*cib.Element {
	var found []*cib.Element
	for _, e := range list {
		if kindOf(e) == kind {
			found = append(found, e)
		}
	}
	return found
}

// mastersLast puts clones that are written the older way, <master>, behind the others.
func mastersLast(list []*cib.Element) []*cib.Element {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b *cib.Element) int {
		return cmp.Compare(strings.Index(a.Name, "master"), strings.Index(b.Name, "master"))
	})
	return list
}

// family is a resource and the resources in it; of anything else only those in it.
func family(e *cib.Element) []*cib.Element {
	var list []*cib.Element
	if e != nil && kindOf(e) != "" {
		list = append(list, e)
	}
	for c := range e.Elements() {
		if kindOf(c) != "" {
			list = append(list, family(c)...)
		}
	}
	return list
}

// members are the resources directly in a resource.
func members(e *cib.Element) []*cib.Element {
	var list []*cib.Element
	for c := range e.Elements() {
		if kindOf(c) != "" {
			list = append(list, c)
		}
	}
	return list
}

func isStonith(e *cib.Element) bool { return e.Name == "primitive" && e.Attr("class") == "stonith" }

// cloneMeta returns the meta attributes of a clone; an old <master> is promotable without saying so.
func cloneMeta(e *cib.Element) []pair {
	pairs := byID(pairsOf(e.Child("meta_attributes")))
	promotable := func(p pair) bool { return p.name == "promotable" }
	if e.Name == "master" && !slices.ContainsFunc(pairs, promotable) {
		pairs = append(pairs, pair{"", "promotable", "true"})
	}
	return pairs
}

// opOptions are the options of an operation, in the order in which they are shown.
func opOptions(op *cib.Element) []pair {
	options := attrs(op, "start-delay", "interval-origin", "timeout", "enabled", "record-pending", "role", "on-fail")
	for i, p := range options {
		switch p.name {
		case "enabled", "record-pending":
			options[i].value = bit(p.value)
		case "role":
			options[i].value = role(p.value)
		}
	}
	for _, p := range pairsOf(op.Child("instance_attributes")) {
		if p.name == "OCF_CHECK_LEVEL" {
			options = append(options, p)
		}
	}
	return options
}

// bit writes a truth as 1 or 0.
func bit(value string) string {
	if yes, ok := cib.ParseBool(value); ok {
		if yes {
			return "1"
		}
		return "0"
	}
	return value
}

// container returns the element that says what a bundle runs in.
func container(bundle *cib.Element) *cib.Element {
	for _, name := range []string{"docker", "podman", "rkt"} {
		if e := bundle.Child(name); e != nil {
			return e
		}
	}
	return nil
}

// containerOptions are the options of a bundle's container; promoted-max was called masters.
func containerOptions(e *cib.Element) []pair {
	most := attrs(e, "promoted-max", "masters")
	if len(most) > 0 {
		most = []pair{{name: "promoted-max", value: most[0].value}}
	}
	return slices.Concat(attrs(e, "image", "replicas", "replicas-per-host"), most, attrs(e, "run-command", "network", "options"))
}

func networkOptions(e *cib.Element) []pair {
	options := attrs(e, "ip-range-start", "control-port", "host-interface", "host-netmask", "add-host")
	for i, p := range options {
		if p.name == "add-host" {
			options[i].value = bit(p.value)
		}
	}
	return options
}

func portOptions(e *cib.Element) []pair { return attrs(e, "port", "internal-port", "range") }

func storageOptions(e *cib.Element) []pair {
	return attrs(e, "source-dir", "source-dir-root", "target-dir", "options")
}

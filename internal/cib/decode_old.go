package cib

import (
	"slices"
	"strings"
)

// isOldSchema reports whether a schema is one before pacemaker-3.0. What such a configuration says in its own
// way is read as if it had been written for 3.0, as "cibadmin --upgrade" would rewrite it.
func isOldSchema(validateWith string) bool {
	version, ok := strings.CutPrefix(validateWith, "pacemaker-")
	major, _, isNumber := leadingInt(version)
	return ok && isNumber && major < 3
}

// upgradeProperties gives old cluster properties their names of today. Some became defaults of resources
// and operations.
func (d *decoder) upgradeProperties() {
	c := d.cib
	for i, old := range c.Properties {
		s := *old
		s.Pairs = nil
		for _, nv := range old.Pairs {
			switch name := strings.ReplaceAll(nv.Name, "_", "-"); name {
			case "default-resource-stickiness":
				c.RscDefaults = addDefault(c.RscDefaults, old, "resource-stickiness", nv)
			case "is-managed-default":
				c.RscDefaults = addDefault(c.RscDefaults, old, "is-managed", nv)
			case "default-action-timeout":
				c.OpDefaults = addDefault(c.OpDefaults, old, "timeout", nv)
			case "transition-idle-timeout":
				nv.Name = "cluster-delay"
				s.Pairs = append(s.Pairs, nv)
			case "no-quorum-policy", "symmetric-cluster", "stonith-enabled", "stonith-action", "startup-fencing",
				"stop-orphan-resources", "stop-orphan-actions", "remove-after-stop", "dc-deadtime",
				"cluster-recheck-interval", "election-timeout", "shutdown-escalation":
				nv.Name = name
				s.Pairs = append(s.Pairs, nv)
			default:
				s.Pairs = append(s.Pairs, nv)
			}
		}
		c.Properties[i] = &s
	}
}

// addDefault adds a pair to the defaults unless they have the name already.
func addDefault(sets []*NVSet, from *NVSet, name string, nv NV) []*NVSet {
	nv.Name = name
	if len(sets) == 0 {
		return []*NVSet{{ID: "upgraded-defaults", Rules: from.Rules, Pairs: []NV{nv}, El: from.El}}
	}
	return withPair(sets, nv)
}

// withPair adds a pair to the first of the sets, unless that has the name already.
func withPair(sets []*NVSet, nv NV) []*NVSet {
	if slices.ContainsFunc(sets[0].Pairs, func(have NV) bool { return have.Name == nv.Name }) {
		return sets
	}
	first := *sets[0]
	first.Pairs = append(slices.Clip(first.Pairs), nv)
	sets[0] = &first
	return sets
}

// upgradeOp makes meta attributes of those instance attributes of an old operation that never were the
// agent's. An operation of its own "requires" is gone.
func upgradeOp(op *Op) {
	op.Attrs = slices.DeleteFunc(op.Attrs, func(a Attr) bool { return a.Name == "requires" })
	for i, old := range op.Params {
		s := *old
		s.Pairs = nil
		for _, nv := range old.Pairs {
			switch nv.Name {
			case "requires":
			case "timeout", "on-fail", "enabled", "role", "start-delay", "interval-origin", "record-pending":
				if len(op.Meta) == 0 {
					op.Meta = []*NVSet{{ID: op.ID + "-upgraded", Rules: old.Rules, El: old.El}}
				}
				op.Meta = withPair(op.Meta, nv)
			default:
				s.Pairs = append(s.Pairs, nv)
			}
		}
		op.Params[i] = &s
	}
}

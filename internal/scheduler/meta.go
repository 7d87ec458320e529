package scheduler

import (
	"maps"
	"math"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// readMeta evaluates r's meta attributes. From the strongest: the attributes of the element itself, the
// resource's own blocks, what the parents have (with their defaults), the cluster's defaults.
func (p *planner) readMeta(r *resource) {
	in := p.ruleInput(r, nil)
	meta, change := cib.Evaluate(r.cfg.Meta, in, "")
	p.changesAt(change)
	if meta == nil {
		meta = map[string]string{}
	}
	if r.cfg.El != nil {
		for name, value := range r.cfg.El.Attrs() {
			meta[name] = value
		}
	}
	if r.parent != nil {
		addMissing(meta, r.parent.meta)
	}
	addMissing(meta, p.rscDefaults(in))
	r.meta = meta
}

func addMissing(to, from map[string]string) {
	for k, v := range from {
		if _, set := to[k]; !set {
			to[k] = v
		}
	}
}

// rscDefaults are the cluster's defaults for a resource; without rules they are the same for all.
func (p *planner) rscDefaults(in *cib.RuleInput) map[string]string {
	if p.defaults != nil {
		return p.defaults
	}
	values, change := cib.Evaluate(p.in.RscDefaults, in, "")
	p.changesAt(change)
	if !hasRules(p.in.RscDefaults) {
		if values == nil {
			values = map[string]string{}
		}
		p.defaults = values
	}
	return values
}

func hasRules(sets []*cib.NVSet) bool {
	for _, s := range sets {
		if len(s.Rules) > 0 {
			return true
		}
	}
	return false
}

// ruleInput is what rules in r's blocks may look at; n may be nil.
func (p *planner) ruleInput(r *resource, n *node) *cib.RuleInput {
	in := &cib.RuleInput{Now: p.now, Rsc: &cib.RscMatch{Class: r.class, Provider: r.provider, Type: r.typ}}
	if n != nil {
		in.NodeAttr = n.attr
	}
	return in
}

// params are r's instance attributes as seen on a node (nil: on any). Those of the parents count where
// r does not say otherwise. The map is shared and not to be changed.
func (p *planner) params(r *resource, n *node) map[string]string {
	values := p.ownParams(r, n)
	if r.isConn && values["addr"] == hostName && r.bundleOf != nil {
		if host := r.container.host(); host != nil {
			values = maps.Clone(values)
			values["addr"] = host.name
		}
	}
	return values
}

// needsHostName reports whether r is a connection into a container by the name of the container's host.
func (p *planner) needsHostName(r *resource) bool {
	return r.isConn && r.bundleOf != nil && p.ownParams(r, nil)["addr"] == hostName
}

// host is the node where a container will be or, if it will be nowhere, where it is.
func (r *resource) host() *node {
	if r.assigned != nil {
		return r.assigned
	}
	return currentNode(r)
}

func (p *planner) ownParams(r *resource, n *node) map[string]string {
	if r.paramCache != nil {
		return r.paramCache
	}
	values := map[string]string{}
	plain := true
	for at := r; at != nil; at = at.parent {
		if at.cfg == nil {
			continue
		}
		own, change := cib.Evaluate(at.cfg.Params, p.ruleInput(r, n), "")
		p.changesAt(change)
		addMissing(values, own)
		plain = plain && !hasRules(at.cfg.Params)
	}
	if plain {
		r.paramCache = values
	}
	return values
}

// readSettings turns meta attributes into r's settings.
func (p *planner) readSettings(r *resource) {
	r.priority = p.metaScore(r, "priority", 0)
	r.opPriority = r.priority
	r.critical = p.metaBool(r, "critical", true)
	r.stickiness = p.metaScore(r, "resource-stickiness", 0)
	r.migrationThreshold = p.metaScore(r, "migration-threshold", infinity)
	if r.migrationThreshold < 0 {
		p.warn("migration-threshold of " + r.id + " is negative; taking INFINITY")
		r.migrationThreshold = infinity
	}
	r.failureTimeoutMS = p.metaDuration(r, "failure-timeout")
	r.restartOnly = r.meta["restart-type"] == "restart"
	r.isConn = r.variant == primitive && r.class == "ocf" && r.provider == "pacemaker" && r.typ == "remote"
	r.isFenceDevice = r.class == "stonith"
	// A remote node's connection may move without stopping what runs on the node; a guest's goes with the guest.
	r.allowMigrate = p.metaBool(r, "allow-migrate", r.isConn && r.meta["container"] == "")
	r.notify = p.metaBool(r, "notify", false)

	switch v := r.meta["multiple-active"]; v {
	case "stop_only":
		r.multipleActive = multiStopOnly
	case "block":
		r.multipleActive = multiBlock
	case "stop_unexpected":
		r.multipleActive = multiStopUnexpected
	case "", "stop_start", "default":
	default:
		p.warn("multiple-active of " + r.id + " knows no value " + v + "; taking stop_start")
	}
	p.readManaged(r)
	p.readRequires(r)
	if r.isConn {
		p.readReconnect(r)
	}
	if r.cfg != nil && len(r.cfg.Utilization) > 0 {
		values, change := cib.Evaluate(r.cfg.Utilization, p.ruleInput(r, nil), "")
		p.changesAt(change)
		r.utilization = integers(values)
	}
}

// readManaged: maintenance, of the resource or of the cluster, implies that nothing is done to it.
func (p *planner) readManaged(r *resource) {
	r.managed = !p.cfg.defaultUnmanaged
	if v := r.meta["is-managed"]; v != "" && v != "default" {
		r.managed, _ = cib.ParseBool(v)
	}
	if p.cfg.maintenance || p.metaBool(r, "maintenance", false) {
		r.managed, r.maintenance = false, true
	}
}

// readRequires tells what a start of r needs. Fence devices need quorum at most: they must be there
// before anything can be fenced.
func (p *planner) readRequires(r *resource) {
	want := strings.ToLower(r.meta["requires"])
	if want == "" {
		want = p.defaultRequires(r)
	}
	switch want {
	case "nothing":
	case "quorum":
		r.needsQuorum = true
	case "fencing":
		r.needsQuorum, r.needsFencing = true, true
		if !p.cfg.fencing {
			p.warn(r.id + " requires fencing but fencing is disabled")
		}
	case "unfencing":
		r.needsQuorum = true
		if r.isFenceDevice {
			p.warn(r.id + " is a fence device and cannot require unfencing; taking quorum")
		} else if !p.cfg.fencing {
			p.warn(r.id + " requires unfencing but fencing is disabled; taking quorum")
		} else {
			r.needsFencing, r.needsUnfencing = true, true
		}
	default:
		p.warn("requires of " + r.id + " knows no value " + want)
		r.meta["requires"] = ""
		p.readRequires(r)
	}
}

func (p *planner) defaultRequires(r *resource) string {
	switch {
	case r.isFenceDevice, r.isConn:
		return "quorum"
	case p.haveUnfencing && p.cfg.fencing:
		return "unfencing"
	case p.cfg.fencing:
		return "fencing"
	case p.cfg.noQuorum == noQuorumIgnore:
		return "nothing"
	}
	return "quorum"
}

// readReconnect: a failed connection is not tried again before the reconnect interval has passed, which
// is also how long the failure counts.
func (p *planner) readReconnect(r *resource) {
	if v := p.params(r, nil)["reconnect_interval"]; v != "" {
		r.reconnectMS, _ = cib.ParseDuration(v)
		if r.reconnectMS > 0 {
			r.failureTimeoutMS = r.reconnectMS
		}
	}
}

func (p *planner) metaBool(r *resource, name string, fallback bool) bool {
	v := r.meta[name]
	if v == "" {
		return fallback
	}
	b, ok := cib.ParseBool(v)
	if !ok {
		return fallback
	}
	return b
}

func (p *planner) metaScore(r *resource, name string, fallback int) int {
	v := r.meta[name]
	if v == "" || v == "default" {
		return fallback
	}
	s, ok := cib.ParseScore(v)
	if !ok {
		p.warn(name + " of " + r.id + " is not a score: " + v)
	}
	return s
}

func (p *planner) metaDuration(r *resource, name string) int64 {
	v := r.meta[name]
	if v == "" {
		return 0
	}
	ms, ok := cib.ParseDuration(v)
	if !ok {
		p.warn(name + " of " + r.id + " is not a duration: " + v)
	}
	return min(ms, math.MaxUint32) // 49 days: what fits into Pacemaker's intervals
}

// targetRole is the role that r is limited to by its target-role; ok is false when it is not limited.
func (p *planner) targetRole(r *resource) (role, bool) {
	want, known := parseRole(r.meta["target-role"])
	if !known {
		if r.meta["target-role"] != "" {
			p.warn("target-role of " + r.id + " is no role: " + r.meta["target-role"])
		}
		return roleUnknown, false
	}
	switch want {
	case roleUnknown, roleStarted:
		return roleUnknown, false
	case roleStopped:
		return roleStopped, true
	}
	if !r.top().promotable {
		p.warn("target-role of " + r.id + " needs a promotable clone: " + r.meta["target-role"])
		return roleUnknown, false
	}
	// Promoted is no limit: it is what is wanted anyway.
	return want, want == roleUnpromoted
}

// parseRole reads a role by its present or former name, in any case. No value is no role, and fine.
func parseRole(s string) (role, bool) {
	switch strings.ToLower(s) {
	case "", "default":
		return roleUnknown, true
	case "stopped":
		return roleStopped, true
	case "started":
		return roleStarted, true
	case "unpromoted", "slave":
		return roleUnpromoted, true
	case "promoted", "master":
		return rolePromoted, true
	}
	return roleUnknown, false
}

package cib

import (
	"slices"
	"strings"
	"sync"
)

// optionKinds are the kinds of value (see badValue) of options by their names.
type optionKinds map[string]string

// propertyTable are the cluster properties, those of Pacemaker 3 under both their names, and two of our own.
const propertyTable = `
no-quorum-policy:stop|freeze|ignore|demote|suicide|fence symmetric-cluster:boolean maintenance-mode:boolean
start-failure-is-fatal:boolean enable-startup-probes:boolean shutdown-lock:boolean shutdown-lock-limit:duration
stonith-enabled:boolean fencing-enabled:boolean stonith-action:reboot|off|poweroff fencing-action:reboot|off
stonith-timeout:duration fencing-timeout:duration stonith-watchdog-timeout:text fencing-watchdog-timeout:text
stonith-max-attempts:score fencing-max-attempts:score fence-reaction:stop|panic fencing-reaction:stop|panic
have-watchdog:boolean concurrent-fencing:boolean startup-fencing:boolean priority-fencing-delay:duration
node-pending-timeout:duration cluster-delay:duration batch-limit:integer migration-limit:integer
stop-all-resources:boolean stop-orphan-resources:boolean stop-removed-resources:boolean stop-orphan-actions:boolean
cancel-removed-actions:boolean remove-after-stop:boolean pe-error-series-max:integer pe-warn-series-max:integer
pe-input-series-max:integer node-health-strategy:none|migrate-on-red|only-green|progressive|custom
node-health-base:score node-health-green:score node-health-yellow:score node-health-red:score
placement-strategy:default|utilization|minimal|balanced dc-version:text cluster-infrastructure:text cluster-name:text
dc-deadtime:duration cluster-recheck-interval:duration load-threshold:text node-action-limit:integer
election-timeout:duration shutdown-escalation:duration join-integration-timeout:duration
join-finalization-timeout:duration transition-delay:duration enable-acl:boolean cluster-ipc-limit:natural
last-lrm-refresh:text default-resource-stickiness:score default-migration-threshold:score is-managed-default:boolean
default-action-timeout:duration expected-quorum-votes:natural have-quorum:boolean stonith-topology:text crmd-transition-delay:duration
dc_deadtime:duration default-failure-timeout:duration stop_orphan_resources:boolean no_quorum_policy:text stonith_enabled:boolean
guest-fencing:boolean guest-fencing-hosts:text
`

// metaTable are the meta attributes of resources of all kinds.
const metaTable = `
priority:score critical:boolean target-role:role is-managed:boolean maintenance:boolean resource-stickiness:score
requires:nothing|quorum|fencing|unfencing migration-threshold:score failure-timeout:duration
multiple-active:block|stop_only|stop_start|stop_unexpected allow-migrate:boolean allow-unhealthy-nodes:boolean
container-attribute-target:text remote-node:text remote-port:natural remote-addr:text remote-connect-timeout:duration
remote-allow-migrate:boolean clone-max:natural clone-node-max:natural clone-min:natural notify:boolean
globally-unique:boolean ordered:boolean interleave:boolean promotable:boolean promoted-max:natural
promoted-node-max:natural master-max:natural master-node-max:natural resource-discovery:text
record-pending:boolean container:text external-ip:text provides:text
`

// The tables, read.
var (
	properties     = sync.OnceValue(func() optionKinds { return parseOptions(propertyTable) })
	metaAttributes = sync.OnceValue(func() optionKinds { return parseOptions(metaTable) })
)

func parseOptions(table string) optionKinds {
	kinds := make(optionKinds)
	for word := range strings.FieldsSeq(table) {
		name, kind, _ := strings.Cut(word, ":")
		kinds[name] = kind
	}
	return kinds
}

func (o optionKinds) names() []string {
	names := make([]string, 0, len(o))
	for n := range o {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// options checks names and values of cluster properties and meta attributes.
func (k *checker) options() {
	configuration := k.c.Root.Child("configuration")
	properties, meta := properties(), metaAttributes()
	for e := range configuration.Child("crm_config").Elements() {
		k.pairs(e, properties, "cluster property", true)
	}
	for e := range configuration.Child("rsc_defaults").Elements() {
		k.pairs(e, meta, "meta attribute", false)
	}
	for e := range configuration.Child("resources").All() {
		switch e.Name {
		case "primitive", "template", "group", "clone", "master", "bundle":
			for c := range e.Elements() {
				if c.Name == "meta_attributes" {
					k.pairs(c, meta, "meta attribute", false)
				}
			}
		}
	}
}

// pairs checks the pairs of a block against the options known. Meta attributes can be anybody's: an unknown
// one is only mentioned when it looks like a known one.
func (k *checker) pairs(block *Element, known optionKinds, what string, closed bool) {
	for e := range block.Elements() {
		if e.Name != "nvpair" {
			continue
		}
		name := e.Attr("name")
		value, ok := e.Lookup("value")
		if name == "" || !ok {
			continue // complained of elsewhere
		}
		kind, ok := known[name]
		if !ok && !k.errorsOnly {
			fix := didYouMean(name, known.names())
			if fix != "" || closed {
				k.warnAt(e, fix, "there is no %s %s", what, name)
			}
		}
		if !ok {
			continue
		}
		if strings.EqualFold(value, "#default") {
			continue
		}
		k.complain(e, kind, name, value, "")
	}
}

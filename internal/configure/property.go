package configure

import (
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// property is what is known of a cluster property: its kind of value, or the values, and the default.
type property struct{ kind, preset string }

// propertyTable are the properties of Pacemaker 2.1.5: NAME KIND DEFAULT. A kind in parentheses can only be read: the
// cluster writes it itself.
const propertyTable = `
batch-limit integer 0
cluster-delay time 60s
cluster-infrastructure (text) -
cluster-ipc-limit integer 500
cluster-name (text)
cluster-recheck-interval time 15min
concurrent-fencing boolean false
dc-deadtime time 20s
dc-version (text) -
election-timeout time 2min
enable-acl boolean false
enable-startup-probes boolean true
fence-reaction text stop
have-watchdog (boolean) false
join-finalization-timeout time 30min
join-integration-timeout time 3min
last-lrm-refresh (text) -
load-threshold percentage 80%
maintenance-mode boolean false
migration-limit integer -1
no-quorum-policy demote|freeze|ignore|stop|suicide stop
node-action-limit integer 0
node-health-base integer 0
node-health-green integer 0
node-health-red integer -INFINITY
node-health-strategy custom|migrate-on-red|none|only-green|progressive none
node-health-yellow integer 0
pe-error-series-max integer -1
pe-input-series-max integer 4000
pe-warn-series-max integer 5000
placement-strategy balanced|default|minimal|utilization default
priority-fencing-delay time 0
remove-after-stop boolean false
shutdown-escalation time 20min
shutdown-lock boolean false
shutdown-lock-limit time 0
start-failure-is-fatal boolean true
startup-fencing boolean true
stonith-action off|poweroff|reboot reboot
stonith-enabled boolean true
stonith-max-attempts integer 10
stonith-timeout time 60s
stonith-watchdog-timeout watchdog 0
stop-all-resources boolean false
stop-orphan-actions boolean true
stop-orphan-resources boolean true
symmetric-cluster boolean true
transition-delay time 0s
`

func properties() map[string]property {
	all := map[string]property{}
	for line := range strings.Lines(strings.TrimSpace(propertyTable)) {
		f := append(strings.Fields(line), "")
		all[f[0]] = property{f[1], f[2]}
	}
	return all
}

// ours are the properties that Pacemaker does not have.
func ours() map[string]property {
	return map[string]property{"guest-fencing": {"boolean", "false"}, "guest-fencing-hosts": {"text", ""}}
}

// PropertyDefaults are the defaults of the properties that have one.
func PropertyDefaults() map[string]string {
	defaults := map[string]string{}
	for name, p := range properties() {
		if p.preset != "-" {
			defaults[name] = p.preset
		}
	}
	return defaults
}

// newerName are the properties that Pacemaker 3 calls otherwise. They are written by the name that all versions know.
func newerName(name string) (older string, ok bool) {
	older, ok = map[string]string{
		"fencing-enabled": "stonith-enabled", "fencing-action": "stonith-action", "fencing-timeout": "stonith-timeout",
		"fencing-watchdog-timeout": "stonith-watchdog-timeout", "fencing-max-attempts": "stonith-max-attempts",
		"fencing-reaction": "fence-reaction", "stop-removed-resources": "stop-orphan-resources",
		"cancel-removed-actions": "stop-orphan-actions",
	}[name]
	return older, ok
}

// propertySet is the block of cluster properties that commands work on: the first one.
func (d *Draft) propertySet() cib.Path {
	conf := d.Section("crm_config")
	if p := Child(conf, "cluster_property_set"); p != nil {
		return p
	}
	return d.Add(conf, cib.NewElement("cluster_property_set", []cib.Attr{{Name: "id", Value: d.Free("cib-bootstrap-options")}}))
}

// SetProperties sets cluster properties; empty values take them out.
func SetProperties(d *Draft, pairs []Pair) error {
	set := d.propertySet()
	pairs = d.checkProperties(pairs, set.Last())
	if err := d.Refused(); err != nil {
		return err
	}
	d.Put(set, d.withShortPairs(set.Last(), pairs))
	return nil
}

// checkProperties notes what is wrong with properties, and returns them by the names that are written.
func (d *Draft) checkProperties(pairs []Pair, set *cib.Element) []Pair {
	known := properties()
	pairs = slices.Clone(pairs)
	var missing, unknown, fixed []string
	for i, p := range pairs {
		if older, ok := newerName(p.Name); ok {
			d.Info("'%s' is written as %s, the name that all versions of Pacemaker know", p.Name, older)
			pairs[i].Name = older
			p = pairs[i]
		}
		k, ok := known[p.Name]
		if !ok {
			k, ok = ours()[p.Name]
		}
		if p.Value == "" && !hasPair(set, p.Name) {
			missing = append(missing, p.Name)
		}
		switch {
		case strings.HasPrefix(k.kind, "("):
			fixed = append(fixed, p.Name)
		case p.Value == "":
		case !ok:
			unknown = append(unknown, p.Name)
		default:
			d.checkProperty(p, k.kind)
		}
	}
	var settable []string
	for name, k := range known {
		if !strings.HasPrefix(k.kind, "(") {
			settable = append(settable, name)
		}
	}
	switch len(missing) {
	case 0:
	case 1:
		d.Doubt("Cannot remove property '%s', it is not present in property set '%s'", missing[0], set.ID())
	default:
		slices.Sort(missing)
		d.Doubt("Cannot remove properties %s, they are not present in property set '%s'", quoted(missing), set.ID())
	}
	if len(fixed) > 0 {
		d.Fail("%s; the cluster sets this itself", invalidOptions("cluster property", fixed, settable))
	}
	if len(unknown) > 0 {
		d.Doubt("%s", invalidOptions("cluster property", unknown, settable))
	}
	return pairs
}

// checkProperty notes a value that a property of that kind cannot have.
func (d *Draft) checkProperty(p Pair, kind string) {
	switch kind {
	case "text":
	case "boolean":
		if _, ok := cib.ParseBool(p.Value); !ok {
			d.Doubt("'%s' is not a valid %s value, use a pacemaker boolean value: '0', '1', 'false', 'n', 'no', 'off', 'on', 'true', 'y', 'yes'", p.Value, p.Name)
		}
	case "integer":
		if !isScore(p.Value) || strings.EqualFold(strings.Trim(p.Value, "+-"), "INF") {
			d.Doubt("'%s' is not a valid %s value, use an integer or INFINITY or -INFINITY", p.Value, p.Name)
		}
	case "time":
		if !isInterval(p.Value) {
			d.Doubt("'%s' is not a valid %s value, use time interval (e.g. 1, 2s, 3m, 4h, ...)", p.Value, p.Name)
		}
	case "percentage":
		n, ok := strings.CutSuffix(p.Value, "%")
		if !ok || !isNumber(n, 0, maxField) {
			d.Doubt("'%s' is not a valid %s value, use a non-negative integer followed by '%%' (e.g. 0%%, 50%%, 200%%, ...)", p.Value, p.Name)
		}
	case "watchdog":
		d.checkWatchdogTimeout(p)
	default:
		if values := strings.Split(kind, "|"); !slices.Contains(values, p.Value) {
			d.Doubt("'%s' is not a valid %s value, use %s", p.Value, p.Name, quoted(values))
		}
	}
}

// isInterval reports whether a text is seconds, minutes or hours.
func isInterval(s string) bool {
	for _, unit := range []string{"s", "sec", "m", "min", "h", "hr", ""} {
		if n, ok := strings.CutSuffix(s, unit); ok && isNumber(n, 0, maxField) {
			return true
		}
	}
	return false
}

// checkWatchdogTimeout keeps the cluster from counting on a watchdog that no node has.
func (d *Draft) checkWatchdogTimeout(p Pair) {
	ms, _ := cib.ParseDuration(p.Value)
	switch {
	case !isInterval(p.Value):
		d.Fail("'%s' is not a valid %s value, use time interval (e.g. 1, 2s, 3m, 4h, ...)", p.Value, p.Name)
	case ms != 0 && !d.haveWatchdog():
		d.Fail("%s can only be unset or set to 0 while no node has a watchdog that the cluster counts on", p.Name)
	}
}

func (d *Draft) haveWatchdog() bool {
	for set := range d.root.Child("configuration").Child("crm_config").Elements() {
		for nv := range set.Elements() {
			if nv.Attr("name") == "have-watchdog" {
				yes, _ := cib.ParseBool(nv.Attr("value"))
				return yes
			}
		}
	}
	return false
}

func hasPair(set *cib.Element, name string) bool {
	for p := range set.Elements() {
		if p.Name == "nvpair" && p.Attr("name") == name {
			return true
		}
	}
	return false
}

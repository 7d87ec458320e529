package scheduler

import (
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// synonym is the other name of an option, the one of Pacemaker 3; it wins over the older one.
func synonym(option string) string {
	switch option {
	case "stonith-enabled":
		return "fencing-enabled"
	case "stonith-action":
		return "fencing-action"
	case "stonith-timeout":
		return "fencing-timeout"
	case "stonith-watchdog-timeout":
		return "fencing-watchdog-timeout"
	case "stop-orphan-resources":
		return "stop-removed-resources"
	case "stop-orphan-actions":
		return "cancel-removed-actions"
	}
	return ""
}

// unpackConfig reads the cluster's options.
func (p *planner) unpackConfig() {
	props, change := cib.Evaluate(p.in.Properties, &cib.RuleInput{Now: p.now}, "cib-bootstrap-options")
	p.changesAt(change)
	c := &p.cfg
	c.props = props
	c.quorate = p.in.HaveQuorum

	c.symmetric = p.optBool("symmetric-cluster", true)
	c.fencing = p.optBool("stonith-enabled", true)
	c.concurrentFencing = p.optBool("concurrent-fencing", false)
	c.startupFencing = p.optBool("startup-fencing", true)
	c.fencingAction = p.fencingAction()
	c.fencingTimeout = p.opt("stonith-timeout", "60s")
	c.fencingTimeoutMS = p.optDuration("stonith-timeout", 60000)
	c.watchdogTimeoutMS = p.optDuration("stonith-watchdog-timeout", 0)
	c.haveWatchdog = p.optBool("have-watchdog", false)
	p.haveFencing = c.haveWatchdog // a node without device can at least fence itself
	c.priorityFencingDelayMS = p.optDuration("priority-fencing-delay", 0)

	c.stopAll = p.optBool("stop-all-resources", false)
	c.maintenance = p.optBool("maintenance-mode", false)
	c.defaultUnmanaged = !p.optBool("is-managed-default", true)
	c.stopOrphans = p.optBool("stop-orphan-resources", true)
	c.stopOrphanActions = p.optBool("stop-orphan-actions", true)
	c.removeAfterStop = p.optBool("remove-after-stop", false)
	c.startFailureFatal = p.optBool("start-failure-is-fatal", true)
	c.enableStartupProbes = p.optBool("enable-startup-probes", true)
	c.shutdownLock = p.optBool("shutdown-lock", false)
	c.shutdownLockLimitMS = p.optDuration("shutdown-lock-limit", 0)

	c.clusterDelay = p.opt("cluster-delay", "60s")
	c.batchLimit = p.opt("batch-limit", "0")
	c.migrationLimit = p.opt("migration-limit", "-1")
	c.placement = p.optOneOf("placement-strategy", "default", "utilization", "minimal", "balanced")
	c.noQuorum = p.noQuorumPolicy()
	p.unpackHealthOptions()
}

// opt is an option as written, fallback when it is absent.
func (p *planner) opt(name, fallback string) string {
	if v, ok := p.cfg.props[synonym(name)]; ok {
		return v
	}
	if v, ok := p.cfg.props[name]; ok {
		return v
	}
	return fallback
}

// option is an option that read understands; what it does not is warned of, and the default taken.
func option[T any](p *planner, name string, fallback T, kind string, read func(string) (T, bool)) T {
	text := p.opt(name, "")
	if text == "" {
		return fallback
	}
	value, ok := read(text)
	if !ok {
		p.warn("option " + name + " is " + kind + ": " + text)
		return fallback
	}
	return value
}

func (p *planner) optBool(name string, fallback bool) bool {
	return option(p, name, fallback, "neither true nor false", cib.ParseBool)
}

func (p *planner) optDuration(name string, fallback int64) int64 {
	return option(p, name, fallback, "not a duration", cib.ParseDuration)
}

// optOneOf is an option that knows a few words; the first is the default.
func (p *planner) optOneOf(name string, words ...string) string {
	v := p.opt(name, words[0])
	for _, w := range words {
		if v == w {
			return v
		}
	}
	p.warn("option " + name + " knows no value " + v + "; taking " + words[0])
	return words[0]
}

func (p *planner) fencingAction() string {
	switch v := p.opt("stonith-action", "reboot"); v {
	case "reboot", "off":
		return v
	case "poweroff":
		return "off"
	default:
		p.warn("option stonith-action knows no value " + v + "; taking reboot")
		return "reboot"
	}
}

// noQuorumPolicy tells what to do without quorum. A partition may fence itself only if fencing is
// enabled and it once had quorum: one that never had may have been cut off from the start.
func (p *planner) noQuorumPolicy() noQuorumPolicy {
	switch v := p.opt("no-quorum-policy", "stop"); v {
	case "ignore":
		return noQuorumIgnore
	case "freeze":
		return noQuorumFreeze
	case "demote":
		return noQuorumDemote
	case "suicide", "fence":
		if !p.cfg.fencing {
			p.warn("no-quorum-policy " + v + " needs fencing; taking stop")
			return noQuorumStop
		}
		if !p.in.NoQuorumPanic && !p.cfg.quorate {
			return noQuorumStop
		}
		return noQuorumSuicide
	case "stop":
		return noQuorumStop
	default:
		p.warn("option no-quorum-policy knows no value " + v + "; taking stop")
		return noQuorumStop
	}
}

// warn notes something that is wrong with the configuration.
func (p *planner) warn(text string) { p.warnings = append(p.warnings, text) }

// changesAt notes that the outcome may change by time alone at t; zero: it does not.
func (p *planner) changesAt(t time.Time) {
	if !t.IsZero() {
		p.recheckAt(t.Unix())
	}
}

// recheckAt notes that the outcome may change at a time in seconds since the epoch. The earliest wins.
func (p *planner) recheckAt(sec int64) {
	if sec > p.now.Unix() && (p.recheckBy == 0 || sec < p.recheckBy) {
		p.recheckBy = sec
	}
}

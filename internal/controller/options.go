package controller

import (
	"strconv"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// options are the cluster options that concern how a plan is carried out.
type options struct {
	clusterDelay      time.Duration // for messages to go and results to come
	recheck           time.Duration // plan anew after so long without news; 0: never
	fenceAttempts     int           // stonith-max-attempts
	concurrentFencing bool
	startFailureFatal bool
	shutdownLock      bool
	nodeActions       int // node-action-limit; 0: as the node says
}

func readOptions(in *cib.CIB, now time.Time) options {
	props, _ := cib.Evaluate(in.Properties, &cib.RuleInput{Now: now}, "cib-bootstrap-options")
	duration := func(name string, fallback time.Duration) time.Duration {
		if ms, ok := cib.ParseDuration(props[name]); ok && props[name] != "" {
			return time.Duration(ms) * time.Millisecond
		}
		return fallback
	}
	truth := func(name string, fallback bool) bool {
		if b, ok := cib.ParseBool(props[name]); ok {
			return b
		}
		return fallback
	}
	number := func(fallback int, names ...string) int {
		for _, name := range names {
			if n, err := strconv.Atoi(props[name]); err == nil && n > 0 {
				return n
			}
			if props[name] == "INFINITY" {
				return cib.Infinity
			}
		}
		return fallback
	}
	return options{
		clusterDelay:      duration("cluster-delay", time.Minute),
		recheck:           duration("cluster-recheck-interval", 15*time.Minute),
		fenceAttempts:     number(10, "fencing-max-attempts", "stonith-max-attempts"),
		concurrentFencing: truth("concurrent-fencing", false),
		startFailureFatal: truth("start-failure-is-fatal", true),
		shutdownLock:      truth("shutdown-lock", false),
		nodeActions:       number(0, "node-action-limit"),
	}
}

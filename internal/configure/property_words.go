package configure

import (
	"maps"
	"slices"
	"strings"
)

// Property is a cluster property as people are told of it.
type Property struct {
	Name    string   `json:"name"`
	What    string   `json:"description"`
	Type    string   `json:"type"`
	Values  []string `json:"enum_values"`
	Default string   `json:"default"`
}

// Properties are all cluster properties that can be set, by name.
func Properties() []Property {
	all := properties()
	maps.Copy(all, ours())
	words := map[string]string{}
	for line := range strings.Lines(strings.TrimSpace(propertyWords)) {
		name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		words[name] = text
	}
	var list []Property
	for _, name := range slices.Sorted(maps.Keys(all)) {
		p := all[name]
		if strings.HasPrefix(p.kind, "(") {
			continue // the cluster writes it
		}
		out := Property{Name: name, What: words[name], Type: p.kind, Values: []string{}, Default: p.preset}
		switch {
		case strings.Contains(p.kind, "|"):
			out.Type, out.Values = "enum", strings.Split(p.kind, "|")
		case p.kind == "watchdog":
			out.Type = "time"
		}
		if out.Default == "-" {
			out.Default = ""
		}
		list = append(list, out)
	}
	return list
}

// propertyWords says what each property is for: NAME TEXT.
const propertyWords = `
batch-limit How many actions of a plan may be under way in the whole cluster at once. 0: as many as the load lets.
cluster-delay How long an action on another node may take on top of its own time-out.
cluster-ipc-limit How many messages to a client may wait before it is cut off. Cerco needs no such limit.
cluster-recheck-interval How often the cluster looks whether time alone has changed something: rules with dates, failures that expire.
concurrent-fencing Whether several nodes may be fenced at the same time.
dc-deadtime How long a starting cluster waits for others before it elects who decides. In Cerco raft elects.
election-timeout How long an election may take. In Cerco raft has times of its own.
enable-acl Whether access rules count for users other than root and hacluster.
enable-startup-probes Whether nodes that come are searched for resources that run already.
fence-reaction What a node does that is told that it was fenced: stop, or panic.
guest-fencing Whether the nodes answer the fencing requests of virtual machines.
guest-fencing-hosts On which node a virtual machine is that is off and no resource: MACHINE:NODE;MACHINE:NODE.
join-finalization-timeout How long a node that joins may take to be taken in. Kept for Pacemaker.
join-integration-timeout How long a node that joins may take to answer. Kept for Pacemaker.
load-threshold The load of a node above which less is done on it at once.
maintenance-mode Whether the cluster leaves all resources alone.
migration-limit How many live migrations may be under way on a node at once. -1: any number.
no-quorum-policy What a part of the cluster without quorum does with its resources.
node-action-limit How many actions may be under way on a node at once. 0: twice its processors.
node-health-base The score that each node's health begins with, for the strategy progressive.
node-health-green The score of the health green, for the strategies custom and progressive.
node-health-red The score of the health red, for the strategies custom and progressive.
node-health-strategy What bad health of a node means for where resources run.
node-health-yellow The score of the health yellow, for the strategies custom and progressive.
pe-error-series-max How many plans with errors are kept. -1: all.
pe-input-series-max How many plans are kept.
pe-warn-series-max How many plans with warnings are kept.
placement-strategy Whether and how what nodes offer and resources use (utilization) counts for where resources run.
priority-fencing-delay How long the fencing of the node is delayed that runs what has the higher priority: of two nodes that shoot at each other, it wins.
remove-after-stop Whether resources are taken out of the node's memory when they have stopped. Do not use it.
shutdown-escalation How long a node may take to stop everything before it ends all the same.
shutdown-lock Whether resources of a node that is shut down in order wait for it instead of moving.
shutdown-lock-limit How long they wait at most. 0: without end.
start-failure-is-fatal Whether one failed start keeps a resource off that node; else migration-threshold decides.
startup-fencing Whether nodes that have never been seen are fenced before anything starts. Without it what they run may run twice.
stonith-action How nodes are fenced: they come back, or stay off.
stonith-enabled Whether failed nodes are fenced. Without it nothing is safe that must not run twice.
stonith-max-attempts How often fencing a node may fail before the cluster no longer tries by itself.
stonith-timeout How long a fence device may take.
stonith-watchdog-timeout How long to wait until a lost node has been reset by its own watchdog. 0: watchdogs do not count.
stop-all-resources Whether all resources are stopped.
stop-orphan-actions Whether recurring operations that are no longer configured are ended.
stop-orphan-resources Whether resources that are no longer configured are stopped.
symmetric-cluster Whether resources may run anywhere unless a constraint says no; else nowhere unless one says yes.
transition-delay How long to wait for more events before a plan is made. It hides slips of timing; mend those instead.
`

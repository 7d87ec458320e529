// Package replay runs a whole cluster in one goroutine, in virtual time and from a seed: the real controller,
// scheduler, membership and cib.Apply, with a model of everything around them: hosts, clocks, links, disks, a log
// that is replicated as raft does it, executors with their ledgers, agents, fence devices. The same seed gives the
// same run, event for event.
//
// It owns the model of the world, the faults that happen to it, and the checks that look at it from outside, where all
// nodes are seen at once: invariants I1 to I9 of the design, each as soon as it can be seen. It promises to report the
// first breach with the seed, the fewest faults that lead to it, and a time-line that a person can read. It is for
// tests and drills: it never touches anything real.
package replay

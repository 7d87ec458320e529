// Package replay runs a whole cluster in one goroutine, in virtual time and from a seed: the real controller,
// the real scheduler and the real cib.Apply, with model nodes, links, agents, fence devices and elections
// around them. The same seed gives the same run, event for event.
//
// It owns the model of the world and the checks that look at it from outside, where all nodes are seen at once:
// that nothing runs twice, that nothing starts before its stop elsewhere or a fencing is a fact, that no old
// order is carried out, that a completed plan leaves nothing to do. It promises to report the first breach with
// the history that led to it. It is for tests and drills: it never touches anything real.
package replay

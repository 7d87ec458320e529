// Package controller is the heart of a cluster that acts: it turns what happens into what is to be done.
//
// It owns the plan under way: which operations and fencings are in flight, what a result, a loss or a change
// means for them, and when another plan is needed. Step takes one event and the time, and returns effects for
// others to perform. It promises that what depends on a result is ordered only after the result is a committed
// fact (invariant I2), that each plan has an epoch higher than any before it (I3), and that nothing is waited
// for without end: Status names each thing waited for, since when, and the command that would release it.
// It never performs anything itself, reads no clock, and keeps nothing that a new leader could not find out
// anew from the replicated state and from the nodes.
package controller

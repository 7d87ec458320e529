// Package executor carries out this node's operations.
//
// It owns a queue for each resource, the recurring monitors, and a ledger on disk. It promises that the
// operations of one resource never overlap; that an operation is begun at most once a plan, however often it is
// ordered; that nothing is done for an epoch lower than one that it has seen, over restarts and boots (invariant
// I3); that each result is reported until it is acknowledged; and that a restart of the daemon harms nothing: what
// runs goes on, what was running is awaited and looked at, what recurs recurs. It never decides what is to be done,
// never tries anything twice by itself, and knows no cluster beyond the leader's orders.
package executor

// Package watchdog has a node end itself when nobody can be sure of it any more. It owns the node's watchdog
// and feeds it while a function, the node's lease, says that the node may act.
//
// It promises: from the moment the lease is over, the watchdog is fed no more, and nothing but a renewed lease
// changes that; that it is armed is told only after it is, and that it is not any more before it is not;
// a daemon that dies leaves the watchdog armed, and one that comes back in time goes on feeding it.
//
// It never decides whether a node may act, and never disarms unless it is told that nothing runs here.
package watchdog

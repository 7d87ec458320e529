// Package daemon is a node of the cluster: it puts the rooms together and keeps them running.
//
// It owns what runs (New, Start, Stop), the ways between the rooms, and the node's own files. It is the
// only package that imports all others. It promises that ending it, however, leaves resources running, that
// it is picked up where it was, and that nothing which can start a resource or fence a node leaves this node
// before the cluster's majority has confirmed that it leads. It decides nothing itself: the controller does,
// and what a partition without a leader does is membership's.
package daemon

// Package owner answers one question for guest fencing: whose machine is it? It owns the three ways to know.
// Standalone: this host speaks for the machines that it has, and for no other. Cluster: the cluster's state says
// where a machine is. Remote: several hypervisors are watched from one place.
//
// It promises: what a machine is said to be is true of the machine and not of one host's old copy of it; one that
// moves is followed, or the request is refused with the reason; that a host's machines are off with it is said
// only when the cluster has committed the proof that the host is off. Of the hosts of one cluster at most one
// answers for a machine.
//
// It never listens, and never decides who may ask.
package owner

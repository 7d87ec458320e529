// Package failover measures how long a service is away when its node dies: with Cerco, and with Corosync and
// Pacemaker beside it, in the same namespaces, with the same resources and the same fence agent.
//
// It owns the two sides and the rounds; the hosts (namespaces, cgroups, a switch between them) are made by a script
// that lies outside of this repository, and what needs it is left out where it is missing. It runs as Go
// benchmarks, by `make bench-failover`, and needs root.
package failover

// Package failover measures how long a service is away when its node dies: with Cerco, and with Corosync and
// Pacemaker beside it, in the same namespaces, with the same resources and the same fence agent.
//
// It owns the rounds; the hosts and the two sides are those of tools/internal/hosts. It runs as Go benchmarks, by
// `make bench-failover`, and needs root.
package failover

// Package load measures what a cluster costs and how fast it is, ours beside Corosync and Pacemaker in the same
// namespaces, with the same resources: memory and processor use at rest, changes of the configuration, cold start,
// many resources, status.
//
// It owns the measurements; the hosts and the two sides are those of tools/internal/hosts. It runs as Go benchmarks, by
// `make bench-load`, and needs root. What takes theirs many minutes is left out without BENCH_LONG=1. docs/figures.md
// says what the figures mean.
package load

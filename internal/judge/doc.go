// Package judge tells from outside whether a cluster kept its promises: from a journal in which agents, fence
// devices and whoever makes faults wrote down what they did, where and when, with one clock.
//
// It owns the format of that journal, the invariants as seen from outside (I1, I2, I3, I6, I8, I9), what a run is
// worth (availability, recoveries, faults by kind) and the time-line that shows a violation. It promises to trust
// nothing that the cluster says of itself. It is pure: it reads no clock, runs nothing and writes nothing.
package judge

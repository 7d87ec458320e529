// Package driver operates resources: it knows how an agent of a class is found, called, given up and
// understood.
//
// It owns the agents' environment, their process groups, their metadata and the meaning of their exit codes,
// for the classes ocf, lsb, systemd and service. It promises that a call ends by its time-out, with its whole
// process group, that an agent outlives the death of the daemon that called it, and that what comes back is
// always one of the codes of the OCF standard. It never decides whether or when something is to be done, keeps
// no state but caches, and does not try anything twice: that is the executor's business.
package driver

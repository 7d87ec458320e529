// Package ordeal harms a cluster of real daemons at random, from a seed, and has the journal of what happened judged.
//
// It owns the kinds of faults and when they happen, the changes of the configuration that go on meanwhile, and what
// "all is well again" means. The site that it is given does the harm: a lab on loopback addresses, or network
// namespaces. It promises that the same seed makes the same choices; when exactly they take effect is up to the
// machine. It never touches anything but through its site.
package ordeal

// Package cibgen makes CIBs: random ones that exercise many features at once, and regular ones of any size.
//
// A random CIB is a function of its seed and its features alone, so a difference found by the fuzzer can be
// had again. It is valid by Pacemaker's schema, and as plausible as chance allows: histories look like what
// a cluster would have recorded. It never reads what it has made.
package cibgen

// Package nettest holds tests of whole nodes, one network namespace each, with a network of several rings between
// them that can be cut, made deaf and lossy, and processes that are killed or frozen.
//
// It owns nothing that runs outside of tests, and promises to leave the machine as it found it. Its tests need root
// and iproute2 and run with `make test-host`.
package nettest

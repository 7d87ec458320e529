// Package xvm is the guest's side of fence_virt: a fence agent by which a cluster in virtual machines has one of
// them cut off by the host that it runs on. It owns the commands fence_xvm and fence_virt: their options, their
// input, what they print and their exit status, and the ways to a host: multicast, unicast, TCP, vsock, serial
// lines and channels.
//
// It promises: what stock hosts and stock callers of the commands rely on; an answer is believed only from who has
// the key; at most one host is let act on a request; nothing waits longer than it was told to.
//
// It never decides that a machine is off by itself: that is the host's word.
package xvm

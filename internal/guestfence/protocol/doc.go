// Package protocol is the wire of fence_virt, which fence_xvm and fence_virtd have spoken since 2006: the bytes of
// requests, results, lists of machines and serial frames, their signatures, the challenges of a session, and
// the key that both sides share.
//
// It promises: what it writes is what the original's programs write and read, bit for bit, little-endian on
// every machine; whatever bytes come, a decoder returns a value or an error; digests are compared in constant
// time; a host's challenge is never answered by another host.
//
// It never opens a socket, and never decides what is allowed.
package protocol

// Package virtd is the command fence-virtd, also called fence_virtd and fence_xvmd: the host's side of guest fencing
// as a daemon of its own, for hosts that are in no cluster. It owns the command's options, how a configuration
// file becomes a server, and going into the background.
//
// It promises: what fence_virtd's unit, init script and configuration say is understood; a configuration that
// cannot be served is refused with the file and line; when the command returns, guests are being served.
//
// It never serves by itself: that is package guestfence's.
package virtd

// Package guestfence is the host's side of fence_virt: it listens for requests of guests to cut off one of
// their neighbours, decides whether they may, has the machine stopped or started, and answers. It owns the
// listeners (multicast, unicast, TCP, vsock, serial sockets), the access groups, the memory of requests that
// were seen, the record of what was asked and done, and the configuration in the words of fence_virt.conf.
//
// It promises: a host answers only for machines that are its own to answer for; success of "off" is said only
// with a proof; no request is carried out twice; a slow machine delays no other one; whatever bytes arrive,
// memory stays bounded; after a crash no request is answered that was not carried out.
//
// It never talks to a hypervisor itself: what a request acts on is a Machines, which is handed in.
package guestfence

// Package hypervisor operates the virtual machines of one hypervisor, which in practice is libvirt on one URI.
// It owns the connections to libvirt, the view of the machines' own processes, and the rule of what proves that
// a machine is off.
//
// It promises: every call ends soon after its deadline, whatever libvirtd does; one that is killed and started
// again is found again, and a call in flight is asked again where that is safe. Off means that the machine's
// process has ended, or that libvirt says shut off where there is no process to see; a machine that nobody
// knows is not off, and neither is one that may be on its way to another host. What libvirt does not end in
// time is killed, after its process was checked to be that machine's.
//
// It never decides whose a machine is or who may ask, and keeps nothing but connections.
package hypervisor

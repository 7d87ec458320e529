// Package vmtest keeps a virtual machine running, for real: several hosts, each a set of namespaces with a libvirtd
// and a daemon of its own, a small guest without hardware acceleration, and a switch that cuts a host's power.
//
// It has nothing but a test (build tag host), which needs root, libvirt and QEMU.
package vmtest

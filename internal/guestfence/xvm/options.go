package xvm

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence/protocol"
)

// Names that the command is called by. Each of the original's two has its own options; ours has all.
const (
	NameXVM  = "fence_xvm"
	NameVirt = "fence_virt"
	NameOurs = "fence-xvm"
)

// options is what a call asks for.
type options struct {
	action    string // as it is printed; protocol.Action is made of it
	domain    string
	uuid      bool
	debug     int
	timeout   time.Duration
	delay     time.Duration
	retrans   time.Duration
	family    string // "auto", "ipv4" or "ipv6"
	addresses string // of groups and hosts, to send datagrams to
	port      uint16
	keyFile   string
	keyGiven  bool
	hash      protocol.Hash
	auth      protocol.Hash
	tcp       string // the host
	vsock     bool
	cid       uint32
	device    string
	params    string
	channel   string
	help      bool
	version   bool

	problems []string
}

func defaults() *options {
	return &options{
		action: "reboot", timeout: 30 * time.Second, retrans: 2 * time.Second, family: "auto", port: protocol.Port,
		keyFile: protocol.DefaultKeyFile, hash: protocol.SHA256, auth: protocol.SHA256, cid: 2, params: "115200,8N1", channel: "10.0.2.179",
	}
}

// option is one option: on the command line, on stdin, in the help and in the metadata.
type option struct {
	flag     byte   // 0: only on stdin
	arg      string // what the help calls its argument; empty: it has none
	optional bool   // the argument may be left out
	name     string // on stdin; empty: only on the command line
	kind     string // in the metadata
	def      string
	help     string
	names    string // of the commands that have it: x fence_xvm, v fence_virt; empty: all
	old      bool   // kept for old callers
	set      func(o *options, value string) error
}

func invalid(what, value string) error { return saidf("Invalid %s: '%s'", what, value) }

// table returns all options, in the order of the help.
func table() []option {
	return []option{
		{flag: 'd', name: "debug", kind: "boolean", help: "Say what is done; more often says more", set: setDebug},
		{flag: 'i', arg: "family", name: "ip_family", def: "auto", names: "x", help: "IP family: auto, ipv4 or ipv6", set: setFamily},
		{flag: 'a', arg: "address", name: "multicast_address", names: "x", help: "Multicast group, or addresses of hosts (" + protocol.Group4 + ", " + protocol.Group6 + ")", set: func(o *options, v string) error { o.addresses = v; return nil }},
		{flag: 'D', arg: "device", name: "serial_device", def: "/dev/ttyS1", names: "v", help: "Serial device", set: func(o *options, v string) error { o.device = v; return nil }},
		{flag: 'P', arg: "param", name: "serial_params", def: "115200,8N1", names: "v", help: "Parameters of the serial device", set: func(o *options, v string) error { o.params = v; return nil }},
		{flag: 'A', arg: "address", name: "channel_address", def: "10.0.2.179", names: "v", help: "Address of the channel", set: func(o *options, v string) error { o.channel = v; return nil }},
		{flag: 'p', arg: "port", name: "ipport", def: "1229", help: "Port: of datagrams, TCP, channel or vsock", set: setPort},
		{flag: 'r', arg: "tenths", name: "retrans", def: "20", names: "x", help: "How often to send again, in tenths of a second", set: setRetrans},
		{flag: 'n', arg: "machine", name: "plug", help: "Virtual machine to act on: its name or UUID", set: setDomain},
		{flag: 'H', arg: "machine", name: "port", old: true, help: "Virtual machine to act on", set: setDomain},
		{name: "domain", old: true, help: "Virtual machine to act on", set: setDomain},
		{flag: 'u', name: "use_uuid", def: "0", names: "x", help: "The machine is named by its UUID (hosts see that themselves)", set: func(o *options, v string) error { o.uuid = v != "0"; return nil }},
		{flag: 'o', arg: "action", name: "action", def: "reboot", help: "null, off, on, reboot, status, list, list-status, monitor, validate-all or metadata", set: setAction},
		{name: "option", old: true, set: setAction},
		{flag: 't', arg: "seconds", name: "timeout", def: "30", help: "How long to try", set: setTimeout},
		{flag: 'T', arg: "address", name: "ipaddr", def: "127.0.0.1", names: "v", help: "Host to connect to by TCP", set: func(o *options, v string) error { o.tcp = v; return nil }},
		{flag: 'S', arg: "cid", optional: true, name: "vsock", kind: "integer", def: "2", names: "v", help: "CID to connect to by vsock", set: setVsock},
		{flag: 'C', arg: "auth", name: "auth", def: "sha256", help: "How both sides prove the key: none, sha1, sha256 or sha512", set: setAuth},
		{flag: 'c', arg: "hash", name: "hash", def: "sha256", help: "How requests are signed: none, sha1, sha256 or sha512", set: setHash},
		{flag: 'k', arg: "file", name: "key_file", def: protocol.DefaultKeyFile, help: "File with the key", set: setKey},
		{flag: 'w', arg: "seconds", name: "delay", def: "0", help: "How long to wait before off, on and reboot", set: setDelay},
		{flag: 'M', arg: "mode", set: func(o *options, _ string) error { o.problems = append(o.problems, ""); return nil }},
		{flag: 'V', help: "Print the version", set: func(o *options, _ string) error { o.version = true; return nil }},
		{flag: 'h', help: "Print this", set: setHelp},
		{flag: '?', help: "Print this", set: setHelp},
	}
}

// of tells whether the command of that name has the option.
func (p *option) of(name string) bool {
	return p.names == "" || name == NameOurs || p.names == "x" && name == NameXVM || p.names == "v" && name == NameVirt
}

func setHelp(o *options, _ string) error { o.help = true; return nil }

func setDebug(o *options, v string) error {
	if n, err := strconv.Atoi(v); err == nil {
		o.debug = n
	} else {
		o.debug++
	}
	return nil
}

func setFamily(o *options, v string) error {
	o.family = strings.ToLower(v)
	switch o.family {
	case "auto", "ipv4", "ipv6":
		return nil
	}
	return saidf("Unsupported family: '%s'", v)
}

func setPort(o *options, v string) error {
	n, err := strconv.ParseUint(v, 10, 16)
	if err != nil || n == 0 {
		return invalid("port", v)
	}
	o.port = uint16(n)
	return nil
}

// maxSeconds bounds what is counted in seconds.
const maxSeconds = 1 << 24

func seconds(v string, least int) (time.Duration, bool) {
	n, err := strconv.Atoi(v)
	return time.Duration(n) * time.Second, err == nil && n >= least && n <= maxSeconds
}

func setRetrans(o *options, v string) error {
	d, ok := seconds(v, 1)
	if !ok {
		return invalid("retransmit time", v)
	}
	o.retrans = d / 10
	return nil
}

func setTimeout(o *options, v string) error {
	d, ok := seconds(v, 1)
	if !ok {
		return invalid("timeout", v)
	}
	o.timeout = d
	return nil
}

func setDelay(o *options, v string) error {
	d, ok := seconds(v, 0)
	if !ok {
		return invalid("delay", v)
	}
	o.delay = d
	return nil
}

func setDomain(o *options, v string) error {
	switch {
	case o.domain != "":
		return said("Domain/UUID may not be specified more than once")
	case v == "":
		return said("Invalid domain name")
	case len(v) >= protocol.DomainSize:
		return saidf("Invalid domain name: '%s' (File name too long)", v)
	}
	o.domain = v
	return nil
}

func setAction(o *options, v string) error {
	o.action = strings.ToLower(v)
	if _, ok := actionOf(o.action); !ok {
		return saidf("Unsupported operation: %s", v)
	}
	return nil
}

// actionOf returns the action of a name on the command line.
func actionOf(name string) (protocol.Action, bool) {
	if name == "list-status" {
		return protocol.List, true
	}
	for a := protocol.Null; a <= protocol.ValidateAll; a++ {
		if a.String() == name {
			return a, true
		}
	}
	return 0, false
}

func setAuth(o *options, v string) (err error) {
	if o.auth, err = protocol.ParseHash(strings.ToLower(v)); err != nil {
		return saidf("Unsupported auth type: %s", v)
	}
	return nil
}

func setHash(o *options, v string) (err error) {
	if o.hash, err = protocol.ParseHash(strings.ToLower(v)); err != nil {
		return saidf("Unsupported hash: %s", v)
	}
	return nil
}

func setKey(o *options, v string) error {
	o.keyFile, o.keyGiven = v, true
	if _, err := os.Stat(v); err != nil {
		why := "No such file or directory"
		if !errors.Is(err, fs.ErrNotExist) {
			why = err.Error()
		}
		return saidf("Invalid key file: '%s' (%s)", v, why)
	}
	return nil
}

func setVsock(o *options, v string) error {
	o.vsock = true
	if n, err := strconv.ParseUint(v, 10, 32); err == nil && n >= 1 {
		o.cid = uint32(n)
	}
	return nil
}

// targets returns the addresses that datagrams go to.
func (o *options) targets() ([]netip.Addr, error) {
	text := o.addresses
	if text == "" {
		text = protocol.Group4
		if o.family == "ipv6" {
			text = protocol.Group6
		}
	}
	var out []netip.Addr
	for one := range strings.SplitSeq(text, ",") {
		a, err := netip.ParseAddr(strings.TrimSpace(one))
		if err != nil {
			return nil, fmt.Errorf("%q is no address of a multicast group or a host", one)
		}
		out = append(out, a.Unmap())
	}
	return out, nil
}

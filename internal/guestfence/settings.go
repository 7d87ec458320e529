package guestfence

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/guestfence/protocol"
)

// Kinds of listeners. The original's multicast listener hears unicast datagrams too, and so does ours; one of
// kind Unicast belongs to no group.
const (
	Multicast = "multicast"
	Unicast   = "unicast"
	TCP       = "tcp"
	Vsock     = "vsock"
	Serial    = "serial"
)

// Settings is a configuration file, understood.
type Settings struct {
	Listeners  []ListenerSettings
	Groups     []Group
	Backend    string   // how machines are found: "libvirt" (this host's), "cpg" (the cluster's)
	URIs       []string // of the hypervisor; none: its default; several: all of them are watched from here
	Foreground bool
	Wait       bool     // for the hypervisor to become reachable
	Warnings   []string // what is not understood or not what it seems, with file and line
}

// ListenerSettings is what a configuration file says of one listener.
type ListenerSettings struct {
	Kind      string
	KeyFile   string        // read by the caller; a serial listener needs none
	Hash      protocol.Hash // the weakest that signed requests may have
	Auth      protocol.Hash // of the session
	Address   netip.Addr    // of the group or to bind to; invalid: any
	Port      uint16
	Interface string // for a group; empty: all
	Path      string // serial: where the sockets must lie; empty: anywhere
	Channel   bool   // serial: channels instead of serial devices
}

// ReadSettings understands a configuration as the original does. Several listeners may be named, with commas.
func ReadSettings(file string, root *Block) (*Settings, error) {
	r := settingsReader{file: file}
	main := root.Block("fence_virtd")
	s := &Settings{
		Backend:    main.Get("backend", "libvirt"),
		Foreground: truth(main.Get("foreground", "0")),
		Wait:       truth(main.Get("wait_for_init", main.Get("wait_for_backend", "0"))),
		Groups:     r.groups(root.Block("groups")),
	}
	if s.Backend != "libvirt" && s.Backend != "cpg" {
		r.fail(main, "backend", `%q is no backend: it must be "libvirt" or "cpg"`, s.Backend)
	}
	backends := root.Block("backends")
	if s.URIs = backends.Block(s.Backend).All("uri"); len(s.URIs) == 0 {
		s.URIs = backends.Block("libvirt").All("uri")
	}
	for kind := range strings.SplitSeq(main.Get("listener", Multicast), ",") {
		kind = strings.TrimSpace(kind)
		if !slices.Contains([]string{Multicast, Unicast, TCP, Vsock, Serial}, kind) {
			r.fail(main, "listener", "%q is no listener: it must be multicast, unicast, tcp, vsock or serial", kind)
			continue
		}
		s.Listeners = append(s.Listeners, r.listener(kind, root.Block("listeners").Block(kind)))
	}
	r.unknown(root)
	s.Warnings = r.warnings
	return s, r.err
}

// settingsReader keeps the first error and all warnings.
type settingsReader struct {
	file     string
	err      error
	warnings []string
}

// fail notes an error about a setting of b.
func (r *settingsReader) fail(b *Block, setting, format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%s:%d: %s", r.file, lineOf(b, setting), fmt.Sprintf(format, args...))
	}
}

func lineOf(b *Block, setting string) int {
	if b == nil {
		return 1
	}
	for _, s := range slices.Backward(b.Settings) {
		if s.Name == setting {
			return s.Line
		}
	}
	return b.Line
}

func truth(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n != 0 || strings.EqualFold(s, "yes") || strings.EqualFold(s, "true")
}

func (r *settingsReader) listener(kind string, b *Block) ListenerSettings {
	l := ListenerSettings{Kind: kind, Interface: b.Get("interface", ""), Path: strings.TrimRight(b.Get("path", ""), "/")}
	switch mode := b.Get("mode", "serial"); mode {
	case "serial":
	case "vmchannel":
		l.Channel = true
	default:
		r.fail(b, "mode", `%q is no mode: it must be "serial" or "vmchannel"`, mode)
	}
	if kind == Serial {
		return l
	}
	l.KeyFile = b.Get("key_file", protocol.DefaultKeyFile)
	l.Hash, l.Auth = r.hash(b, "hash"), r.hash(b, "auth")
	if kind == TCP || kind == Vsock {
		// The original's tcp and vsock listeners take auth for the hash of requests, and always authenticate with
		// SHA-256. Guests that work with such a configuration rely on it.
		if b.Get("auth", "") != "" {
			l.Hash = l.Auth
			r.warn(b, "auth", "%s: auth sets the weakest hash of requests, as in fence_virtd; sessions use sha256", kind)
		}
		l.Auth = protocol.SHA256
	}
	port, err := strconv.ParseUint(b.Get("port", strconv.Itoa(protocol.Port)), 10, 16)
	if err != nil || port == 0 {
		r.fail(b, "port", "%q is no port: it must be a number from 1 to 65535", b.Get("port", ""))
	}
	l.Port = uint16(port)
	l.Address = r.address(kind, b)
	return l
}

func (r *settingsReader) hash(b *Block, setting string) protocol.Hash {
	h, err := protocol.ParseHash(strings.ToLower(b.Get(setting, "sha256")))
	if err != nil {
		r.fail(b, setting, "%s: %v", setting, err)
	}
	if h == protocol.None {
		r.warn(b, setting, `%s = "none": whoever reaches this port can fence`, setting)
	}
	return h
}

func (r *settingsReader) address(kind string, b *Block) netip.Addr {
	six := false
	switch family := b.Get("family", "ipv4"); family {
	case "ipv4", "auto":
	case "ipv6":
		six = true
	default:
		r.fail(b, "family", `%q is no family: it must be "ipv4" or "ipv6"`, family)
	}
	defaults := map[string][2]string{
		Multicast: {protocol.Group4, protocol.Group6}, TCP: {"127.0.0.1", "::1"}, Unicast: {"0.0.0.0", "::"}, Vsock: {"0.0.0.0", "::"},
	}
	text := defaults[kind][0]
	if six {
		text = defaults[kind][1]
	}
	text = b.Get("address", text)
	a, err := netip.ParseAddr(text)
	switch {
	case err != nil:
		r.fail(b, "address", "%q is no IP address", text)
	case kind == Multicast && !a.IsMulticast():
		r.fail(b, "address", `%s is no multicast address; to hear datagrams to one host, use the listener "unicast"`, a)
	}
	return a
}

func (r *settingsReader) groups(b *Block) []Group {
	if b == nil {
		return nil
	}
	var out []Group
	for _, g := range b.Blocks {
		if g.Name != "group" {
			r.warnAt(g.Line, "%s is no group; it is left out", g.Name)
			continue
		}
		out = append(out, Group{Name: g.Get("name", ""), Machines: g.All("uuid"), Askers: g.All("ip")})
	}
	return out
}

func (r *settingsReader) warn(b *Block, setting, format string, args ...any) {
	r.warnAt(lineOf(b, setting), format, args...)
}

func (r *settingsReader) warnAt(line int, format string, args ...any) {
	r.warnings = append(r.warnings, fmt.Sprintf("%s:%d: %s", r.file, line, fmt.Sprintf(format, args...)))
}

// unknown warns of what nobody looks at: most often it is a slip.
func (r *settingsReader) unknown(root *Block) {
	known := map[string][]string{
		"fence_virtd": {"listener", "backend", "foreground", "wait_for_init", "wait_for_backend", "module_path", "debug"},
		Multicast:     {"key_file", "hash", "auth", "family", "address", "port", "interface"},
		Unicast:       {"key_file", "hash", "auth", "family", "address", "port"},
		TCP:           {"key_file", "hash", "auth", "family", "address", "port"},
		Vsock:         {"key_file", "hash", "auth", "port"},
		Serial:        {"uri", "path", "mode"},
		"libvirt":     {"uri"},
		"cpg":         {"uri", "name_mode"},
		"group":       {"name", "uuid", "ip"},
	}
	var walk func(b *Block)
	walk = func(b *Block) {
		for _, s := range b.Settings {
			if names, ok := known[b.Name]; !ok && b != root || ok && !slices.Contains(names, s.Name) {
				r.warnAt(s.Line, "%s is not known in %s", s.Name, b.Name)
			}
		}
		for _, inner := range b.Blocks {
			walk(inner)
		}
	}
	walk(root)
}

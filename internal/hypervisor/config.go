package hypervisor

import (
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Config is where libvirt is and how long to wait for it. The zero durations mean the defaults.
type Config struct {
	// URI is libvirt's, as virsh takes it: qemu:///system, test:///default, qemu+tls://host/system,
	// qemu+ssh://user@host/system, qemu+tcp://host/system. Of its parameters,
	// socket=, keyfile= and pkipath= count.
	URI string
	Log *slog.Logger
	Now func() time.Time

	AskWithin time.Duration // a question is answered by then or has failed; 5 s
	OffWithin time.Duration // an off is proved by then or has failed; 20 s
	KillAfter time.Duration // then a process that libvirt did not end is killed; 4 s
}

func (c Config) withDefaults() Config {
	set := func(d *time.Duration, to time.Duration) {
		if *d == 0 {
			*d = to
		}
	}
	set(&c.AskWithin, 5*time.Second)
	set(&c.OffWithin, 20*time.Second)
	set(&c.KillAfter, 4*time.Second)
	if c.URI == "" {
		c.URI = DefaultURI
	}
	return c
}

// DefaultURI is the system's QEMU on this host.
const DefaultURI = "qemu:///system"

// place is a URI, understood.
type place struct {
	driver    string // what libvirtd is asked for: qemu:///system
	transport string // unix, tcp, tls, ssh
	socket    string // of transport unix and ssh; "" is the usual one
	host      string
	port      string
	user      string
	keyFile   string
	pki       string // where the certificates for tls are; "" is libvirt's own places
	local     bool   // machines are processes of this host
	pids      string // where libvirt writes their numbers, if local
}

// parseURI understands a URI of libvirt as far as it concerns the way there.
func parseURI(text string) (place, error) {
	u, err := url.Parse(text)
	if err != nil {
		return place{}, fmt.Errorf("libvirt URI %q: %w", text, err)
	}
	scheme, transport, _ := strings.Cut(u.Scheme, "+")
	switch {
	case scheme == "":
		return place{}, fmt.Errorf("libvirt URI %q has no driver; write for example %s", text, DefaultURI)
	case transport == "" && u.Host == "":
		transport = "unix"
	case transport == "":
		transport = "tls"
	case transport == "libssh" || transport == "libssh2":
		transport = "ssh"
	}
	p := place{transport: transport, host: u.Hostname(), port: u.Port(), user: u.User.Username(), socket: u.Query().Get("socket"), keyFile: u.Query().Get("keyfile"), pki: u.Query().Get("pkipath")}
	p.driver = u.Query().Get("name")
	if p.driver == "" {
		p.driver = scheme + "://" + u.EscapedPath()
	}
	switch transport {
	case "unix":
		p.local = scheme == "qemu"
	case "tcp", "tls", "ssh":
		if p.host == "" {
			return place{}, fmt.Errorf("libvirt URI %q names no host", text)
		}
	default:
		return place{}, fmt.Errorf("libvirt URI %q: transport %q is not known; use unix, tcp, tls or ssh", text, transport)
	}
	p.pids = "/run/libvirt/qemu"
	if u.Path == "/session" {
		runtime := os.Getenv("XDG_RUNTIME_DIR")
		p.pids = filepath.Join(runtime, "libvirt/qemu/run")
		if p.socket == "" && transport == "unix" {
			p.socket = filepath.Join(runtime, "libvirt/libvirt-sock")
		}
	}
	return p, nil
}

// sockets are tried in this order: one daemon for everything, then one for QEMU alone.
func (p place) sockets() []string {
	if p.socket != "" {
		return []string{p.socket}
	}
	return []string{"/run/libvirt/libvirt-sock", "/run/libvirt/virtqemud-sock"}
}

package guestfence

import (
	"strings"
	"testing"

	"github.com/cerco-ha/cerco/internal/guestfence/protocol"
)

// As Debian's package installs it.
const stockConf = `fence_virtd {
	listener = "multicast";
	backend = "libvirt";
}

listeners {
	multicast {
		key_file = "/etc/fence_virt.key";
		address = "225.0.0.12";
		# Needed on Fedora systems
		interface = "virbr0";
	}
}

backends {
	libvirt { 
		uri = "qemu:///system";
	}
}
`

func settings(t *testing.T, text string) (*Settings, error) {
	t.Helper()
	root, err := ParseConf("fence_virt.conf", []byte(text))
	if err != nil {
		return nil, err
	}
	return ReadSettings("fence_virt.conf", root)
}

func TestStockConfigurationIsUnderstood(t *testing.T) {
	s, err := settings(t, stockConf)
	if err != nil || len(s.Warnings) > 0 || len(s.Listeners) != 1 {
		t.Fatalf("%+v, %v", s, err)
	}
	l := s.Listeners[0]
	if l.Kind != Multicast || l.KeyFile != "/etc/fence_virt.key" || l.Address.String() != protocol.Group4 || l.Interface != "virbr0" ||
		l.Port != 1229 || l.Hash != protocol.SHA256 || l.Auth != protocol.SHA256 || strings.Join(s.URIs, " ") != "qemu:///system" || s.Backend != "libvirt" {
		t.Errorf("%+v", s)
	}
}

func TestGroupsAndSeveralListeners(t *testing.T) {
	s, err := settings(t, `fence_virtd { listener = "tcp, serial"; }
		listeners { tcp { address = "10.0.0.1"; auth = "none"; } serial { path = "/run/guests/"; mode = "vmchannel"; } }
		groups { group { name = "a"; ip = "192.168.1.1"; ip = "192.168.1.2"; uuid = "node1"; uuid = "node2"; } }`)
	if err != nil {
		t.Fatal(err)
	}
	if tcp := s.Listeners[0]; tcp.Hash != protocol.None || tcp.Auth != protocol.SHA256 {
		t.Errorf("the original takes auth for the hash: %+v", tcp)
	}
	if serial := s.Listeners[1]; serial.Path != "/run/guests" || !serial.Channel {
		t.Errorf("%+v", serial)
	}
	if g := s.Groups; len(g) != 1 || len(g[0].Askers) != 2 || len(g[0].Machines) != 2 {
		t.Errorf("%+v", g)
	}
	if len(s.Warnings) != 2 {
		t.Errorf("%q", s.Warnings)
	}
}

func TestErrorsNameFileAndLine(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"fence_virtd {\n\tlistener = ;\n}", "fence_virt.conf:2: listener has no value"},
		{"fence_virtd {\n\tlistener \"tcp\";\n}", `fence_virt.conf:2: listener must be followed by = and a value, or by {, and not by "tcp"`},
		{"# x\nfence_virtd {\n", "fence_virt.conf:2: the block fence_virtd does not end: a } is missing"},
		{"\n}", "fence_virt.conf:2: a name is expected, not }"},
		{"a {\n b = \"x\n}", "fence_virt.conf:2: a quoted value does not end on its line"},
		{"fence_virtd {\n listener = \"mulitcast\";\n}", `fence_virt.conf:2: "mulitcast" is no listener: it must be multicast, unicast, tcp, vsock or serial`},
		{"fence_virtd { listener = \"tcp\"; }\nlisteners {\ntcp {\nport = \"0\"; } }", `fence_virt.conf:4: "0" is no port: it must be a number from 1 to 65535`},
		{"listeners {\nmulticast {\n\n hash = \"md5\"; } }", `fence_virt.conf:4: hash: "md5" is no hash: it must be none, sha1, sha256 or sha512`},
		{"listeners { multicast { address = \"10.0.0.1\"; } }", `no multicast address; to hear datagrams to one host, use the listener "unicast"`},
		{strings.Repeat("a {", 20), "deeper than 16"},
	} {
		if _, err := settings(t, c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %s", c.text, err, c.want)
		}
	}
	s, err := settings(t, "fence_virtd {\n listner = \"tcp\";\n}")
	if err != nil || len(s.Warnings) != 1 || s.Warnings[0] != "fence_virt.conf:2: listner is not known in fence_virtd" {
		t.Errorf("%v, %v", s, err)
	}
}

func FuzzConf(f *testing.F) {
	f.Add([]byte(stockConf))
	f.Add([]byte(`groups { group { name = "a"; ip = 1.1.1.1; } } #`))
	f.Fuzz(func(_ *testing.T, b []byte) {
		if root, err := ParseConf("f", b); err == nil {
			_, _ = ReadSettings("f", root)
		}
	})
}

func TestGroupsLetOnlyTheirOwn(t *testing.T) {
	const db = "6695eb01-f6a4-8304-79aa-97f2502e193f"
	groups := []Group{{Machines: []string{"web", strings.ToUpper(db)}, Askers: []string{"10.0.0.1", "fd00::A"}}, {Machines: []string{"other"}, Askers: []string{"10.0.0.2"}}}
	machine := Machine{Name: "db", UUID: db}
	for _, c := range []struct {
		who  asker
		id   string
		m    Machine
		want bool
	}{
		{asker{id: "10.0.0.1"}, "web", Machine{}, true},
		{asker{id: "10.0.0.1"}, "WEB", Machine{}, false},
		{asker{id: "10.0.0.1"}, db, machine, true},
		{asker{id: "10.0.0.1"}, "db", machine, true}, // named by its UUID in the group
		{asker{id: "fd00::a"}, "web", Machine{}, true},
		{asker{id: "10.0.0.2"}, "web", Machine{}, false},
		{asker{id: "10.0.0.3"}, "other", Machine{}, false},
		{asker{id: "10.0.0.1"}, "", Machine{}, false},
		{asker{id: db, serial: true}, "web", Machine{}, true},
		{asker{id: "10.0.0.1", serial: true}, "web", Machine{}, false},
	} {
		if got := allowed(groups, c.who, c.id, c.m); got != c.want {
			t.Errorf("%v asks for %q: %v", c.who, c.id, got)
		}
	}
	if !allowed(nil, asker{id: "x"}, "y", Machine{}) {
		t.Error("without groups everybody is allowed")
	}
}

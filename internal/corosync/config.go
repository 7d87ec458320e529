package corosync

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Transports.
const (
	Knet = "knet"
	UDP  = "udp"
	UDPU = "udpu"
)

// Node is one node of the nodelist.
type Node struct {
	Name  string
	ID    string
	Addrs []Addr // in the order of their links
}

// Addr is the address of a node on a link.
type Addr struct {
	Link int
	Addr string
}

// Kind is "IPv4", "IPv6" or, for a name, "FQDN".
func (a Addr) Kind() string {
	ip, err := netip.ParseAddr(a.Addr)
	switch {
	case err != nil:
		return "FQDN"
	case ip.Is4():
		return "IPv4"
	}
	return "IPv6"
}

// Config is a corosync.conf and what is in it.
type Config struct{ Root *Section }

// Decode reads a corosync.conf. Errors are of type *SyntaxError.
func Decode(file string, data []byte) (*Config, error) {
	root, err := Parse(file, data)
	if err != nil {
		return nil, err
	}
	return &Config{root}, nil
}

// Append writes the file to the end of b.
func (c *Config) Append(b []byte) []byte { return c.Root.Append(b) }

// Name is the name of the cluster.
func (c *Config) Name() string { return c.Root.Child("totem").Get("cluster_name") }

// UUID is the identity of the cluster; empty if it has none.
func (c *Config) UUID() string { return c.Root.Child("totem").Get("cluster_uuid") }

// Transport is how the nodes talk: Knet where the file does not say.
func (c *Config) Transport() string {
	if t := c.Root.Child("totem").Get("transport"); t != "" {
		return t
	}
	return Knet
}

// Nodes are the nodes of the nodelist.
func (c *Config) Nodes() []Node {
	var list []Node
	for _, s := range c.Root.Child("nodelist").All("node") {
		n := Node{Name: s.Get("name"), ID: s.Get("nodeid")}
		for link := range linksMost {
			if a := s.Get(fmt.Sprintf("ring%d_addr", link)); a != "" {
				n.Addrs = append(n.Addrs, Addr{link, a})
			}
		}
		list = append(list, n)
	}
	return list
}

// linksMost is how many links corosync has.
const linksMost = 8

// Link is a link and its options.
type Link struct {
	Number  int
	Options Options
}

// Links are the links that have options, by number.
func (c *Config) Links() []Link {
	var list []Link
	g := linkOptions(c.Transport())
	for _, s := range c.Root.Child("totem").All("interface") {
		n, err := strconv.Atoi(s.Get("linknumber"))
		if err != nil {
			n = 0
		}
		l := Link{n, g.read(s)}
		for i, p := range l.Options {
			if p.Key == "broadcast" {
				l.Options[i].Value = map[bool]string{true: "1", false: "0"}[p.Value == "yes"]
			}
		}
		if len(l.Options) > 0 {
			list = append(list, l)
		}
	}
	slices.SortStableFunc(list, func(a, b Link) int { return a.Number - b.Number })
	return list
}

// TotemOptions, TransportOptions, CompressionOptions, CryptoOptions and QuorumOptions are what is set, by name.
func (c *Config) TotemOptions() Options { return totemOptions().read(c.Root.Child("totem")) }

// TransportOptions are the options of the transport.
func (c *Config) TransportOptions() Options {
	return transportOptions(c.Transport()).read(c.Root.Child("totem"))
}

// CompressionOptions are the options of knet's compression.
func (c *Config) CompressionOptions() Options {
	return compressionOptions().read(c.Root.Child("totem"))
}

// CryptoOptions are the options of knet's encryption.
func (c *Config) CryptoOptions() Options { return cryptoOptions().read(c.Root.Child("totem")) }

// QuorumOptions are votequorum's options that people set.
func (c *Config) QuorumOptions() Options { return quorumOptions().read(c.Root.Child("quorum")) }

// Device is a quorum device.
type Device struct {
	Model                    string
	Generic, Net, Heuristics Options // Net are the options of the model
}

// Device is the quorum device, nil if there is none.
func (c *Config) Device() *Device {
	s := c.device()
	if s == nil {
		return nil
	}
	d := &Device{Model: s.Get("model")}
	for _, p := range s.Pairs {
		if p.Key != "model" {
			d.Generic = append(d.Generic, Pair{Key: p.Key, Value: p.Value})
		}
	}
	d.Net, d.Heuristics = pairsOf(s.Child(d.Model)), pairsOf(s.Child("heuristics"))
	return d
}

func (c *Config) device() *Section {
	d := c.Root.Child("quorum").one("device")
	if d.Get("model") == "" {
		return nil
	}
	return d
}

// one is Child, for a section that may not be there itself.
func (s *Section) one(name string) *Section {
	if s == nil {
		return nil
	}
	return s.Child(name)
}

func pairsOf(s *Section) Options {
	if s == nil {
		return nil
	}
	var o Options
	for _, p := range s.Pairs {
		o = append(o, Pair{Key: p.Key, Value: p.Value})
	}
	return o
}

// Update changes options of the totem section. Nothing is changed if anything is wrong.
func (c *Config) Update(transport, compression, crypto, totem Options) []Problem {
	t := c.Transport()
	tg, cg, yg, og := transportOptions(t), compressionOptions(), cryptoOptions(), totemOptions()
	bad := slices.Concat(tg.check(transport, false), og.check(totem, false))
	if t != Knet && len(compression)+len(crypto) > 0 {
		bad = append(bad, Problem{What: fmt.Sprintf("the transport %s knows no compression and no encryption: only knet does", t)})
	} else {
		bad = slices.Concat(bad, cg.check(compression, false), yg.check(crypto, false), checkCrypto(c.CryptoOptions(), crypto))
	}
	if len(bad) > 0 {
		return bad
	}
	s := c.Root.Make("totem")
	og.write(s, totem)
	tg.write(s, transport)
	cg.write(s, compression)
	yg.write(s, crypto)
	return nil
}

// checkCrypto says when a cipher is without a hash. Corosync encrypts nothing where it is told nothing.
func checkCrypto(was, change Options) []Problem {
	get := func(name string) string {
		for _, p := range change {
			if p.Key == name {
				return p.Value
			}
		}
		return was.Get(name)
	}
	cipher, hash := get("cipher"), get("hash")
	if cipher == "" || cipher == "none" || hash != "" && hash != "none" {
		return nil
	}
	return []Problem{{What: fmt.Sprintf("crypto cipher=%s needs a hash: add hash=sha256, or set cipher=none", cipher)}}
}

// SetUUID gives the cluster an identity.
func (c *Config) SetUUID(uuid string, force bool) []Problem {
	if c.UUID() != "" && !force {
		return []Problem{{"the cluster has a UUID already, " + c.UUID(), true}}
	}
	c.Root.Make("totem").Set("cluster_uuid", uuid)
	return nil
}

// MissingNames says which nodes have no name: commands that speak of nodes need one.
func (c *Config) MissingNames() []Problem {
	var ids []string
	for _, n := range c.Nodes() {
		if n.Name == "" {
			ids = append(ids, n.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return []Problem{{What: fmt.Sprintf("nodes without a name in corosync.conf (nodeid %s): add \"name: ...\" to each node of the nodelist",
		strings.Join(ids, ", "))}}
}

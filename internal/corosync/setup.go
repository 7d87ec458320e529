package corosync

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Setup is what somebody wants of a new cluster.
type Setup struct {
	Name      string
	UUID      string // empty: none
	Nodes     []SetupNode
	Transport string // Knet, UDP or UDPU

	TransportOptions, Compression, Crypto, Totem, Quorum Options
	Links                                                []Options // in the order of the links, or with a linknumber
}

// SetupNode is a node and where it is reached, link 0 first.
type SetupNode struct {
	Name  string
	Addrs []string
}

// New makes the corosync.conf of a new cluster, or says what is wrong.
func New(s Setup) (*Config, []Problem) {
	bad := s.check()
	links, more := s.links()
	if bad = append(bad, more...); len(bad) > 0 {
		return nil, bad
	}
	root := &Section{}
	totem := root.Make("totem")
	totem.Set("version", "2")
	totem.Set("cluster_name", s.Name)
	totem.Set("transport", s.Transport)
	transportOptions(s.Transport).write(totem, nonEmpty(s.TransportOptions))
	totemOptions().write(totem, nonEmpty(s.Totem))
	if s.Transport == Knet {
		crypto := nonEmpty(s.Crypto)
		if len(crypto) == 0 {
			crypto = Options{{Key: "cipher", Value: "aes256"}, {Key: "hash", Value: "sha256"}}
		}
		compressionOptions().write(totem, nonEmpty(s.Compression))
		cryptoOptions().write(totem, crypto)
	}
	totem.Set("cluster_uuid", s.UUID)
	for _, l := range links {
		i := &Section{Name: "interface"}
		linkOptions(s.Transport).write(i, l)
		totem.Sections = append(totem.Sections, i)
	}
	nodes := root.Make("nodelist")
	for i, n := range s.Nodes {
		node := &Section{Name: "node"}
		for link, a := range n.Addrs {
			node.Set(fmt.Sprintf("ring%d_addr", link), a)
		}
		node.Set("name", n.Name)
		node.Set("nodeid", strconv.Itoa(i+1))
		nodes.Sections = append(nodes.Sections, node)
	}
	c := &Config{root}
	quorum := root.Make("quorum")
	quorum.Set("provider", "corosync_votequorum")
	quorumOptions().write(quorum, nonEmpty(s.Quorum))
	c.countNodes()
	two := quorum.Get("two_node") // stands before what people set
	quorum.Set("two_node", "")
	if two != "" {
		quorum.Pairs = slices.Insert(quorum.Pairs, 1, Pair{Key: "two_node", Value: two})
	}
	log := root.Make("logging")
	log.Pairs = []Pair{{Key: "to_logfile", Value: "yes"}, {Key: "logfile", Value: "/var/log/corosync/corosync.log"},
		{Key: "to_syslog", Value: "yes"}, {Key: "timestamp", Value: "on"}}
	return c, nil
}

func (s *Setup) check() []Problem {
	var bad []Problem
	add := func(format string, args ...any) { bad = append(bad, Problem{What: fmt.Sprintf(format, args...)}) }
	if s.Name == "" || strings.ContainsAny(s.Name, "\n\r{}") {
		add("a cluster needs a name, without braces and line ends")
	}
	if s.Transport != Knet && s.Transport != UDP && s.Transport != UDPU {
		add("there is no transport %q: knet, udp and udpu are those there are", s.Transport)
		return bad
	}
	bad = append(bad, s.checkNodes()...)
	bad = slices.Concat(bad, transportOptions(s.Transport).check(s.TransportOptions, false), totemOptions().check(s.Totem, false),
		quorumOptions().check(s.Quorum, false))
	if s.Transport == Knet {
		return slices.Concat(bad, compressionOptions().check(s.Compression, false), cryptoOptions().check(s.Crypto, false),
			checkCrypto(nil, s.Crypto))
	}
	if len(s.Compression)+len(s.Crypto) > 0 {
		add("the transport %s knows no compression and no encryption: only knet does", s.Transport)
	}
	return bad
}

func (s *Setup) checkNodes() []Problem {
	var bad []Problem
	add := func(format string, args ...any) { bad = append(bad, Problem{What: fmt.Sprintf(format, args...)}) }
	if len(s.Nodes) == 0 {
		add("a cluster needs a node")
	}
	names, addrs := map[string]bool{}, map[string]bool{}
	for _, n := range s.Nodes {
		if n.Name == "" || strings.ContainsAny(n.Name, " \t\n\r{}:") {
			add("%q is no name for a node", n.Name)
		}
		if names[n.Name] {
			add("the node %s is named twice", n.Name)
		}
		names[n.Name] = true
		switch most := map[bool]int{true: linksMost, false: 1}[s.Transport == Knet]; {
		case len(n.Addrs) < 1 || len(n.Addrs) > most:
			add("%s has %d addresses: with the transport %s a node has 1 to %d", n.Name, len(n.Addrs), s.Transport, most)
		case len(n.Addrs) != len(s.Nodes[0].Addrs):
			add("%s has %d addresses, and %s has %d: each link needs one of every node", n.Name, len(n.Addrs), s.Nodes[0].Name, len(s.Nodes[0].Addrs))
		}
		for link, a := range n.Addrs {
			if a == "" || strings.ContainsAny(a, " \t\n\r{}") {
				add("%q is no address for %s", a, n.Name)
				continue
			}
			if addrs[a] {
				add("the address %s is given twice", a)
			}
			addrs[a] = true
			version := s.TransportOptions.Get("ip_version")
			if ip, err := netip.ParseAddr(a); err == nil && (version == "ipv4" && !ip.Is4() || version == "ipv6" && ip.Is4()) {
				add("%s cannot be used on link %d, which uses %s addresses only", a, link, version)
			}
		}
	}
	return bad
}

// links are the options of each link that has some, by number.
func (s *Setup) links() ([]Options, []Problem) {
	if len(s.Nodes) == 0 {
		return nil, nil
	}
	g := linkOptions(s.Transport)
	there := len(s.Nodes[0].Addrs)
	var bad []Problem
	add := func(format string, args ...any) { bad = append(bad, Problem{What: fmt.Sprintf(format, args...)}) }
	byNumber := make(map[int]Options)
	next := 0
	for _, l := range s.Links {
		bad = append(bad, g.check(l, false)...)
		n := next
		if v := l.Get("linknumber"); v != "" {
			n, _ = strconv.Atoi(v)
		} else {
			for byNumber[n] != nil {
				n++
			}
			next = n + 1
		}
		if n < 0 || n >= there {
			add("there is no link %d: each node has %d addresses, so the links are 0 to %d", n, there, there-1)
		}
		if byNumber[n] != nil {
			add("link %d has options twice", n)
		}
		if (l.Get("ping_interval") == "") != (l.Get("ping_timeout") == "") {
			add("link %d: ping_interval and ping_timeout go together", n)
		}
		if l.Get("broadcast") == "1" && l.Get("mcastaddr") != "" {
			add("link %d: broadcast=1 and mcastaddr exclude each other", n)
		}
		byNumber[n] = nonEmpty(l)
	}
	if len(bad) > 0 {
		return nil, bad
	}
	var out []Options
	for n := range there {
		l := slices.Clone(byNumber[n])
		for i, p := range l {
			if p.Key == "broadcast" {
				l[i].Value = map[string]string{"1": "yes", "0": ""}[p.Value]
			}
		}
		if l = nonEmpty(l); len(l) == 0 {
			continue
		}
		l = slices.DeleteFunc(l, func(p Pair) bool { return p.Key == "linknumber" })
		out = append(out, append(l, Pair{Key: "linknumber", Value: strconv.Itoa(n)}))
	}
	return out, nil
}

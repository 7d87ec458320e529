package corosync

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Problem is what is wrong with a change. Forcible: somebody who insists may have it all the same.
type Problem struct {
	What     string
	Forcible bool
}

// Options are what a command says, in its order; an empty value takes the option out.
type Options []Pair

// Get returns the value of an option, empty if it is not there.
func (o Options) Get(name string) string {
	for _, p := range o {
		if p.Key == name {
			return p.Value
		}
	}
	return ""
}

// sorted are the options by name: the order in which they are written and shown.
func (o Options) sorted() Options {
	s := slices.Clone(o)
	slices.SortFunc(s, func(a, b Pair) int { return strings.Compare(a.Key, b.Key) })
	return s
}

// kind is what an option's value may be.
type kind struct {
	hint string
	ok   func(string) bool
}

func oneOf(values ...string) kind {
	return kind{"one of " + strings.Join(values, ", "), func(v string) bool { return slices.Contains(values, v) }}
}

func between(least, most int, hint string) kind {
	return kind{hint, func(v string) bool {
		n, err := strconv.Atoi(v)
		return err == nil && v[0] != '+' && n >= least && n <= most
	}}
}

func anyInt() kind   { return between(0, 1<<31-1, "a non-negative integer") }
func positive() kind { return between(1, 1<<31-1, "a positive integer") }
func port() kind     { return between(1, 65535, "a port number (1..65535)") }
func anything() kind { return kind{"something", func(string) bool { return true }} }
func address() kind {
	return kind{"an IP address", func(v string) bool { _, err := netip.ParseAddr(v); return err == nil }}
}

// group is a set of options that belong together: what they are called to people, and in the file.
type group struct {
	what    string          // "totem": for messages
	prefix  string          // of the keys in the file
	plain   []string        // options that have no prefix all the same
	kinds   map[string]kind // by option
	pattern string          // options that begin so may be anything, too
}

func (g *group) key(option string) string {
	if g.prefix == "" || slices.Contains(g.plain, option) {
		return option
	}
	return g.prefix + option
}

func (g *group) names() []string {
	var list []string
	for n := range g.kinds {
		list = append(list, n)
	}
	slices.Sort(list)
	return list
}

// check says what is wrong with options.
func (g *group) check(o Options, forcible bool) []Problem {
	var bad []Problem
	for _, p := range o {
		k, known := g.kinds[p.Key]
		if !known && g.pattern != "" && strings.HasPrefix(p.Key, g.pattern) && len(p.Key) > len(g.pattern) {
			k, known = anything(), true
		}
		switch {
		case !known && p.Value == "": // it is to go, and is welcome to
		case !known:
			may := strings.Join(g.names(), ", ")
			if g.pattern != "" {
				may += ", " + g.pattern + "NAME"
			}
			bad = append(bad, Problem{fmt.Sprintf("there is no %s option %q: the options are %s", g.what, p.Key, may), forcible})
		case strings.ContainsAny(p.Value, "\n\r{}") || strings.ContainsAny(p.Key, " \t\n\r{}:#"):
			bad = append(bad, Problem{fmt.Sprintf("%s option %s: braces and line ends cannot stand in corosync.conf", g.what, p.Key), false})
		case p.Value != "" && !k.ok(p.Value):
			bad = append(bad, Problem{fmt.Sprintf("%s=%q: %s must be %s", p.Key, p.Value, p.Key, k.hint), forcible})
		}
	}
	return bad
}

// checkNew is check for something that is made: nothing is there that an empty value could take out.
func (g *group) checkNew(o Options) []Problem {
	var bad []Problem
	for _, p := range o {
		k, known := g.kinds[p.Key]
		switch {
		case p.Value != "":
			bad = append(bad, g.check(Options{p}, true)...)
		case known && !k.ok(""):
			bad = append(bad, Problem{fmt.Sprintf("%s=\"\": %s must be %s", p.Key, p.Key, k.hint), true})
		case !known && g.pattern != "" && strings.HasPrefix(p.Key, g.pattern):
			bad = append(bad, Problem{fmt.Sprintf("%s=\"\": %s must be a command", p.Key, p.Key), false})
		case !known:
			bad = append(bad, g.check(Options{{Key: p.Key, Value: "?"}}, true)...)
		}
	}
	return bad
}

// write puts options into a section of the file, in the order of their keys.
func (g *group) write(s *Section, o Options) {
	o = slices.Clone(o)
	slices.SortFunc(o, func(a, b Pair) int { return strings.Compare(g.key(a.Key), g.key(b.Key)) })
	for _, p := range o {
		s.Set(g.key(p.Key), p.Value)
	}
}

// read finds the group's options in a section of the file, in its order.
func (g *group) read(s *Section) Options {
	var o Options
	if s == nil {
		return o
	}
	for _, p := range s.Pairs {
		name := p.Key
		if g.prefix != "" && !slices.Contains(g.plain, name) {
			name = strings.TrimPrefix(name, g.prefix)
		}
		if _, known := g.kinds[name]; known && g.key(name) == p.Key {
			o = append(slices.DeleteFunc(o, func(q Pair) bool { return q.Key == name }), Pair{Key: name, Value: p.Value})
		}
	}
	return o
}

func totemOptions() *group {
	g := &group{what: "totem", kinds: map[string]kind{"block_unlisted_ips": oneOf("yes", "no")}}
	for _, n := range []string{"consensus", "downcheck", "fail_recv_const", "heartbeat_failures_allowed", "hold", "join", "max_messages",
		"max_network_delay", "merge", "miss_count_const", "send_join", "seqno_unchanged_const", "token", "token_coefficient",
		"token_retransmit", "token_retransmits_before_loss_const", "window_size"} {
		g.kinds[n] = anyInt()
	}
	return g
}

func ipVersions() kind { return oneOf("ipv4", "ipv4-6", "ipv6", "ipv6-4") }

func transportOptions(transport string) *group {
	if transport == Knet {
		return &group{what: "knet transport", kinds: map[string]kind{"ip_version": ipVersions(), "knet_pmtud_interval": anyInt(),
			"link_mode": oneOf("active", "passive", "rr")}}
	}
	return &group{what: "udp/udpu transport", kinds: map[string]kind{"ip_version": ipVersions(), "netmtu": positive()}}
}

func linkOptions(transport string) *group {
	if transport == Knet {
		return &group{what: "link", prefix: "knet_", plain: []string{"linknumber", "mcastport"}, kinds: map[string]kind{
			"link_priority": between(0, 255, "0..255"), "linknumber": between(0, 7, "0..7"), "mcastport": port(), "ping_interval": anyInt(),
			"ping_precision": anyInt(), "ping_timeout": anyInt(), "pong_count": anyInt(), "transport": oneOf("sctp", "udp")}}
	}
	return &group{what: "link", kinds: map[string]kind{"bindnetaddr": address(), "broadcast": oneOf("0", "1"), "mcastaddr": address(),
		"mcastport": port(), "ttl": between(0, 255, "0..255")}}
}

func compressionOptions() *group {
	return &group{what: "compression", prefix: "knet_compression_",
		kinds: map[string]kind{"level": anyInt(), "model": anything(), "threshold": anyInt()}}
}

func cryptoOptions() *group {
	return &group{what: "crypto", prefix: "crypto_", kinds: map[string]kind{"cipher": oneOf("aes128", "aes192", "aes256", "none"),
		"hash": oneOf("md5", "none", "sha1", "sha256", "sha384", "sha512"), "model": oneOf("nss", "openssl")}}
}

func quorumOptions() *group {
	truth := oneOf("0", "1")
	return &group{what: "quorum", kinds: map[string]kind{"auto_tie_breaker": truth, "last_man_standing": truth,
		"last_man_standing_window": positive(), "wait_for_all": truth}}
}

func deviceOptions() *group {
	return &group{what: "quorum device", kinds: map[string]kind{"sync_timeout": positive(), "timeout": positive()}}
}

// netOptions are those of the quorum device model "net"; ids are the nodes'.
func netOptions(ids []string) *group {
	return &group{what: "quorum device model", kinds: map[string]kind{"algorithm": oneOf("ffsplit", "lms"),
		"connect_timeout": between(1000, 120000, "1000..120000"), "force_ip_version": oneOf("0", "4", "6"), "host": anything(),
		"port": port(), "tie_breaker": oneOf(append(slices.Clone(ids), "highest", "lowest")...)}}
}

func heuristicsOptions() *group {
	return &group{what: "heuristics", pattern: "exec_", kinds: map[string]kind{"interval": positive(), "mode": oneOf("off", "on", "sync"),
		"sync_timeout": positive(), "timeout": positive()}}
}

package pcs

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/cibfile"
	"github.com/cerco-ha/cerco/internal/configure"
	"github.com/cerco-ha/cerco/internal/corosync"
	"github.com/cerco-ha/cerco/internal/wire"
)

// conf is the description of the cluster that a command works on: the corosync.conf that --corosync_conf names, or that which
// a running cluster would have.
func (c *call) conf() (*corosync.Config, error) {
	if c.has("corosync_conf") {
		file := c.option("corosync_conf")
		data, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no %s: --corosync_conf names a corosync.conf that is there", file)
		}
		if err != nil {
			return nil, err
		}
		return corosync.Decode(file, data)
	}
	if c.onFile() {
		return nil, c.misused("a CIB (-f) does not say who belongs to the cluster: --corosync_conf FILE names what does")
	}
	cluster, err := c.cluster()
	if err != nil {
		return nil, err
	}
	return confOf(cluster), nil
}

// cluster is the running cluster's description.
func (c *call) cluster() (wire.Cluster, error) {
	d, err := c.daemon()
	if err != nil {
		return wire.Cluster{}, err
	}
	return d.Cluster(c.context())
}

// confOf is the corosync.conf that a cluster would have: so that what shows or checks one works on both.
func confOf(w wire.Cluster) *corosync.Config {
	root := &corosync.Section{}
	totem := root.Make("totem")
	totem.Set("version", "2")
	totem.Set("cluster_name", w.Name)
	totem.Set("transport", corosync.Knet)
	totem.Set("crypto_cipher", "aes256")
	totem.Set("crypto_hash", "sha256")
	totem.Set("token", strconv.FormatInt(w.Timing.WithDefaults().TokenMS, 10))
	nodes := root.Make("nodelist")
	for _, m := range w.Members {
		n := &corosync.Section{Name: "node"}
		for ring, addr := range m.Addrs {
			host, _, err := net.SplitHostPort(addr)
			if err != nil {
				host = addr
			}
			n.Set(fmt.Sprintf("ring%d_addr", ring), host)
		}
		n.Set("name", m.Name)
		n.Set("nodeid", m.ID)
		if m.Votes != 1 {
			n.Set("quorum_votes", strconv.Itoa(m.Votes))
		}
		nodes.Sections = append(nodes.Sections, n)
	}
	quorum := root.Make("quorum")
	quorum.Set("provider", "corosync_votequorum")
	q := w.Cluster.Quorum
	for _, o := range []struct {
		name string
		on   bool
	}{{"two_node", q.TwoNode}, {"wait_for_all", q.WaitForAll}, {"auto_tie_breaker", q.AutoTieBreaker}, {"last_man_standing", q.LastManStanding}} {
		if o.on {
			quorum.Set(o.name, "1")
		}
	}
	quorum.Set("auto_tie_breaker_node", q.TieBreakerNode)
	if q.LMSWindowMS > 0 {
		quorum.Set("last_man_standing_window", strconv.FormatInt(q.LMSWindowMS, 10))
	}
	if q.ExpectedVotes > 0 {
		quorum.Set("expected_votes", strconv.Itoa(q.ExpectedVotes))
	}
	return &corosync.Config{Root: root}
}

// writeConf writes the file that --corosync_conf names, whole or not at all.
func (c *call) writeConf(conf *corosync.Config) error {
	if c.has("dry-run") {
		_, err := c.Stdout.Write(conf.Append(nil))
		return err
	}
	return cibfile.Write(c.option("corosync_conf"), conf.Append(nil))
}

// refusedConf is the error of problems with a corosync.conf; nil if there are none.
func refusedConf(bad []corosync.Problem) error {
	if len(bad) == 0 {
		return nil
	}
	r := &configure.Refusal{}
	for _, p := range bad {
		r.List = append(r.List, configure.Problem{Text: p.What, Forcible: p.Forcible})
	}
	return r
}

// confOptions reads words of the form NAME=VALUE.
func confOptions(words []string) (corosync.Options, error) {
	list, err := pairs(words)
	if err != nil {
		return nil, err
	}
	var o corosync.Options
	for _, p := range list {
		o = append(o, corosync.Pair{Key: p.Name, Value: p.Value})
	}
	return o, nil
}

// confSections reads keywords and the options behind each: "totem token=1 crypto cipher=none".
func confSections(words []string, keywords ...string) (map[string]corosync.Options, error) {
	out := map[string]corosync.Options{}
	for _, s := range sections(words, keywords...) {
		o, err := confOptions(s.words)
		if err != nil {
			return nil, err
		}
		out[s.keyword] = append(out[s.keyword], o...)
	}
	return out, nil
}

// quorumOf are the options of votes that a corosync.conf has, on top of those that a cluster has.
func quorumOf(conf *corosync.Config, was cib.QuorumOptions) (cib.QuorumOptions, error) {
	s := conf.Root.Make("quorum")
	q := was
	var err error
	q.WaitForAll, q.AutoTieBreaker, q.LastManStanding = s.Get("wait_for_all") == "1", s.Get("auto_tie_breaker") == "1", s.Get("last_man_standing") == "1"
	q.TwoNode = s.Get("two_node") == "1"
	q.LMSWindowMS = 0
	if v := s.Get("last_man_standing_window"); v != "" {
		if q.LMSWindowMS, err = strconv.ParseInt(v, 10, 64); err != nil {
			return q, fmt.Errorf("last_man_standing_window=%s: give milliseconds", v)
		}
	}
	return q, nil
}

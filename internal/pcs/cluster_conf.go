package pcs

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cibfile"
	"github.com/cerco-ha/cerco/internal/corosync"
	"github.com/cerco-ha/cerco/internal/listing"
	"github.com/cerco-ha/cerco/internal/wire"
)

func clusterConfNoun() *verb {
	const update = "[transport OPTION=VALUE...] [compression OPTION=VALUE...] [crypto OPTION=VALUE...] [totem OPTION=VALUE...]"
	return &verb{name: "cluster", sub: []*verb{
		{name: "config", what: "Show or change how the nodes of the cluster talk.", bare: "show", options: []string{"corosync_conf", "output-format"}, sub: []*verb{
			{name: "show", options: []string{"corosync_conf", "output-format"}, run: confShow, what: "Show the cluster's nodes and how they talk, as text, cmd or json."},
			{name: "update", args: update, options: []string{"corosync_conf"}, run: confUpdate, what: "Change options of a corosync.conf; on a running cluster, the token. An empty value removes one."},
			{name: "uuid", what: "Manage the identity of the cluster.", sub: []*verb{
				{name: "generate", options: []string{"corosync_conf", "force"}, run: confUUID, what: "Give a corosync.conf a new cluster UUID."},
			}},
		}},
		{name: "setup", args: "NAME NODE [addr=ADDRESS]... ... [transport knet|udp|udpu OPTION=VALUE... [link OPTION=VALUE...]... " +
			"[compression OPTION=VALUE...] [crypto OPTION=VALUE...]] [totem OPTION=VALUE...] [quorum OPTION=VALUE...]",
			options: []string{"corosync_conf", "force", "no-cluster-uuid", "overwrite", "node", "addr", "api", "no-start", "dir", "start", "enable", "wait", "valid"}, run: clusterSetup,
			what: "Found a cluster of which this host is the first node, start it, and make an invitation for each of the other hosts. " +
				"With --corosync_conf FILE only write the corosync.conf of a new cluster."},
		{name: "corosync", options: []string{"corosync_conf"}, run: confText, what: "Show the corosync.conf that --corosync_conf names, or that this cluster would have."},
	}}
}

func confShow(c *call) error {
	if err := c.want(0, 0); err != nil {
		return err
	}
	format := "text"
	if c.has("output-format") {
		format = c.option("output-format")
	}
	conf, err := c.conf()
	if err != nil {
		return err
	}
	if err := refusedConf(conf.MissingNames()); err != nil {
		return err
	}
	switch format {
	case "text":
		conf.WriteText(c.Stdout)
	case "cmd":
		if conf.Device() != nil {
			c.warnf("the quorum device is not part of the command: 'quorum device add' makes it")
		}
		conf.WriteCommand(c.Stdout, listing.Shell)
	case "json":
		_, err = listing.JSON(conf.Describe()).WriteTo(c.Stdout)
	default:
		return c.misused("Unknown value '%s' for '--output-format' option. Supported values are: 'cmd', 'json', 'text'", format)
	}
	return err
}

func confText(c *call) error {
	conf, err := c.conf()
	if err != nil {
		return err
	}
	_, err = c.Stdout.Write(conf.Append(nil))
	return err
}

func confUpdate(c *call) error {
	kinds := []string{"transport", "compression", "crypto", "totem"}
	by, err := confSections(c.words, kinds...)
	if err != nil {
		return err
	}
	if len(by[""]) > 0 {
		return c.misused("'%s' stands before any of the words %s", by[""][0].Key, strings.Join(kinds, ", "))
	}
	if c.has("corosync_conf") {
		return c.changeConf(func(conf *corosync.Config) ([]string, []corosync.Problem) {
			return nil, conf.Update(by["transport"], by["compression"], by["crypto"], by["totem"])
		})
	}
	return c.setTotem(by)
}

// setTotem changes what a running cluster has of these options.
func (c *call) setTotem(by map[string]corosync.Options) error {
	for _, kind := range []string{"transport", "compression", "crypto"} {
		if len(by[kind]) > 0 {
			return fmt.Errorf("the nodes of this cluster talk over TLS 1.3 with certificates of their own, on every ring that they have: "+
				"there is no option %s %s, and no need of one", kind, by[kind][0].Key)
		}
	}
	cluster, err := c.cluster()
	if err != nil {
		return err
	}
	t := cluster.Timing
	for _, o := range by["totem"] {
		if o.Key != "token" {
			return fmt.Errorf("of totem's options a running cluster has the token only; '%s' has no counterpart", o.Key)
		}
		t.TokenMS = 0
		if o.Value != "" {
			if t.TokenMS, err = strconv.ParseInt(o.Value, 10, 64); err != nil || t.TokenMS <= 0 {
				return fmt.Errorf("token=%s: give milliseconds", o.Value)
			}
		}
	}
	return c.setOptions(wire.Options{Timing: &t})
}

func confUUID(c *call) error {
	if !c.has("corosync_conf") {
		return errors.New("a running cluster is told from others by its certificate authority and needs no UUID; --corosync_conf names a file that does")
	}
	return c.changeConf(func(conf *corosync.Config) ([]string, []corosync.Problem) {
		var warnings []string
		if conf.UUID() != "" && c.has("force") {
			warnings = []string{"the cluster had a UUID already, " + conf.UUID()}
		}
		return warnings, conf.SetUUID(newUUID(), c.has("force"))
	})
}

func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

// setupWords is what "cluster setup" says.
func (c *call) setupWords() (corosync.Setup, error) {
	var s corosync.Setup
	words := c.words
	if len(words) < 2 {
		return s, c.misused("'cluster setup' needs the cluster's name and its nodes: cluster setup NAME NODE [addr=ADDRESS]... ...")
	}
	s.Name, s.Transport = words[0], corosync.Knet
	cut := sections(words[1:], "transport", "totem", "quorum", "link", "compression", "crypto")
	if err := setupNodes(&s, cut[0].words); err != nil {
		return s, err
	}
	for _, part := range cut[1:] {
		rest := part.words
		if part.keyword == "transport" {
			if len(rest) == 0 || strings.Contains(rest[0], "=") {
				return s, c.misused("the transport must be named: transport knet, udp or udpu")
			}
			s.Transport, rest = rest[0], rest[1:]
		}
		o, err := confOptions(rest)
		if err != nil {
			return s, err
		}
		switch part.keyword {
		case "transport":
			s.TransportOptions = append(s.TransportOptions, o...)
		case "totem":
			s.Totem = append(s.Totem, o...)
		case "quorum":
			s.Quorum = append(s.Quorum, o...)
		case "link":
			s.Links = append(s.Links, o)
		case "compression":
			s.Compression = append(s.Compression, o...)
		case "crypto":
			s.Crypto = append(s.Crypto, o...)
		}
	}
	return s, nil
}

// setupNodes reads nodes and their addresses: "n1 addr=10.0.0.1 addr=10.1.0.1 n2 ...". A node without an address has its name for one.
func setupNodes(s *corosync.Setup, words []string) error {
	for _, w := range words {
		name, value, option := strings.Cut(w, "=")
		switch {
		case !option:
			s.Nodes = append(s.Nodes, corosync.SetupNode{Name: w})
		case len(s.Nodes) == 0:
			return &usageError{fmt.Sprintf("'%s' stands before any node", w)}
		case name != "addr":
			return fmt.Errorf("unknown options '%s' for node '%s': addr is the only one", name, s.Nodes[len(s.Nodes)-1].Name)
		default:
			last := &s.Nodes[len(s.Nodes)-1]
			last.Addrs = append(last.Addrs, value)
		}
	}
	for i := range s.Nodes {
		if n := &s.Nodes[i]; len(n.Addrs) == 0 {
			n.Addrs = []string{n.Name}
		}
	}
	return nil
}

// setupFile is "cluster setup" with --corosync_conf: it writes the file, and nothing else happens.
func (c *call) setupFile() error {
	s, err := c.setupWords()
	if err != nil {
		return err
	}
	if !c.has("no-cluster-uuid") {
		s.UUID = newUUID()
	}
	conf, bad := corosync.New(s)
	if err := refusedConf(bad); err != nil {
		return err
	}
	file := c.option("corosync_conf")
	if _, err := os.Stat(file); err == nil && !c.has("overwrite") && !c.has("force") {
		return fmt.Errorf("%s is there already: --overwrite replaces it", file)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if c.has("dry-run") {
		_, err := c.Stdout.Write(conf.Append(nil))
		return err
	}
	return cibfile.Write(file, conf.Append(nil))
}

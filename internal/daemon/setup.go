package daemon

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/peer"
)

// NodeOptions are what a node says of itself when it founds a cluster or joins one.
type NodeOptions struct {
	Name   string   // uname
	Listen []string // host:port of its peer port, one a ring, ring0 first
	API    string   // host:port of its HTTPS API; empty: none

	// For tests: without a network, and with a version that this program pretends to be.
	Dial   func(ctx context.Context, local, remote string) (net.Conn, error)
	Speaks cib.Vocabulary
}

// Setup founds a cluster of which this host is the first node: it makes the cluster's certificate authority
// and the node's identity. The daemon makes the rest when it starts.
func Setup(l Layout, cluster string, o NodeOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	if !isName(cluster) {
		return fmt.Errorf("%q is no name for a cluster: letters, digits, '-', '_' and '.' make one", cluster)
	}
	if err := l.vacant(); err != nil {
		return err
	}
	ca, err := peer.MakeCA(cluster)
	if err != nil {
		return err
	}
	id, err := ca.MakeNode(o.Name)
	if err != nil {
		return err
	}
	if err := l.make(); err != nil {
		return err
	}
	if err := id.Save(l.Conf); err != nil {
		return err
	}
	first := cib.Cluster{Name: cluster, Generation: 1, Timing: cib.DefaultTiming, LastID: 1, Members: []cib.Member{
		{ID: "1", Name: o.Name, Addrs: o.Listen, API: o.API, Key: id.KeyHash(), Votes: 1}}}
	return l.writeNode(&nodeConfig{Cluster: cluster, Name: o.Name, Listen: o.Listen, API: o.API, Members: first.Members, Found: &first})
}

// Join enters a cluster with an invitation. The cluster gives the node its identity and tells it who the
// others are; the daemon gets the rest from them when it starts.
func Join(ctx context.Context, l Layout, token string, o NodeOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	if err := l.vacant(); err != nil {
		return err
	}
	request, err := json.Marshal(admission{Listen: o.Listen, API: o.API, Speaks: cmp.Or(o.Speaks, cib.CommandVersion)})
	if err != nil {
		return err
	}
	id, answer, err := peer.Join(ctx, token, o.Name, request, o.Dial)
	if err != nil {
		return err
	}
	var c cib.Cluster
	if err := json.Unmarshal(answer, &c); err != nil {
		return fmt.Errorf("the cluster's answer cannot be read: %w", err)
	}
	if err := l.make(); err != nil {
		return err
	}
	if err := id.Save(l.Conf); err != nil {
		return err
	}
	return l.writeNode(&nodeConfig{Cluster: c.Name, Name: o.Name, Listen: o.Listen, API: o.API, Members: c.Members})
}

// vacant makes sure that no cluster is given up by founding or joining another one.
func (l Layout) vacant() error {
	n, err := l.readNode()
	if err == nil {
		return fmt.Errorf("this host is node %s of cluster %s already (%s): cerco cluster destroy takes it out", n.Name, n.Cluster, l.nodeFile())
	}
	if errors.Is(err, ErrNoCluster) {
		return nil
	}
	return err
}

func (o *NodeOptions) check() error {
	if !isName(o.Name) {
		return fmt.Errorf("%q is no name for a node: letters, digits, '-', '_' and '.' make one", o.Name)
	}
	if len(o.Listen) == 0 {
		return errors.New("a node needs an address that the others reach it by")
	}
	for _, a := range o.Listen {
		host, _, err := net.SplitHostPort(a)
		if err == nil && (host == "" || net.ParseIP(host) != nil && net.ParseIP(host).IsUnspecified()) {
			err = errors.New("the others cannot reach it by an unspecified address")
		}
		if err != nil {
			return fmt.Errorf("address %q: %w", a, err)
		}
	}
	return nil
}

// isName reports whether a name is safe in a path, in a command and in XML.
func isName(s string) bool {
	return s != "" && len(s) <= 64 && s[0] != '-' && s[0] != '.' && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == ""
}

// Destroy takes this host out of its cluster: identity, log and history are removed. The daemon must not run.
func Destroy(l Layout) error {
	for _, dir := range []string{l.storeDir(), l.ledgerDir(), l.historyDir(), l.linksDir(), l.Conf} {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

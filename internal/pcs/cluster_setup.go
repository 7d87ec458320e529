package pcs

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/corosync"
)

// clusterSetup founds a cluster on this host and invites the others, or writes a corosync.conf.
func clusterSetup(c *call) error {
	if c.has("corosync_conf") {
		return c.setupFile()
	}
	if c.Own == nil {
		return fmt.Errorf("'cluster setup' needs the host that is to be a node; --corosync_conf FILE writes the corosync.conf of a new cluster")
	}
	if len(c.words) == 1 {
		return c.own(append([]string{"cluster", "setup", c.words[0]}, c.ownSetupOptions()...)...)
	}
	s, err := c.setupWords()
	if err != nil {
		return err
	}
	if err := setupOfCorosync(&s); err != nil {
		return err
	}
	here, err := c.hostAmong(s.Nodes)
	if err != nil {
		return err
	}
	args := append([]string{"cluster", "setup", s.Name}, c.ownSetupOptions()...)
	if !c.has("node") {
		args = append(args, "--node="+here.Name)
	}
	if addrs := givenAddrs(here); len(addrs) > 0 && !c.has("addr") {
		args = append(args, "--addr="+strings.Join(addrs, ","))
	}
	if err := c.own(args...); err != nil {
		return err
	}
	return c.inviteAll(slices.DeleteFunc(s.Nodes, func(n corosync.SetupNode) bool { return n.Name == here.Name }))
}

// ownSetupOptions are those that Cerco's own command takes.
func (c *call) ownSetupOptions() []string {
	var args []string
	for _, name := range []string{"node", "addr", "api", "dir"} {
		for _, value := range c.options[name] {
			args = append(args, "--"+name+"="+value)
		}
	}
	if c.has("no-start") {
		args = append(args, "--no-start")
	}
	return args
}

// setupOfCorosync refuses what only corosync has.
func setupOfCorosync(s *corosync.Setup) error {
	switch {
	case s.Transport != corosync.Knet, len(s.TransportOptions)+len(s.Links)+len(s.Compression)+len(s.Crypto) > 0:
		return errors.New("the nodes of a cluster talk over TLS 1.3, with certificates of their own, on every address that they have: there is no transport, " +
			"link, compression or crypto to choose; --corosync_conf FILE writes the corosync.conf of another cluster")
	case len(s.Totem)+len(s.Quorum) > 0:
		return errors.New("options of totem and quorum follow when the cluster is there: 'cluster config update totem token=MS' and 'quorum update OPTION=VALUE'")
	}
	return nil
}

// hostAmong is the node that this host is to be.
func (c *call) hostAmong(nodes []corosync.SetupNode) (*corosync.SetupNode, error) {
	name := c.option("node")
	if name == "" {
		full, err := c.Hostname()
		if err != nil {
			return nil, err
		}
		name, _, _ = strings.Cut(full, ".")
		if slices.ContainsFunc(nodes, func(n corosync.SetupNode) bool { return n.Name == full }) {
			name = full
		}
	}
	var names []string
	for i := range nodes {
		if nodes[i].Name == name {
			return &nodes[i], nil
		}
		names = append(names, nodes[i].Name)
	}
	return nil, fmt.Errorf("a cluster is founded on one of its hosts, and this one is %s: type it on %s, or say with --node which of them this host is",
		name, strings.Join(names, " or "))
}

// givenAddrs are the addresses that were given with a node; its name alone is none.
func givenAddrs(n *corosync.SetupNode) []string {
	if len(n.Addrs) == 1 && n.Addrs[0] == n.Name {
		return nil
	}
	return n.Addrs
}

// inviteAll makes an invitation for each host that is to become a node, as soon as the daemon of this one can.
func (c *call) inviteAll(nodes []corosync.SetupNode) error {
	if len(nodes) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.context(), startTime)
	defer cancel()
	err := errors.New("its daemon is not started")
	if !c.has("no-start") {
		var d *client.Client
		if d, err = c.daemon(); err != nil {
			return err
		}
		err = await(ctx, func() (bool, error) {
			n, err := d.Node(ctx)
			if errors.Is(err, client.ErrNoDaemon) && c.has("dir") { // nobody but its user starts it
				return true, nil
			}
			return err == nil && n.Leader != "", err
		})
		if err == nil {
			_, err = d.Node(ctx)
		}
	}
	for _, n := range nodes {
		if err != nil {
			c.note("%s: when the daemon of this host runs, '%s cluster node add %s' here makes its invitation", n.Name, c.program, n.Name)
			continue
		}
		if err := c.invite(n.Name, givenAddrs(&n)); err != nil {
			return err
		}
	}
	return nil
}

// authAlone is host auth on a host that belongs to no cluster: there is nothing to do but to see that the names are known.
func (c *call) authAlone(hosts []string) error {
	ctx, cancel := context.WithTimeout(c.context(), reachTime)
	defer cancel()
	for _, host := range hosts {
		if _, err := net.DefaultResolver.LookupHost(ctx, host); err != nil {
			c.warnf("%s: %s", host, unreachable(net.JoinHostPort(host, ""), err))
		}
	}
	c.note("Hosts need no password of each other: go on with '%s cluster setup NAME HOST...'. Each further host joins by an invitation, which that shows.", c.program)
	return nil
}

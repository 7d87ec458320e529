package daemon

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/peer"
	"github.com/cerco-ha/cerco/internal/wire"
)

// admission is what a node that wants to join says, and what the node it asked tells the leader.
type admission struct {
	Invitation string   `json:"invitation,omitempty"` // hash of the token's key
	Name       string   `json:"name,omitempty"`
	Key        string   `json:"key,omitempty"` // hash of the new node's key
	Listen     []string `json:"listen"`
	API        string   `json:"api,omitempty"`

	Speaks cib.Vocabulary `json:"speaks,omitempty"` // of commands, the newest that the new node knows
}

// handleJoin admits a node with an invitation: the leader writes it down as a member, then it gets its
// certificate from whom it has asked.
func (d *Daemon) handleJoin(ctx context.Context, invitation string, req peer.JoinRequest) (peer.JoinReply, error) {
	var a admission
	if err := json.Unmarshal(req.Request, &a); err != nil {
		return peer.JoinReply{}, fmt.Errorf("the request to join cannot be read: %w", err)
	}
	a.Invitation, a.Name, a.Key = invitation, req.Name, req.KeyHash
	if err := (&NodeOptions{Name: a.Name, Listen: a.Listen, API: a.API}).check(); err != nil {
		return peer.JoinReply{}, err
	}
	answer, err := ask[json.RawMessage](ctx, d, serviceAdmit, a)
	if err != nil {
		return peer.JoinReply{}, err
	}
	id := d.identity()
	if id.CAKey == nil {
		return peer.JoinReply{}, fmt.Errorf("%s cannot issue certificates: join through another node", d.node.Name)
	}
	cert, err := id.Issue(req.Name, req.Key)
	if err != nil {
		return peer.JoinReply{}, err
	}
	var c cib.Cluster
	if err := json.Unmarshal(answer, &c); err != nil {
		return peer.JoinReply{}, err
	}
	m := c.Member(a.Name)
	return peer.JoinReply{Cert: cert.Raw, Reply: answer, ShareCAKey: m != nil && !m.Witness}, nil
}

// serveAdmit is the leader's part of a joining. Its answer is the cluster with the new member.
func (d *Daemon) serveAdmit(ctx context.Context, _ string, body []byte) ([]byte, error) {
	var a admission
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, err
	}
	st, err := d.changeCluster(ctx, a.Name+" joins", func(c *cib.Cluster, now time.Time) error {
		st := d.store.View()
		if max(a.Speaks, 1) < st.Agreed() {
			return fmt.Errorf("%s runs a version of cerco that is too old (it speaks version %d of commands, the cluster has agreed on %d): install the one that the other nodes run", a.Name, max(a.Speaks, 1), st.Agreed())
		}
		if err := admit(c, a, now); err != nil || st.Agreed() < 2 {
			return err
		}
		c.Member(a.Name).KeySince = now.UTC().Truncate(time.Second)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(st.Cluster)
}

// admit adds a member and uses its invitation up.
func admit(c *cib.Cluster, a admission, now time.Time) error {
	i := slices.IndexFunc(c.Invites, func(i cib.Invite) bool { return i.Key == a.Invitation })
	if i < 0 || now.After(c.Invites[i].Expires) {
		return errors.New("the invitation has been used or has expired: cerco cluster invite makes another one")
	}
	if c.Member(a.Name) != nil {
		return fmt.Errorf("the cluster has a node %s already: choose another name, or cerco cluster remove %s first", a.Name, a.Name)
	}
	for _, m := range c.Members {
		for _, addr := range a.Listen {
			if slices.Contains(m.Addrs, addr) {
				return fmt.Errorf("address %s is node %s's", addr, m.Name)
			}
		}
	}
	c.LastID++
	m := cib.Member{ID: strconv.Itoa(c.LastID), Name: a.Name, Addrs: a.Listen, API: a.API, Key: a.Key, Votes: 1, Witness: c.Invites[i].Witness}
	c.Invites = slices.Delete(slices.Clone(c.Invites), i, i+1)
	c.Members = append(slices.Clone(c.Members), m)
	slices.SortFunc(c.Members, func(a, b cib.Member) int { return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID)) })
	countVotes(c)
	return nil
}

// countVotes sets what follows from the number of members: a cluster of two is one of the two-node kind.
func countVotes(c *cib.Cluster) {
	voters := 0
	for _, m := range c.Members {
		if m.Votes > 0 {
			voters++
		}
	}
	c.Quorum.TwoNode = voters == 2
}

// changeCluster changes the cluster's description on the leader. Changes come one after the other.
func (d *Daemon) changeCluster(ctx context.Context, note string, change func(c *cib.Cluster, now time.Time) error) (cib.State, error) {
	d.clusterTurn.Lock()
	defer d.clusterTurn.Unlock()
	if err := d.store.Barrier(ctx); err != nil {
		return cib.State{}, err
	}
	c := d.store.View().Cluster
	now := d.cfg.Now()
	c.Invites = slices.DeleteFunc(slices.Clone(c.Invites), func(i cib.Invite) bool { return now.After(i.Expires) })
	if err := change(&c, now); err != nil {
		return cib.State{}, err
	}
	return d.store.Propose(ctx, cib.Command{At: now, By: d.node.Name, Note: note, Cluster: &c})
}

// clusterChange is a change of the cluster's description that another node asks the leader for. One is set.
type clusterChange struct {
	By     string      `json:"by"`
	Invite *cib.Invite `json:"invite,omitempty"`
	Remove string      `json:"remove,omitempty"`
	Force  bool        `json:"force,omitempty"`

	Key       string `json:"key,omitempty"`       // the new key of the node that asks
	Authority string `json:"authority,omitempty"` // fingerprint of the new certificate authority

	wire.Options
}

func (d *Daemon) serveCluster(ctx context.Context, from string, body []byte) ([]byte, error) {
	var ch clusterChange
	if err := json.Unmarshal(body, &ch); err != nil {
		return nil, err
	}
	var st cib.State
	var err error
	switch {
	case ch.Invite != nil:
		st, err = d.changeCluster(ctx, ch.By+" invites a node", func(c *cib.Cluster, _ time.Time) error {
			c.Invites = append(c.Invites, *ch.Invite)
			return nil
		})
	case ch.Remove != "":
		st, err = d.changeCluster(ctx, ch.By+" removes "+ch.Remove, func(c *cib.Cluster, _ time.Time) error {
			return remove(c, d.store.View(), ch.Remove, ch.Force)
		})
	case ch.Key != "":
		st, err = d.changeCluster(ctx, from+" has a new key", func(c *cib.Cluster, now time.Time) error { return rekey(c, from, ch.Key, now) })
	case ch.Authority != "":
		st, err = d.changeCluster(ctx, ch.By+" exchanges the certificate authority", func(c *cib.Cluster, _ time.Time) error {
			c.Authority, c.Invites = ch.Authority, nil // the tokens are for the old one
			return nil
		})
	case ch.Options != (wire.Options{}):
		st, err = d.changeCluster(ctx, ch.By+" changes the options of the cluster", func(c *cib.Cluster, _ time.Time) error {
			setOptions(c, &ch.Options)
			return nil
		})
	default:
		err = errors.New("nothing is to be changed")
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(st.Index)
}

// setOptions takes over the options that are given.
func setOptions(c *cib.Cluster, o *wire.Options) {
	if o.Quorum != nil {
		c.Quorum = *o.Quorum
		countVotes(c)
	}
	if o.Timing != nil {
		c.Timing = *o.Timing
	}
	if o.KeyDays != nil {
		c.KeyDays = *o.KeyDays
	}
}

// askCluster has the leader change the cluster's description, and returns when this node knows of it.
func (d *Daemon) askCluster(ctx context.Context, ch clusterChange) error {
	_, err := d.askState(ctx, serviceCluster, ch)
	return err
}

// remove takes a member out: one that runs must be stopped first, or it would go on with what it runs.
func remove(c *cib.Cluster, s cib.State, name string, force bool) error {
	m := c.Member(name)
	if m == nil {
		return fmt.Errorf("the cluster has no node %q", name)
	}
	if ns := s.CIB.NodeState(m.ID); ns != nil && ns.InCCM == "true" && !force && !m.Witness {
		return fmt.Errorf("%s is up: cerco cluster stop %s first, or --force to leave what runs there to itself", name, name)
	}
	if len(c.Members) == 1 {
		return fmt.Errorf("%s is the only node: cerco cluster destroy ends the cluster", name)
	}
	c.Members = slices.DeleteFunc(slices.Clone(c.Members), func(m cib.Member) bool { return m.Name == name })
	countVotes(c)
	return nil
}

// Invite makes an invitation and returns its token.
func (d *Daemon) Invite(ctx context.Context, i wire.Invite, by string) (wire.Invited, error) {
	var addrs []string
	for _, m := range d.store.View().Cluster.Members {
		if !m.Witness && len(m.Addrs) > 0 && len(addrs) < 4 {
			addrs = append(addrs, m.Addrs[0])
		}
	}
	id := d.identity()
	if a := d.store.View().Cluster.Authority; a != "" && a != id.Fingerprint() {
		return wire.Invited{}, errors.New("the certificate authority has just been exchanged, and this node does not have the new one yet: try again, or on another node")
	}
	token, key, err := peer.NewToken(id.Fingerprint(), addrs)
	if err != nil {
		return wire.Invited{}, err
	}
	expires := d.cfg.Now().Add(time.Duration(i.ValidMS) * time.Millisecond)
	invite := &cib.Invite{Key: key, Expires: expires, Witness: i.Witness}
	if err := d.askCluster(ctx, clusterChange{By: by, Invite: invite}); err != nil {
		return wire.Invited{}, err
	}
	return wire.Invited{Token: token, Expires: expires}, nil
}

// Remove takes a node out of the cluster.
func (d *Daemon) Remove(ctx context.Context, node string, force bool, by string) error {
	err := d.askCluster(ctx, clusterChange{By: by, Remove: node, Force: force})
	d.peer.Refresh() // whoever asked may rely on it that the node is cut off here
	return err
}

// Options changes how the cluster counts votes, how fast it notices and how old keys get; nil leaves each as it is.
func (d *Daemon) Options(ctx context.Context, o wire.Options, by string) error {
	return d.askCluster(ctx, clusterChange{By: by, Options: o})
}

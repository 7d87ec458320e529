package daemon

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/peer"
)

// Keys are exchanged while everything runs. A node makes its next key itself and uses it at once, with its old key's
// word for it; then the members agree on it, and the old one opens nothing any more. The authority is known to the
// state by its fingerprint: whoever has another one gets it from a member that has it, over the link between them.

// rekey notes a member's new key. It is the member itself that asks.
func rekey(c *cib.Cluster, node, key string, now time.Time) error {
	if c.Member(node) == nil {
		return fmt.Errorf("the cluster has no node %q", node)
	}
	for _, m := range c.Members {
		if m.Key == key && m.Name != node {
			return fmt.Errorf("that key is %s's", m.Name)
		}
	}
	c.Members = append([]cib.Member(nil), c.Members...)
	m := c.Member(node)
	m.Key, m.KeySince = key, now.UTC().Truncate(time.Second)
	return nil
}

// canRotate makes sure that all members know of exchanged keys.
func (d *Daemon) canRotate() error {
	if st := d.store.View(); st.Agreed() < 2 {
		return errors.New("members of the first version may be there, which know of no exchanged keys: end the upgrade first, with cerco cluster upgrade --final")
	}
	return nil
}

// Rotate has a node exchange its key.
func (d *Daemon) Rotate(ctx context.Context, node, by string) error {
	if d.store.View().Cluster.Member(node) == nil {
		return fmt.Errorf("the cluster has no node %q", node)
	}
	body, err := json.Marshal(by)
	if err != nil {
		return err
	}
	_, err = d.call(ctx, node, serviceRotate, body)
	return err
}

// serveRotate exchanges this node's key.
func (d *Daemon) serveRotate(ctx context.Context, _ string, body []byte) ([]byte, error) {
	var by string
	if err := json.Unmarshal(body, &by); err != nil {
		return nil, err
	}
	if err := d.canRotate(); err != nil {
		return nil, err
	}
	if err := d.exchange(func(id *peer.Identity) (*peer.Identity, error) {
		return id.Renew(func(name string, pub ed25519.PublicKey) (*x509.Certificate, error) {
			if id.CAKey != nil {
				return id.Issue(name, pub)
			}
			_, cert, err := d.askCA(ctx, id.Fingerprint(), pub)
			return cert, err
		})
	}); err != nil {
		return nil, err
	}
	d.log.Info("this node has a new key", "asked for by", by)
	if err := d.askCluster(ctx, clusterChange{By: by, Key: d.identity().KeyHash()}); err != nil {
		d.mindIdentity(d.store.View()) // until they have agreed, the old key's word stands for the new one
		return nil, fmt.Errorf("%s uses a new key, but the members have not agreed on it yet: %w", d.node.Name, err)
	}
	return nil, nil
}

// exchange puts another identity in the place of this node's: on the disk first.
func (d *Daemon) exchange(next func(*peer.Identity) (*peer.Identity, error)) error {
	d.rotates.Lock()
	defer d.rotates.Unlock()
	id, err := next(d.identity())
	if err != nil {
		return err
	}
	if err := id.Save(d.cfg.Layout.Conf); err != nil {
		return err
	}
	d.idMu.Lock()
	d.id = id
	d.idMu.Unlock()
	return nil
}

// RotateCA makes a new certificate authority, which issues from now on. Open invitations end: they are the old one's.
func (d *Daemon) RotateCA(ctx context.Context, by string) error {
	if err := d.canRotate(); err != nil {
		return err
	}
	if d.identity().CAKey == nil {
		return fmt.Errorf("%s holds no key of the certificate authority: ask a node that is no witness", d.node.Name)
	}
	ca, err := peer.MakeCA(d.node.Cluster)
	if err != nil {
		return err
	}
	d.nextCA.Store(ca)
	if err := d.askCluster(ctx, clusterChange{By: by, Authority: ca.Fingerprint()}); err != nil {
		return err
	}
	if d.identity().Fingerprint() == ca.Fingerprint() {
		return nil
	}
	cert, err := ca.Issue(d.node.Name, d.publicKey())
	if err != nil {
		return err
	}
	return d.follow(ca, cert)
}

func (d *Daemon) publicKey() ed25519.PublicKey {
	key, _ := d.identity().Key.Public().(ed25519.PublicKey) // all that we make are
	return key
}

// follow takes on an authority, with a certificate that it has issued. The old one is kept until that is on the disk.
func (d *Daemon) follow(ca *peer.Identity, cert *x509.Certificate) error {
	for _, keepOld := range []bool{true, false} {
		if err := d.exchange(func(id *peer.Identity) (*peer.Identity, error) {
			to := *ca
			if keepOld {
				to.CAs = append(append([]*x509.Certificate(nil), ca.CAs...), id.CAs...)
			}
			return id.Follow(&to, cert)
		}); err != nil {
			return err
		}
	}
	d.log.Info("this node has the cluster's new certificate authority", "fingerprint", ca.Fingerprint())
	return nil
}

// authorityRequest asks for an authority, and for its certificate for the key of whoever asks.
type authorityRequest struct {
	Fingerprint string            `json:"fingerprint"`
	Key         ed25519.PublicKey `json:"key"`
}

type authorityReply struct {
	CA    []byte `json:"ca"`               // PEM
	CAKey []byte `json:"ca_key,omitempty"` // PEM; a witness does not get it
	Cert  []byte `json:"cert"`             // DER
}

// serveCA gives a member the authority that the cluster has agreed on.
func (d *Daemon) serveCA(_ context.Context, from string, body []byte) ([]byte, error) {
	var r authorityRequest
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, err
	}
	id, m := d.identity(), d.store.View().Cluster.Member(from)
	if id.CAKey == nil || id.Fingerprint() != r.Fingerprint || m == nil {
		return nil, errors.New("not here")
	}
	if len(r.Key) != ed25519.PublicKeySize {
		return nil, errors.New("that is no public key")
	}
	cert, err := id.Issue(from, r.Key)
	if err != nil {
		return nil, err
	}
	a := authorityReply{Cert: cert.Raw}
	if a.CA, a.CAKey, err = id.Authority(!m.Witness); err != nil {
		return nil, err
	}
	return json.Marshal(a)
}

// askCA asks the members, one by one, for an authority and its certificate for a key of ours.
func (d *Daemon) askCA(ctx context.Context, fingerprint string, pub ed25519.PublicKey) (*peer.Identity, *x509.Certificate, error) {
	body, err := json.Marshal(authorityRequest{Fingerprint: fingerprint, Key: pub})
	if err != nil {
		return nil, nil, err
	}
	for _, m := range d.clusterMembers() {
		if m.Name == d.node.Name {
			continue
		}
		soon, cancel := context.WithTimeout(ctx, 2*time.Second)
		answer, err := d.call(soon, m.Name, serviceCA, body)
		cancel()
		var a authorityReply
		if err != nil || json.Unmarshal(answer, &a) != nil {
			continue
		}
		ca, err := peer.ReadAuthority(a.CA, a.CAKey)
		if err != nil || ca.Fingerprint() != fingerprint {
			continue
		}
		if cert, err := x509.ParseCertificate(a.Cert); err == nil {
			return ca, cert, nil
		}
	}
	return nil, nil, errors.New("no member that can be reached holds the certificate authority that the cluster has agreed on; cerco cluster rotate --ca makes another one")
}

// mindIdentity sees to it, beside the way, that this node has the key and the authority that the members have agreed
// on, or that they agree on its key.
func (d *Daemon) mindIdentity(st cib.State) {
	if d.identityIsRight(st) || !d.minding.CompareAndSwap(false, true) {
		return
	}
	d.aside(func() {
		defer d.minding.Store(false)
		for wait := time.Second; ; wait = min(2*wait, time.Minute) {
			err := d.rightIdentity()
			if err == nil && d.identityIsRight(d.store.View()) || d.ctx.Err() != nil {
				return
			}
			if err != nil {
				d.log.Warn("this node's key and certificates are not what the members agree on; it is tried again", "error", err)
			}
			select {
			case <-time.After(wait):
			case <-d.ctx.Done():
				return
			}
		}
	})
}

func (d *Daemon) identityIsRight(st cib.State) bool {
	id, m := d.identity(), st.Cluster.Member(d.node.Name)
	return st.Agreed() < 2 || m == nil || m.Key == id.KeyHash() && (st.Cluster.Authority == "" || st.Cluster.Authority == id.Fingerprint())
}

func (d *Daemon) rightIdentity() error {
	ctx, cancel := context.WithTimeout(d.ctx, 30*time.Second)
	defer cancel()
	st, err := d.State(ctx, true)
	if err != nil || d.identityIsRight(st) {
		return err
	}
	if key := d.identity().KeyHash(); st.Cluster.Member(d.node.Name).Key != key {
		return d.askCluster(ctx, clusterChange{By: d.node.Name, Key: key})
	}
	want := st.Cluster.Authority
	if ca := d.nextCA.Load(); ca != nil && ca.Fingerprint() == want {
		cert, err := ca.Issue(d.node.Name, d.publicKey())
		if err != nil {
			return err
		}
		return d.follow(ca, cert)
	}
	ca, cert, err := d.askCA(ctx, want, d.publicKey())
	if err != nil {
		return err
	}
	return d.follow(ca, cert)
}

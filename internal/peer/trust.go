package peer

import (
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
)

// Protocols that are ours (ALPN); all others are streams.
const (
	protoLink = "cerco/link"
	protoJoin = "cerco/join"
)

// member is who stands at the other end of a connection.
type member struct {
	name    string
	keyHash string // by which it is known
	shown   string // that of the certificate, the same unless the node has just exchanged its key
}

// verify tells who shows a certificate. Whoever is no member is nobody.
func (p *Peer) verify(id *Identity, certs []*x509.Certificate) (member, error) {
	if len(certs) == 0 {
		return member{}, errors.New("no certificate was shown")
	}
	cert := certs[0]
	m := member{name: cert.Subject.CommonName, keyHash: KeyHash(cert), shown: KeyHash(cert)}
	nodes := p.cfg.Peers()
	if len(nodes) == 0 {
		if !issued(id.CAs, cert) {
			return member{}, errors.New("the certificate is not of this cluster's authority")
		}
		return m, nil
	}
	i := -1 // whose it is says the key alone: authorities follow each other, and not everybody hears of it at once
	_, err := pinned(certs, func(hash string) bool {
		i = slices.IndexFunc(nodes, func(n Node) bool { return n.KeyHash == hash })
		return i >= 0
	})
	if err != nil {
		return member{}, fmt.Errorf("a certificate of %q: %w", m.name, err)
	}
	m.keyHash = nodes[i].KeyHash
	if m.name = nodes[i].Name; m.name == p.cfg.Name {
		return member{}, errors.New("the other side has this node's own key: is it a copy of this host, or one of our own addresses?")
	}
	return m, nil
}

// admit finds the node behind a verified key, as of now; Peer.mu is held.
func (p *Peer) admit(id member) (*remote, error) {
	if p.stopped {
		return nil, ErrStopped
	}
	r := p.remotes[id.name]
	if r == nil {
		if !p.anyone {
			return nil, fmt.Errorf("%s is no member any longer", id.name)
		}
		r = p.newRemote(Node{Name: id.name, KeyHash: id.keyHash})
		p.remotes[id.name] = r
	}
	if r.node.KeyHash != id.keyHash && r.node.KeyHash != id.shown {
		return nil, fmt.Errorf("%s has another key now", id.name)
	}
	return r, nil
}

// clientTLS is how we connect to a member.
func (p *Peer) clientTLS(node, proto string, got *member) *tls.Config {
	id := p.cfg.Identity()
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: []string{proto},
		// The name in a certificate proves nothing here, and its dates neither: VerifyConnection looks at
		// the issuer and at the key.
		InsecureSkipVerify: true,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return id.chain(false), nil
		},
		VerifyConnection: func(cs tls.ConnectionState) error {
			m, err := p.verify(id, cs.PeerCertificates)
			if err == nil && m.name != node {
				err = fmt.Errorf("at this address is %s, not %s", m.name, node)
			}
			if err == nil && cs.NegotiatedProtocol != proto {
				err = errors.New("the other side does not speak " + proto)
			}
			*got = m
			return err
		},
	}
}

// serverTLS is how we let others in: the answer to each hello of a client. Nothing that is not in a hello
// of a node, or of a joiner, gets as far as our certificate.
func (p *Peer) serverTLS(conn *gate) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			if len(h.SupportedProtos) != 1 || !p.speaks(h.SupportedProtos[0]) {
				return nil, errors.New("the client does not ask for anything that is here")
			}
			proto, id := h.SupportedProtos[0], p.cfg.Identity()
			if err := id.check(); err != nil {
				return nil, err
			}
			return &tls.Config{
				MinVersion:             tls.VersionTLS13,
				NextProtos:             []string{proto},
				Certificates:           []tls.Certificate{*id.chain(proto == protoJoin)},
				ClientAuth:             tls.RequireAnyClientCert,
				SessionTicketsDisabled: true,
				VerifyConnection: func(cs tls.ConnectionState) error {
					if proto == protoJoin {
						return p.verifyInvited(cs.PeerCertificates)
					}
					m, err := p.verify(id, cs.PeerCertificates)
					if err == nil {
						err = conn.name(m.name)
					}
					return err
				},
			}, nil
		},
	}
}

// speaks reports whether a protocol has somebody here who takes its connections.
func (p *Peer) speaks(proto string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch proto {
	case protoLink:
		return true
	case protoJoin:
		return p.join != nil
	}
	return p.accepts[proto] != nil
}

// verifyInvited accepts the key of an open invitation, in a certificate that it signed itself.
func (p *Peer) verifyInvited(certs []*x509.Certificate) error {
	if len(certs) == 0 {
		return errors.New("no certificate was shown")
	}
	cert := certs[0]
	if _, ok := cert.PublicKey.(ed25519.PublicKey); !ok || cert.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) != nil {
		return errors.New("that is no invitation's certificate")
	}
	if !p.cfg.Invited(KeyHash(cert)) {
		return errors.New("there is no open invitation of that key")
	}
	return nil
}

// chain is the certificate as TLS wants it; with the authorities for those who know only a fingerprint.
func (id *Identity) chain(withCAs bool) *tls.Certificate {
	c := &tls.Certificate{Certificate: [][]byte{id.Cert.Raw}, PrivateKey: id.Key, Leaf: id.Cert}
	for _, former := range id.Former {
		c.Certificate = append(c.Certificate, former.Raw)
	}
	if withCAs {
		for _, ca := range id.CAs {
			c.Certificate = append(c.Certificate, ca.Raw)
		}
	}
	return c
}

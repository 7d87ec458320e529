package peer

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"slices"
)

// A node's key is exchanged by the node itself. The old key vouches for the new one, so that members who have not
// heard of it yet, because they are late or were off, let the node in all the same; and once the new key is the one
// that the members have agreed on, the old one opens nothing any more at whoever knows of it.

// maxFormer is how many exchanges of its key a node can prove: a member that was off for longer must join again.
const maxFormer = 4

// wordUnit marks a certificate by which a node's key vouches for its next one.
const wordUnit = "cerco next key"

// Renew makes the identity with a new key. issue makes its certificate, as Issue does.
func (id *Identity) Renew(issue func(name string, pub ed25519.PublicKey) (*x509.Certificate, error)) (*Identity, error) {
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the next key of %s: %w", id.Name(), err)
	}
	cert, err := issue(id.Name(), pub)
	if err != nil {
		return nil, err
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	word, err := certify(&x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: id.Name(), OrganizationalUnit: []string{wordUnit}},
		NotBefore:    notBefore(), NotAfter: notAfter(), KeyUsage: x509.KeyUsageDigitalSignature,
	}, id.Cert, pub, id.Key)
	if err != nil {
		return nil, err
	}
	next := *id
	next.Cert, next.Key = cert, key
	next.Former = append([]*x509.Certificate{word, id.Cert}, id.Former...)
	next.Former = next.Former[:min(len(next.Former), 2*maxFormer)]
	return &next, next.check()
}

// Follow makes the identity under a new authority, of which the node's certificate is: the key stays.
func (id *Identity) Follow(ca *Identity, cert *x509.Certificate) (*Identity, error) {
	next := *id
	next.CAs, next.CAKey, next.Cert = ca.CAs, ca.CAKey, cert
	return &next, next.check()
}

// Authority is the authority's part of an identity as it goes from member to member: PEM, with the key if asked
// for.
func (id *Identity) Authority(withKey bool) (certs, key []byte, err error) {
	if withKey {
		if id.CAKey == nil {
			return nil, nil, errors.New("this node does not hold the key of the cluster's certificate authority (ca.key)")
		}
		if key, err = keyPEM(id.CAKey); err != nil {
			return nil, nil, err
		}
	}
	return certsPEM(id.CAs[0]), key, nil
}

// ReadAuthority reads what Authority wrote.
func ReadAuthority(certs, key []byte) (*Identity, error) {
	id := &Identity{}
	var err error
	if id.CAs, err = parseCerts(certs); err != nil {
		return nil, fmt.Errorf("the certificate authority: %w", err)
	}
	if len(key) > 0 {
		if id.CAKey, err = parseKey(key); err != nil {
			return nil, fmt.Errorf("the certificate authority: %w", err)
		}
	}
	return id, nil
}

// pinned finds the key by which one of several is known among the certificates that somebody shows: that of the
// first, or an earlier one that vouches for it. known tells whether a key is one of them.
func pinned(certs []*x509.Certificate, known func(keyHash string) bool) (string, error) {
	if len(certs) == 0 {
		return "", errors.New("no certificate was shown")
	}
	now := certs[0]
	if h := KeyHash(now); known(h) {
		return h, nil
	}
	for i := 1; i+1 < len(certs) && i < 2*maxFormer; i += 2 {
		word, before := certs[i], certs[i+1]
		if !slices.Contains(word.Subject.OrganizationalUnit, wordUnit) || KeyHash(word) != KeyHash(now) ||
			before.CheckSignature(word.SignatureAlgorithm, word.RawTBSCertificate, word.Signature) != nil {
			break
		}
		if h := KeyHash(before); known(h) {
			return h, nil
		}
		now = before
	}
	return "", errors.New("it is not the key of a member")
}

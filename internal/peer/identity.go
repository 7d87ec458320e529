package peer

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// Identity is what a node shows of itself and by what it knows the others. It does not change once made.
type Identity struct {
	CAs   []*x509.Certificate // of the cluster; the first one issues. Several while one follows another
	CAKey crypto.Signer       // of CAs[0]; nil on nodes that do not issue certificates
	Cert  *x509.Certificate   // of this node
	Key   crypto.Signer       // of Cert

	// Former shows those who know an earlier key of this node that it has passed on to Cert's: pairs of the earlier
	// key's word for the later one and the earlier certificate, newest first. See Renew.
	Former []*x509.Certificate
}

// Certificates are valid always. Clocks of hosts that were off for long are wrong, and a wrong clock must
// not take a cluster apart; a key is revoked by removing its member.
func notBefore() time.Time { return time.Date(1970, 1, 1, 0, 0, 1, 0, time.UTC) }
func notAfter() time.Time  { return time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC) }

// MakeCA makes the certificate authority of a new cluster. The identity has no node's certificate yet.
func MakeCA(cluster string) (*Identity, error) {
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the key of the cluster's certificate authority: %w", err)
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: cluster, OrganizationalUnit: []string{"cerco certificate authority"}},
		NotBefore:    notBefore(), NotAfter: notAfter(),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign,
	}
	cert, err := certify(t, t, pub, key)
	if err != nil {
		return nil, err
	}
	return &Identity{CAs: []*x509.Certificate{cert}, CAKey: key}, nil
}

// MakeNode makes a key and a certificate for a node, issued by this identity's authority. The authority's
// key goes along.
func (id *Identity) MakeNode(name string) (*Identity, error) {
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the key of %s: %w", name, err)
	}
	cert, err := id.Issue(name, pub)
	if err != nil {
		return nil, err
	}
	return &Identity{CAs: id.CAs, CAKey: id.CAKey, Cert: cert, Key: key}, nil
}

// Issue makes a certificate for a node's public key.
func (id *Identity) Issue(name string, pub ed25519.PublicKey) (*x509.Certificate, error) {
	if id.CAKey == nil || len(id.CAs) == 0 {
		return nil, errors.New("this node does not hold the key of the cluster's certificate authority (ca.key): issue certificates on one that does")
	}
	if name == "" || len(name) > maxName {
		return nil, fmt.Errorf("a node's name has 1 to %d characters, not %d", maxName, len(name))
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		DNSNames:     []string{name},
		NotBefore:    notBefore(), NotAfter: notAfter(),
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	return certify(t, id.CAs[0], pub, id.CAKey)
}

// maxName is how long a node's name may be: as long as a host's.
const maxName = 255

func newSerial() (*big.Int, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("choose a serial number: %w", err)
	}
	return n.Add(n, big.NewInt(1)), nil
}

func certify(t, issuer *x509.Certificate, pub crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, t, issuer, pub, key)
	if err != nil {
		return nil, fmt.Errorf("make the certificate of %s: %w", t.Subject.CommonName, err)
	}
	return x509.ParseCertificate(der)
}

// KeyHash is what a key is known by: the SHA-256 of its SubjectPublicKeyInfo, hex.
func KeyHash(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	return hex.EncodeToString(sum[:])
}

// KeyHash is the hash of this node's own key.
func (id *Identity) KeyHash() string { return KeyHash(id.Cert) }

// Fingerprint is what the cluster's authority is known by in tokens: the SHA-256 of its certificate, hex.
func (id *Identity) Fingerprint() string { return fingerprint(id.CAs[0]) }

func fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return hex.EncodeToString(sum[:])
}

// Name is the name in this node's certificate.
func (id *Identity) Name() string { return id.Cert.Subject.CommonName }

// issued reports whether one of the authorities signed a certificate of a node.
func issued(cas []*x509.Certificate, cert *x509.Certificate) bool {
	if cert.IsCA {
		return false
	}
	for _, ca := range cas {
		if cert.CheckSignatureFrom(ca) == nil {
			return true
		}
	}
	return false
}

// check reports what is wrong with an identity that a node is to run with.
func (id *Identity) check() error {
	switch {
	case id == nil || id.Cert == nil || id.Key == nil:
		return errors.New("this node has no certificate: `cerco cluster setup` or `cerco cluster join` makes one")
	case len(id.CAs) == 0:
		return errors.New("this node has no certificate of the cluster's authority (ca.crt)")
	case !sameKey(id.Cert.PublicKey, id.Key):
		return errors.New("node.key is not the key of node.crt: restore the pair, or remove this member and join it again")
	case id.CAKey != nil && !sameKey(id.CAs[0].PublicKey, id.CAKey):
		return errors.New("ca.key is not the key of the first certificate in ca.crt: restore the pair")
	case !issued(id.CAs, id.Cert):
		return errors.New("node.crt was not issued by the authority in ca.crt: restore the pair, or remove this member and join it again")
	}
	return nil
}

func sameKey(pub crypto.PublicKey, key crypto.Signer) bool {
	a, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return false
	}
	b, err := x509.MarshalPKIXPublicKey(key.Public())
	return err == nil && bytes.Equal(a, b)
}

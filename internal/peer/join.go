package peer

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// JoinRequest is what a new node says. Its key never leaves it.
type JoinRequest struct {
	Name    string            `json:"name"`
	Key     ed25519.PublicKey `json:"key"`     // of the new node
	KeyHash string            `json:"-"`       // of Key, worked out by the receiver
	Request []byte            `json:"request"` // what the daemons have to say to each other
}

// JoinReply is what a new node gets.
type JoinReply struct {
	Cert  []byte `json:"cert,omitempty"`   // DER, made with Identity.Issue
	CAs   []byte `json:"cas,omitempty"`    // PEM; filled in by the server
	CAKey []byte `json:"ca_key,omitempty"` // PEM; filled in when the handler asks for it with ShareCAKey
	Reply []byte `json:"reply,omitempty"`
	Error string `json:"error,omitempty"` // why not

	// ShareCAKey gives the new node the authority's key, so that it can invite others and issue for them.
	ShareCAKey bool `json:"-"`
}

// JoinHandler admits a new node or returns an error for its operator. invitation is the hash of the token's key.
type JoinHandler func(ctx context.Context, invitation string, req JoinRequest) (JoinReply, error)

// HandleJoin sets who admits new nodes. Before that, joining fails in the handshake.
func (p *Peer) HandleJoin(h JoinHandler) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.join = h
}

// Bounds of joining.
const (
	maxJoinRequest = 64 << 10
	maxJoinReply   = MaxMessage
	joinTimeout    = 30 * time.Second
)

// writeJoin and readJoin move one message: four bytes of length, then JSON.
func writeJoin(w io.Writer, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), data...))
	return err
}

func readJoin(r io.Reader, limit uint32, v any) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > limit {
		return fmt.Errorf("a message of %d bytes where at most %d are allowed: %w", n, limit, errFrame)
	}
	data, err := io.ReadAll(io.LimitReader(r, int64(n)))
	if err != nil {
		return err
	}
	if len(data) < int(n) {
		return io.ErrUnexpectedEOF
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%w: %w", errFrame, err)
	}
	return nil
}

func (r *JoinRequest) check() error {
	if r.Name == "" || len(r.Name) > maxName || len(r.Key) != ed25519.PublicKeySize {
		return errors.New("a new node says its name and its public key")
	}
	r.KeyHash = publicKeyHash(r.Key)
	return nil
}

// serveJoin talks to whoever holds an open invitation, and reports whether a node was let in.
func (p *Peer) serveJoin(t *tls.Conn, invitation string) bool {
	if !p.door.join(invitation) {
		return false
	}
	defer p.door.joined(invitation)
	ctx, cancel := context.WithTimeout(p.ctx, joinTimeout)
	defer cancel()
	_ = t.SetDeadline(time.Now().Add(joinTimeout))
	var req JoinRequest
	err := readJoin(t, maxJoinRequest, &req)
	if err == nil {
		err = req.check()
	}
	p.mu.Lock()
	h := p.join
	p.mu.Unlock()
	var reply JoinReply
	switch {
	case err != nil:
	case h == nil || !p.cfg.Invited(invitation):
		err = errors.New("the invitation has expired or was used")
	default:
		reply, err = h(ctx, invitation, req)
	}
	if err == nil {
		err = p.complete(&reply)
	}
	if err != nil {
		p.cfg.Log.Warn("a node could not join", "name", req.Name, "from", t.RemoteAddr(), "err", err)
		reply = JoinReply{Error: err.Error()}
	} else {
		p.cfg.Log.Info("a node joins", "name", req.Name, "from", t.RemoteAddr())
	}
	if err := writeJoin(t, reply); err != nil {
		p.cfg.Log.Warn("the answer did not reach the joining node", "name", req.Name, "err", err)
	}
	_ = t.CloseWrite()
	return err == nil
}

func (p *Peer) complete(reply *JoinReply) error {
	id := p.cfg.Identity()
	reply.CAs = nil
	for _, ca := range id.CAs {
		reply.CAs = append(reply.CAs, certPEM(ca)...)
	}
	if reply.ShareCAKey && id.CAKey != nil {
		data, err := keyPEM(id.CAKey)
		if err != nil {
			return err
		}
		reply.CAKey = data
	}
	return nil
}

// Join asks a cluster to take this node in, at each of the token's addresses until one answers. It returns
// the new node's identity and the handler's reply. dial is for tests; nil means TCP.
func Join(ctx context.Context, token, name string, request []byte, dial func(ctx context.Context, local, remote string) (net.Conn, error)) (*Identity, []byte, error) {
	t, err := ParseToken(token)
	if err != nil {
		return nil, nil, err
	}
	if dial == nil {
		dial = dialTCP
	}
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make this node's key: %w", err)
	}
	req := JoinRequest{Name: name, Key: pub, Request: request}
	var errs []error
	for _, addr := range t.Addrs {
		reply, asked, err := t.ask(ctx, addr, req, dial)
		if err == nil {
			id, err := reply.identity(t, name, key)
			return id, reply.Reply, err
		}
		errs = append(errs, fmt.Errorf("%s: %w", addr, err))
		if asked || ctx.Err() != nil {
			break // it may have been admitted: another member would be asked with a used token
		}
	}
	return nil, nil, fmt.Errorf("join the cluster: %w", errors.Join(errs...))
}

// ask talks to one member. asked says that the request may have arrived.
func (t *Token) ask(ctx context.Context, addr string, req JoinRequest, dial func(ctx context.Context, local, remote string) (net.Conn, error)) (reply JoinReply, asked bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	raw, err := dial(ctx, "", addr)
	if err != nil {
		return reply, false, err
	}
	defer raw.Close()
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	defer stop()
	conf, err := t.clientTLS()
	if err != nil {
		return reply, false, err
	}
	c := tls.Client(raw, conf)
	greeting, done := context.WithTimeout(ctx, handshakeTimeout)
	defer done()
	if err := c.HandshakeContext(greeting); err != nil {
		return reply, false, err
	}
	err = writeJoin(c, req)
	// Also when that failed: in TLS 1.3 the other side's refusal of our certificate is read, not written.
	if rerr := readJoin(c, maxJoinReply, &reply); err == nil || isAlert(rerr) {
		err = rerr
	}
	switch {
	case isAlert(err):
		return reply, false, errors.New("the cluster does not let us in: the token has expired, was used, or was never this cluster's; make a new one with `cerco cluster invite`")
	case err != nil:
		return reply, true, fmt.Errorf("no answer (see with `cerco cluster members` whether this node was taken in): %w", err)
	}
	if reply.Error != "" {
		return reply, true, errors.New(reply.Error)
	}
	return reply, true, nil
}

// isAlert reports whether the other side of TLS has refused.
func isAlert(err error) bool {
	op := (*net.OpError)(nil)
	return errors.As(err, &op) && op.Op == "remote error"
}

// clientTLS is how a joiner connects: by the token's key, to the authority of the token's fingerprint.
func (t *Token) clientTLS() (*tls.Config, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	self := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "cerco join"},
		NotBefore: notBefore(), NotAfter: notAfter(), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	cert, err := certify(self, self, t.Key.Public(), t.Key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		NextProtos:         []string{protoJoin},
		InsecureSkipVerify: true, // VerifyConnection looks at the fingerprint
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: t.Key}, nil
		},
		VerifyConnection: func(cs tls.ConnectionState) error {
			ca := t.authority(cs.PeerCertificates)
			if ca == nil || !issued([]*x509.Certificate{ca}, cs.PeerCertificates[0]) || cs.NegotiatedProtocol != protoJoin {
				return errors.New("whoever answers there is not of the cluster that the token was made in")
			}
			return nil
		},
	}, nil
}

// authority finds the certificate with the token's fingerprint.
func (t *Token) authority(certs []*x509.Certificate) *x509.Certificate {
	for _, c := range certs {
		if fingerprint(c) == t.CAFingerprint {
			return c
		}
	}
	return nil
}

// identity makes the new node's identity of what it was given.
func (r *JoinReply) identity(t *Token, name string, key ed25519.PrivateKey) (*Identity, error) {
	cas, err := parseCerts(r.CAs)
	if err != nil {
		return nil, fmt.Errorf("the cluster's answer holds no authority: %w", err)
	}
	if t.authority(cas) == nil {
		return nil, errors.New("the cluster's answer holds another authority than the token's")
	}
	cert, err := x509.ParseCertificate(r.Cert)
	if err != nil {
		return nil, fmt.Errorf("the cluster's answer holds no certificate: %w", err)
	}
	id := &Identity{CAs: cas, Cert: cert, Key: key}
	if len(r.CAKey) > 0 {
		if id.CAKey, err = parseKey(r.CAKey); err != nil {
			return nil, fmt.Errorf("the cluster's answer: %w", err)
		}
	}
	if err := id.check(); err != nil {
		return nil, err
	}
	if id.Name() != name {
		return nil, fmt.Errorf("the cluster's certificate is for %q, not for %q", id.Name(), name)
	}
	return id, nil
}

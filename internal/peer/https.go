package peer

import (
	"crypto/tls"
)

// ServerTLS is for listeners of other protocols, such as the HTTPS API: the same rules as on the nodes' own
// port. Whoever shows no certificate of a member fails in the handshake. Of the certificate that a client
// sees, nothing is said before the handshake of TLS 1.3 is encrypted.
func (p *Peer) ServerTLS(protos ...string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			id := p.cfg.Identity()
			if err := id.check(); err != nil {
				return nil, err
			}
			return &tls.Config{
				MinVersion:             tls.VersionTLS13,
				NextProtos:             protos,
				Certificates:           []tls.Certificate{*id.chain(false)},
				ClientAuth:             tls.RequireAnyClientCert,
				SessionTicketsDisabled: true,
				VerifyConnection: func(cs tls.ConnectionState) error {
					_, err := p.verify(id, cs.PeerCertificates)
					return err
				},
			}, nil
		},
		// Said again for those who look at this value alone; the one above is what counts.
		ClientAuth: tls.RequireAnyClientCert,
		VerifyConnection: func(cs tls.ConnectionState) error {
			_, err := p.verify(p.cfg.Identity(), cs.PeerCertificates)
			return err
		},
	}
}

package peer

import (
	"bytes"
	"crypto/x509"
	"reflect"
	"testing"
)

func FuzzFrames(f *testing.F) {
	var b []byte
	h := hello{ring: 1, process: 7}.encode()
	b = append(appendHeader(b, kindHello, 0, 0, len(h)), h...)
	for m := (&message{kind: kindRequest, id: 3, head: requestHead{service: "op", timeout: 5, size: 400}.append(nil), body: make([]byte, 400)}); ; {
		var done bool
		if b, done = m.appendFrame(b); done {
			break
		}
	}
	m := &message{kind: kindReply, id: 3, head: replyHead{size: 2}.append(nil), body: []byte("ok")}
	b, _ = m.appendFrame(b)
	f.Add(b)
	f.Add(appendHeader(nil, kindPing, 0, 1, 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, buf := bytes.NewReader(data), []byte(nil)
		requests, replies := &assemblies{}, &assemblies{}
		for {
			fr, err := readFrame(r, &buf)
			if err != nil {
				return
			}
			switch fr.kind {
			case kindHello:
				if h, err := decodeHello(fr.payload); err == nil && !bytes.Equal(h.encode()[1:], fr.payload[1:10]) {
					t.Errorf("hello %x is read as %+v", fr.payload, h)
				}
			case kindSend:
				if service, msg, err := cutService(fr.payload); err == nil && !bytes.Equal(append(appendService(nil, service), msg...), fr.payload) {
					t.Errorf("message %x is read as %q, %x", fr.payload, service, msg)
				}
			case kindRequest, kindReply:
				a := requests
				if fr.kind == kindReply {
					a = replies
				}
				m, err := a.add(fr)
				if err != nil {
					return
				}
				if m != nil && (len(m.data) != int(m.size) || m.size > MaxMessage) {
					t.Errorf("a message of %d bytes announced %d", len(m.data), m.size)
				}
				if a.bytes < 0 || a.bytes > len(data) {
					t.Errorf("%d bytes are kept of %d", a.bytes, len(data))
				}
			}
		}
	})
}

func FuzzToken(f *testing.F) {
	ca, err := MakeCA("x")
	if err != nil {
		f.Fatal(err)
	}
	token, _, err := NewToken(ca.Fingerprint(), []string{"10.0.0.1:2225"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Add(tokenPrefix)
	f.Fuzz(func(t *testing.T, s string) {
		tok, err := ParseToken(s)
		if err != nil {
			return
		}
		text, err := tok.encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseToken(text)
		if err != nil || !reflect.DeepEqual(tok, again) {
			t.Errorf("written and read again it is another token: %v", err)
		}
	})
}

func FuzzJoin(f *testing.F) {
	var b bytes.Buffer
	if err := writeJoin(&b, JoinRequest{Name: "n2", Key: make([]byte, 32)}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(_ *testing.T, data []byte) {
		var req JoinRequest
		if readJoin(bytes.NewReader(data), maxJoinRequest, &req) == nil {
			_ = req.check()
		}
		var reply JoinReply
		if readJoin(bytes.NewReader(data), maxJoinReply, &reply) == nil {
			_, _ = reply.identity(&Token{}, "n2", make([]byte, 64))
		}
	})
}

func FuzzIdentityFiles(f *testing.F) {
	ca, err := MakeCA("x")
	if err != nil {
		f.Fatal(err)
	}
	key, err := keyPEM(ca.CAKey)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(key)
	f.Add(certPEM(ca.CAs[0]))
	f.Fuzz(func(t *testing.T, data []byte) {
		if k, err := parseKey(data); err == nil && k == nil {
			t.Error("no key, and no error")
		}
		if certs, err := parseCerts(data); err == nil && len(certs) == 0 {
			t.Error("no certificate, and no error")
		}
	})
}

// FuzzCertificates shows certificates of anybody's making: only who has a member's key, or its word, is known.
func FuzzCertificates(f *testing.F) {
	ca, err := MakeCA("x")
	if err != nil {
		f.Fatal(err)
	}
	n1, err := ca.MakeNode("n1")
	if err != nil {
		f.Fatal(err)
	}
	next, err := n1.Renew(ca.Issue)
	if err != nil {
		f.Fatal(err)
	}
	chain := certsPEM(append([]*x509.Certificate{next.Cert}, next.Former...)...)
	f.Add(chain)
	f.Add(certPEM(n1.Cert))
	f.Add(append(certPEM(next.Cert), certPEM(n1.Cert)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		certs, err := parseCerts(data)
		if err != nil {
			return
		}
		_, err = pinned(certs, func(hash string) bool { return hash == n1.KeyHash() })
		if hash := KeyHash(certs[0]); err == nil && hash != n1.KeyHash() && hash != next.KeyHash() {
			t.Errorf("the key %s is taken for n1's", hash)
		}
		_ = issued(ca.CAs, certs[0])
		_, _ = ReadAuthority(data, data)
	})
}

package peer

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
)

// Token is an invitation: the way to a cluster, what its authority is known by, and a key that the cluster
// lets in once, to join.
type Token struct {
	CAFingerprint string   // SHA-256 of the authority's certificate, hex
	Addrs         []string // host:port of members, tried in order
	Key           ed25519.PrivateKey
}

// tokenPrefix starts every token; the digit is the version.
const tokenPrefix = "cerco1"

// maxTokenAddrs bounds how many addresses a token holds, so that it can still be copied by hand.
const maxTokenAddrs = 16

// tokenText is base32 with small letters: no character of it means anything to a shell, a URL or a terminal's
// selection.
func tokenText() *base32.Encoding {
	return base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
}

// NewToken makes an invitation. The token is a secret; keyHash is what the cluster remembers of it.
func NewToken(caFingerprint string, addrs []string) (token, keyHash string, err error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := rand.Read(seed); err != nil {
		return "", "", fmt.Errorf("make the key of a token: %w", err)
	}
	t := &Token{CAFingerprint: caFingerprint, Addrs: addrs, Key: ed25519.NewKeyFromSeed(seed)}
	token, err = t.encode()
	if err != nil {
		return "", "", err
	}
	return token, t.KeyHash(), nil
}

// KeyHash is what the token's key is known by in the list of invitations.
func (t *Token) KeyHash() string { return publicKeyHash(t.Key.Public().(ed25519.PublicKey)) }

func publicKeyHash(pub ed25519.PublicKey) string {
	spki, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		panic(fmt.Sprintf("peer: an ed25519 key of %d bytes cannot be encoded: %v", len(pub), err))
	}
	sum := sha256.Sum256(spki)
	return hex.EncodeToString(sum[:])
}

// encode writes fingerprint, seed, the addresses each after its length, and a checksum for what is lost in
// copying.
func (t *Token) encode() (string, error) {
	fp, err := hex.DecodeString(t.CAFingerprint)
	if err != nil || len(fp) != sha256.Size {
		return "", fmt.Errorf("the authority's fingerprint must be %d hexadecimal digits", 2*sha256.Size)
	}
	if len(t.Addrs) == 0 || len(t.Addrs) > maxTokenAddrs {
		return "", fmt.Errorf("a token holds 1 to %d addresses, not %d", maxTokenAddrs, len(t.Addrs))
	}
	data := append(fp, t.Key.Seed()...)
	for _, a := range t.Addrs {
		if a == "" || len(a) > maxName {
			return "", fmt.Errorf("an address in a token has 1 to %d characters, not %d", maxName, len(a))
		}
		data = append(append(data, byte(len(a))), a...)
	}
	sum := crc32.ChecksumIEEE(data)
	data = append(data, byte(sum>>24), byte(sum>>16), byte(sum>>8), byte(sum))
	return tokenPrefix + tokenText().EncodeToString(data), nil
}

var errToken = errors.New("the token is damaged: copy it whole, or make a new one with `cerco cluster invite`")

// ParseToken reads a token. Errors do not repeat it.
func ParseToken(s string) (*Token, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	text, ok := strings.CutPrefix(s, tokenPrefix)
	if !ok {
		if strings.HasPrefix(s, "cerco") {
			return nil, errors.New("the token is of another version of cerco: make one with this version's `cerco cluster invite`")
		}
		return nil, errors.New("that is no token: they start with " + tokenPrefix)
	}
	data, err := tokenText().DecodeString(text)
	const fixed = sha256.Size + ed25519.SeedSize
	if err != nil || len(data) < fixed+4 || tokenText().EncodeToString(data) != text {
		return nil, errToken
	}
	data, sum := data[:len(data)-4], data[len(data)-4:]
	if crc32.ChecksumIEEE(data) != uint32(sum[0])<<24|uint32(sum[1])<<16|uint32(sum[2])<<8|uint32(sum[3]) {
		return nil, errToken
	}
	t := &Token{
		CAFingerprint: hex.EncodeToString(data[:sha256.Size]),
		Key:           ed25519.NewKeyFromSeed(data[sha256.Size:fixed]),
	}
	for rest := data[fixed:]; len(rest) > 0; {
		n := int(rest[0])
		if n == 0 || len(rest) <= n || len(t.Addrs) == maxTokenAddrs {
			return nil, errToken
		}
		t.Addrs = append(t.Addrs, string(rest[1:1+n]))
		rest = rest[1+n:]
	}
	if len(t.Addrs) == 0 {
		return nil, errToken
	}
	return t, nil
}

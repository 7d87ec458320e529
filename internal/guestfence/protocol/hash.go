package protocol

import (
	"crypto/sha1" //nolint:gosec // stock clients may be configured for it
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"fmt"
)

// Hash is a kind of digest; a stronger one has a higher number.
type Hash byte

const (
	None Hash = iota
	SHA1
	SHA256
	SHA512
)

var hashNames = [...]string{"none", "sha1", "sha256", "sha512"}

func (h Hash) String() string {
	if int(h) < len(hashNames) {
		return hashNames[h]
	}
	return fmt.Sprintf("hash %d", byte(h))
}

// ParseHash returns the hash of that name.
func ParseHash(s string) (Hash, error) {
	for i, name := range hashNames {
		if s == name {
			return Hash(i), nil
		}
	}
	return None, fmt.Errorf("%q is no hash: it must be none, sha1, sha256 or sha512", s)
}

// DigestSize is the room of a digest on the wire; shorter ones are padded with zeros.
const DigestSize = 64

// Digest is a hash of the key and some bytes, as it goes over the wire.
type Digest [DigestSize]byte

// Sum hashes the key and then the data. For None and for unknown kinds, the digest is zero.
func (h Hash) Sum(key, data []byte) (d Digest) {
	switch h {
	case SHA1:
		w := sha1.New() //nolint:gosec // see above
		w.Write(key)
		w.Write(data)
		w.Sum(d[:0])
	case SHA256:
		w := sha256.New()
		w.Write(key)
		w.Write(data)
		w.Sum(d[:0])
	case SHA512:
		w := sha512.New()
		w.Write(key)
		w.Write(data)
		w.Sum(d[:0])
	}
	return d
}

// Equal compares in a time that does not depend on where digests differ.
func (d Digest) Equal(other Digest) bool { return subtle.ConstantTimeCompare(d[:], other[:]) == 1 }

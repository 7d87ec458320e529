package protocol

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// RequestSize is the length of a request on every network.
const RequestSize = 176

// DomainSize is the room for a machine's name or UUID; the last byte is always zero.
const DomainSize = 64

// FlagUUID says that the domain is a UUID. Hosts look at the domain itself instead.
const FlagUUID = 1

// Request is what a guest sends: to a group or a host as a datagram, or first on a stream.
type Request struct {
	Action Action
	Hash   Hash
	Flags  byte
	Domain string // name or UUID, at most 63 bytes; empty for Monitor and List
	// CallBack is where the guest listens for the host; zero on a stream.
	CallBack netip.AddrPort
	Random   [6]byte // fresh for each datagram; zero with hash None
	Seq      uint32  // the same in all datagrams of one call
	Digest   Digest  // over the key and all of the rest
}

// Where the fields are; all numbers are little-endian.
const (
	offAddrLen  = 2
	offFlags    = 3
	offDomain   = 4
	offAddress  = offDomain + DomainSize
	sizeAddress = 28
	offPort     = offAddress + sizeAddress
	offRandom   = offPort + 2
	offSeq      = offRandom + 6
	offFamily   = offSeq + 4
	offDigest   = offFamily + 4

	familyIP4 = 2  // Linux's AF_INET
	familyIP6 = 10 // Linux's AF_INET6
)

// ErrMalformed is returned for bytes that are no message of the protocol.
var ErrMalformed = errors.New("malformed message")

// Bytes returns the request as it goes over the wire.
func (r *Request) Bytes() []byte {
	b := make([]byte, RequestSize)
	b[0], b[1], b[offFlags] = byte(r.Action), byte(r.Hash), r.Flags
	putText(b[offDomain:offAddress], r.Domain)
	if a := r.CallBack.Addr(); a.IsValid() {
		b[offAddrLen] = byte(copy(b[offAddress:offPort], a.AsSlice()))
		family := uint32(familyIP4)
		if a.Is6() {
			family = familyIP6
		}
		binary.LittleEndian.PutUint32(b[offFamily:], family)
	}
	binary.LittleEndian.PutUint16(b[offPort:], r.CallBack.Port())
	copy(b[offRandom:offSeq], r.Random[:])
	binary.LittleEndian.PutUint32(b[offSeq:], r.Seq)
	copy(b[offDigest:], r.Digest[:])
	return b
}

// Sign sets the digest. With hash None there is none.
func (r *Request) Sign(key []byte) {
	r.Digest = Digest{}
	r.Digest = r.Hash.Sum(key, r.Bytes())
}

// ParseRequest decodes a request that came over the wire. It does not look at the digest.
func ParseRequest(b []byte) (*Request, error) {
	if len(b) != RequestSize {
		return nil, fmt.Errorf("%w: %d bytes are no request, which has %d", ErrMalformed, len(b), RequestSize)
	}
	r := &Request{
		Action: Action(b[0]), Hash: Hash(b[1]), Flags: b[offFlags], Domain: text(b[offDomain:offAddress]),
		Random: [6]byte(b[offRandom:offSeq]), Seq: binary.LittleEndian.Uint32(b[offSeq:]), Digest: Digest(b[offDigest:]),
	}
	port := binary.LittleEndian.Uint16(b[offPort:])
	family := binary.LittleEndian.Uint32(b[offFamily:])
	switch n := b[offAddrLen]; {
	case n == 0:
		r.CallBack = netip.AddrPortFrom(netip.Addr{}, port)
	case n == 4 && family == familyIP4:
		r.CallBack = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[offAddress:])), port)
	case n == 16 && family == familyIP6:
		r.CallBack = netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[offAddress:])), port)
	default:
		return nil, fmt.Errorf("%w: an address of %d bytes in family %d", ErrMalformed, n, family)
	}
	return r, nil
}

// VerifyRequest tells whether b, a request as it came, is signed with the key by its own hash. With hash None
// there is nothing that could be wrong. Callers decide which hashes are strong enough.
func VerifyRequest(b, key []byte) bool {
	if len(b) != RequestSize {
		return false
	}
	h := Hash(b[1])
	if h > SHA512 {
		return false
	}
	unsigned := bytes.Clone(b)
	clear(unsigned[offDigest:])
	return h.Sum(key, unsigned).Equal(Digest(b[offDigest:]))
}

// putText writes s padded with zeros and always ended by one; what does not fit is left out.
func putText(field []byte, s string) { copy(field[:len(field)-1], s) }

// text reads up to the first zero; stock programs leave anything behind it.
func text(field []byte) string {
	if i := bytes.IndexByte(field, 0); i >= 0 {
		field = field[:i]
	} else {
		field = field[:len(field)-1]
	}
	return string(field)
}

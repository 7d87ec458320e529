package protocol

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
)

// Challenge is what one side sends to see whether the other one has the key.
type Challenge [DigestSize]byte

var (
	// ErrWrongKey is returned when the other side does not have the key, or hashes otherwise.
	ErrWrongKey = errors.New("the other side does not have the same key, or authenticates by another hash")
	// ErrReflected is returned for a challenge of a host that comes to a host: somebody without the key tries to
	// have one host answer the other one.
	ErrReflected = errors.New("the challenge is one of another host: somebody tries to have it answered here")
	// ErrNotChosen is returned when the guest lets another host act.
	ErrNotChosen = errors.New("another host was chosen")
)

// Session is one side's part of the authentication on a stream. Guest and host each send a challenge, the
// guest first, and answer the other's.
type Session struct {
	Key  []byte
	Auth Hash // None: nobody is asked
	// Challenge makes a challenge; nil means HostChallenge or GuestChallenge. Tests replay a recorded one.
	Challenge func() Challenge
	// Chosen, if not nil, is asked by Guest before it answers a host that has proved itself. A host that is not
	// chosen is not answered, and so does not act.
	Chosen func() bool
}

// HostChallenge is random to everybody who does not have the key. Those who have it see that a host made it, so
// that no host answers it for somebody else. To that end the second half is a code over the first.
func HostChallenge(key []byte) (c Challenge) {
	c = GuestChallenge()
	copy(c[DigestSize/2:], hostMark(key, c))
	return c
}

// GuestChallenge is random.
func GuestChallenge() (c Challenge) {
	_, _ = rand.Read(c[:]) // never fails
	return c
}

func hostMark(key []byte, c Challenge) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("challenge of a host\x00"))
	m.Write(c[:DigestSize/2])
	return m.Sum(nil)
}

// Guest authenticates the host and then itself.
func (s *Session) Guest(rw io.ReadWriter) error {
	if s.Auth == None {
		return nil
	}
	if err := s.challenge(rw, GuestChallenge); err != nil {
		return err
	}
	var c Challenge
	if _, err := io.ReadFull(rw, c[:]); err != nil {
		return fmt.Errorf("waiting for the host's challenge: %w", err)
	}
	if s.Chosen != nil && !s.Chosen() {
		return ErrNotChosen
	}
	return s.answer(rw, c)
}

// Host authenticates itself and then the guest.
func (s *Session) Host(rw io.ReadWriter) error {
	if s.Auth == None {
		return nil
	}
	var c Challenge
	if _, err := io.ReadFull(rw, c[:]); err != nil {
		return fmt.Errorf("waiting for the guest's challenge: %w", err)
	}
	if hmac.Equal(hostMark(s.Key, c), c[DigestSize/2:]) {
		return ErrReflected
	}
	if err := s.answer(rw, c); err != nil {
		return err
	}
	return s.challenge(rw, func() Challenge { return HostChallenge(s.Key) })
}

func (s *Session) challenge(rw io.ReadWriter, fresh func() Challenge) error {
	if s.Challenge != nil {
		fresh = s.Challenge
	}
	c := fresh()
	if _, err := rw.Write(c[:]); err != nil {
		return fmt.Errorf("sending a challenge: %w", err)
	}
	var answer Digest
	if _, err := io.ReadFull(rw, answer[:]); err != nil {
		return fmt.Errorf("waiting for the answer to a challenge: %w", err)
	}
	if !answer.Equal(s.Auth.Sum(s.Key, c[:])) {
		return ErrWrongKey
	}
	return nil
}

func (s *Session) answer(w io.Writer, c Challenge) error {
	d := s.Auth.Sum(s.Key, c[:])
	if _, err := w.Write(d[:]); err != nil {
		return fmt.Errorf("answering a challenge: %w", err)
	}
	return nil
}

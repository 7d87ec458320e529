package guestfence

import "github.com/cerco-ha/cerco/internal/guestfence/protocol"

// Replay has the server use a recorded challenge.
func (s *Server) Replay(c []byte) {
	s.challenge = func() protocol.Challenge { return protocol.Challenge(c) }
}

// Mended waits until what a crash cut off is brought to its end.
func (s *Server) Mended() { <-s.mended }

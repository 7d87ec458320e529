package guestfence

import (
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence/protocol"
)

// SettleWithin sets how long a hypervisor may still carry out what a daemon told it that has died since.
func SettleWithin(c *Config, d time.Duration) { c.settle = d }

// Replay has the server use a recorded challenge.
func (s *Server) Replay(c []byte) {
	s.challenge = func() protocol.Challenge { return protocol.Challenge(c) }
}

// Mended waits until what a crash cut off is brought to its end.
func (s *Server) Mended() { <-s.mended }

package guestfence_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence"
	"github.com/cerco-ha/cerco/internal/guestfence/protocol"
)

// A guest sends a call from each of its addresses. It is called back at one of them, and at another one only if that
// fails: a second connection would reach the next request of the same guest.
func TestGuestIsCalledBackOnce(t *testing.T) {
	for name, refuses := range map[string]string{"both addresses answer": "", "the first one refuses": "127.0.0.1:1229"} {
		t.Run(name, func(t *testing.T) {
			dialled := make(chan string, 10)
			results := make(chan byte, 10)
			s := start(t, newWorld().Standalone("h1"), guestfence.Unicast, func(c *guestfence.Config) {
				c.Dial = func(_ context.Context, _, address string) (net.Conn, error) {
					dialled <- address
					if address == refuses {
						return nil, errors.New("refused")
					}
					host, guest := net.Pipe()
					go hearHost(guest, results)
					return host, nil
				}
			})
			conn, err := net.Dial("udp", s.Addr(0).String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			for i, to := range []string{"127.0.0.1:1229", "127.0.0.2:1229"} {
				r := protocol.Request{Action: protocol.Status, Hash: protocol.SHA256, Domain: "db", Random: [6]byte{byte(i)}, Seq: 7, CallBack: netip.MustParseAddrPort(to)}
				r.Sign([]byte("secret"))
				if _, err := conn.Write(r.Bytes()); err != nil {
					t.Fatal(err)
				}
			}
			select {
			case r := <-results:
				if r != 0 {
					t.Errorf("result %d", r)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("the guest is not answered")
			}
			s.Stop()
			close(dialled)
			want := []string{"127.0.0.1:1229", "127.0.0.2:1229"}
			if refuses == "" {
				want = want[:1]
			}
			for i := range max(len(want), len(dialled)) {
				if got := <-dialled; i >= len(want) || got != want[i] {
					t.Errorf("call-back %d goes to %q; want %q", i, got, want)
				}
			}
		})
	}
}

// hearHost is a guest with the key.
func hearHost(conn net.Conn, results chan<- byte) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if (&protocol.Session{Key: []byte("secret"), Auth: protocol.SHA256}).Guest(conn) != nil {
		return
	}
	var r [1]byte
	if _, err := io.ReadFull(conn, r[:]); err == nil {
		results <- r[0]
	}
}

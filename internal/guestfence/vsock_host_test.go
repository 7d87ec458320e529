//go:build host

package guestfence_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence"
	"github.com/cerco-ha/cerco/internal/guestfence/protocol"
)

func TestVsock(t *testing.T) {
	port := 20000 + rand.IntN(10000)
	s, err := guestfence.New(guestfence.Config{
		Machines: newWorld().Standalone("h1"), Log: testLog(t), Now: time.Now,
		Listeners: []guestfence.Listener{{Key: []byte("secret"), ListenerSettings: guestfence.ListenerSettings{
			Kind: guestfence.Vsock, Port: uint16(port), Hash: protocol.SHA256, Auth: protocol.SHA256,
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Skipf("no vsock here: %v", err)
	}
	defer s.Stop()
	code, out := guest(t, "fence_virt", "-S1", "-p", strconv.Itoa(port), "-k", keyFile(t, "secret"), "-o", "status", "-n", "db")
	if strings.HasPrefix(out, "Unable to connect") {
		t.Skipf("this kernel has no vsock to itself: %s", out)
	}
	if got := fmt.Sprint(code, out); got != "0Status: ON\n" {
		t.Error(got)
	}
}

//go:build host

package guestfence_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence"
	"github.com/cerco-ha/cerco/internal/guestfence/guesttest"
	"github.com/cerco-ha/cerco/internal/guestfence/protocol"
)

// TestHostsOfOneGroup has guests ask two and three hosts of one multicast group while machines move between the
// hosts, with the original's command and with ours: a thousand requests, and none is answered wrongly.
func TestHostsOfOneGroup(t *testing.T) {
	for _, c := range []struct {
		name     string
		hosts    int
		requests int
		host     func(w *guesttest.World, name string) guestfence.Machines
	}{
		{"two hosts that know only their own", 2, 400, func(w *guesttest.World, name string) guestfence.Machines { return w.Standalone(name) }},
		{"three hosts of a cluster", 3, 600, func(w *guesttest.World, name string) guestfence.Machines { return w.Member(name) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t, c.hosts, 3)
			w := guesttest.NewWorld()
			key := "shared by all"
			for i := range c.hosts {
				n.serve(i, c.host(w, fmt.Sprint(i)), nil, guestfence.Listener{Key: []byte(key), ListenerSettings: guestfence.ListenerSettings{
					Kind: guestfence.Multicast, Address: netip.MustParseAddr(protocol.Group4), Interface: "eth0", Port: protocol.Port, Hash: protocol.SHA256, Auth: protocol.SHA256,
				}})
			}
			file := keyFile(t, key)
			stop := make(chan struct{})
			var moves, asks sync.WaitGroup
			for k := range 3 { // one guest has the original's command, two have ours
				name, _ := commands(t, k > 0)
				g := *n
				g.guest = n.guests[k]
				ids := []string{fmt.Sprintf("m%d", 2*k), fmt.Sprintf("m%d", 2*k+1)}
				for i, id := range ids {
					w.Add(fmt.Sprint(i%c.hosts), guestfence.Machine{Name: id, UUID: fmt.Sprintf("00000000-0000-4000-8000-00000000000%d", 2*k+i), State: guestfence.Running})
					moves.Go(func() { wander(w, id, c.hosts, stop) })
				}
				asks.Go(func() { g.askMany(w, ids, c.requests/3+1, name, "-k", file, "-r", "2", "-t", "20") })
			}
			asks.Wait()
			close(stop)
			moves.Wait()
		})
	}
}

// wander moves a machine now and then. A move takes its time, as one between real hosts does.
func wander(w *guesttest.World, id string, hosts int, stop <-chan struct{}) {
	pause := func(least int) bool {
		select {
		case <-stop:
			return false
		case <-time.After(time.Duration(least+rand.IntN(least)) * time.Millisecond):
			return true
		}
	}
	for pause(1000) {
		arrive, err := w.Move(id, fmt.Sprint(rand.IntN(hosts)))
		if err != nil {
			continue
		}
		pause(400)
		arrive()
	}
}

// askMany asks one request after the other and holds every answer against the truth.
func (n *network) askMany(w *guesttest.World, ids []string, requests int, name string, args ...string) {
	states := map[string]guestfence.State{}
	for _, id := range ids {
		states[id] = guestfence.Running
	}
	for i := range requests {
		id := ids[rand.IntN(len(ids))]
		action := []string{"status", "status", "off", "on", "reboot"}[rand.IntN(5)]
		want := 0
		switch {
		case action == "status" && states[id].Off():
			want = 2
		case action == "off":
			states[id] = guestfence.ShutOff
		case action == "on":
			states[id] = guestfence.Running
		}
		code, out := n.call("", name, append(args, "-o", action, "-n", id)...)
		if _, is := w.Where(id); code != want || is != states[id] {
			n.t.Errorf("request %d of %s: %s %s ends with %d, %q, and not %d; the machine is %v and was to be %v", i, name, action, id, code, out, want, is, states[id])
			states[id] = is
		}
	}
}

package daemon

import (
	"context"
	"maps"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/memnet"
)

// FuzzServices has a member send anything to every service of a node. It is one of ours, so it may do what members may;
// but what it sends makes nobody panic, and every call comes to an end.
func FuzzServices(f *testing.F) {
	l := LayoutIn(f.TempDir())
	if err := Setup(l, "test", NodeOptions{Name: "n1", Listen: []string{"n1:2225"}}); err != nil {
		f.Fatal(err)
	}
	network := &memnet.Network{}
	d, err := New(Config{Layout: l, BootID: "b", Self: "/bin/true", Listener: network.Listen,
		Dial: func(ctx context.Context, _, remote string) (net.Conn, error) { return network.Dial(ctx, "n1", remote) }})
	if err != nil {
		f.Fatal(err)
	}
	if err := d.Start(); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(d.Stop)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, err := d.State(ctx, true); err != nil { // somebody leads
		f.Fatal(err)
	}
	services := d.services()
	names := slices.Sorted(maps.Keys(services))
	for i := range names {
		for _, body := range []string{`{}`, `null`, `[]`, `"root"`, `{"by":"root","remove":"n1","invite":{},"key":"x","quorum":{},"final":true,"confirm":"n1",` +
			`"request":{"target":"n1"},"name":"monitor","resource":"a","epoch":{"term":99},"config":{"edits":[{"op":"x"}]},"op":{},"fingerprint":"x","index":1}`,
			`[{"op":{"name":"start","resource":"a"},"rc":1}]`} {
			f.Add(byte(i), []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, which byte, body []byte) {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		answer, err := services[names[int(which)%len(names)]](ctx, "n2", body)
		if err = sendError(err); err != nil {
			_ = readError(err.Error())
		}
		_ = answer
	})
}

// FuzzErrors reads errors of other nodes.
func FuzzErrors(f *testing.F) {
	f.Add("refused {\"What\":\"a\",\"Fix\":\"b\"}")
	f.Add("elsewhere this node does not lead")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		if err := readError(s); err == nil {
			t.Errorf("%q is no error", s)
		}
	})
}

// FuzzNodeFile reads what a node knows of itself, and what it remembers of the others.
func FuzzNodeFile(f *testing.F) {
	f.Add([]byte(`{"cluster":"c","name":"n1","listen":["n1:2225"],"members":[{"id":"1","name":"n1"}],"found":{}}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		l := LayoutIn(t.TempDir())
		if err := l.make(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(l.nodeFile(), data, 0o600); err != nil {
			t.Fatal(err)
		}
		if n, err := l.readNode(); err == nil {
			_ = (&team{n.Generation, n.Index, n.Members}).members
		}
	})
}

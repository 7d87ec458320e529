// Package testcluster runs whole clusters in one process, for tests: real daemons with their transport, log,
// controller, executor and fencer, over a network in memory, on hosts that are a few maps, in virtual time.
//
// It promises that what the daemons do to hosts is checked as it happens: a resource that is started while
// it runs elsewhere, or on a host that is off, fails the test (invariant I1). Everything must run in a bubble
// of testing/synctest. It has no part in the program that is shipped.
package testcluster

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime/pprof"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/daemon"
	"github.com/cerco-ha/cerco/internal/memnet"
	"github.com/cerco-ha/cerco/internal/wire"
)

// Cluster is a set of hosts with a daemon each.
type Cluster struct {
	T     testing.TB
	Net   *memnet.Network
	Names []string
	World *World

	speaks map[string]cib.Vocabulary // what the daemons of hosts pretend to speak; others: what this program does

	base  string
	log   slog.Handler
	ended context.Context // ends with the test
	end   context.CancelFunc
}

// New makes a cluster of that many nodes, n1 to nN, and starts it: n1 founds it, the others join with
// invitations. It is stopped at the end of the test.
func New(t testing.TB, nodes int) *Cluster {
	t.Helper()
	return NewSpeaking(t, nodes, cib.CommandVersion)
}

// NewSpeaking is New with daemons that pretend to be of the version that speaks so; see Install.
func NewSpeaking(t testing.TB, nodes int, speaks cib.Vocabulary) *Cluster {
	t.Helper()
	c := &Cluster{T: t, Net: &memnet.Network{}, base: t.TempDir(), log: slog.DiscardHandler, speaks: map[string]cib.Vocabulary{}}
	c.ended, c.end = context.WithCancel(context.Background())
	c.World = newWorld(c)
	if os.Getenv("TESTCLUSTER_LOG") != "" {
		c.log = slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})
	}
	t.Cleanup(c.stop)
	for i := range nodes {
		name := fmt.Sprintf("n%d", i+1)
		c.speaks[name] = speaks
		c.Add(name)
	}
	c.Until("all members are online", func() bool { return c.Online() == nodes })
	return c
}

// Add makes a node a member and starts it.
func (c *Cluster) Add(name string) {
	c.T.Helper()
	o := daemon.NodeOptions{Name: name, Listen: []string{name + ":2225"}, Dial: c.World.Dial(name), Speaks: c.speaks[name]}
	if len(c.Names) == 0 {
		if err := daemon.Setup(c.World.Layout(name), "test", o); err != nil {
			c.T.Fatal(err)
		}
	} else {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		invited, err := c.Daemon(c.Names[0]).Invite(ctx, wire.Invite{ValidMS: 3600_000}, "root")
		if err != nil {
			c.T.Fatal(err)
		}
		if err := daemon.Join(ctx, c.World.Layout(name), invited.Token, o); err != nil {
			c.T.Fatal(err)
		}
	}
	c.Names = append(c.Names, name)
	c.Start(name)
	if len(c.Names) == 1 {
		c.Until(name+" leads", func() bool { return c.Leader() == name })
	}
}

// Start boots a host that is off, or starts the daemon of one that is on.
func (c *Cluster) Start(name string) {
	c.T.Helper()
	if err := c.World.start(name); err != nil {
		c.T.Fatal(err)
	}
}

// Crash takes the power of a host away.
func (c *Cluster) Crash(name string) { c.World.powerOff(name, "the test crashes it") }

// Kill ends the daemon of a host as SIGKILL does; what runs there goes on.
func (c *Cluster) Kill(name string) { c.World.kill(name) }

// Leave has a node leave in order: everything is moved away from it, then its daemon ends.
func (c *Cluster) Leave(name string) {
	c.T.Helper()
	d := c.Daemon(name)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if _, err := d.Propose(ctx, cib.Command{By: "root", Attributes: []cib.AttributeUpdate{{Node: name, Name: "shutdown", Value: "1"}}}); err != nil {
		c.T.Fatal(err)
	}
	c.Until(name+" has left", func() bool {
		select {
		case <-d.Ended():
			return true
		default:
			return false
		}
	})
	d.Stop()
	c.World.mu.Lock()
	defer c.World.mu.Unlock()
	c.World.host(name).boot = nil
}

// Install has a host's daemon pretend to be of the version that speaks so, from when it is started next.
func (c *Cluster) Install(name string, speaks cib.Vocabulary) {
	c.World.mu.Lock()
	defer c.World.mu.Unlock()
	c.speaks[name] = speaks
}

// Daemon is the one that runs on a host; nil when none does.
func (c *Cluster) Daemon(name string) *daemon.Daemon { return c.World.daemon(name) }

func (c *Cluster) stop() {
	c.end()
	for _, name := range c.Names {
		c.World.kill(name)
	}
	c.World.wg.Wait()
}

// Leader is the node that leads, as most of the running ones that say anything see it; "" for none.
func (c *Cluster) Leader() string {
	votes := map[string]int{}
	best := ""
	for _, name := range c.Names {
		if d := c.Daemon(name); d != nil {
			l := d.Self().Leader
			votes[l]++
			if l != "" && (best == "" || votes[l] > votes[best]) {
				best = l
			}
		}
	}
	return best
}

// State is the newest that any running node has.
func (c *Cluster) State() cib.State {
	var best cib.State
	for _, name := range c.Names {
		if d := c.Daemon(name); d != nil {
			st, _ := d.State(context.Background(), false)
			if best.CIB == nil || st.Cluster.Generation > best.Cluster.Generation || st.Cluster.Generation == best.Cluster.Generation && st.Index > best.Index {
				best = st
			}
		}
	}
	return best
}

// Online is the number of nodes that the newest state has as members that are up.
func (c *Cluster) Online() int {
	n, st := 0, c.State()
	if st.CIB == nil { // no daemon runs
		return 0
	}
	for _, ns := range st.CIB.Status.Nodes {
		if ns.InCCM == "true" && ns.Crmd == "online" && ns.Join == "member" {
			n++
		}
	}
	return n
}

// Until waits, in virtual time, for something to become true, and returns how long that took.
func (c *Cluster) Until(what string, ok func() bool) time.Duration {
	c.T.Helper()
	began := time.Now()
	for !ok() {
		if time.Since(began) > 2*time.Minute {
			if os.Getenv("TESTCLUSTER_LOG") != "" {
				_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 2)
			}
			c.T.Fatalf("not within two minutes: %s\n%s", what, c.Picture())
		}
		time.Sleep(10 * time.Millisecond)
	}
	return time.Since(began)
}

// Edit changes the configuration through a node.
func (c *Cluster) Edit(node string, edits ...cib.Edit) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_, err := c.Daemon(node).Propose(ctx, cib.Command{By: "root", Config: &cib.ConfigChange{Edits: edits}})
	return err
}

// service is a resource that the model hosts run.
const service = `<primitive id="%[1]s" class="ocf" provider="test" type="Service"><operations>
  <op id="%[1]s-monitor" name="monitor" interval="10s" timeout="10s"/></operations></primitive>`

// Configure gives the cluster a fence device for every host, and services.
func (c *Cluster) Configure(services ...string) {
	c.T.Helper()
	edits := []cib.Edit{{Op: "create", Parent: "/cib/configuration/resources",
		XML: `<primitive id="power" class="stonith" type="fence_test"/>`},
		{Op: "modify", Create: true, XML: `<rsc_defaults><meta_attributes id="defaults"><nvpair id="stick" name="resource-stickiness" value="100"/></meta_attributes></rsc_defaults>`}}
	for _, s := range services {
		edits = append(edits, cib.Edit{Op: "create", Parent: "/cib/configuration/resources", XML: fmt.Sprintf(service, s)})
	}
	if err := c.Edit(c.Names[0], edits...); err != nil {
		c.T.Fatal(err)
	}
	c.Until("all services run", func() bool { return c.World.AllRun(services...) })
}

// Picture is where everything is, for failures.
func (c *Cluster) Picture() string {
	out := "running: " + c.World.String() + "\n"
	for _, name := range c.Names {
		d := c.Daemon(name)
		if d == nil {
			out += name + ": no daemon\n"
			continue
		}
		st, _ := d.State(context.Background(), false)
		out += fmt.Sprintf("%s: leader %q, index %d, generation %d\n", name, d.Self().Leader, st.Index, st.Cluster.Generation)
		for _, ns := range st.CIB.Status.Nodes {
			out += fmt.Sprintf("   %s in_ccm=%s crmd=%s join=%s expected=%s\n", ns.Name, ns.InCCM, ns.Crmd, ns.Join, ns.Expected)
		}
		for _, f := range st.Fencing[max(0, len(st.Fencing)-3):] {
			out += fmt.Sprintf("   fencing of %s (%s): %s %s %s\n", f.Target, f.Action, f.State, f.Evidence, f.Error)
		}
		if rest, err := d.Rest(shortly(), 0); err == nil {
			out += fmt.Sprintf("   rest: %+v\n", rest)
		}
	}
	return out
}

// shortly is a context that gives nobody time.
func shortly() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	context.AfterFunc(ctx, cancel)
	return ctx
}

// Settled reports whether the leader has nothing to do.
func (c *Cluster) Settled() bool {
	d := c.Daemon(c.Leader())
	if d == nil {
		return false
	}
	rest, err := d.Rest(shortly(), 0)
	return err == nil && rest.Settled
}

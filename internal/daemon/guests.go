package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/events"
	"github.com/cerco-ha/cerco/internal/guestfence"
	"github.com/cerco-ha/cerco/internal/guestfence/virtd"
	"github.com/cerco-ha/cerco/internal/hypervisor"
	"github.com/cerco-ha/cerco/internal/owner"
)

// guestConf is where fence_virtd has its configuration.
const guestConf = "/etc/fence_virt.conf"

// guestOption is the cluster option that has all hosts serve their guests. It is the cluster's and not a host's: a
// host that did not answer for its machines would be one whose guests cannot be fenced.
const guestOption = "guest-fencing"

// guestsAgain is how often a configuration is looked at that has changed or could not be served.
const guestsAgain = 10 * time.Second

// GuestConfig is how guests' requests are served, while the cluster's option guest-fencing is true.
type GuestConfig struct {
	Conf string          // in the words of fence_virt.conf
	Host hypervisor.Host // instead of the libvirt that Conf names, for tests
}

// guests serves the requests of virtual machines to fence each other.
type guests struct {
	d     *Daemon
	again chan struct{} // of capacity 1: the configuration may have changed

	machines atomic.Pointer[owner.Cluster] // while guests are served
}

func newGuests(d *Daemon) *guests { return &guests{d: d, again: make(chan struct{}, 1)} }

// look has the cluster's configuration looked at again.
func (g *guests) look() {
	select {
	case g.again <- struct{}{}:
	default:
	}
}

// run serves, as long as the daemon runs and the cluster wants it.
func (g *guests) run() {
	var (
		stop   func() // of what serves now; nil: nothing
		served string // the configuration that it has
		failed string // what was said last of one that cannot be served
	)
	end := func() {
		if stop != nil {
			stop()
			stop = nil
		}
	}
	defer end()
	for {
		later := make(<-chan time.Time)
		if g.wanted() {
			later = time.After(guestsAgain)
			if now := fingerprint(g.d.cfg.Guests.Conf); stop == nil || now != served {
				end()
				var err error
				if stop, err = g.serve(); err != nil && err.Error() != failed {
					failed = err.Error()
					g.d.log.Error("the requests of guests cannot be served", "error", err)
					g.d.journal.Add(events.Event{At: g.d.cfg.Now(), Kind: events.KindNote, Node: g.d.node.Name, Bad: true,
						Text: "guests here cannot be fenced: " + failed})
				} else if err == nil {
					served, failed = now, ""
				}
			}
		} else {
			end()
		}
		select {
		case <-g.again:
		case <-later:
		case <-g.d.ctx.Done():
			return
		}
	}
}

func (g *guests) wanted() bool {
	c := g.d.store.View().CIB
	if c == nil {
		return false // nothing is known of a cluster yet
	}
	yes, _ := cib.ParseBool(c.Option(guestOption, g.d.cfg.Now()))
	return yes
}

// fingerprint changes when a configuration or a key that it names does.
func fingerprint(conf string) string {
	files := []string{conf}
	if _, listeners, err := virtd.Load(conf); err == nil {
		for _, l := range listeners {
			files = append(files, l.KeyFile)
		}
	}
	text := ""
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			text += fmt.Sprintln(f, info.ModTime().UnixNano(), info.Size())
		}
	}
	return text
}

// serve begins to serve, and returns what ends that.
func (g *guests) serve() (stop func(), err error) {
	d := g.d
	s, listeners, err := virtd.Load(d.cfg.Guests.Conf)
	if err != nil {
		return nil, err
	}
	for _, w := range s.Warnings {
		d.log.Warn(w)
	}
	host := d.cfg.Guests.Host
	leave := func() {}
	if host == nil {
		uri := hypervisor.DefaultURI
		if len(s.URIs) > 0 {
			uri = s.URIs[0]
		}
		l, err := hypervisor.Open(hypervisor.Config{URI: uri, Log: d.log, Now: d.cfg.Now})
		if err != nil {
			return nil, err
		}
		if l.Remote() {
			l.Close()
			return nil, fmt.Errorf("%s: %s is not this host's; in a cluster every host serves its own machines", d.cfg.Guests.Conf, uri)
		}
		host, leave = l, l.Close
	}
	m := owner.NewCluster(owner.ClusterConfig{Node: d.node.Name, Host: host, State: d.State, Failed: g.failed, Read: os.ReadFile, Now: d.cfg.Now, Log: d.log,
		Leader: func() string { name, _ := d.store.Leader(); return name }, Pass: g.pass, Flying: d.loop.flying})
	server, err := guestfence.New(guestfence.Config{Machines: m, Listeners: listeners, Groups: s.Groups, Dir: d.cfg.Layout.guestsDir(), Log: d.log, Now: d.cfg.Now})
	if err == nil {
		m.Start()
		err = server.Start()
	}
	if err != nil {
		m.Stop()
		leave()
		return nil, err
	}
	g.machines.Store(m)
	d.log.Info("the requests of guests are served", "configuration", d.cfg.Guests.Conf, "listeners", len(listeners))
	return func() {
		g.machines.Store(nil)
		server.Stop()
		m.Stop()
		leave()
		d.log.Info("the requests of guests are not served any more")
	}, nil
}

// passedLimit is how long a request may take that another host has passed on.
const passedLimit = time.Minute

// pass has another host carry out a guest's request.
func (g *guests) pass(ctx context.Context, node string, p owner.Passed) (proof guestfence.Proof, err error) {
	body, err := json.Marshal(p)
	if err != nil {
		return proof, err
	}
	answer, err := g.d.call(ctx, node, serviceGuests, body)
	if err != nil {
		return proof, err
	}
	err = json.Unmarshal(answer, &proof)
	return proof, err
}

// servePassed carries out a guest's request that another host has passed on.
func (d *Daemon) servePassed(ctx context.Context, from string, body []byte) ([]byte, error) {
	var p owner.Passed
	if err := json.Unmarshal(body, &p); err != nil {
		return nil, err
	}
	m := d.guests.machines.Load()
	if m == nil {
		return nil, errors.New("no requests of guests are served here")
	}
	ctx, cancel := context.WithTimeout(ctx, passedLimit)
	defer cancel()
	proof, err := m.Carry(ctx, p)
	d.log.Info("a guest's request that was passed on", "from", from, "action", p.Action, "machine", p.Machine, "proof", string(proof.Kind), "error", err)
	if err != nil {
		return nil, err
	}
	return json.Marshal(proof)
}

// failed has the cluster know that a machine which is a resource has ended here.
func (g *guests) failed(ctx context.Context, resource string) error {
	st, err := g.d.State(ctx, true)
	if err != nil {
		return err
	}
	r, ok := st.CIB.FailedMonitor(g.d.node.Name, resource, "cut off by guest fencing", g.d.cfg.Now())
	if !ok {
		return fmt.Errorf("nothing is known of %s on %s", resource, g.d.node.Name)
	}
	_, err = g.d.Propose(ctx, cib.Command{By: g.d.node.Name, Note: "guest fencing has cut off " + resource, Results: []cib.OpResult{r}})
	return err
}

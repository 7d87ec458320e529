package daemon

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/controller"
	"github.com/cerco-ha/cerco/internal/fencer"
	"github.com/cerco-ha/cerco/internal/wire"
)

type beat struct{ ID, Name, Boot string }
type verdict struct {
	Quorate         bool
	Why             string
	Votes, Expected int
}
type members struct {
	d      *Daemon
	mu     sync.Mutex
	last   map[string]fencer.Heard
	said   string
	cancel context.CancelFunc
	done   chan struct{}
}

func (d *Daemon) startMembers() {
	d.members = &members{d: d, last: map[string]fencer.Heard{}}
	d.lone = &lone{}
	d.peer.HandleSend(serviceBeat, func(from string, link int, msg []byte) {
		var b beat
		if json.Unmarshal(msg, &b) == nil {
			d.members.mu.Lock()
			d.members.last[b.Name] = fencer.Heard{At: time.Now(), BootID: b.Boot}
			d.members.mu.Unlock()
		}
	})
}
func (m *members) start() {
	ctx, cancel := context.WithCancel(m.d.ctx)
	m.cancel, m.done = cancel, make(chan struct{})
	go func() {
		defer close(m.done)
		t := time.NewTicker(100 * time.Millisecond)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
			}
			me := m.d.store.View().Cluster.Member(m.d.node.Name)
			if me == nil {
				continue
			}
			msg, _ := json.Marshal(beat{me.ID, me.Name, m.d.cfg.BootID})
			for _, p := range m.d.store.View().Cluster.Members {
				if p.Name != me.Name {
					m.d.peer.Send(p.Name, serviceBeat, msg)
				}
			}
			m.d.membersChanged()
		}
	}()
}
func (m *members) stop() {
	if m.cancel != nil {
		m.cancel()
		<-m.done
	}
}
func (m *members) changed(cib.State)    {}
func (m *members) token() time.Duration { return 800 * time.Millisecond }
func (m *members) verdict() verdict     { return verdict{Quorate: true} }
func (m *members) seen() []wire.Seen    { return nil }
func (m *members) heard(node string) (fencer.Heard, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	h, ok := m.last[node]
	return h, ok
}
func (d *Daemon) membersChanged() {
	o := d.leading()
	if o == nil {
		return
	}
	m := d.members
	now := time.Now()
	var hs []controller.Heard
	key := ""
	for _, p := range d.store.View().Cluster.Members {
		h, ok := m.heard(p.Name)
		if p.Name == d.node.Name {
			h, ok = fencer.Heard{At: now, BootID: d.cfg.BootID}, true
		}
		if !ok {
			continue
		}
		lost := now.Sub(h.At) > m.token()
		ready := p.Name == d.node.Name
		o.mu.Lock()
		_, asked := o.asked[p.Name]
		if o.begun && !asked && !lost && !o.asking[p.Name] && !ready {
			o.asking[p.Name] = true
			d.wg.Go(func() {
				ops, err := d.openLedger(o, p.Name, "")
				o.mu.Lock()
				delete(o.asking, p.Name)
				o.mu.Unlock()
				if err != nil {
					d.log.Warn("ledger", "node", p.Name, "error", err)
					return
				}
				_ = ops
				d.membersChanged()
			})
		}
		begun := o.begun
		o.mu.Unlock()
		if !begun {
			return
		}
		hs = append(hs, controller.Heard{ID: p.ID, Name: p.Name, BootID: h.BootID, Lost: lost, LastHeard: h.At, Ready: ready || asked && !lost})
		k, _ := json.Marshal([]any{p.Name, h.BootID, lost, ready || asked})
		key += string(k)
	}
	m.mu.Lock()
	same := m.said == key
	m.said = key
	m.mu.Unlock()
	if !same {
		d.loop.put(controller.Members{Heard: hs, Quorate: true})
	}
}

type lone struct{}

func (*lone) confirm(cib.FenceRecord) {}
func (*lone) look() any               { return nil }

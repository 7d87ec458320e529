package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/cerco-ha/cerco/internal/events"
)

// How often a node looks at the age of its key, and when for the first time.
const (
	firstKeyLook = time.Minute
	keyLook      = time.Hour
)

// mindKeyAge exchanges this node's key whenever it is as old as the cluster's options let it get.
func (d *Daemon) mindKeyAge() {
	timer := time.NewTimer(firstKeyLook)
	defer timer.Stop()
	for {
		select {
		case <-d.ctx.Done():
			return
		case <-timer.C:
		}
		timer.Reset(keyLook)
		c := d.store.View().Cluster
		m := c.Member(d.node.Name)
		if m == nil || !c.KeyDue(m, d.cfg.Now()) {
			continue
		}
		if err := d.exchangeOldKey(); err != nil && d.ctx.Err() == nil {
			d.log.Error("this node's key is old and could not be exchanged; it is tried again", "again", keyLook, "error", err)
			d.journal.Add(events.Event{At: d.cfg.Now(), Kind: events.KindNote, Node: m.Name, Bad: true,
				Text: fmt.Sprintf("the key of %s is older than %d days and could not be exchanged: %v", m.Name, c.KeyDays, err)})
		}
	}
}

func (d *Daemon) exchangeOldKey() error {
	ctx, cancel := context.WithTimeout(d.ctx, time.Minute)
	defer cancel()
	by, err := json.Marshal("its age")
	if err != nil {
		return err
	}
	_, err = d.serveRotate(ctx, d.node.Name, by)
	return err
}

package hypervisor

import (
	"context"
	"time"

	"github.com/digitalocean/go-libvirt"
)

// Events implements Host.
func (l *Libvirt) Events(ctx context.Context) <-chan Event {
	out := make(chan Event)
	go func() {
		defer close(out)
		for ctx.Err() == nil {
			l.follow(ctx, out)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second): // and then libvirt may be back
			}
		}
	}()
	return out
}

// follow tells what happens until the connection ends.
func (l *Libvirt) follow(ctx context.Context, out chan<- Event) {
	first, cancel := context.WithTimeout(ctx, l.cfg.AskWithin)
	defer cancel()
	k, err := l.place.connect(first)
	if err != nil {
		l.cfg.Log.Debug("no events of libvirt", "uri", l.cfg.URI, "err", err)
		return
	}
	defer k.close()
	defer context.AfterFunc(ctx, k.close)()
	late := context.AfterFunc(first, k.close)
	events, err := k.lib.LifecycleEvents(context.Background()) // it ends with the connection
	if !late() || err != nil {
		l.cfg.Log.Debug("no events of libvirt", "uri", l.cfg.URI, "err", err)
		return
	}
	tell := func(e Event) {
		select {
		case out <- e:
		case <-ctx.Done(): // and then the channel of the library is read to its end
		}
	}
	tell(Event{Kind: Again})
	for e := range events {
		tell(Event{Kind: kindOf(e), Name: e.Dom.Name, UUID: uuidText(e.Dom.UUID)})
	}
}

func kindOf(e libvirt.DomainEventLifecycleMsg) EventKind {
	switch libvirt.DomainEventType(e.Event) {
	case libvirt.DomainEventDefined:
		return Defined
	case libvirt.DomainEventUndefined:
		return Undefined
	case libvirt.DomainEventStarted:
		return Started
	case libvirt.DomainEventSuspended:
		return Paused
	case libvirt.DomainEventResumed:
		return Resumed
	case libvirt.DomainEventStopped:
		if libvirt.DomainEventStoppedDetailType(e.Detail) == libvirt.DomainEventStoppedMigrated {
			return Moved
		}
		return Stopped
	}
	return Other
}

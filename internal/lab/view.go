package lab

import (
	"context"
	"errors"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/wire"
)

// errNobody says that no node of the lab answers.
var errNobody = errors.New("no node of the lab answers: is one running? cerco lab status tells")

// ask lets each living node answer until one does.
func (l *Lab) ask(ctx context.Context, f func(c *client.Client) error) error {
	errs := []error{errNobody}
	for _, n := range l.Nodes {
		c, err := l.Client(n.Name)
		if err == nil {
			err = f(c)
			c.Close()
		}
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return errors.Join(context.Cause(ctx), err)
		}
		if !errors.Is(err, client.ErrNoDaemon) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Status is the cluster as the first node that answers sees it.
func (l *Lab) Status(ctx context.Context) (s wire.Status, err error) {
	err = l.ask(ctx, func(c *client.Client) (err error) {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		s, err = c.Status(ctx)
		return err
	})
	return s, err
}

// View is the same, understood.
func (l *Lab) View(ctx context.Context) (*scheduler.View, error) {
	s, err := l.Status(ctx)
	if err != nil {
		return nil, err
	}
	c, err := cib.Decode("status", []byte(s.CIB))
	if err != nil {
		return nil, err
	}
	return scheduler.Look(c, scheduler.Options{Now: time.Now()}), nil
}

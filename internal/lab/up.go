package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/daemon"
	"github.com/cerco-ha/cerco/internal/wire"
)

// Up starts every node: the first one founds the cluster, the others are invited and join, as on real hosts.
func (l *Lab) Up(ctx context.Context, say func(format string, args ...any)) error {
	if err := l.installAgents(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(l.Dir, "records"), 0o700); err != nil {
		return err
	}
	for i := range l.Nodes {
		n := &l.Nodes[i]
		o := daemon.NodeOptions{Name: n.Name, Listen: n.Addrs, API: n.API}
		layout := daemon.LayoutIn(l.Path(n.Name))
		if i == 0 {
			if err := daemon.Setup(layout, cmp.Or(l.Cluster, "lab"), o); err != nil {
				return err
			}
			say("%s founds the cluster", n.Name)
		} else {
			token, err := l.invite(ctx)
			if err != nil {
				return err
			}
			if err := daemon.Join(ctx, layout, token, o); err != nil {
				return err
			}
			say("%s joins", n.Name)
		}
		if err := l.spawn(n, newBootID()); err != nil {
			return err
		}
		if i == 0 {
			if err := l.awaitLeader(ctx); err != nil {
				return err
			}
		}
	}
	return l.awaitOnline(ctx, len(l.Nodes))
}

// Client talks to a node.
func (l *Lab) Client(node string) (*client.Client, error) { return client.Dial(l.Socket(node), nil) }

func (l *Lab) invite(ctx context.Context) (string, error) {
	c, err := l.Client(l.Nodes[0].Name)
	if err != nil {
		return "", err
	}
	defer c.Close()
	i, err := c.Invite(ctx, wire.Invite{ValidMS: time.Minute.Milliseconds()})
	return i.Token, err
}

// poll asks until the answer is yes or the context ends; then it tells what was missing.
func poll(ctx context.Context, what string, yes func() (bool, error)) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := yes()
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("waiting for %s: %w", what, context.Cause(ctx)), err)
		case <-tick.C:
		}
	}
}

func (l *Lab) awaitLeader(ctx context.Context) error {
	c, err := l.Client(l.Nodes[0].Name)
	if err != nil {
		return err
	}
	defer c.Close()
	return poll(ctx, "the first node to lead", func() (bool, error) {
		n, err := c.Node(ctx)
		return err == nil && n.Leader != "", err
	})
}

// awaitOnline waits until so many nodes are members that are up.
func (l *Lab) awaitOnline(ctx context.Context, want int) error {
	return poll(ctx, fmt.Sprintf("%d nodes to be up", want), func() (bool, error) {
		v, err := l.View(ctx)
		if err != nil {
			return false, err
		}
		online := 0
		for _, n := range v.Nodes {
			if n.Online {
				online++
			}
		}
		return online >= want, nil
	})
}

// Living are the names of the nodes that have processes.
func (l *Lab) Living() []string {
	var out []string
	for _, n := range l.Nodes {
		if pids, err := l.Processes(n.Name); err == nil && len(pids) > 0 {
			out = append(out, n.Name)
		}
	}
	return out
}

// Down ends everything and removes the directory.
func (l *Lab) Down(ctx context.Context) error {
	booting, err := marked(bootingName + "=" + l.Dir)
	if err != nil {
		return err
	}
	for _, pid := range booting {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it has just gone, or it goes now
	}
	for _, n := range l.Nodes {
		if err := l.PowerOff(ctx, n.Name); err != nil {
			return err
		}
	}
	own := own()
	for _, n := range l.Nodes {
		own = append(own, n.Name)
	}
	entries, err := os.ReadDir(l.Dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if slices.Contains(own, e.Name()) {
			if err := os.RemoveAll(filepath.Join(l.Dir, e.Name())); err != nil {
				return err
			}
		}
	}
	_ = os.Remove(l.Dir) // stays if there is anything of somebody else's in it
	return nil
}

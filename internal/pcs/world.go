package pcs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/cibfile"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/wire"
)

// world is what a command works on: a file, or a cluster.
type world interface {
	// read is the whole CIB, as the newest that is agreed on.
	read() (*cib.CIB, error)
	// look is the whole CIB for showing it: without a leader what this node knew last.
	look() (*cib.CIB, error)
	// write puts a configuration in the place of that which was read.
	write(from *cib.CIB, to *cib.Element) error
}

// world opens what -f names, else the cluster of this node.
func (c *call) world() (world, error) {
	if c.opened != nil {
		return c.opened, nil
	}
	if c.has("f") {
		c.opened = &fileWorld{path: c.option("f")}
	} else {
		daemon, err := c.daemon()
		if err != nil {
			return nil, err
		}
		c.opened = &liveWorld{call: c, client: daemon}
	}
	return c.opened, nil
}

// document opens what the command works on, and reads it.
func (c *call) document() (world, *cib.CIB, error) {
	w, err := c.world()
	if err != nil {
		return nil, nil, err
	}
	doc, err := w.read()
	return w, doc, err
}

// latest is the document for showing it: without a leader what this node knew last.
func (c *call) latest() (*cib.CIB, error) {
	w, err := c.world()
	if err != nil {
		return nil, err
	}
	return w.look()
}

// onFile reports whether the command works on a file.
func (c *call) onFile() bool { return c.has("f") }

// daemon is a client of this node's daemon.
func (c *call) daemon() (*client.Client, error) {
	socket := cmp.Or(c.Socket, client.DefaultSocket)
	if c.has("dir") { // where a node is that has a directory of its own
		socket = filepath.Join(c.option("dir"), "run", "cerco.sock")
	}
	d, err := client.Dial(socket, nil)
	if err == nil {
		d.SetTool(strings.Join(append([]string{c.program}, c.path...), "-"))
	}
	return d, err
}

func (c *call) context() context.Context {
	if c.Context == nil {
		return context.Background()
	}
	return c.Context
}

// fileWorld is a CIB in a file.
type fileWorld struct{ path string }

var _ world = (*fileWorld)(nil)

// emptyCIB is what a file that is not there begins as.
const emptyCIB = `<cib admin_epoch="0" epoch="0" num_updates="0" validate-with="pacemaker-3.1"><configuration><crm_config/><nodes/><resources/><constraints/></configuration><status/></cib>`

func (w *fileWorld) read() (*cib.CIB, error) {
	doc, err := cibfile.Read(w.path)
	if errors.Is(err, fs.ErrNotExist) {
		return cib.Decode(w.path, []byte(emptyCIB))
	}
	if err != nil {
		return nil, fmt.Errorf("unable to read the CIB in a file: %w", err)
	}
	return doc, nil
}

func (w *fileWorld) look() (*cib.CIB, error) { return w.read() }

func (w *fileWorld) write(from *cib.CIB, to *cib.Element) error {
	return cibfile.WriteRoot(w.path, cib.Succeed(from.Root, to))
}

// liveWorld is a running cluster.
type liveWorld struct {
	call   *call
	client *client.Client
	warned bool // that nobody decides
}

var _ world = (*liveWorld)(nil)

// leaderTime is how long a change waits for somebody who decides: an election takes a second or two.
const leaderTime = 6 * time.Second

// read waits for a leader, and after a second it says whom it misses.
func (w *liveWorld) read() (*cib.CIB, error) {
	doc, err := w.newest(reachTime)
	if !errors.Is(err, errNobody) {
		return doc, err
	}
	w.call.note("Nobody decides at the moment; waiting for a leader%s", w.call.whoIsMissing())
	return w.newest(leaderTime - reachTime)
}

// newest is the CIB with a leader's word that there is no newer one.
func (w *liveWorld) newest(within time.Duration) (*cib.CIB, error) {
	ctx, cancel := context.WithTimeout(w.call.context(), within)
	defer cancel()
	data, err := w.client.CIB(ctx, false)
	if leaderless(ctx, w.call.context(), err) {
		return nil, errNobody
	}
	if err != nil {
		return nil, err
	}
	return cib.Decode("", data)
}

// errNobody says that the cluster has no leader, and so nothing can be agreed on.
var errNobody = errors.New("nobody decides at the moment: without a majority of the nodes nothing can be changed")

func (w *liveWorld) look() (*cib.CIB, error) {
	doc, err := w.newest(reachTime)
	if !errors.Is(err, errNobody) {
		return doc, err
	}
	data, failed := w.client.CIB(w.call.context(), true)
	if failed != nil {
		return nil, failed
	}
	if !w.warned {
		w.warned = true
		w.call.warnf("nobody decides at the moment: this is what the node knew last%s", w.call.whoIsMissing())
	}
	return cib.Decode("", data)
}

// write commits the difference, if the configuration is still the one that was read.
func (w *liveWorld) write(from *cib.CIB, to *cib.Element) error {
	patch := cib.Diff(from.Root, to)
	wait, err := w.call.wait()
	if err != nil {
		return err
	}
	edit := wire.Edit{Base: from.Version.String(), Edits: []cib.Edit{{Op: "patch", XML: patch.Element().String()}}, Note: w.call.option("note")}
	changed, err := w.client.Edit(w.call.context(), edit, wait)
	if client.HasCode(err, wire.CodeVersion) {
		return w.conflict(from)
	}
	if err == nil {
		err = unrest(changed.Rest)
	}
	return err
}

// unrest is the error of a cluster that has not come to rest in the time that was given; nil if it has, or if nobody waited.
func unrest(rest *wire.Rest) error {
	if rest == nil || rest.Settled {
		return nil
	}
	var what []string
	for _, w := range rest.Waiting {
		what = append(what, strings.TrimSuffix(w.What+": "+w.Why, ": "))
	}
	return fmt.Errorf("the change is made, but the cluster has not come to rest in that time; it waits for %s", cmp.Or(strings.Join(what, "; "), "its plan"))
}

// movedError is the error of a change that was made for an older configuration.
type movedError struct {
	text string
	now  *cib.CIB
}

func (e *movedError) Error() string { return e.text }

// conflict says what others have changed meanwhile.
func (w *liveWorld) conflict(from *cib.CIB) error {
	now, err := w.read()
	if err != nil {
		return err
	}
	return &movedError{fmt.Sprintf("the configuration has been changed meanwhile, from version %s to %s; nothing was done, try again. Changed by others:%s",
		from.Version, now.Version, changesText(from.Root, now.Root)), now}
}

// wait is what --wait asks for.
func (c *call) wait() (client.Wait, error) {
	if !c.has("wait") {
		return client.Wait{}, nil
	}
	w := client.Wait{Settled: true, Timeout: time.Hour}
	if text := c.option("wait"); text != "" {
		ms, ok := cib.ParseDuration(text)
		if !ok || ms < 0 {
			return w, &usageError{fmt.Sprintf("'%s' is no time to wait: give seconds, such as --wait=60", text)}
		}
		w.Timeout = time.Duration(ms) * time.Millisecond
	}
	return w, nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

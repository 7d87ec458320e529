package compat

import (
	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/cibfile"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/wire"
)

// world is what a tool works on: a cluster, or a file.
type world interface {
	// document is the whole CIB.
	document() (*cib.CIB, error)
	// find is what an XPath finds.
	find(xpath string) ([]wire.Found, error)
	// edit changes the configuration, all edits or none.
	edit(edits ...cib.Edit) error
	// setAttributes changes node attributes.
	setAttributes(updates ...cib.AttributeUpdate) error
	// attributes lists node attributes; empty strings match everything.
	attributes(node, name string) ([]wire.Attribute, error)
	// localNode is the name of the node that this is.
	localNode() (string, error)
	// live is the daemon, nil for a file.
	live() *client.Client
	// fresh has what is read from now on be no older than the call: a node's own copy may lag behind what another
	// node was told is done, and a change that is made from it would be refused.
	fresh()
}

// liveWorld is a running cluster.
type liveWorld struct {
	call   *call
	client *client.Client
	cached *cib.CIB
	newest bool
}

var _ world = (*liveWorld)(nil)

func (w *liveWorld) daemon() (*client.Client, error) {
	if w.client == nil {
		d, err := w.call.daemon()
		if err != nil {
			return nil, err
		}
		w.client = d
	}
	return w.client, nil
}

func (w *liveWorld) fresh() { w.newest, w.cached = true, nil }

func (w *liveWorld) live() *client.Client {
	d, err := w.daemon()
	if err != nil {
		return nil
	}
	return d
}

func (w *liveWorld) document() (*cib.CIB, error) {
	if w.cached != nil {
		return w.cached, nil
	}
	d, err := w.daemon()
	if err != nil {
		return nil, err
	}
	data, err := d.CIB(w.call.context(), !w.newest)
	if err != nil {
		return nil, err
	}
	w.cached, err = cib.Decode("", data)
	return w.cached, err
}

func (w *liveWorld) find(xpath string) ([]wire.Found, error) {
	d, err := w.daemon()
	if err != nil {
		return nil, err
	}
	return d.Query(w.call.context(), xpath, !w.newest)
}

func (w *liveWorld) edit(edits ...cib.Edit) error {
	d, err := w.daemon()
	if err == nil {
		w.cached = nil
		_, err = d.Edit(w.call.context(), wire.Edit{Edits: edits}, client.Wait{})
	}
	return err
}

func (w *liveWorld) setAttributes(updates ...cib.AttributeUpdate) error {
	d, err := w.daemon()
	if err == nil {
		w.cached = nil
		_, err = d.SetAttributes(w.call.context(), updates, client.Wait{})
	}
	return err
}

func (w *liveWorld) attributes(node, name string) ([]wire.Attribute, error) {
	d, err := w.daemon()
	if err != nil {
		return nil, err
	}
	return d.Attributes(w.call.context(), node, name, !w.newest)
}

func (w *liveWorld) localNode() (string, error) {
	d, err := w.daemon()
	if err != nil {
		return "", err
	}
	n, err := d.Node(w.call.context())
	return n.Name, err
}

// fileWorld is a CIB in a file. What is read is kept, what is changed is written at once.
type fileWorld struct {
	path string
	host func() (string, error)
	doc  *cib.CIB
}

var _ world = (*fileWorld)(nil)

func (w *fileWorld) live() *client.Client { return nil }

func (w *fileWorld) fresh() {}

func (w *fileWorld) document() (*cib.CIB, error) {
	if w.doc != nil {
		return w.doc, nil
	}
	var err error
	w.doc, err = cibfile.Read(w.path)
	return w.doc, err
}

func (w *fileWorld) find(xpath string) ([]wire.Found, error) {
	c, err := w.document()
	if err != nil {
		return nil, err
	}
	matches, err := cib.Query(c.Root, xpath)
	if err != nil {
		return nil, err
	}
	list := make([]wire.Found, len(matches))
	for i, m := range matches {
		list[i] = wire.Found{Path: m.Path.String(), XML: m.Element().String(), Attr: m.Attr}
		if m.Attr != "" {
			list[i].Value = m.Value()
		}
	}
	return list, nil
}

// apply has the file's CIB follow a command.
func (w *fileWorld) apply(c cib.Command) error {
	doc, err := w.document()
	if err != nil {
		return err
	}
	next, err := cib.Apply(cib.State{CIB: doc}, c)
	if err != nil {
		return err
	}
	if next.CIB.Root == doc.Root {
		return nil
	}
	if c.Config != nil {
		if err := cib.Refuse(doc, next.CIB); err != nil {
			return err
		}
	}
	root := next.CIB.Root
	for _, name := range []string{"cib-last-written", "update-origin", "update-client", "update-user"} {
		if v, ok := doc.Root.Lookup(name); ok { // a file does not tell who changed it
			root = root.With(name, v)
		} else {
			root = root.Without(name)
		}
	}
	return w.write(root)
}

// replace puts another document in the place of the file's.
func (w *fileWorld) replace(root *cib.Element) error {
	next, err := cib.DecodeRoot("", root)
	if err != nil {
		return &cib.CommandError{What: err.Error()}
	}
	if err := cib.Refuse(w.doc, next); err != nil {
		return err
	}
	return w.write(cib.Succeed(w.doc.Root, root))
}

// write puts another document into the file, whole or not at all.
func (w *fileWorld) write(root *cib.Element) error {
	doc, err := cib.DecodeRoot(w.path, root)
	if err != nil {
		return err
	}
	if err := cibfile.WriteRoot(w.path, root); err != nil {
		return err
	}
	w.doc = doc
	return nil
}

func (w *fileWorld) edit(edits ...cib.Edit) error {
	return w.apply(cib.Command{Config: &cib.ConfigChange{Edits: edits}})
}

func (w *fileWorld) setAttributes(updates ...cib.AttributeUpdate) error {
	return w.apply(cib.Command{Attributes: updates})
}

func (w *fileWorld) attributes(node, name string) ([]wire.Attribute, error) {
	c, err := w.document()
	if err != nil {
		return nil, err
	}
	return wire.ListAttributes(c, node, name), nil
}

func (w *fileWorld) localNode() (string, error) { return w.host() }

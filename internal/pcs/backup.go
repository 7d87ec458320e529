package pcs

import (
	"archive/tar"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

func backupNoun() *verb {
	return &verb{name: "config", sub: []*verb{
		{name: "backup", args: "[FILE]", live: true, run: configBackup,
			what: "Write the configuration of the cluster into an archive, FILE.tar.gz, or onto standard output. It has the passwords of fence devices in it: only you can read it."},
		{name: "restore", args: "[FILE]", live: true, options: []string{"local", "wait", "dry-run"}, run: configRestore,
			what: "Put the configuration of an archive in force, one of pcs as well, from FILE or standard input. Nodes, and what has happened to them, stay as they are."},
	}}
}

// The file of an archive that has the configuration, and the largest that is read.
const (
	backedUpCIB = "cib.xml"
	mostBackup  = 64 << 20
)

func configBackup(c *call) error {
	if err := c.want(0, 1); err != nil {
		return err
	}
	_, doc, err := c.document()
	if err != nil {
		return err
	}
	data, err := pack(c, doc.Root.AppendXML(nil))
	if err != nil {
		return err
	}
	if len(c.words) == 0 {
		_, err = c.Stdout.Write(data)
		return err
	}
	name := c.words[0]
	if !strings.HasSuffix(name, ".tar.gz") {
		name += ".tar.gz"
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there already, and a backup is never overwritten: give another name", name)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	c.note("The configuration, version %s, is in %s", doc.Version, name)
	return nil
}

// pack makes an archive of a CIB.
func pack(c *call, document []byte) ([]byte, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	t := tar.NewWriter(z)
	err := t.WriteHeader(&tar.Header{Name: backedUpCIB, Mode: 0o600, Size: int64(len(document)), ModTime: c.Now()})
	if err == nil {
		_, err = t.Write(document)
	}
	err = errors.Join(err, t.Close(), z.Close()) // before the bytes are taken: closing writes the rest
	return out.Bytes(), err
}

// unpack finds the CIB in an archive, compressed by gzip or bzip2.
func unpack(data []byte) ([]byte, error) {
	var plain io.Reader = bytes.NewReader(data)
	switch {
	case bytes.HasPrefix(data, []byte("BZh")):
		plain = bzip2.NewReader(plain)
	case bytes.HasPrefix(data, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(plain)
		if err != nil {
			return nil, err
		}
		plain = z
	}
	t := tar.NewReader(io.LimitReader(plain, mostBackup))
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("the archive has no %s", backedUpCIB)
		}
		if err != nil {
			return nil, err
		}
		if strings.TrimPrefix(h.Name, "./") == backedUpCIB {
			return io.ReadAll(t)
		}
	}
}

func configRestore(c *call) error {
	if err := c.want(0, 1); err != nil {
		return err
	}
	name, data, err := c.archive()
	if err != nil {
		return err
	}
	document, err := unpack(data)
	if err != nil {
		return fmt.Errorf("%s is no backup of a configuration: %w", name, err)
	}
	root, err := cib.Parse(name, document)
	if err != nil {
		return err
	}
	if root.Name != "cib" || part(root, "configuration") == nil {
		return fmt.Errorf("%s has no configuration in it: its %s begins with <%s>", name, backedUpCIB, root.Name)
	}
	if c.has("local") {
		c.warnf("no node has a configuration of its own: it is restored for the whole cluster")
	}
	return c.restore(name, root)
}

// restore puts the configuration of a document in force; the nodes stay as they are.
func (c *call) restore(name string, root *cib.Element) error {
	w, doc, err := c.document()
	if err != nil {
		return err
	}
	if nodes := part(doc.Root, "nodes"); nodes != nil {
		root = withPart(root, nodes, "nodes")
	}
	if err := c.commit(w, doc, withPart(doc.Root, part(root, "configuration"), "configuration")); err != nil {
		return err
	}
	if !c.has("dry-run") {
		c.note("The configuration of %s is in force", name)
	}
	return nil
}

// archive reads the file that is named, else standard input.
func (c *call) archive() (name string, data []byte, err error) {
	if len(c.words) == 0 {
		data, err = io.ReadAll(io.LimitReader(c.Stdin, mostBackup))
		return "standard input", data, err
	}
	name = c.words[0]
	data, err = os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) && !strings.HasSuffix(name, ".tar.gz") {
		name += ".tar.gz"
		data, err = os.ReadFile(name)
	}
	return name, data, err
}

// Package declare is a configuration as a file that says what is to hold: in YAML, in the field's terms, or as XML of the CIB.
//
// It owns the form of these files, which part of a configuration a file owns, and what it makes of another one. It promises
// that what Export writes is read back as the configuration it was made from, whatever is in that: what the YAML has no
// words for stands in it as XML, letter by letter. It promises that a file which is applied twice changes nothing the second
// time, and that an error names the file, the line and what it is about. It never reads a file, asks a cluster or prints.
package declare

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// MostBytes is the largest file that is read.
const MostBytes = 64 << 20

// Declared is what a file says.
type Declared struct {
	schema   string
	sections []*section
}

// section is what a file says of one section of the configuration.
type section struct {
	name     string // as the CIB calls it
	attrs    []cib.Attr
	children []*cib.Element
	partial  bool // what it does not name stays
}

// Parse reads a file: XML if it begins like that, else YAML. name is for errors.
func Parse(name string, data []byte) (*Declared, error) {
	if len(data) > MostBytes {
		return nil, fmt.Errorf("%s has %d bytes: more than %d are not read", name, len(data), MostBytes)
	}
	if bytes.HasPrefix(bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\ufeff")), " \t\r\n"), []byte("<")) {
		return parseXML(name, data)
	}
	return parseYAML(name, data)
}

// sectionNames are the sections of a configuration and what they are called in YAML, in the order in which they are written.
func sectionNames() [][2]string {
	return [][2]string{{"crm_config", "properties"}, {"rsc_defaults", "resource-defaults"}, {"op_defaults", "operation-defaults"}, {"nodes", "nodes"},
		{"resources", "resources"}, {"constraints", "constraints"}, {"fencing-topology", "fencing-levels"}, {"tags", "tags"}, {"alerts", "alerts"}, {"acls", "acls"}}
}

// sectionOf is the CIB's name of what YAML calls key.
func sectionOf(key string) string {
	for _, s := range sectionNames() {
		if s[1] == key {
			return s[0]
		}
	}
	return ""
}

// parseXML reads a CIB, its configuration, or a section of it.
func parseXML(name string, data []byte) (*Declared, error) {
	root, err := cib.Parse(name, data)
	if err != nil {
		return nil, err
	}
	d := &Declared{}
	conf := root
	switch {
	case root.Name == "cib":
		d.schema = root.Attr("validate-with")
		if conf = root.Child("configuration"); conf == nil {
			return nil, fmt.Errorf("%s: the CIB has no <configuration>", name)
		}
	case slices.ContainsFunc(sectionNames(), func(s [2]string) bool { return s[0] == root.Name }):
		conf = cib.NewElement("configuration", nil, root)
	case root.Name != "configuration":
		return nil, fmt.Errorf("%s begins with <%s>: it must be a <cib>, a <configuration> or one of its sections", name, root.Name)
	}
	for e := range conf.Elements() {
		if err := d.add(&section{name: e.Name, attrs: e.AttrList(), children: e.Children}); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return d, nil
}

func (d *Declared) add(s *section) error {
	if slices.ContainsFunc(d.sections, func(o *section) bool { return o.name == s.name }) {
		return fmt.Errorf("the section %s is there twice", s.name)
	}
	d.sections = append(d.sections, s)
	return nil
}

// On is a document as it is when what the file says holds in it. Nodes are never removed, nor what the cluster says of itself
// among its properties; with known, a node that is not there is refused.
func (d *Declared) On(root *cib.Element, known bool) (*cib.Element, error) {
	conf := root.Child("configuration")
	if conf == nil {
		return nil, errors.New("the CIB has no <configuration>")
	}
	next := conf
	for _, s := range d.sections {
		old := next.Child(s.name)
		now, err := s.on(old, known)
		switch {
		case err != nil:
			return nil, err
		case old == nil:
			next = next.WithChild(now)
		default:
			next = next.Swap(old, now)
		}
	}
	if newer(d.schema, root.Attr("validate-with")) {
		root = root.With("validate-with", d.schema)
	}
	if next != conf {
		root = root.Swap(conf, next)
	}
	return root, nil
}

// newer reports whether a schema, "pacemaker-3.7", comes after another.
func newer(a, b string) bool {
	number := func(s string) (major, minor int, ok bool) {
		n, err := fmt.Sscanf(strings.TrimPrefix(s, "pacemaker-"), "%d.%d", &major, &minor)
		return major, minor, n == 2 && err == nil
	}
	aMajor, aMinor, aOK := number(a)
	bMajor, bMinor, bOK := number(b)
	return aOK && bOK && (aMajor > bMajor || aMajor == bMajor && aMinor > bMinor)
}

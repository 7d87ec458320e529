package declare

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/cerco-ha/cerco/internal/cib"
)

// mostYAML is the largest YAML that is read: its parser needs many times that.
const mostYAML = 8 << 20

// Keys of a file that are no sections.
const (
	keyFormat  = "cerco"   // the version of this form
	keySchema  = "schema"  // of the CIB
	keyPartial = "partial" // the sections of which the file does not name everything
	keyXML     = "xml"     // sections that have no words
)

// format is the version of the form that is written and read.
const format = "1"

func parseYAML(name string, data []byte) (*Declared, error) {
	if len(data) > mostYAML {
		return nil, fmt.Errorf("%s has %d bytes: more than %d are not read as YAML; XML may be larger", name, len(data), mostYAML)
	}
	r := &reader{file: name}
	var doc yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s is empty: it must say something of the configuration, such as 'resources:'", name)
		}
		return nil, fmt.Errorf("%s: %s", name, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if dec.Decode(&yaml.Node{}) == nil {
		return nil, fmt.Errorf("%s holds several documents (a line ---): one file is one configuration", name)
	}
	list, err := r.entries(doc.Content[0], "the file")
	if err != nil {
		return nil, err
	}
	d := &Declared{}
	var partial []string
	for _, e := range list {
		switch e.key {
		case keyFormat:
			if v, err := r.text(e.value, keyFormat); err != nil || v != format {
				return nil, r.at(e.value, "this file is of the form %s, and this program knows the form %s only", v, format)
			}
		case keySchema:
			d.schema, err = r.text(e.value, keySchema)
		case keyPartial:
			partial, err = r.words(e.value, keyPartial)
		case keyXML:
			err = r.otherSections(d, e.value)
		default:
			err = r.section(d, e)
		}
		if err != nil {
			return nil, err
		}
	}
	return d, d.setPartial(name, partial)
}

func (d *Declared) setPartial(file string, keys []string) error {
	for _, key := range keys {
		found := false
		for _, s := range d.sections {
			if sectionOf(key) == s.name {
				s.partial, found = true, true
			}
		}
		if !found {
			return fmt.Errorf("%s: partial names '%s', and the file has no such section", file, key)
		}
	}
	return nil
}

func (r *reader) otherSections(d *Declared, n *yaml.Node) error {
	items, err := r.list(n, keyXML)
	if err != nil {
		return err
	}
	for _, item := range items {
		e, err := r.xml(item, "a section", "")
		if err == nil {
			err = d.add(&section{name: e.Name, attrs: e.AttrList(), children: e.Children})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// section reads what a file says of one section.
func (r *reader) section(d *Declared, e entry) error {
	name := sectionOf(e.key)
	if name == "" {
		known := []string{keySchema, keyPartial, keyXML}
		for _, s := range sectionNames() {
			known = append(known, s[1])
		}
		return r.unknown(e, "the file", known)
	}
	if isXML(e.value) {
		x, err := r.xml(e.value, e.key, "", name)
		if err != nil {
			return err
		}
		return d.add(&section{name: name, attrs: x.AttrList(), children: x.Children})
	}
	children, err := r.children(name, e)
	if err != nil {
		return err
	}
	return d.add(&section{name: name, children: children})
}

// children reads the elements of a section.
func (r *reader) children(name string, e entry) ([]*cib.Element, error) {
	if ownerless(name) {
		tag, id := setOf(name)
		return r.sets(e.value, tag, id, e.key)
	}
	if name == "acls" {
		return r.acls(e.value)
	}
	read := map[string]func(entry) (*cib.Element, error){"nodes": r.node, "resources": r.resource, "constraints": r.constraint,
		"fencing-topology": r.level, "tags": r.tag, "alerts": r.alert}[name]
	list, err := r.entries(e.value, e.key)
	if err != nil {
		return nil, err
	}
	var children []*cib.Element
	for _, x := range list {
		c, err := read(x)
		if err != nil {
			return nil, err
		}
		children = append(children, c)
	}
	return children, nil
}

// setOf is the element that a section of sets consists of, and the id that it has by default.
func setOf(section string) (tag, id string) {
	if section == "crm_config" {
		return "cluster_property_set", "cib-bootstrap-options"
	}
	return "meta_attributes", section + "-meta_attributes"
}

// YAML is the configuration of a document as YAML. What there are no words for stands in it as XML.
func YAML(root *cib.Element) ([]byte, error) {
	conf := root.Child("configuration")
	if conf == nil {
		return nil, errors.New("the CIB has no <configuration>")
	}
	m := mapping()
	put(m, keyFormat, format)
	if schema := root.Attr("validate-with"); schema != "" {
		put(m, keySchema, schema)
	}
	for _, s := range sectionNames() {
		if e := conf.Child(s[0]); e != nil {
			putNode(m, s[1], writeSection(e, s[1]))
		}
	}
	rest := &yaml.Node{Kind: yaml.SequenceNode}
	for e := range conf.Elements() {
		known := false
		for _, s := range sectionNames() {
			known = known || s[0] == e.Name
		}
		if !known {
			rest.Content = append(rest.Content, xmlNode(e))
		}
	}
	if len(rest.Content) > 0 {
		putNode(m, keyXML, rest)
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(m), enc.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// writeSection is how a section is written: in words if they say it all, else as XML.
func writeSection(e *cib.Element, key string) *yaml.Node {
	n := mapping()
	switch e.Name {
	case "crm_config", "rsc_defaults", "op_defaults":
		tag, id := setOf(e.Name)
		n = writeSets(e.Children, tag, id)
	case "acls":
		n = writeACLs(e)
	case "resources":
		n = writeResources(e)
	default:
		write := map[string]func(*cib.Element) *yaml.Node{"nodes": writeNode, "constraints": writeConstraint,
			"fencing-topology": writeLevel, "tags": writeTag, "alerts": writeAlert}[e.Name]
		for c := range e.Elements() {
			name := c.ID()
			if c.Name == "node" {
				name = c.Attr("uname")
			}
			putNode(n, name, write(c))
		}
	}
	children, err := (&reader{}).children(e.Name, entry{key, scalar(key), n})
	if err != nil || !same(cib.NewElement(e.Name, nil, children...), e) {
		return xmlNode(e)
	}
	if len(n.Content) == 0 {
		flow(n)
	}
	return n
}

// XML is the configuration of a document as XML.
func XML(root *cib.Element) ([]byte, error) {
	conf := root.Child("configuration")
	if conf == nil {
		return nil, errors.New("the CIB has no <configuration>")
	}
	out := cib.NewElement("cib", nil, conf)
	if schema := root.Attr("validate-with"); schema != "" {
		out = out.With("validate-with", schema)
	}
	return out.AppendXML(nil), nil
}

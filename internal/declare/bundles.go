package declare

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Attributes of the parts of a bundle, under their own names.
func containerAttrs() []string {
	return []string{"image", "replicas", "replicas-per-host", "masters", "promoted-max", "run-command", "network", "options"}
}

func networkAttrs() []string {
	return []string{"ip-range-start", "control-port", "host-interface", "host-netmask", "add-host"}
}

func portAttrs() []string { return []string{"id", "port", "internal-port", "range"} }

func storageAttrs() []string {
	return []string{"id", "source-dir", "source-dir-root", "target-dir", "options"}
}

// bundleKeys are the keys that only a bundle has.
func bundleKeys() []string { return []string{"container", "network", "storage", "resource"} }

// bundlePart reads what stands under one of them.
func (r *reader) bundlePart(b *body, k entry, engine, what string) error {
	what += ": " + k.key
	bundle := b.attrs[0].Value
	switch k.key {
	case "container":
		part := &body{}
		if err := r.attrs(part, k.value, containerAttrs(), what); err != nil {
			return err
		}
		b.add(part.element(engine))
	case "network":
		part, err := r.network(k.value, bundle, what)
		if err != nil {
			return err
		}
		b.add(part)
	case "storage":
		part := &body{}
		err := r.mappings(part, k.value, "storage-mapping", storageAttrs(), what, func(e *cib.Element, taken map[string]bool) string { return storageID(bundle, taken) })
		if err != nil {
			return err
		}
		b.add(part.element("storage"))
	case "resource":
		return r.members(b, k, what)
	}
	return nil
}

// attrs reads a mapping of attributes.
func (r *reader) attrs(b *body, n *yaml.Node, known []string, what string) error {
	list, err := r.entries(n, what)
	if err != nil {
		return err
	}
	for _, k := range list {
		if !contains(known, k.key) {
			return r.unknown(k, what, known)
		}
		if err := r.attr(b, k.key, k.value, what); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) network(n *yaml.Node, bundle, what string) (*cib.Element, error) {
	list, err := r.entries(n, what)
	if err != nil {
		return nil, err
	}
	part := &body{}
	for _, k := range list {
		switch {
		case k.key == "ports":
			err = r.mappings(part, k.value, "port-mapping", portAttrs(), what, func(e *cib.Element, _ map[string]bool) string { return portID(bundle, e) })
		case contains(networkAttrs(), k.key):
			err = r.attr(part, k.key, k.value, what)
		default:
			err = r.unknown(k, what, append(networkAttrs(), "ports"))
		}
		if err != nil {
			return nil, err
		}
	}
	return part.element("network"), nil
}

// mappings reads a list of ports or directories. An id that is not given is made.
func (r *reader) mappings(b *body, n *yaml.Node, tag string, known []string, what string, id func(*cib.Element, map[string]bool) string) error {
	items, err := r.list(n, what)
	if err != nil {
		return err
	}
	taken := map[string]bool{}
	for _, item := range items {
		one := &body{}
		if err := r.attrs(one, item, known, what); err != nil {
			return err
		}
		e := one.element(tag)
		if e.ID() == "" {
			e = e.With("id", id(e, taken))
		}
		taken[e.ID()] = true
		b.add(e)
	}
	return nil
}

// portID and storageID are the ids that pcs gives.
func portID(bundle string, e *cib.Element) string {
	return bundle + "-port-map-" + e.Attr("port") + e.Attr("range")
}

func storageID(bundle string, taken map[string]bool) string {
	id := bundle + "-storage-map"
	for i := 1; taken[id]; i++ {
		id = fmt.Sprintf("%s-storage-map-%d", bundle, i)
	}
	return id
}

// writeBundle writes the parts of a bundle.
func writeBundle(m *yaml.Node, e *cib.Element) {
	for c := range e.Elements() {
		switch c.Name {
		case "docker", "podman", "rkt":
			put(m, "bundle", c.Name)
			part := flow(mapping())
			putAttrs(part, c)
			putNode(m, "container", part)
		case "network":
			part := mapping()
			putAttrs(part, c)
			if list := writeMappings(c, func(p *cib.Element, _ map[string]bool) string { return portID(e.ID(), p) }); len(list.Content) > 0 {
				putNode(part, "ports", list)
			}
			putNode(m, "network", part)
		case "storage":
			putNode(m, "storage", writeMappings(c, func(_ *cib.Element, taken map[string]bool) string { return storageID(e.ID(), taken) }))
		case "primitive":
			part := mapping()
			putNode(part, c.ID(), writeResource(c))
			putNode(m, "resource", part)
		}
	}
}

func writeMappings(in *cib.Element, id func(*cib.Element, map[string]bool) string) *yaml.Node {
	seq := &yaml.Node{Kind: yaml.SequenceNode}
	taken := map[string]bool{}
	for e := range in.Elements() {
		n := flow(mapping())
		if e.ID() != id(e, taken) {
			put(n, "id", e.ID())
		}
		taken[e.ID()] = true
		putAttrs(n, e, "id")
		seq.Content = append(seq.Content, n)
	}
	return seq
}

package configure

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Bundle is what a bundle is made of, or what of it is changed.
type Bundle struct {
	ID                   string
	Type                 string // docker, podman or rkt; only for a new one
	Container, Network   []Pair
	Ports, Storage       [][]Pair // mappings that are added
	DropPorts, DropPaths []string // ids of mappings that are taken out
	Meta                 []Pair
	Disabled             bool
}

func containerOptions() []string {
	return []string{"image", "masters", "network", "options", "promoted-max", "replicas", "replicas-per-host", "run-command"}
}

func networkOptions() []string {
	return []string{"control-port", "host-interface", "host-netmask", "ip-range-start"}
}

func portOptions() []string { return []string{"id", "internal-port", "port", "range"} }

func storageOptions() []string {
	return []string{"id", "options", "source-dir", "source-dir-root", "target-dir"}
}

// CreateBundle makes a bundle without a resource.
func CreateBundle(d *Draft, b *Bundle) error {
	d.NewID(b.ID, "bundle name")
	if !slices.Contains([]string{"docker", "podman", "rkt"}, b.Type) {
		d.Fail("'%s' is not a valid container type value, use 'docker', 'podman', 'rkt'", b.Type)
		return d.Refused()
	}
	if b.Type == "podman" {
		d.Require("3.2")
	}
	if image, ok := Lookup(b.Container, "image"); !ok || image == "" {
		d.Fail("required container option 'image' is missing")
	}
	d.checkBundleOptions(b)
	if err := d.Refused(); err != nil {
		return err
	}
	p := d.Add(d.Section("resources"), cib.NewElement("bundle", []cib.Attr{{Name: "id", Value: b.ID}}, withOptions(cib.NewElement(b.Type, nil), b.Container)))
	if len(b.Network) > 0 || len(b.Ports) > 0 {
		p = d.parent(d.Add(p, d.withPorts(b.ID, withOptions(cib.NewElement("network", nil), b.Network), b.Ports)))
	}
	if len(b.Storage) > 0 {
		p = d.parent(d.Add(p, d.withStorage(b.ID, cib.NewElement("storage", nil), b.Storage)))
	}
	d.SetPairs(p, "meta_attributes", Sorted(b.Meta))
	if b.Disabled {
		d.setMetaFirst(b.ID, Pair{"target-role", "Stopped"})
	}
	return nil
}

func (d *Draft) parent(p cib.Path) cib.Path { return p[:len(p)-1] }

func (b *Bundle) meta() []Pair {
	if b.Disabled {
		return stopped(Sorted(b.Meta))
	}
	return Sorted(b.Meta)
}

// withOptions is an element with attributes set, or taken out where the value is empty.
func withOptions(e *cib.Element, options []Pair) *cib.Element {
	for _, o := range options {
		if o.Value == "" {
			e = e.Without(o.Name)
		} else {
			e = e.With(o.Name, o.Value)
		}
	}
	return e
}

func (d *Draft) withPorts(bundle string, network *cib.Element, ports [][]Pair) *cib.Element {
	for _, p := range ports {
		port, _ := Lookup(p, "port")
		span, _ := Lookup(p, "range")
		network = network.WithChild(d.mapping("port-mapping", bundle+"-port-map-"+port+span, p))
	}
	return network
}

func (d *Draft) withStorage(bundle string, storage *cib.Element, list [][]Pair) *cib.Element {
	for _, p := range list {
		storage = storage.WithChild(d.mapping("storage-mapping", bundle+"-storage-map", p))
	}
	return storage
}

// mapping makes the element of a mapping.
func (d *Draft) mapping(tag, base string, options []Pair) *cib.Element {
	e := withOptions(cib.NewElement(tag, nil), slices.DeleteFunc(slices.Clone(options), func(p Pair) bool { return p.Name == "id" }))
	id, given := Lookup(options, "id")
	if !given {
		id = d.Free(base)
	}
	return e.With("id", id)
}

// checkBundleOptions notes what is wrong with the options of a bundle.
func (d *Draft) checkBundleOptions(b *Bundle) {
	d.knownOptions("container", b.Container, containerOptions())
	_, masters := Lookup(b.Container, "masters")
	if _, promoted := Lookup(b.Container, "promoted-max"); masters && promoted {
		d.Fail("Only one of container options 'masters' and 'promoted-max' can be used")
	}
	if masters {
		d.Deprecate("container option 'masters' is deprecated and should not be used, use 'promoted-max' instead")
	}
	for _, o := range b.Container {
		switch o.Name {
		case "image":
			if o.Value == "" {
				d.Fail("image cannot be empty, use image name")
			}
		case "replicas", "replicas-per-host":
			d.number(o, 1, "a positive integer")
		case "masters", "promoted-max":
			d.number(o, 0, "a non-negative integer")
		}
	}
	d.checkNetwork(b.Network)
	for _, p := range b.Ports {
		d.checkPort(p)
	}
	for _, p := range b.Storage {
		d.checkStorage(p)
	}
}

func (d *Draft) knownOptions(kind string, given []Pair, known []string) {
	var unknown []string
	for _, p := range given {
		if !slices.Contains(known, p.Name) {
			unknown = append(unknown, p.Name)
		}
	}
	if len(unknown) > 0 {
		d.Doubt("%s", invalidOptions(kind, unknown, known))
	}
}

func (d *Draft) number(o Pair, least int, use string) {
	if n, err := strconv.Atoi(o.Value); o.Value != "" && (err != nil || n < least) {
		d.Fail("'%s' is not a valid %s value, use %s", o.Value, o.Name, use)
	}
}

func (d *Draft) checkNetwork(options []Pair) {
	d.knownOptions("network", options, networkOptions())
	for _, o := range options {
		switch {
		case o.Value == "":
		case o.Name == "control-port":
			d.port(o)
		case o.Name == "host-netmask":
			if n, err := strconv.Atoi(o.Value); err != nil || n < 1 || n > 32 {
				d.Doubt("'%s' is not a valid host-netmask value, use a number of bits of the mask (1..32)", o.Value)
			}
		case o.Name == "ip-range-start":
			if _, err := netip.ParseAddr(o.Value); err != nil {
				d.Doubt("'%s' is not a valid ip-range-start value, use an IP address", o.Value)
			}
		}
	}
}

func (d *Draft) port(o Pair) {
	if n, err := strconv.Atoi(o.Value); err != nil || n < 1 || n > 65535 {
		d.Fail("'%s' is not a valid %s value, use a port number (1..65535)", o.Value, o.Name)
	}
}

func (d *Draft) checkPort(options []Pair) {
	d.knownOptions("port-map", options, portOptions())
	_, port := Lookup(options, "port")
	_, span := Lookup(options, "range")
	_, internal := Lookup(options, "internal-port")
	switch {
	case port && span:
		d.Fail("Only one of port-map options 'port' and 'range' can be used")
	case internal && !port:
		d.Fail("If port-map option 'internal-port' is specified, port-map option 'port' must be specified as well")
	case !port && !span:
		d.Fail("port-map option 'port' or 'range' has to be specified")
	}
	for _, o := range options {
		switch o.Name {
		case "port", "internal-port":
			d.port(o)
		case "range":
			first, last, ok := strings.Cut(o.Value, "-")
			a, err1 := strconv.Atoi(first)
			b, err2 := strconv.Atoi(last)
			if !ok || err1 != nil || err2 != nil || a < 1 || b > 65535 || a > b {
				d.Doubt("'%s' is not a valid range value, use port-port", o.Value)
			}
		case "id":
			d.NewID(o.Value, "port-map id")
		}
	}
}

func (d *Draft) checkStorage(options []Pair) {
	d.knownOptions("storage-map", options, storageOptions())
	_, dir := Lookup(options, "source-dir")
	_, root := Lookup(options, "source-dir-root")
	switch {
	case dir && root:
		d.Fail("Only one of storage-map options 'source-dir' and 'source-dir-root' can be used")
	case !dir && !root:
		d.Fail("storage-map option 'source-dir' or 'source-dir-root' has to be specified")
	}
	if _, ok := Lookup(options, "target-dir"); !ok {
		d.Fail("required storage-map option 'target-dir' is missing")
	}
	if id, ok := Lookup(options, "id"); ok {
		d.NewID(id, "storage-map id")
	}
}

func (d *Draft) bundle(id string) cib.Path {
	p := d.Find(id, resourceTags()...)
	switch {
	case p == nil:
		d.Fail("bundle '%s' does not exist%s", id, d.near(id))
		return nil
	case p.Last().Name != "bundle":
		d.Fail("'%s' is not a bundle: it is a <%s>", id, p.Last().Name)
		return nil
	}
	return p
}

// container is the path to the element that says how a bundle's containers are made.
func container(p cib.Path) cib.Path {
	for _, tag := range []string{"docker", "podman", "rkt"} {
		if c := Child(p, tag); c != nil {
			return c
		}
	}
	return nil
}

// UpdateBundle changes a bundle.
func UpdateBundle(d *Draft, b *Bundle) error {
	p := d.bundle(b.ID)
	if p == nil {
		return d.Refused()
	}
	d.checkBundleOptions(b)
	for what, ids := range map[string][]string{"port": b.DropPorts, "storage": b.DropPaths} {
		for _, id := range ids {
			if m := d.Find(id, what+"-mapping"); m == nil || m[len(m)-3] != p.Last() {
				d.Fail("there is no %s-map '%s' in the bundle '%s'", what, id, b.ID)
			}
		}
	}
	if err := d.Refused(); err != nil {
		return err
	}
	return d.remake(p, b)
}

// remake carries out a change of a bundle that has been checked.
func (d *Draft) remake(p cib.Path, b *Bundle) error {
	had := reachable(p.Last())
	if c := container(p); c != nil {
		d.Put(c, withOptions(c.Last(), b.Container))
	}
	for _, id := range slices.Concat(b.DropPorts, b.DropPaths) {
		d.Put(d.Find(id), nil)
	}
	p = d.Find(b.ID, "bundle")
	network := Child(p, "network")
	if network == nil && (len(b.Network) > 0 || len(b.Ports) > 0) {
		network = d.afterIn(p, cib.NewElement("network", nil), "docker", "podman", "rkt")
	}
	if network != nil {
		p = d.parent(d.Put(network, d.withPorts(b.ID, withOptions(network.Last(), b.Network), b.Ports)))
	}
	storage := Child(p, "storage")
	if storage == nil && len(b.Storage) > 0 {
		storage = d.afterIn(p, cib.NewElement("storage", nil), "docker", "podman", "rkt", "network")
	}
	if storage != nil {
		e := d.withStorage(b.ID, storage.Last(), b.Storage)
		if len(e.Children) == 0 {
			e = nil
		}
		d.Put(storage, e)
		p = d.Find(b.ID, "bundle")
	}
	if inside := p.Last().Child("primitive"); inside != nil && had && !reachable(p.Last()) {
		d.Doubt("Resource '%s' will not be accessible by the cluster inside bundle '%s', at least one of bundle options 'control-port' or 'ip-range-start' has to be specified",
			inside.ID(), b.ID)
	}
	for _, m := range b.meta() {
		if m.Value != "" {
			d.setMetaFirst(b.ID, m)
		} else {
			d.dropMeta(b.ID, m.Name)
		}
	}
	return d.Refused()
}

// afterIn puts a child behind the last of those names.
func (d *Draft) afterIn(p cib.Path, child *cib.Element, names ...string) cib.Path {
	at := 0
	for i, c := range p.Last().Children {
		if slices.Contains(names, c.Name) {
			at = i + 1
		}
	}
	return append(d.Put(p, p.Last().Insert(at, child)), child)
}

// ResetBundle makes a bundle anew around the resource inside of it.
func ResetBundle(d *Draft, b *Bundle) error {
	p := d.bundle(b.ID)
	if p == nil {
		return d.Refused()
	}
	if image, ok := Lookup(b.Container, "image"); !ok || image == "" {
		d.Fail("required container option 'image' is missing")
	}
	d.checkBundleOptions(b)
	if err := d.Refused(); err != nil {
		return err
	}
	c := container(p)
	if c == nil {
		return d.refuse("the bundle '%s' has no container that could be reset", b.ID)
	}
	var children []*cib.Element
	for _, e := range p.Last().Children {
		switch e.Name {
		case "storage", "meta_attributes":
			continue
		case "network", c.Last().Name:
			e = cib.NewElement(e.Name, nil)
		}
		children = append(children, e)
	}
	return d.remake(d.Put(p, p.Last().WithChildren(children)), b)
}

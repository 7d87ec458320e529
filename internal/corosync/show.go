package corosync

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// WriteQuorum shows what is set for the quorum, as people read it.
func (c *Config) WriteQuorum(w io.Writer) {
	fmt.Fprintln(w, "Options:")
	writeOptions(w, "  ", c.QuorumOptions())
	d := c.Device()
	if d == nil {
		return
	}
	fmt.Fprintln(w, "Device:")
	writeOptions(w, "  ", d.Generic)
	fmt.Fprintf(w, "  Model: %s\n", d.Model)
	writeOptions(w, "    ", d.Net)
	if len(d.Heuristics) > 0 {
		fmt.Fprintln(w, "  Heuristics:")
		writeOptions(w, "    ", d.Heuristics)
	}
}

func writeOptions(w io.Writer, indent string, o Options) {
	for _, p := range o.sorted() {
		fmt.Fprintf(w, "%s%s: %s\n", indent, p.Key, p.Value)
	}
}

func writeTitled(w io.Writer, indent, title string, o Options) {
	if len(o) > 0 {
		fmt.Fprintf(w, "%s%s:\n", indent, title)
		writeOptions(w, indent+"  ", o)
	}
}

// WriteText shows the cluster as people read it.
func (c *Config) WriteText(w io.Writer) {
	fmt.Fprintf(w, "Cluster Name: %s\n", c.Name())
	if id := c.UUID(); id != "" {
		fmt.Fprintf(w, "Cluster UUID: %s\n", id)
	}
	fmt.Fprintf(w, "Transport: %s\nNodes:\n", c.Transport())
	for _, n := range c.Nodes() {
		fmt.Fprintf(w, "  %s:\n", n.Name)
		for _, a := range n.Addrs {
			fmt.Fprintf(w, "    Link %d address: %s\n", a.Link, a.Addr)
		}
		fmt.Fprintf(w, "    nodeid: %s\n", n.ID)
	}
	if links := c.Links(); len(links) > 0 {
		fmt.Fprintln(w, "Links:")
		for _, l := range links {
			writeTitled(w, "  ", fmt.Sprintf("Link %d", l.Number), l.Options)
		}
	}
	writeTitled(w, "", "Transport Options", c.TransportOptions())
	writeTitled(w, "", "Compression Options", c.CompressionOptions())
	writeTitled(w, "", "Crypto Options", c.CryptoOptions())
	writeTitled(w, "", "Totem Options", c.TotemOptions())
	writeTitled(w, "", "Quorum Options", c.QuorumOptions())
	if d := c.Device(); d != nil {
		fmt.Fprintf(w, "Quorum Device: %s\n", d.Model)
		writeTitled(w, "  ", "Options", d.Generic)
		writeTitled(w, "  ", "Model Options", d.Net)
		writeTitled(w, "  ", "Heuristics", d.Heuristics)
	}
}

// WriteCommand shows the command that would make the same corosync.conf. A quorum device is not in it.
func (c *Config) WriteCommand(w io.Writer, quote func(string) string) {
	lines := []string{"pcs cluster setup " + quote(c.Name())}
	add := func(indent, what string) { lines = append(lines, indent+what) }
	options := func(indent, title string, o Options) {
		if len(o) == 0 {
			return
		}
		if title != "" {
			add(indent, title)
		}
		for _, p := range o.sorted() {
			add(indent+"  ", quote(p.Key+"="+p.Value))
		}
	}
	for _, n := range c.Nodes() {
		var b strings.Builder
		b.WriteString(quote(n.Name))
		for _, a := range n.Addrs {
			b.WriteString(" " + quote("addr="+a.Addr))
		}
		add("  ", b.String())
	}
	add("  ", "transport")
	add("  ", c.Transport())
	options("    ", "", c.TransportOptions())
	for _, l := range c.Links() {
		options("    ", "link", l.Options)
	}
	options("    ", "compression", c.CompressionOptions())
	options("    ", "crypto", c.CryptoOptions())
	options("  ", "totem", c.TotemOptions())
	options("  ", "quorum", c.QuorumOptions())
	if c.UUID() == "" {
		add("  ", "--no-cluster-uuid")
	}
	fmt.Fprintln(w, strings.Join(lines, " \\\n"))
}

// MarshalJSON lists options as an object, in their order.
func (o Options) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, p := range o {
		if i > 0 {
			b = append(b, ',')
		}
		k, err := json.Marshal(p.Key)
		if err != nil {
			return nil, err
		}
		v, err := json.Marshal(p.Value)
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, k...), ':'), v...)
	}
	return append(b, '}'), nil
}

// Description is a cluster as programs read it: pcs's JSON.
type Description struct {
	Name        string             `json:"cluster_name"`
	UUID        *string            `json:"cluster_uuid"`
	Transport   string             `json:"transport"` // in capitals
	Totem       Options            `json:"totem_options"`
	Options     Options            `json:"transport_options"`
	Compression Options            `json:"compression_options"`
	Crypto      Options            `json:"crypto_options"`
	Nodes       []NodeDescription  `json:"nodes"`
	Links       linkDescriptions   `json:"links_options"`
	Quorum      Options            `json:"quorum_options"`
	Device      *DeviceDescription `json:"quorum_device"`
}

// NodeDescription is a node in a Description.
type NodeDescription struct {
	Name  string            `json:"name"`
	ID    string            `json:"nodeid"`
	Addrs []AddrDescription `json:"addrs"`
}

// AddrDescription is an address in a Description.
type AddrDescription struct {
	Addr string `json:"addr"`
	Link string `json:"link"`
	Kind string `json:"type"`
}

// DeviceDescription is a quorum device in a Description.
type DeviceDescription struct {
	Model      string  `json:"model"`
	Net        Options `json:"model_options"`
	Generic    Options `json:"generic_options"`
	Heuristics Options `json:"heuristics_options"`
}

// linkDescriptions are the options of links, as an object by number.
type linkDescriptions []Link

// MarshalJSON lists them in their order.
func (l linkDescriptions) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, link := range l {
		if i > 0 {
			b = append(b, ',')
		}
		options, err := link.Options.MarshalJSON()
		if err != nil {
			return nil, err
		}
		b = append(fmt.Appendf(b, `"%d":`, link.Number), options...)
	}
	return append(b, '}'), nil
}

// Describe is the cluster for programs.
func (c *Config) Describe() Description {
	d := Description{Name: c.Name(), Transport: strings.ToUpper(c.Transport()), Totem: c.TotemOptions(), Options: c.TransportOptions(),
		Compression: c.CompressionOptions(), Crypto: c.CryptoOptions(), Nodes: []NodeDescription{}, Links: c.Links(), Quorum: c.QuorumOptions()}
	if id := c.UUID(); id != "" {
		d.UUID = &id
	}
	for _, n := range c.Nodes() {
		nd := NodeDescription{n.Name, n.ID, []AddrDescription{}}
		for _, a := range n.Addrs {
			nd.Addrs = append(nd.Addrs, AddrDescription{a.Addr, fmt.Sprint(a.Link), a.Kind()})
		}
		d.Nodes = append(d.Nodes, nd)
	}
	if dev := c.Device(); dev != nil {
		d.Device = &DeviceDescription{dev.Model, dev.Net, dev.Generic, dev.Heuristics}
	}
	return d
}

package doctor

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Description is what is examined. A field that is left out is not known.
type Description struct {
	Profile  string    `yaml:"profile,omitempty"` // production (default) or development
	Support  string    `yaml:"support,omitempty"` // matrix (default): the vendor's platforms only; none: any platform
	Hosts    []Host    `yaml:"hosts"`
	Guests   []Guest   `yaml:"guests"`
	Clusters []Cluster `yaml:"clusters,omitempty"`
}

// Host is a host of virtual machines.
type Host struct {
	Name           string   `yaml:"name"`
	Platform       string   `yaml:"platform,omitempty"` // kvm, xen, rhev-m, vmware or hyper-v
	OS             string   `yaml:"os,omitempty"`       // of kvm and xen: "rhel 6.4"
	Version        string   `yaml:"version,omitempty"`  // of rhev-m and vmware: "3.0"
	WSDLFixed      *bool    `yaml:"wsdl-fixed,omitempty"`
	MemoryMiB      int      `yaml:"memory-mib,omitempty"`
	ReserveMiB     int      `yaml:"reserve-mib,omitempty"` // for the host itself; 1024 unless told otherwise
	CPUs           int      `yaml:"cpus,omitempty"`
	HostCluster    *bool    `yaml:"host-cluster,omitempty"` // it belongs to a cluster of hosts, which runs
	Daemon         *Daemon  `yaml:"daemon,omitempty"`
	Key            *Key     `yaml:"key,omitempty"`
	Packages       []string `yaml:"packages,omitempty"`
	UpdatesPending *int     `yaml:"updates-pending,omitempty"`
}

// Daemon is what answers guests' requests on a host.
type Daemon struct {
	Program   string `yaml:"program"`             // fence_virtd, fence_xvmd, cerco or none
	Backend   string `yaml:"backend,omitempty"`   // libvirt, checkpoint, cpg, libvirt-qpid; of cerco: standalone, cluster, remote
	Arguments string `yaml:"arguments,omitempty"` // its command line
}

// Key is a key file of fence_xvm.
type Key struct {
	Path   string `yaml:"path,omitempty"`
	SHA256 string `yaml:"sha256,omitempty"` // of its first 4096 bytes
	Size   int    `yaml:"size,omitempty"`
	Mode   string `yaml:"mode,omitempty"` // "0400"
	Owner  string `yaml:"owner,omitempty"`
	Source string `yaml:"source,omitempty"` // what it was made from: /dev/urandom
}

// Guest is a virtual machine, or a member of a guest cluster that is none.
type Guest struct {
	Name           string   `yaml:"name"`
	Kind           string   `yaml:"kind,omitempty"` // virtual (default) or bare-metal
	Host           string   `yaml:"host,omitempty"`
	Cluster        string   `yaml:"cluster,omitempty"` // empty: no member of any
	OS             string   `yaml:"os,omitempty"`
	MemoryMiB      int      `yaml:"memory-mib,omitempty"`
	CPUs           int      `yaml:"cpus,omitempty"`
	Votes          *int     `yaml:"votes,omitempty"` // 1 unless told otherwise
	Agents         []string `yaml:"agents,omitempty"`
	Devices        []string `yaml:"devices,omitempty"`   // fence devices that this member's configuration describes
	KeyFile        string   `yaml:"key-file,omitempty"`  // that its fence device is configured with
	Key            *Key     `yaml:"key,omitempty"`       // that is there
	Migration      *bool    `yaml:"migration,omitempty"` // it may be migrated live
	Addons         []string `yaml:"addons,omitempty"`
	Packages       []string `yaml:"packages,omitempty"`
	UpdatesPending *int     `yaml:"updates-pending,omitempty"`
}

// Cluster is a cluster whose members are guests.
type Cluster struct {
	Name           string   `yaml:"name"`
	NoQuorumPolicy string   `yaml:"no-quorum-policy,omitempty"`
	Devices        []string `yaml:"devices,omitempty"` // all its fence devices
	Storage        []Disk   `yaml:"storage,omitempty"` // what its members share
}

// Disk is storage that members share.
type Disk struct {
	Name         string `yaml:"name"`
	Transport    string `yaml:"transport,omitempty"` // iscsi, or native: through the hypervisor
	Kind         string `yaml:"kind,omitempty"`      // native: block, raw, qcow2, ...; of vmware raw-device
	Target       string `yaml:"target,omitempty"`    // vendor and product of an iSCSI target
	Reservations *bool  `yaml:"persistent-reservations,omitempty"`
	PreemptAbort *bool  `yaml:"preempt-and-abort,omitempty"`
	VendorAsked  *bool  `yaml:"vendor-asked,omitempty"`
}

// Parse reads a description. Errors name the file and the line.
func Parse(file string, data []byte) (*Description, error) {
	d := &Description{}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(d); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err := d.validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return d, nil
}

// validate checks names, references and words.
func (d *Description) validate() error {
	word := func(what, got string, allowed ...string) error {
		if got != "" && !slices.Contains(allowed, got) {
			return fmt.Errorf("%s %q is not known; use one of %s", what, got, strings.Join(allowed, ", "))
		}
		return nil
	}
	errs := []error{word("profile", d.Profile, "production", "development"), word("support", d.Support, "matrix", "none")}
	hosts := map[string]bool{}
	for _, h := range d.Hosts {
		if h.Name == "" || hosts[h.Name] {
			errs = append(errs, fmt.Errorf("host %q: every host needs a name of its own", h.Name))
		}
		hosts[h.Name] = true
		errs = append(errs, word("host "+h.Name+": platform", h.Platform, "kvm", "xen", "rhev-m", "vmware", "hyper-v"))
		if h.Daemon != nil {
			errs = append(errs, word("host "+h.Name+": daemon", h.Daemon.Program, "none", "fence_virtd", "fence_xvmd", "cerco"))
		}
	}
	guests := map[string]bool{}
	for _, g := range d.Guests {
		if g.Name == "" || guests[g.Name] {
			errs = append(errs, fmt.Errorf("guest %q: every guest needs a name of its own", g.Name))
		}
		guests[g.Name] = true
		errs = append(errs, word("guest "+g.Name+": kind", g.Kind, "virtual", "bare-metal"))
		if g.Host != "" && !hosts[g.Host] {
			errs = append(errs, fmt.Errorf("guest %s: there is no host %q", g.Name, g.Host))
		}
	}
	for _, c := range d.Clusters {
		for _, s := range c.Storage {
			errs = append(errs, word("cluster "+c.Name+", storage "+s.Name+": transport", s.Transport, "iscsi", "native"))
		}
	}
	return errors.Join(errs...)
}

// release is a version of an operating system or a platform: "rhel 6.4", "3.0".
type release struct {
	name         string
	major, minor int
}

func parseRelease(s string) (release, bool) {
	name, version, ok := strings.Cut(strings.TrimSpace(s), " ")
	if !ok {
		name, version = "", name
	}
	major, minor, _ := strings.Cut(version, ".")
	r := release{name: strings.ToLower(name)}
	var err error
	if r.major, err = strconv.Atoi(major); err != nil {
		return release{}, false
	}
	if minor != "" {
		if r.minor, err = strconv.Atoi(minor); err != nil {
			return release{}, false
		}
	}
	return r, true
}

// from tells whether r is what the sources write as "5.6+": the same major, and at least that minor.
func (r release) from(name string, major, minor int) bool {
	return r.name == name && r.major == major && r.minor >= minor
}

// Derived facts.

func (d *Description) host(name string) *Host {
	for i := range d.Hosts {
		if d.Hosts[i].Name == name {
			return &d.Hosts[i]
		}
	}
	return nil
}

// members returns the members of each cluster, by its name, in the order that they are described in.
func (d *Description) members() (names []string, of map[string][]*Guest) {
	of = map[string][]*Guest{}
	for i := range d.Guests {
		g := &d.Guests[i]
		if g.Cluster == "" {
			continue
		}
		if of[g.Cluster] == nil {
			names = append(names, g.Cluster)
		}
		of[g.Cluster] = append(of[g.Cluster], g)
	}
	return names, of
}

func (d *Description) cluster(name string) Cluster {
	for _, c := range d.Clusters {
		if c.Name == name {
			return c
		}
	}
	return Cluster{Name: name}
}

func (g *Guest) virtual() bool { return g.Kind != "bare-metal" }

func (g *Guest) votes() int {
	if g.Votes == nil {
		return 1
	}
	return *g.Votes
}

// fences tells whether a member uses one of these agents.
func (g *Guest) fences(agents ...string) bool {
	return slices.ContainsFunc(g.Agents, func(a string) bool { return slices.Contains(agents, a) })
}

// xvm tells whether a member is fenced through a daemon on its host.
func (g *Guest) xvm() bool { return g.fences("fence_xvm", "fence_virt") }

func (h *Host) reserve() int {
	if h.ReserveMiB == 0 {
		return 1024
	}
	return h.ReserveMiB
}

// answers tells whether the host has a daemon that answers guests; known is false when nobody has said.
func (h *Host) answers() (yes, known bool) {
	if h.Daemon == nil {
		return false, false
	}
	return h.Daemon.Program != "none" && h.Daemon.Program != "", true
}

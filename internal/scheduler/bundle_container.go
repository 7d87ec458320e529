package scheduler

import (
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// bundleContainer is the configuration of a replica's container. hosts are the addresses of all the
// replicas, which learn each other's names. inner says that there is a resource inside.
func bundleContainer(b *resource, offset int, ip string, inner bool, hosts []string) *cib.Resource {
	id := b.id + "-" + b.spec.Engine + "-" + strconv.Itoa(offset)
	run := &runOptions{spec: b.spec, bundle: b.id, replica: b.id + "-" + strconv.Itoa(offset), ip: ip, inner: inner, hosts: hosts}
	if b.spec.Engine == "rkt" {
		run.rkt()
	} else {
		run.docker()
	}
	params := []cib.NV{{Name: "image", Value: b.spec.Image}, {Name: "allow_pull", Value: "true"},
		{Name: "force_kill", Value: "false"}, {Name: "reuse", Value: "false"}}
	if opts := run.text.String(); opts != "" {
		params = append(params, cib.NV{Name: "run_opts", Value: opts})
	}
	params = append(params, cib.NV{Name: "mount_points", Value: strings.Join(run.mounts, ",")})
	command := b.spec.RunCommand
	if command == "" && inner {
		command = "/usr/sbin/pacemaker-remoted"
	}
	if command != "" {
		params = append(params, cib.NV{Name: "run_cmd", Value: command})
	}
	// That the container is alive is all that is asked here; what is in it has a monitor of its own.
	params = append(params, cib.NV{Name: "monitor_cmd", Value: "/bin/true"})
	return &cib.Resource{Kind: cib.Primitive, ID: id, Class: "ocf", Provider: "heartbeat", Type: b.spec.Engine,
		Params: implicitSet(id+"-attributes", params), Ops: []*cib.Op{implicitOp(id, "monitor", "60s", 60000, "")}}
}

// runOptions builds the options that a container is run with.
type runOptions struct {
	spec            *cib.BundleSpec
	bundle, replica string
	inner           bool // there is a resource inside, and an executor with it
	ip              string
	hosts           []string
	text            strings.Builder
	mounts          []string // source directories made for this replica alone
}

func (o *runOptions) add(parts ...string) {
	o.text.WriteByte(' ')
	for _, s := range parts {
		o.text.WriteString(s)
	}
}

// docker are the options of docker and podman. Only docker restarts containers unless told not to.
func (o *runOptions) docker() {
	s := o.spec
	if s.Engine == "docker" {
		o.add("--restart=no")
	}
	if o.ip != "" {
		o.add("-h ", o.replica)
	}
	o.add("-e PCMK_stderr=1")
	if s.Network != "" {
		o.add("--net=", s.Network)
	}
	o.add("-e PCMK_remote_port=", o.controlPort())
	for _, m := range o.storage() {
		o.add("-v ", m.source, ":", m.target)
		if m.options != "" {
			o.text.WriteString(":" + m.options)
		}
	}
	for _, port := range o.ports() {
		switch {
		case o.ip != "":
			o.add("-p ", o.ip, ":", port.Port, ":", port.InternalPort)
		case s.Network != "host":
			o.add("-p ", port.Port, ":", port.InternalPort)
		}
	}
	o.tail()
}

// rkt are the options of rkt, whose mounts are numbered volumes.
func (o *runOptions) rkt() {
	s := o.spec
	if o.ip != "" {
		o.add("--hostname=", o.replica)
	}
	o.add("--environment=PCMK_stderr=1")
	if s.Network != "" {
		o.add("--net=", s.Network)
	}
	o.add("--environment=PCMK_remote_port=", o.controlPort())
	for i, m := range o.storage() {
		volume := "vol" + strconv.Itoa(i)
		o.add("--volume ", volume, ",kind=host,source=", m.source)
		if m.options != "" {
			o.text.WriteString("," + m.options)
		}
		o.add("--mount volume=", volume, ",target=", m.target)
	}
	for _, port := range o.ports() {
		if o.ip != "" {
			o.add("--port=", port.InternalPort, ":", o.ip, ":", port.Port)
		} else {
			o.add("--port=", port.InternalPort, ":", port.Port)
		}
	}
	o.tail()
}

// tail adds the user's own options and the names of the other replicas.
func (o *runOptions) tail() {
	if o.spec.Options != "" {
		o.add(o.spec.Options)
	}
	o.add()
	for i, ip := range o.hosts {
		if ip == "" {
			continue
		}
		name := o.bundle + "-" + strconv.Itoa(i)
		if o.spec.Engine != "rkt" && o.spec.AddHost {
			o.add("--add-host=", name, ":", ip)
		} else {
			o.add("--hosts-entry=", ip, "=", name)
		}
	}
}

func (o *runOptions) controlPort() string {
	if o.spec.ControlPort != "" {
		return o.spec.ControlPort
	}
	return defaultControlPort
}

// ports are the configured port mappings and the one for the connection to what is inside.
func (o *runOptions) ports() []cib.PortMapping {
	var list []cib.PortMapping
	for _, m := range o.spec.Ports {
		if m.Port == "" {
			m.Port, m.InternalPort = m.Range, m.Range
		} else if m.InternalPort == "" {
			m.InternalPort = m.Port
		}
		list = append(list, m)
	}
	if o.inner {
		control := o.controlPort()
		list = append(list, cib.PortMapping{Port: control, InternalPort: control})
	}
	return list
}

type mount struct{ source, target, options string }

// storage are the configured mounts, then those that the executor inside of the container needs.
func (o *runOptions) storage() []mount {
	var list []mount
	add := func(source, root, target, options string) {
		if source == "" && root != "" {
			source = root + "/" + o.replica
			o.mounts = append(o.mounts, source)
		}
		list = append(list, mount{source, target, options})
	}
	for _, m := range o.spec.Storage {
		add(m.SourceDir, m.SourceDirRoot, m.TargetDir, m.Options)
	}
	if o.inner {
		// The executor inside needs the cluster's key and a place for its log.
		key := "/etc/pacemaker/authkey"
		add(key, "", key, "")
		add("", "/var/log/pacemaker/bundles", "/var/log", "")
	}
	return list
}

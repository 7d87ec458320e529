package cib

// bundleSpec reads what a <bundle> says about its containers.
func bundleSpec(e *Element) *BundleSpec {
	b := &BundleSpec{Replicas: 1, ReplicasPerHost: 1, AddHost: true}
	for c := range e.Elements() {
		switch c.Name {
		case "network":
			b.network(c)
		case "storage":
			b.storage(c)
		}
	}
	for _, engine := range [...]string{"docker", "rkt", "podman"} {
		if c := e.Child(engine); c != nil {
			b.container(c)
			break
		}
	}
	return b
}

func (b *BundleSpec) container(e *Element) {
	b.Engine, b.El = e.Name, e
	b.Image = e.Attr("image")
	promoted, ok := e.Lookup("promoted-max")
	if !ok {
		promoted = e.Attr("masters")
	}
	b.PromotedMax = max(0, parseInt(promoted, 0))
	b.Replicas = parseInt(e.Attr("replicas"), 0)
	if b.Replicas < 1 {
		b.Replicas = max(1, b.PromotedMax)
	}
	b.ReplicasPerHost = max(1, parseInt(e.Attr("replicas-per-host"), 1))
	b.RunCommand = e.Attr("run-command")
	b.Network = e.Attr("network")
	b.Options = e.Attr("options")
}

func (b *BundleSpec) network(e *Element) {
	b.HasNetwork = true
	b.IPRangeStart = e.Attr("ip-range-start")
	b.HostNetmask = e.Attr("host-netmask")
	b.HostInterface = e.Attr("host-interface")
	b.ControlPort = e.Attr("control-port")
	b.AddHost = boolOr(e.Attr("add-host"), true)
	for c := range e.Elements() {
		if c.Name == "port-mapping" {
			b.Ports = append(b.Ports, PortMapping{c.Attr("id"), c.Attr("port"), c.Attr("internal-port"), c.Attr("range")})
		}
	}
}

func (b *BundleSpec) storage(e *Element) {
	for c := range e.Elements() {
		if c.Name == "storage-mapping" {
			b.Storage = append(b.Storage, StorageMapping{c.Attr("id"), c.Attr("source-dir"),
				c.Attr("source-dir-root"), c.Attr("target-dir"), c.Attr("options")})
		}
	}
}

package listing

import (
	"strconv"

	"github.com/cerco-ha/cerco/internal/cib"
)

// JSON shows the resources, inner ones in their own lists, with every set. What is absent is null.
func (r Resources) JSON() Lines {
	doc := resourcesJSON{Primitives: []primitiveJSON{}, Clones: []cloneJSON{}, Groups: []groupJSON{}, Bundles: []bundleJSON{}}
	for _, e := range mastersLast(r.all) {
		switch kindOf(e) {
		case "primitive":
			doc.Primitives = append(doc.Primitives, primitiveOf(e))
		case "clone":
			doc.Clones = append(doc.Clones, cloneOf(e))
		case "group":
			doc.Groups = append(doc.Groups, groupOf(e))
		case "bundle":
			doc.Bundles = append(doc.Bundles, bundleOf(e))
		}
	}
	return toJSON(doc)
}

type resourcesJSON struct {
	Primitives []primitiveJSON `json:"primitives"`
	Clones     []cloneJSON     `json:"clones"`
	Groups     []groupJSON     `json:"groups"`
	Bundles    []bundleJSON    `json:"bundles"`
}

type primitiveJSON struct {
	ID          string    `json:"id"`
	Agent       agentJSON `json:"agent_name"`
	Description *string   `json:"description"`
	Operations  []opJSON  `json:"operations"`
	Meta        []setJSON `json:"meta_attributes"`
	Params      []setJSON `json:"instance_attributes"`
	Utilization []setJSON `json:"utilization"`
}

type agentJSON struct {
	Standard string  `json:"standard"`
	Provider *string `json:"provider"`
	Type     string  `json:"type"`
}

type opJSON struct {
	ID             string    `json:"id"`
	Name           string    `json:"name"`
	Interval       string    `json:"interval"`
	Description    *string   `json:"description"`
	StartDelay     *string   `json:"start_delay"`
	IntervalOrigin *string   `json:"interval_origin"`
	Timeout        *string   `json:"timeout"`
	Enabled        *bool     `json:"enabled"`
	RecordPending  *bool     `json:"record_pending"`
	Role           *string   `json:"role"`
	OnFail         *string   `json:"on_fail"`
	Meta           []setJSON `json:"meta_attributes"`
	Params         []setJSON `json:"instance_attributes"`
}

type cloneJSON struct {
	ID          string    `json:"id"`
	Description *string   `json:"description"`
	Member      *string   `json:"member_id"`
	Meta        []setJSON `json:"meta_attributes"`
	Params      []setJSON `json:"instance_attributes"`
}

type groupJSON struct {
	ID          string    `json:"id"`
	Description *string   `json:"description"`
	Members     []string  `json:"member_ids"`
	Meta        []setJSON `json:"meta_attributes"`
	Params      []setJSON `json:"instance_attributes"`
}

type bundleJSON struct {
	ID            string        `json:"id"`
	Description   *string       `json:"description"`
	Member        *string       `json:"member_id"`
	ContainerType *string       `json:"container_type"`
	Container     containerJSON `json:"container_options"`
	Network       *networkJSON  `json:"network"`
	Ports         []portJSON    `json:"port_mappings"`
	Storage       []storageJSON `json:"storage_mappings"`
	Meta          []setJSON     `json:"meta_attributes"`
	Params        []setJSON     `json:"instance_attributes"`
}

type containerJSON struct {
	Image           string  `json:"image"`
	Replicas        *int    `json:"replicas"`
	ReplicasPerHost *int    `json:"replicas_per_host"`
	PromotedMax     *int    `json:"promoted_max"`
	RunCommand      *string `json:"run_command"`
	Network         *string `json:"network"`
	Options         *string `json:"options"`
}

type networkJSON struct {
	Start     *string `json:"ip_range_start"`
	Control   *int    `json:"control_port"`
	Interface *string `json:"host_interface"`
	Netmask   *int    `json:"host_netmask"`
	AddHost   *bool   `json:"add_host"`
}

type portJSON struct {
	ID       string  `json:"id"`
	Port     *int    `json:"port"`
	Internal *int    `json:"internal_port"`
	Range    *string `json:"range"`
}

type storageJSON struct {
	ID      string  `json:"id"`
	Source  *string `json:"source_dir"`
	Root    *string `json:"source_dir_root"`
	Target  string  `json:"target_dir"`
	Options *string `json:"options"`
}

func primitiveOf(e *cib.Element) primitiveJSON {
	p := primitiveJSON{ID: e.ID(), Agent: agentJSON{e.Attr("class"), text(e, "provider"), e.Attr("type")},
		Description: text(e, "description"), Operations: []opJSON{}, Meta: setsOf(e, "meta_attributes"),
		Params: setsOf(e, "instance_attributes"), Utilization: setsOf(e, "utilization")}
	for _, op := range children(e.Child("operations"), "op") {
		o := opJSON{ID: op.ID(), Name: op.Attr("name"), Interval: op.Attr("interval"), Description: text(op, "description"),
			StartDelay: text(op, "start-delay"), IntervalOrigin: text(op, "interval-origin"), Timeout: text(op, "timeout"),
			Enabled: truth(op, "enabled"), RecordPending: truth(op, "record-pending"), Role: text(op, "role"),
			OnFail: text(op, "on-fail"), Meta: setsOf(op, "meta_attributes"), Params: setsOf(op, "instance_attributes")}
		if o.Role != nil {
			*o.Role = role(*o.Role)
		}
		p.Operations = append(p.Operations, o)
	}
	return p
}

func cloneOf(e *cib.Element) cloneJSON {
	c := cloneJSON{ID: e.ID(), Description: text(e, "description"), Meta: setsOf(e, "meta_attributes"),
		Params: setsOf(e, "instance_attributes")}
	for _, m := range members(e) {
		c.Member = new(m.ID())
	}
	if e.Name == "master" {
		if len(c.Meta) == 0 {
			c.Meta = []setJSON{{Options: object{}}}
		}
		c.Meta[0].Pairs = pairsJSON(cloneMeta(e))
	}
	return c
}

func groupOf(e *cib.Element) groupJSON {
	g := groupJSON{ID: e.ID(), Description: text(e, "description"), Meta: setsOf(e, "meta_attributes"),
		Params: setsOf(e, "instance_attributes"), Members: []string{}}
	for _, m := range members(e) {
		g.Members = append(g.Members, m.ID())
	}
	return g
}

func bundleOf(e *cib.Element) bundleJSON {
	b := bundleJSON{ID: e.ID(), Description: text(e, "description"), Ports: []portJSON{}, Storage: []storageJSON{},
		Meta: setsOf(e, "meta_attributes"), Params: setsOf(e, "instance_attributes")}
	for _, m := range members(e) {
		b.Member = new(m.ID())
	}
	if c := container(e); c != nil {
		b.ContainerType = &c.Name
		b.Container = containerJSON{c.Attr("image"), number(c, "replicas"), number(c, "replicas-per-host"),
			number(c, "promoted-max", "masters"), text(c, "run-command"), text(c, "network"), text(c, "options")}
	}
	if n := e.Child("network"); n != nil {
		b.Network = &networkJSON{text(n, "ip-range-start"), number(n, "control-port"), text(n, "host-interface"),
			number(n, "host-netmask"), truth(n, "add-host")}
	}
	for _, m := range children(e.Child("network"), "port-mapping") {
		b.Ports = append(b.Ports, portJSON{m.ID(), number(m, "port"), number(m, "internal-port"), text(m, "range")})
	}
	for _, m := range children(e.Child("storage"), "storage-mapping") {
		b.Storage = append(b.Storage, storageJSON{m.ID(), text(m, "source-dir"), text(m, "source-dir-root"),
			m.Attr("target-dir"), text(m, "options")})
	}
	return b
}

// text is an attribute, nil if it is absent.
func text(e *cib.Element, name string) *string {
	if v, ok := e.Lookup(name); ok {
		return &v
	}
	return nil
}

// number is the first of the attributes that is a number, nil if none is.
func number(e *cib.Element, names ...string) *int {
	for _, name := range names {
		if n, err := strconv.Atoi(e.Attr(name)); err == nil {
			return &n
		}
	}
	return nil
}

func truth(e *cib.Element, name string) *bool {
	if v, ok := cib.ParseBool(e.Attr(name)); ok {
		return &v
	}
	return nil
}

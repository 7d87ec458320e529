package cib

import "time"

// CIB is one cluster information base: the document as it was read and, beside it, its decoded form.
// Both are immutable once Decode has returned: a change makes a new CIB from a new root element.
type CIB struct {
	File string   // where the document came from, for messages; may be empty
	Root *Element // the <cib> element

	Version       Version
	ValidateWith  string    // schema name, "pacemaker-3.7", "none" or empty
	FeatureSet    string    // crm_feature_set
	DCUUID        string    // dc-uuid: node id of the designated controller, empty if none
	HaveQuorum    bool      // have-quorum; true when the attribute is absent
	NoQuorumPanic bool      // no-quorum-panic
	ExecutionDate time.Time // execution-date (UTC); zero when absent

	Properties  []*NVSet // cluster_property_set, in order of precedence like all lists of sets
	RscDefaults []*NVSet
	OpDefaults  []*NVSet
	Nodes       []*Node
	Resources   []*Resource // top level, document order
	Templates   map[string]*Template
	Tags        []*Tag
	Locations   []*Location
	Colocations []*Colocation
	Orders      []*Order
	Tickets     []*TicketConstraint
	// Constraints is every constraint in document order: *Location, *Colocation, *Order or *TicketConstraint.
	Constraints []any
	Levels      []*FencingLevel
	Alerts      []*Alert
	ACLs        ACLs
	Status      Status
}

// Version is the CIB's version triple, compared from the left.
type Version struct{ AdminEpoch, Epoch, NumUpdates int }

// NVSet is a block of name/value pairs (meta_attributes, instance_attributes, utilization,
// cluster_property_set). References by id-ref are resolved: Pairs are those of the referenced block.
// Lists of sets are in order of precedence: the highest score first and, among equals, the last of the
// document first. Inside a set the first pair of a name wins.
type NVSet struct {
	ID    string
	Score int
	Rules []*Rule // usually none or one; the set counts when there is none or one of them holds
	Pairs []NV
	El    *Element
}

// NV is one nvpair. An nvpair id-ref with its own name takes the referenced value under that name.
type NV struct{ ID, Name, Value string }

// NodeKind tells cluster members from remote and ping nodes.
type NodeKind uint8

const (
	NodeMember NodeKind = iota // type absent, "normal" or "member"
	NodeRemote                 // type "remote"
	NodePing                   // type "ping" or anything else: never hosts resources
)

// Node is a <node> of the configuration.
type Node struct {
	ID, Name    string // id and uname
	Kind        NodeKind
	Score       string   // the node element's own score attribute, base score of the node; may be empty
	Attrs       []*NVSet // instance_attributes
	Utilization []*NVSet
	El          *Element
}

// ResourceKind is the kind of a resource element.
type ResourceKind uint8

const (
	Primitive ResourceKind = iota
	Group
	Clone // <clone> and the older <master>
	Bundle
)

// Resource is one resource of the configuration. Template settings are already merged: own blocks
// go before the template's of the same score; Class, Provider and Type are the template's when Template is set.
type Resource struct {
	Kind                  ResourceKind
	ID                    string
	Class, Provider, Type string // primitives only
	Template              string // template id, empty if none
	Master                bool   // <master>: a clone with promotable=true
	Meta                  []*NVSet
	Params                []*NVSet // instance_attributes
	Utilization           []*NVSet
	Ops                   []*Op       // primitives only; own ones, then the template's of other names or roles
	Children              []*Resource // group members, the one child of a clone, the primitive of a bundle (or none)
	Parent                *Resource
	Bundle                *BundleSpec // bundles only
	El                    *Element
}

// Op is one <op>.
type Op struct {
	ID, Name   string
	Interval   string   // as written
	IntervalMS int64    // 0 for "0", absent or unreadable
	Attrs      []Attr   // the op's XML attributes, document order: timeout, on-fail, role, enabled, ...
	Meta       []*NVSet // meta_attributes and instance_attributes blocks of the op
	Params     []*NVSet
	El         *Element
}

// BundleSpec is what a <bundle> adds to a resource.
type BundleSpec struct {
	Engine          string // "docker", "podman", "rkt"
	Image           string
	Replicas        int // default: PromotedMax if positive, else 1
	ReplicasPerHost int // default 1
	PromotedMax     int // promoted-max or masters; default 0
	RunCommand      string
	Network         string // network of the container element
	Options         string // options of the container element
	IPRangeStart    string
	HostNetmask     string
	HostInterface   string
	ControlPort     string
	AddHost         bool // default true
	HasNetwork      bool // a <network> element is present
	Ports           []PortMapping
	Storage         []StorageMapping
	El              *Element // the container element
}

// PortMapping is one port-mapping of a bundle.
type PortMapping struct{ ID, Port, InternalPort, Range string }

// StorageMapping is one storage-mapping of a bundle.
type StorageMapping struct{ ID, SourceDir, SourceDirRoot, TargetDir, Options string }

// Template is a resource template.
type Template struct {
	ID                    string
	Class, Provider, Type string
	El                    *Element
}

// Tag names a list of objects by id.
type Tag struct {
	ID   string
	Refs []string
	El   *Element
}

// ResourceSet is one resource_set of a constraint.
type ResourceSet struct {
	ID         string
	Refs       []string
	Sequential bool   // default true
	RequireAll bool   // default true
	Action     string // order sets
	Role       string // colocation, location and ticket sets
	Score      string
	Kind       string
	Ordering   string // ordering="group|listed" of old schemas
	El         *Element
}

// Location is a rsc_location. Exactly one of Rsc, RscPattern, Sets is used; exactly one of Node, Rules.
type Location struct {
	ID         string
	Rsc        string
	RscPattern string // POSIX extended regular expression
	Negate     bool   // the pattern was written with a leading '!'
	Role       string
	Node       string
	Score      string
	Discovery  string // resource-discovery: "always" (default), "never", "exclusive"
	Rules      []*Rule
	Sets       []*ResourceSet
	Lifetime   []*Rule // rules of a <lifetime> element
	El         *Element
}

// Colocation is a rsc_colocation.
type Colocation struct {
	ID                        string
	Rsc, With                 string // rsc, with-rsc
	RscRole, WithRole         string
	RscInstance, WithInstance string
	NodeAttribute             string // default "#uname"
	Score                     string
	Influence                 string // "", "true", "false"
	Sets                      []*ResourceSet
	Lifetime                  []*Rule
	El                        *Element
}

// Order is a rsc_order.
type Order struct {
	ID                          string
	First, Then                 string
	FirstAction, ThenAction     string
	FirstInstance, ThenInstance string
	Kind                        string // "", "Optional", "Mandatory", "Serialize" or something unknown
	Score                       string
	Symmetrical                 string // "", "true", "false"
	RequireAll                  string
	Sets                        []*ResourceSet
	Lifetime                    []*Rule
	El                          *Element
}

// TicketConstraint is a rsc_ticket.
type TicketConstraint struct {
	ID         string
	Rsc        string
	RscRole    string
	Ticket     string
	LossPolicy string // "", "stop", "demote", "fence", "freeze"
	Sets       []*ResourceSet
	El         *Element
}

// FencingLevel is one fencing-level of the topology.
type FencingLevel struct {
	ID              string
	Target          string
	TargetPattern   string
	TargetAttribute string
	TargetValue     string
	Index           int
	Devices         []string
	El              *Element
}

// Alert is one alert with its recipients.
type Alert struct {
	ID, Path   string
	Meta       []*NVSet
	Params     []*NVSet
	Recipients []AlertRecipient
	Select     *Element // <select>, nil if absent
	El         *Element
}

// AlertRecipient is one recipient of an alert.
type AlertRecipient struct {
	ID, Value string
	Meta      []*NVSet
	Params    []*NVSet
}

// ACLs are the access rules: roles, and the users and groups they are given to.
type ACLs struct {
	Roles   []ACLRole
	Targets []ACLTarget // acl_target and acl_group (and acl_user of old schemas)
}

// ACLRole is a named list of permissions.
type ACLRole struct {
	ID    string
	Perms []ACLPermission
}

// ACLPermission is one permission: Kind is read, write or deny.
type ACLPermission struct{ ID, Kind, XPath, ObjectType, Reference, Attribute string }

// ACLTarget gives roles to a user or a group.
type ACLTarget struct {
	ID    string
	Name  string
	Group bool
	Roles []string
}

// Status is the state section: what the cluster has observed, never what a user wants.
type Status struct {
	Nodes   []*NodeState
	Tickets []*TicketState
}

// NodeState is one node_state.
type NodeState struct {
	ID, Name string
	InCCM    string // in_ccm: "true", "false" or, since feature set 3.18, seconds since the epoch; may be empty
	Crmd     string // crmd: "online", "offline" or seconds since the epoch
	Join     string // join: "member", "down", "pending", "banned"
	Expected string
	Remote   bool     // remote_node
	Attrs    []*NVSet // transient_attributes
	Lrm      []*LrmResource
	El       *Element
}

// LrmResource is the history of one resource on one node.
type LrmResource struct {
	ID                    string
	Class, Provider, Type string
	Container             string  // id of the container resource, for histories of nested resources
	Ops                   []LrmOp // document order
	El                    *Element
}

// LrmOp is one lrm_rsc_op. Everything that is rarely needed is read from El on demand.
type LrmOp struct {
	Operation    string // "start", "monitor", ...
	CallID       int    // call-id; -1 if absent
	RC           int    // rc-code; the transition-magic's when absent, -1 when unknown
	TargetRC     int    // from transition-key; -1 when there is none
	Status       int    // op-status: -2 unknown, -1 pending, 0 done, 1 cancelled, 2 timed out, 3 not supported, 4 error, ...
	IntervalMS   int64
	LastRCChange int64 // seconds since the epoch, 0 if absent
	LastRun      int64
	El           *Element
}

// TicketState is one ticket_state.
type TicketState struct {
	ID          string
	Granted     bool
	Standby     bool
	LastGranted int64
	Attrs       []Attr // everything else
	El          *Element
}

package scheduler

import (
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// infinity is the score that no finite score reaches; scores saturate at ±infinity and -infinity
// wins over +infinity.
const infinity = 1000000

// role is the state a resource is in, or is to be brought to.
type role uint8

const (
	roleUnknown role = iota
	roleStopped
	roleStarted
	roleUnpromoted
	rolePromoted
)

// planner is the working set of one Schedule call. It is filled in this order, each phase in files of its own:
//
//	unpack    (config, nodes, resources, history)  input -> nodes, resources, roles, failures
//	assign    (locations, colocations, instances)   -> resource.assigned, nextRole, score lines
//	actions   (probes, operations, fencing, notify) -> actions
//	orderings (constraints, internal)               -> edges, fixpoint
//	graph                                           -> transition.Graph and the summary
type planner struct {
	in   *cib.CIB
	now  time.Time // effective time: Options.Now
	opts Options
	cfg  config

	nodes      []*node // dense: nodes[i].idx == i; cluster nodes in document order, then remote and guest nodes
	nodeByID   map[string]*node
	nodeByName map[string]*node
	dc         *node

	resources []*resource          // top level, in CIB order, orphans last
	byID      map[string]*resource // every resource and instance by its id ("group", "member", "inst:0"), also the bare name of a clone's child -> template instance 0's set; see find
	tickets   map[string]*ticket

	histories     []history      // every resource history that was mapped to a resource
	failedOps     []failedOp     // for the "Failed Resource Actions" list
	clearFailures []clearFailure // failures to forget in this transition
	expiredLocks  []expiredLock  // histories to delete since their shutdown lock expired
	recheckBy     int64          // seconds since the epoch: when the outcome may change by time alone; 0 = never
	warnings      []string       // configuration warnings and errors, in the order found
	haveFencing   bool           // a fence device is configured (have-stonith-resource)
	haveUnfencing bool           // some device or resource wants unfencing
	haveRemote    bool           // there are remote or guest nodes

	locations   []*location
	colocations []*colocation

	guestConns   []*cib.Resource               // implicit connections to guest nodes
	guestRoom    int                           // guest nodes that bundles will still add
	defaults     map[string]string             // rsc_defaults when they have no rules
	stale        map[*cib.LrmOp]bool           // entries older than their resource's failure-timeout
	rescheduled  map[*cib.LrmOp]bool           // recurring operations to be run anew since their failure expired
	stopBoxes    []*resource                   // containers to stop since the connection into them failed
	lrmByID      []map[string]*cib.LrmResource // by node idx, made on demand
	failAttrs    []map[string][]failAttr       // by node idx, then resource name
	legacyCounts bool                          // fail counts are per resource, not per operation

	scoreLines []ScoreLine // when opts.Scores
	utilLines  []string
	utilAt     []int // score lines before each of utilLines

	actions []*action
	edges   []*ordering
	assignState
	actState
}

// config is the cluster's options after defaults and rules.
type config struct {
	symmetric, fencing, concurrentFencing, startupFencing bool
	fencingAction                                         string // "reboot" or "off"
	fencingTimeout                                        string // as written, default "60s"; ms in fencingTimeoutMS
	fencingTimeoutMS                                      int64
	watchdogTimeoutMS                                     int64 // stonith-watchdog-timeout
	haveWatchdog                                          bool
	quorate                                               bool
	noQuorum                                              noQuorumPolicy
	stopAll                                               bool // stop-all-resources
	maintenance                                           bool
	stopOrphans, stopOrphanActions, removeAfterStop       bool
	startFailureFatal                                     bool
	defaultUnmanaged                                      bool // is-managed-default=false
	shutdownLock                                          bool
	shutdownLockLimitMS                                   int64
	clusterDelay                                          string
	batchLimit                                            string
	migrationLimit                                        string
	placement                                             string // default, utilization, minimal, balanced
	nodeHealthStrategy                                    string
	healthBase, healthRed, healthYellow, healthGreen      int
	enableStartupProbes                                   bool
	priorityFencingDelayMS                                int64
	props                                                 map[string]string // every property after rules, first value wins
}

type noQuorumPolicy uint8

const (
	noQuorumStop noQuorumPolicy = iota
	noQuorumFreeze
	noQuorumIgnore
	noQuorumDemote
	noQuorumSuicide
)

type nodeKind uint8

const (
	memberNode nodeKind = iota
	remoteNode          // reached through an ocf:pacemaker:remote resource
	guestNode           // runs inside a container resource (remote-node meta attribute, bundle replica)
	pingNode
)

// node is one node in the working set.
type node struct {
	idx      int
	id, name string
	kind     nodeKind
	cfg      *cib.Node      // nil when only the status section knows it
	state    *cib.NodeState // nil when it was never seen
	score    int            // node score attribute and health, added to every resource's base

	online            bool
	unseen            bool // no node_state
	unpacked          bool // its histories were replayed
	ofBundle          bool // a guest that is a replica of a bundle
	pending           bool
	unclean           bool // must be fenced before its resources can be recovered
	standby           bool
	standbyOnFail     bool // standby because of on-fail=standby
	shutdown          bool // asked to shut down
	expectedUp        bool
	maintenance       bool
	discovery         bool   // resource-discovery-enabled
	fencedReason      string // why it must be fenced; set with unclean by fence()
	priorityDelay     bool   // the fencing was asked for with priority-fencing-delay in mind
	remoteReset       bool   // a remote node whose connection failed and that must be fenced
	remoteMaintenance bool
	remoteWasFenced   bool
	guestFailed       bool // guest node whose container failed: fenced by restarting the container
	terminate         bool // terminate attribute

	attrs       map[string]string // configured and transient attributes, and #uname, #id, #kind, #is_dc, #site-name, #cluster-name
	utilization map[string]int    // what is left; reduced as resources are assigned
	health      string            // "", "red", "yellow", "green"

	conn     *resource   // remote and guest nodes: the connection resource
	running  []*resource // active here according to history
	assigned []*resource // assigned here in this run
	priority int         // sum of priorities of what runs here
}

// variant is the kind of a resource in the working set.
type variant uint8

const (
	primitive variant = iota
	group
	clone // promotable or not; children are the instances
	bundle
)

// resource is one resource or instance in the working set. Instances of a clone are separate
// resources whose id carries the number ("rsc:0"); name is what history and agents call them.
type resource struct {
	id                   string // unique in the working set
	name                 string // id in history: without the number for anonymous instances
	renamed              bool   // history was found under name, and not under id
	variant              variant
	cfg                  *cib.Resource // made up, without element, for orphans and implicit resources
	class, provider, typ string
	parent               *resource
	children             []*resource
	instance             int // number of this instance below a clone, -1 if none

	proto      *resource         // clones: what instances are copied from
	paramCache map[string]string // instance attributes when they are the same on all nodes

	meta map[string]string // meta attributes after rules, defaults and inheritance
	ops  []*cib.Op

	// settings
	priority           int // for assignment; promotion puts its own in its place
	opPriority         int // as configured: that of its actions
	stickiness         int
	migrationThreshold int   // infinity when unset
	failureTimeoutMS   int64 // 0: never expires
	multipleActive     multipleActive
	restartOnly        bool // restart-type=restart
	critical           bool // critical meta: default influence of colocations
	allowMigrate       bool
	utilization        map[string]int

	// flags from configuration
	managed, unique, notify, orphan, promotable, interleave, ordered bool
	blocked, failed, failureIgnored, maintenance                     bool
	startPending                                                     bool
	needsQuorum, needsFencing, needsUnfencing                        bool // from requires
	isFenceDevice                                                    bool
	stopUnexpected                                                   bool
	lrmStop                                                          bool  // a failure wants it stopped where it runs
	fillerOfNone                                                     bool  // orphan whose history names a container that is gone
	reconnectMS                                                      int64 // connections: reconnect_interval

	// clone settings
	cloneMax, cloneNodeMax, cloneMin, promotedMax, promotedNodeMax int
	// bundle: replicas, and where an implicit resource belongs
	replicas []*replica
	bundleOf *resource // bundle that this implicit or contained resource belongs to
	spec     *cib.BundleSpec

	// containers and remote nodes
	container *resource   // the container this resource is inside of
	fillers   []*resource // resources inside this container
	remote    *node       // node this connection resource provides, nil otherwise
	isConn    bool        // ocf:pacemaker:remote connection

	// observed
	runningOn                    []*node
	runningAgain                 int     // how often something unmanaged inside it repeats a node of runningOn
	role                         role    // role now, from history
	knownOn                      nodeSet // nodes with history (probed)
	pendingTask                  string  // "start", "stop", "migrate_to", ... in progress
	partialSource, partialTarget *node   // live migration that was cut short
	dangling                     []*node // nodes where a migrated resource left a copy behind
	lockNode                     *node
	lockTime                     int64
	pendingNode                  *node   // where pendingTask is in progress
	forceStop                    []*node // nodes that history wants a stop on, whatever else is decided
	forceDemote                  []*node // nodes that history wants a demote on (on-fail=demote)

	// decided
	nextRole   role
	nextReason string
	allowed    nodeTable // candidate nodes and scores
	assigned   *node     // where it will be, nil: nowhere
	isAssigned bool      // a decision was taken (assigned may be nil)
	assigning  bool      // being assigned: guards against colocation loops
	account    []entry   // when opts.Account: how the scores came about
	sortIndex  int

	locs       []*location
	colos      []*colocation // this with others (we are the dependent)
	withs      []*colocation // others with this (we are the primary)
	ticketCons []*ticketCon

	actions  []*action
	resState // state of the action phase
	asgState // state of the assign phase
}

type multipleActive uint8

const (
	multiStopStart multipleActive = iota
	multiStopOnly
	multiBlock
	multiStopUnexpected
)

// replica is one replica of a bundle.
type replica struct {
	offset    int
	ipaddr    string
	ip        *resource // implicit IPaddr2, nil without ip-range-start
	container *resource
	remote    *resource // connection to the guest node, nil when the bundle has no primitive
	child     *resource // instance of the bundle's primitive
	node      *node     // the guest node
}

// nodeScore is a candidate's place in a nodeTable.
type nodeScore struct {
	score    int32
	in       bool // the node is in the table at all (opt-in clusters start empty)
	discover discovery
	count    int32 // instances of the same clone already put here
}

// nodeTable is indexed by node.idx; nil is an empty table.
type nodeTable []nodeScore

type discovery uint8

const (
	discoverAlways discovery = iota
	discoverNever
	discoverExclusive
)

// nodeSet is a bit set over node.idx.
type nodeSet []uint64

func (s nodeSet) has(n *node) bool {
	w := n.idx >> 6
	return w < len(s) && s[w]&(1<<(n.idx&63)) != 0
}

func (s *nodeSet) add(n *node) {
	w := n.idx >> 6
	for len(*s) <= w {
		*s = append(*s, 0)
	}
	(*s)[w] |= 1 << (n.idx & 63)
}

// entry is one term of a score's account.
type entry struct {
	node  *node
	delta int    // what it added, after saturation
	kind  string // "location", "stickiness", "colocation", "failure", "health", ...
	id    string // id of the constraint or attribute; may be empty
	note  string // words for a person
}

// history is what one node remembers of one resource.
type history struct {
	node *node
	rsc  *resource
	lrm  *cib.LrmResource
	ops  []*cib.LrmOp // sorted by call-id, oldest first
}

type failedOp struct {
	node *node
	rsc  *resource
	op   *cib.LrmOp
	lrm  *cib.LrmResource
}

// expiredLock is a resource whose history on a node is to be deleted, since its shutdown lock expired.
type expiredLock struct {
	rsc  *resource
	node *node
}

type clearFailure struct {
	rsc    *resource
	node   *node
	reason string
}

type ticket struct {
	id          string
	granted     bool
	standby     bool
	lastGranted int64
	attrs       map[string]string
}

type ticketCon struct {
	id     string
	rsc    *resource
	ticket *ticket
	loss   string // stop, demote, fence, freeze
	role   role   // roleUnknown: any
}

// location is one location preference, expanded to a single resource.
type location struct {
	id       string
	rsc      *resource
	role     role // roleUnknown: any role
	discover discovery
	scores   []locScore
}

type locScore struct {
	node  *node
	score int
}

// colocation says dependent goes with primary.
type colocation struct {
	id                         string
	dependent, primary         *resource
	dependentRole, primaryRole role
	attr                       string // node attribute, "#uname" by default
	score                      int
	influence                  bool
}

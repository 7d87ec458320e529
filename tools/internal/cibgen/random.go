package cibgen

import (
	"fmt"
	"math/rand/v2"
	"strconv"
)

// Now is the execution date of random CIBs, in seconds since the epoch, so that time decides nothing.
const Now = 1_700_000_000

// Limits bound a random CIB.
type Limits struct{ Nodes, Primitives int }

// generator holds what is known while one CIB is being made.
type generator struct {
	rng   *rand.Rand
	on    map[string]bool // features of this CIB
	limit Limits

	root, config, resources, constraints, status *Element

	nodes  []*node
	tops   []*rsc // top-level resources
	prims  []*rsc
	calls  int
	nextID int
}

// node is a node of the CIB.
type node struct {
	name, id  string
	online    bool // a member that can host resources
	seen      bool // has a node_state
	remembers bool // its history counts, or might
	attrs     []string
	transient []string
	lrm       *Element
	el        *Element
	state     *Element
}

// Random makes the CIB of a seed. Each feature is used by about every other CIB, so that they meet in all
// combinations and a difference shows in some CIB with few of them.
func Random(seed uint64, features []string, limit Limits) *Element {
	g := &generator{rng: rand.New(rand.NewPCG(seed, 0x9E3779B97F4A7C15)), on: map[string]bool{}, limit: limit}
	for _, f := range features {
		g.on[f] = g.chance(usual(f))
	}
	g.root = newElement("cib", "crm_feature_set", "3.16.1", "validate-with", "pacemaker-3.7", "epoch", "1",
		"num_updates", "0", "admin_epoch", "0", "have-quorum", "1", "dc-uuid", "1",
		"execution-date", strconv.Itoa(Now))
	g.config = g.root.add("configuration")
	crm := g.config.add("crm_config")
	nodes := g.config.add("nodes")
	g.resources = g.config.add("resources")
	g.constraints = g.config.add("constraints")
	g.status = g.root.add("status")
	g.makeNodes(nodes)
	g.makeResources()
	g.makeConstraints()
	g.properties(crm)
	g.makeHistory()
	g.finishNodes()
	return g.root
}

// usual is how many CIBs of a hundred use a feature.
func usual(feature string) int {
	if feature == "history" {
		return 88 // without it everything is probed first, and little else happens
	}
	return 55
}

func (g *generator) chance(percent int) bool { return g.rng.IntN(100) < percent }

// when is chance for a feature: false where the feature is off.
func (g *generator) when(feature string, percent int) bool { return g.on[feature] && g.chance(percent) }

func pick[T any](g *generator, of ...T) T { return of[g.rng.IntN(len(of))] }

func (g *generator) id(prefix string) string {
	g.nextID++
	return fmt.Sprintf("%s-%d", prefix, g.nextID)
}

func (g *generator) properties(crm *Element) {
	p := []string{}
	fencing := g.on["fencing"]
	p = append(p, "stonith-enabled", strconv.FormatBool(fencing))
	policy := "ignore"
	if g.on["quorum"] {
		policy = pick(g, "stop", "stop", "freeze", "ignore", "demote")
		if g.chance(15) {
			g.root.replace("have-quorum", "0")
		}
	}
	p = append(p, "no-quorum-policy", policy)
	if g.on["options"] {
		for _, o := range [][]string{
			{"symmetric-cluster", "false"}, {"start-failure-is-fatal", "false"}, {"concurrent-fencing", "true"},
			{"stonith-action", "off"}, {"startup-fencing", "false"}, {"stop-all-resources", "true"},
			{"enable-startup-probes", "false"}, {"stop-orphan-resources", "false"}, {"cluster-delay", "90s"},
		} {
			if g.chance(8) {
				p = append(p, o...)
			}
		}
	}
	if g.when("maintenance", 10) {
		p = append(p, "maintenance-mode", "true")
	}
	if g.on["utilization"] {
		p = append(p, "placement-strategy", pick(g, "utilization", "balanced", "minimal"))
	}
	if g.on["health"] {
		p = append(p, "node-health-strategy", pick(g, "migrate-on-red", "only-green", "progressive", "custom"))
	}
	crm.nvset("cluster_property_set", "opts", p...)
	if g.when("stickiness", 60) {
		d := g.config.add("rsc_defaults")
		d.nvset("meta_attributes", "rsc-defaults", "resource-stickiness", pick(g, "1", "50", "100", "INFINITY"))
	}
}

// replace changes an attribute that is there.
func (e *Element) replace(name, value string) {
	for i := range e.Attrs {
		if e.Attrs[i].Name == name {
			e.Attrs[i].Value = value
		}
	}
}

func (g *generator) makeNodes(nodes *Element) {
	n := 1 + g.rng.IntN(min(4, g.limit.Nodes))
	if g.chance(35) {
		n = 1 + g.rng.IntN(g.limit.Nodes)
	}
	for i := range n {
		nd := &node{name: fmt.Sprintf("n%d", i+1), id: strconv.Itoa(i + 1)}
		nd.el = nodes.add("node", "id", nd.id, "uname", nd.name)
		g.nodes = append(g.nodes, nd)
		g.nodeState(nd, i == 0)
	}
}

// nodeState decides how a node is. The first one is the controller and always up.
func (g *generator) nodeState(nd *node, first bool) {
	nd.seen, nd.online, nd.remembers = true, true, true
	state := []string{"in_ccm", "true", "crmd", "online", "join", "member", "expected", "member"}
	if !first && g.when("offline", 30) {
		nd.online = false
		switch g.rng.IntN(10) {
		case 0, 1, 2: // left in peace
			state = []string{"in_ccm", "false", "crmd", "offline", "join", "down", "expected", "down"}
			nd.remembers = g.chance(40)
		case 3, 4, 5, 6: // lost
			state = []string{"in_ccm", "false", "crmd", "offline", "join", pick(g, "down", "member"), "expected", "member"}
		case 7: // its controller died
			state = []string{"in_ccm", "true", "crmd", "offline", "join", "member", "expected", "member"}
		case 8: // came back, has not joined yet
			state = []string{"in_ccm", "true", "crmd", "online", "join", pick(g, "pending", "down"), "expected", pick(g, "member", "down")}
			nd.remembers = g.chance(30)
		case 9:
			nd.seen, nd.remembers = false, false
		}
	}
	if !first && nd.online && g.when("pending", 15) {
		nd.online = false
		state = []string{"in_ccm", "true", "crmd", "online", "join", "down", "expected", "down"}
		nd.remembers = false
	}
	if g.when("standby", 15) {
		if g.chance(50) {
			nd.attrs = append(nd.attrs, "standby", pick(g, "on", "true"))
		} else {
			nd.transient = append(nd.transient, "standby", "on")
		}
	}
	if g.when("maintenance", 10) {
		nd.attrs = append(nd.attrs, "maintenance", "true")
	}
	if g.when("shutdown", 12) {
		nd.transient = append(nd.transient, "shutdown", strconv.Itoa(Now-100))
	}
	if g.on["rules"] {
		nd.attrs = append(nd.attrs, "site", pick(g, "east", "west"))
		if g.chance(50) {
			nd.attrs = append(nd.attrs, "weight", pick(g, "1", "20", "-5", "300"))
		}
	}
	if g.when("health", 30) {
		nd.transient = append(nd.transient, "#health-disk", pick(g, "red", "yellow", "green", "-10", "5"))
	}
	if nd.seen {
		attrs := append([]string{"id", nd.id, "uname", nd.name}, state...)
		nd.state = newElement("node_state", append(attrs, "crm-debug-origin", "post_cache_update")...)
	}
}

// finishNodes writes the attributes and states that have gathered.
func (g *generator) finishNodes() {
	for _, nd := range g.nodes {
		nd.el.nvset("instance_attributes", "nodes-"+nd.id, nd.attrs...)
		if g.on["utilization"] {
			nd.el.nvset("utilization", "util-"+nd.id, "cpu", pick(g, "2", "4", "8"), "memory", pick(g, "1024", "2048", "8192"))
		}
		if nd.state == nil {
			continue
		}
		if len(nd.transient) > 0 {
			nd.state.add("transient_attributes", "id", nd.id).nvset("instance_attributes", "status-"+nd.id, nd.transient...)
		}
		if nd.lrm != nil {
			nd.state.Kids = append(nd.state.Kids, nd.lrm)
		}
		g.status.Kids = append(g.status.Kids, nd.state)
	}
}

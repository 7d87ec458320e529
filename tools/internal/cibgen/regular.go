package cibgen

import (
	"bufio"
	"fmt"
	"io"
)

// State is what the nodes of a regular CIB remember.
type State int

const (
	Unprobed State = iota // nothing: each resource must be probed on each node
	Probed                // each resource was probed everywhere and is stopped
	Running               // each resource runs where it should: nothing is left to do
)

// Shape is the size of a regular CIB.
type Shape struct {
	Nodes, Primitives int
	State             State
}

// chainLength is how many primitives are tied together by an order and a colocation each.
const chainLength = 10

// Regular writes a CIB of any size. Each primitive prefers one node, going round; the first tenth of the
// primitives forms chains, tied by mandatory orders and colocations of INFINITY; one clone has an instance
// on every node; monitors run every 30 s; fencing is off.
func Regular(to io.Writer, shape Shape) error {
	r := &regular{Shape: shape, w: bufio.NewWriterSize(to, 1<<20)}
	r.chained = r.Primitives / 10 / chainLength * chainLength
	r.configuration()
	r.status()
	r.printf("</cib>\n")
	return r.w.Flush()
}

type regular struct {
	Shape
	w       *bufio.Writer
	chained int // so many primitives are members of chains
	calls   int
}

func (r *regular) printf(format string, args ...any) { fmt.Fprintf(r.w, format, args...) }

// home is the node that a primitive prefers.
func (r *regular) home(i int) int {
	if i < r.chained {
		i /= chainLength
	}
	return i % r.Nodes
}

func (r *regular) configuration() {
	r.printf(`<cib admin_epoch="0" epoch="1" num_updates="1" dc-uuid="1" have-quorum="1" validate-with="pacemaker-3.7" crm_feature_set="3.16.1">` +
		"\n<configuration>\n" + `<crm_config><cluster_property_set id="o"><nvpair id="o1" name="stonith-enabled" value="false"/>` +
		`<nvpair id="o2" name="no-quorum-policy" value="ignore"/></cluster_property_set></crm_config>` + "\n<nodes>\n")
	for i := 1; i <= r.Nodes; i++ {
		r.printf(`<node id="%d" uname="node%d"/>`+"\n", i, i)
	}
	r.printf("</nodes>\n<resources>\n")
	primitive := `<primitive id="%[1]s" class="ocf" provider="pacemaker" type="Dummy"><operations>` +
		`<op id="%[1]s-m" name="monitor" interval="30s"/></operations></primitive>`
	for i := range r.Primitives {
		r.printf(primitive+"\n", fmt.Sprintf("rsc%d", i))
	}
	r.printf(`<clone id="cl"><meta_attributes id="cl-m"><nvpair id="cl-m1" name="interleave" value="true"/></meta_attributes>`+
		primitive+"</clone>\n", "clp")
	r.printf("</resources>\n<constraints>\n")
	for i := range r.Primitives {
		r.printf(`<rsc_location id="l%d" rsc="rsc%[1]d" node="node%[2]d" score="100"/>`+"\n", i, r.home(i)+1)
	}
	for i := 1; i < r.chained; i++ {
		if i%chainLength != 0 {
			r.printf(`<rsc_order id="or%d" first="rsc%[2]d" then="rsc%[1]d" kind="Mandatory"/>`+"\n"+
				`<rsc_colocation id="co%[1]d" rsc="rsc%[1]d" with-rsc="rsc%[2]d" score="INFINITY"/>`+"\n", i, i-1)
		}
	}
	r.printf("</constraints>\n</configuration>\n")
}

func (r *regular) status() {
	r.printf("<status>\n")
	for i := range r.Nodes {
		r.printf(`<node_state id="%d" uname="node%[1]d" in_ccm="true" crmd="online" join="member" expected="member" crm-debug-origin="x">`, i+1)
		if r.State != Unprobed {
			r.printf(`<lrm id="%d"><lrm_resources>`+"\n", i+1)
			for j := range r.Primitives {
				r.resource(fmt.Sprintf("rsc%d", j), i, r.home(j) == i)
			}
			r.resource("clp", i, true)
			r.printf("</lrm_resources></lrm>")
		}
		r.printf("</node_state>\n")
	}
	r.printf("</status>\n")
}

// resource writes the history of one resource on one node.
func (r *regular) resource(id string, node int, home bool) {
	r.printf(`<lrm_resource id="%s" class="ocf" provider="pacemaker" type="Dummy">`, id)
	if r.State == Running && home {
		r.op(node, id, id+"_last_0", "start", 0, 0)
		r.op(node, id, id+"_monitor_30000", "monitor", 30000, 0)
	} else {
		r.op(node, id, id+"_last_0", "monitor", 0, 7)
	}
	r.printf("</lrm_resource>\n")
}

var (
	digestPlain   = md5Of(" <parameters/>\n")
	digestMonitor = md5Of(` <parameters CRM_meta_timeout="20000"/>` + "\n")
)

func (r *regular) op(node int, rsc, id, name string, ms, rc int) {
	digest := digestPlain
	if ms > 0 {
		digest = digestMonitor
	}
	r.calls++
	r.printf(`<lrm_rsc_op id="%[1]s" operation_key="%[2]s_%[3]s_%[4]d" operation="%[3]s" crm-debug-origin="x" crm_feature_set="3.16.1" `+
		`transition-key="%[5]d:1:%[6]d:11111111-1111-1111-1111-111111111111" transition-magic="0:%[6]d;%[5]d:1:%[6]d:11111111-1111-1111-1111-111111111111" `+
		`on_node="node%[7]d" call-id="%[5]d" rc-code="%[6]d" op-status="0" interval="%[4]d" op-digest="%[8]s"/>`,
		id, rsc, name, ms, r.calls, rc, node+1, digest)
}

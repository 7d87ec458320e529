package scheduler_test

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// now is the time of golden cases; histories lie an hour back.
var now = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// cluster is a CIB being put together from a golden case's lines. See testdata/README.md for the lines.
type cluster struct {
	quorum  bool
	options []string
	nodes   []*member
	parts   map[string][]string // section -> XML
	calls   int
}

type member struct {
	name, state string
	attrs       []string
	transient   []string
	capacity    []string
	history     []string // lrm_resource elements
}

// sectionOf tells where an element of the configuration belongs.
var sectionOf = map[string]string{
	"primitive": "resources", "group": "resources", "clone": "resources", "master": "resources", "bundle": "resources",
	"template": "resources", "rsc_location": "constraints", "rsc_colocation": "constraints", "rsc_order": "constraints",
	"rsc_ticket": "constraints", "tag": "tags", "fencing-level": "fencing-topology", "meta_attributes": "rsc_defaults",
	"ticket_state": "tickets", "node_state": "status",
}

// parseCluster reads the lines and returns the CIB's text.
func parseCluster(lines string) (string, error) {
	c := &cluster{quorum: true, parts: map[string][]string{}}
	var element []string // lines of an XML element that is still open
	depth := 0
	for i, l := range strings.Split(lines, "\n") {
		text := strings.TrimSpace(l)
		if depth == 0 && (text == "" || strings.HasPrefix(text, "#")) {
			continue
		}
		var err error
		if depth > 0 || strings.HasPrefix(text, "<") {
			element = append(element, text)
			if depth, err = depthOf(strings.Join(element, "\n")); depth == 0 && err == nil {
				err = c.element(strings.Join(element, "\n"))
				element = nil
			}
		} else {
			err = c.line(text)
		}
		if err != nil {
			return "", fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return c.text(), nil
}

// depthOf tells how many elements are open at the end of a piece of XML.
func depthOf(text string) (int, error) {
	d := xml.NewDecoder(strings.NewReader(text))
	depth := 0
	for {
		t, err := d.RawToken()
		if err != nil {
			if err.Error() == "EOF" {
				return depth, nil
			}
			return 0, err
		}
		switch t.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		}
	}
}

func (c *cluster) element(text string) error {
	name := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("</> \n", r) })[0]
	section, ok := sectionOf[name]
	if !ok {
		return fmt.Errorf("no place is known for <%s>", name)
	}
	c.parts[section] = append(c.parts[section], text)
	return nil
}

// line reads one line that is not XML.
func (c *cluster) line(text string) error {
	verb, rest, _ := strings.Cut(text, " ")
	words := strings.Fields(rest)
	switch verb {
	case "option":
		c.options = append(c.options, words...)
	case "quorum":
		c.quorum = rest != "no"
	case "node":
		return c.node(words)
	case "attribute", "capacity", "on":
		name, settings, ok := strings.Cut(rest, ":")
		i := slices.IndexFunc(c.nodes, func(m *member) bool { return m.name == name })
		if !ok || i < 0 {
			return fmt.Errorf("want %s NODE: ..., with a node that is known", verb)
		}
		switch verb {
		case "attribute":
			c.nodes[i].transient = append(c.nodes[i].transient, strings.Fields(settings)...)
			return nil
		case "capacity":
			c.nodes[i].capacity = append(c.nodes[i].capacity, strings.Fields(settings)...)
			return nil
		}
		return c.history(c.nodes[i], strings.Fields(settings))
	default:
		return fmt.Errorf("unknown word %q", verb)
	}
	return nil
}

// node reads "node n1 n2", "node n1 lost" or "node n1 standby=on".
func (c *cluster) node(words []string) error {
	for _, w := range words {
		if strings.Contains(w, "=") {
			last := c.nodes[len(c.nodes)-1]
			last.attrs = append(last.attrs, w)
		} else if _, ok := nodeStates[w]; ok {
			c.nodes[len(c.nodes)-1].state = w
		} else {
			c.nodes = append(c.nodes, &member{name: w, state: "online"})
		}
	}
	return nil
}

// nodeStates are the words for how a node is.
var nodeStates = map[string]string{
	"online":   `in_ccm="true" crmd="online" join="member" expected="member"`,
	"lost":     `in_ccm="false" crmd="offline" join="down" expected="member"`,
	"offline":  `in_ccm="false" crmd="offline" join="down" expected="down"`,
	"pending":  `in_ccm="true" crmd="online" join="down" expected="down"`,
	"unseen":   "",
	"shutdown": `in_ccm="true" crmd="online" join="member" expected="member"`,
}

// history reads "a=start,monitor/10s:7 b=probe".
func (c *cluster) history(m *member, words []string) error {
	for _, w := range words {
		rsc, ops, ok := strings.Cut(w, "=")
		if !ok {
			return fmt.Errorf("want RESOURCE=OPERATION,..., not %q", w)
		}
		var b strings.Builder
		fmt.Fprintf(&b, `<lrm_resource id="%s" %s>`, rsc, c.agent(rsc))
		for _, op := range strings.Split(ops, ",") {
			if err := c.operation(&b, m, rsc, op); err != nil {
				return err
			}
		}
		b.WriteString("</lrm_resource>\n")
		m.history = append(m.history, b.String())
	}
	return nil
}

// agent finds the agent of a resource among the elements read so far.
func (c *cluster) agent(rsc string) string {
	base, _, _ := strings.Cut(rsc, ":")
	all := strings.Join(c.parts["resources"], "\n")
	if _, tag, ok := strings.Cut(all, `<primitive id="`+base+`"`); ok {
		tag, _, _ = strings.Cut(tag, ">")
		return strings.TrimSpace(strings.TrimSuffix(tag, "/"))
	}
	return `class="ocf" provider="pacemaker" type="Dummy"`
}

// operation writes "probe", "start", "monitor/10s:7", "stop:pending", "monitor/10s:8=8" as a lrm_rsc_op.
func (c *cluster) operation(b *strings.Builder, m *member, rsc, op string) error {
	op, result, _ := strings.Cut(op, ":")
	op, ends := migrationEnds(op, m.name)
	name, every, _ := strings.Cut(op, "/")
	rc, target, status, ms := 0, 0, 0, 0
	if name == "probe" {
		name, rc, target = "monitor", 7, 7
	}
	if every != "" {
		d, err := time.ParseDuration(every)
		if err != nil {
			return err
		}
		ms = int(d.Milliseconds())
	}
	result, want, given := strings.Cut(result, "=")
	var err error
	switch result {
	case "":
	case "pending":
		rc, status = 193, -1
	case "timeout":
		rc, status = 1, 2
	default:
		if rc, err = strconv.Atoi(result); err != nil {
			return err
		}
	}
	if given {
		if target, err = strconv.Atoi(want); err != nil {
			return err
		}
	}
	c.calls++
	id := fmt.Sprintf("%s_last_%d", rsc, c.calls)
	if ms > 0 {
		id = fmt.Sprintf("%s_%s_%d", rsc, name, ms)
	}
	if rc != target {
		id = rsc + "_last_failure_0"
	}
	key := fmt.Sprintf("%d:1:%d:00000000-0000-0000-0000-000000000000", c.calls, target)
	fmt.Fprintf(b, `<lrm_rsc_op id="%s" operation_key="%s_%s_%d" operation="%s" interval="%d" call-id="%d" rc-code="%d" `+
		`op-status="%d" transition-key="%s" transition-magic="%d:%d;%s" on_node="%s" last-rc-change="%d" op-digest="%s"%s/>`,
		id, rsc, name, ms, name, ms, c.calls, rc, status, key, status, rc, key, m.name, now.Add(-time.Hour).Unix(), digest(ms), ends)
	return nil
}

// migrationEnds takes "migrate_to>n2" and "migrate_from<n1" apart into the operation and its attributes.
func migrationEnds(op, here string) (name, attrs string) {
	source, target := here, ""
	name, target, to := strings.Cut(op, ">")
	if !to {
		var from bool
		if name, source, from = strings.Cut(op, "<"); !from {
			return op, ""
		}
		target = here
	}
	return name, fmt.Sprintf(` migrate_source="%s" migrate_target="%s"`, source, target)
}

// digest is what a node records of an operation without parameters.
func digest(ms int) string {
	text := " <parameters/>\n"
	if ms > 0 {
		text = ` <parameters CRM_meta_timeout="20000"/>` + "\n"
	}
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// text writes the CIB.
func (c *cluster) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.7" epoch="1" num_updates="1" admin_epoch="0" `+
		`have-quorum="%d" dc-uuid="1" execution-date="%d"><configuration><crm_config>`, map[bool]int{true: 1}[c.quorum], now.Unix())
	pairs(&b, "cluster_property_set", "options", c.options)
	b.WriteString("</crm_config><nodes>")
	for i, m := range c.nodes {
		fmt.Fprintf(&b, `<node id="%d" uname="%s">`, i+1, m.name)
		pairs(&b, "instance_attributes", "attributes-"+m.name, m.attrs)
		if len(m.capacity) > 0 {
			pairs(&b, "utilization", "capacity-"+m.name, m.capacity)
		}
		b.WriteString("</node>\n")
	}
	b.WriteString("</nodes>")
	for _, section := range []string{"resources", "constraints", "tags", "fencing-topology", "rsc_defaults"} {
		if len(c.parts[section]) > 0 || section == "resources" || section == "constraints" {
			fmt.Fprintf(&b, "<%s>%s</%[1]s>\n", section, strings.Join(c.parts[section], "\n"))
		}
	}
	b.WriteString("</configuration><status>")
	if t := c.parts["tickets"]; len(t) > 0 {
		fmt.Fprintf(&b, "<tickets>%s</tickets>", strings.Join(t, "\n"))
	}
	for i, m := range c.nodes {
		c.nodeState(&b, i+1, m)
	}
	b.WriteString(strings.Join(c.parts["status"], "\n") + "</status></cib>\n")
	return b.String()
}

func (c *cluster) nodeState(b *strings.Builder, id int, m *member) {
	if m.state == "unseen" {
		return
	}
	fmt.Fprintf(b, `<node_state id="%d" uname="%s" %s>`, id, m.name, nodeStates[m.state])
	transient := m.transient
	if m.state == "shutdown" {
		transient = append(slices.Clone(transient), fmt.Sprintf("shutdown=%d", now.Add(-time.Minute).Unix()))
	}
	if len(transient) > 0 {
		fmt.Fprintf(b, `<transient_attributes id="%d">`, id)
		pairs(b, "instance_attributes", "transient-"+m.name, transient)
		b.WriteString("</transient_attributes>")
	}
	fmt.Fprintf(b, `<lrm id="%d"><lrm_resources>%s</lrm_resources></lrm></node_state>`+"\n", id, strings.Join(m.history, ""))
}

// pairs writes a block of nvpairs from words such as "name=value".
func pairs(b *strings.Builder, kind, id string, words []string) {
	if len(words) == 0 {
		return
	}
	fmt.Fprintf(b, `<%s id="%s">`, kind, id)
	for i, w := range words {
		name, value, _ := strings.Cut(w, "=")
		fmt.Fprintf(b, `<nvpair id="%s-%d" name="%s" value="%s"/>`, id, i, name, value)
	}
	fmt.Fprintf(b, "</%s>", kind)
}

func decode(t *testing.T, name, text string) *cib.CIB {
	t.Helper()
	in, err := cib.Decode(name, []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return in
}

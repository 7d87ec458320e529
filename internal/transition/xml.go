package transition

import (
	"bufio"
	"io"
	"strconv"

	"github.com/cerco-ha/cerco/internal/cib"
)

// WriteXML writes the graph as Pacemaker's scheduler does: the same elements, the attributes in the same
// order, two blanks an indent.
func (g *Graph) WriteXML(w io.Writer) error {
	x := &xmlWriter{w: bufio.NewWriter(w), buf: make([]cib.Attr, 0, 16), featureSet: g.FeatureSet}
	x.open("transition_graph", g.header(), len(g.Actions) == 0)
	byID := make(map[int]*Action, len(g.Actions))
	for _, a := range g.Actions {
		byID[a.ID] = a
	}
	for i, a := range g.Actions {
		x.synapse(i, a, byID)
	}
	if len(g.Actions) > 0 {
		x.close("transition_graph")
	}
	return x.w.Flush()
}

func (g *Graph) header() []cib.Attr {
	batch := g.BatchLimit
	if batch == "" {
		batch = "0"
	}
	out := []cib.Attr{{Name: "cluster-delay", Value: g.ClusterDelay}}
	add := func(name, value string) {
		if value != "" {
			out = append(out, cib.Attr{Name: name, Value: value})
		}
	}
	add("stonith-timeout", g.FencingTimeout)
	add("failed-stop-offset", g.FailedStopOffset)
	add("failed-start-offset", g.FailedStartOffset)
	add("batch-limit", batch)
	add("transition_id", strconv.Itoa(g.ID))
	if limit(g.MigrationLimit, -1) > 0 {
		add("migration-limit", g.MigrationLimit)
	}
	if g.RecheckBy != 0 {
		add("recheck-by", strconv.FormatInt(g.RecheckBy, 10))
	}
	return out
}

// element is the name of an action's element.
func (k Kind) element() string {
	switch k {
	case ClusterEvent:
		return "crm_event"
	case Pseudo:
		return "pseudo_event"
	}
	return "rsc_op"
}

// identity is the attributes that an action has wherever it is mentioned.
func (a *Action) identity(buf []cib.Attr) []cib.Attr {
	add := func(name, value string) {
		if value != "" {
			buf = append(buf, cib.Attr{Name: name, Value: value})
		}
	}
	add("mode", a.Mode)
	add("id", strconv.Itoa(a.ID))
	add("operation", a.Task)
	add("operation_key", a.Key)
	if a.LongKey != a.Key {
		add("internal_operation_key", a.LongKey)
	}
	add("on_node", a.Node)
	add("on_node_uuid", a.NodeID)
	add("router_node", a.Router)
	return buf
}

// xmlWriter writes indented elements. Errors are bufio's: they stick and Flush returns them.
type xmlWriter struct {
	w     *bufio.Writer
	depth int
	buf   []cib.Attr // scratch for one start tag

	featureSet string
}

func (x *xmlWriter) synapse(i int, a *Action, byID map[int]*Action) {
	head := append(x.buf[:0], cib.Attr{Name: "id", Value: strconv.Itoa(i)})
	if a.Priority > 0 {
		head = append(head, cib.Attr{Name: "priority", Value: strconv.Itoa(a.Priority)})
	}
	x.open("synapse", head, false)
	x.open("action_set", nil, false)
	x.action(a)
	x.close("action_set")
	x.open("inputs", nil, len(a.Inputs) == 0)
	for _, in := range a.Inputs {
		before := byID[in.ID]
		if before == nil {
			continue
		}
		x.open("trigger", nil, false)
		x.open(before.Kind.element(), before.identity(x.buf[:0]), true)
		x.close("trigger")
	}
	if len(a.Inputs) > 0 {
		x.close("inputs")
	}
	x.close("synapse")
}

func (x *xmlWriter) action(a *Action) {
	attrs := a.identity(x.buf[:0])
	if a.ShutdownLock != "" {
		attrs = append(attrs, cib.Attr{Name: "shutdown-lock", Value: a.ShutdownLock})
	}
	name := a.Kind.element()
	bare := a.Rsc == nil && len(a.Attrs) == 0 && x.featureSet == "" && len(a.Downed) == 0 && len(a.Maintenance) == 0
	x.open(name, attrs, bare)
	if bare {
		return
	}
	if a.Rsc != nil {
		x.open("primitive", a.Rsc.attrs(x.buf[:0]), true)
	}
	if len(a.Attrs) > 0 || x.featureSet != "" {
		x.attributes(a.Attrs)
	}
	if len(a.Maintenance) > 0 {
		x.open("maintenance", nil, false)
		for _, m := range a.Maintenance {
			in := "0"
			if m.InMaintenance {
				in = "1"
			}
			x.open("node", []cib.Attr{{Name: "id", Value: m.ID}, {Name: "node_in_maintenance", Value: in}}, true)
		}
		x.close("maintenance")
	}
	if len(a.Downed) > 0 {
		x.open("downed", nil, false)
		for _, id := range a.Downed {
			x.open("node", []cib.Attr{{Name: "id", Value: id}}, true)
		}
		x.close("downed")
	}
	x.close(name)
}

// attributes writes the <attributes> element. What cannot be the name of an XML attribute, such as the
// positional parameters of old agents, becomes a <param> below it.
func (x *xmlWriter) attributes(attrs []cib.Attr) {
	named, odd := x.buf[:0], 0
	feature := x.featureSet != ""
	for _, a := range attrs {
		if feature && a.Name >= "crm_feature_set" {
			feature = false
			if a.Name != "crm_feature_set" {
				named = append(named, cib.Attr{Name: "crm_feature_set", Value: x.featureSet})
			}
		}
		if !isXMLName(a.Name) {
			odd++
			continue
		}
		named = append(named, a)
	}
	if feature {
		named = append(named, cib.Attr{Name: "crm_feature_set", Value: x.featureSet})
	}
	x.buf = named[:0]
	whole := odd == 0
	x.open("attributes", named, whole)
	if whole {
		return
	}
	for _, a := range attrs {
		if !isXMLName(a.Name) {
			x.open("param", []cib.Attr{{Name: "name", Value: a.Name}, {Name: "value", Value: a.Value}}, true)
		}
	}
	x.close("attributes")
}

// isXMLName reports whether s may be the name of an attribute.
func isXMLName(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_', c == ':', c >= 0x80:
		case i > 0 && (c >= '0' && c <= '9' || c == '-' || c == '.'):
		default:
			return false
		}
	}
	return s != ""
}

func (r *Resource) attrs(buf []cib.Attr) []cib.Attr {
	buf = append(buf, cib.Attr{Name: "id", Value: r.ID})
	if r.LongID != "" && r.LongID != r.ID {
		buf = append(buf, cib.Attr{Name: "long-id", Value: r.LongID})
	}
	buf = append(buf, cib.Attr{Name: "class", Value: r.Class})
	if r.Provider != "" {
		buf = append(buf, cib.Attr{Name: "provider", Value: r.Provider})
	}
	return append(buf, cib.Attr{Name: "type", Value: r.Type})
}

// open writes a start tag, or with empty a whole element.
func (x *xmlWriter) open(name string, attrs []cib.Attr, empty bool) {
	x.indent()
	x.w.WriteByte('<')
	x.w.WriteString(name)
	for i := range attrs {
		x.w.WriteByte(' ')
		x.w.WriteString(attrs[i].Name)
		x.w.WriteString(`="`)
		escape(x.w, attrs[i].Value)
		x.w.WriteByte('"')
	}
	if empty {
		x.w.WriteString("/>\n")
		return
	}
	x.w.WriteString(">\n")
	x.depth++
}

func (x *xmlWriter) close(name string) {
	x.depth--
	x.indent()
	x.w.WriteString("</")
	x.w.WriteString(name)
	x.w.WriteString(">\n")
}

func (x *xmlWriter) indent() {
	for range x.depth {
		x.w.WriteString("  ")
	}
}

// escape writes an attribute value the way Pacemaker does: a line break becomes a backslash and an n, a
// tab four blanks, since its readers work line by line.
func escape(w *bufio.Writer, s string) {
	from := 0
	for i := 0; i < len(s); i++ {
		var to string
		switch s[i] {
		case '<':
			to = "&lt;"
		case '>':
			to = "&gt;"
		case '&':
			to = "&amp;"
		case '"':
			to = "&quot;"
		case '\'':
			to = "&apos;"
		case '\n':
			to = `\n`
		case '\t':
			to = "    "
		default:
			continue
		}
		w.WriteString(s[from:i])
		w.WriteString(to)
		from = i + 1
	}
	w.WriteString(s[from:])
}

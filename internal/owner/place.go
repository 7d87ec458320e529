package owner

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
)

// Option is the cluster property that says which machines that are no resources belong to which host:
// "build1:hv1;build2:hv2". Resources of the agent VirtualDomain need no such word.
const Option = "guest-fencing-hosts"

// place is where the cluster's state has a machine.
type place struct {
	resource string // the VirtualDomain resource; "" if it is none
	declared string // the host that it was declared for, if it is no resource
	node     string // where it is; "" if it is nowhere
	waits    string // why nobody can say yet, or ""
	fenced   string // the proof that hosts which could have had it are off
}

// files reads a file of a host: the definition of a machine.
type files func(name string) ([]byte, error)

// locate reads from the state where a machine is.
func locate(st cib.State, id string, read files, now time.Time) place {
	r := resourceOf(st.CIB, id, read, now)
	if r == "" {
		return declared(st, id, now)
	}
	v := scheduler.Look(st.CIB, scheduler.Options{Now: now})
	p := place{resource: r}
	view := find(v.Resources, r)
	if view == nil {
		p.waits = "resource " + r + " is not known to the scheduler"
		return p
	}
	switch {
	case strings.HasPrefix(view.Pending, "migrate"), len(view.On) > 1:
		p.waits = "it is being migrated"
	case len(view.On) == 1 && view.On[0].Unclean:
		p.waits = view.On[0].Name + ", where it was, is not proved off yet"
		p.node = view.On[0].Name
	case len(view.On) == 1:
		p.node = view.On[0].Name
	case view.Pending != "":
		p.waits = view.Pending + " of " + r + " is in progress"
	default:
		p.waits, p.fenced = nowhere(v, st)
	}
	return p
}

// nowhere makes sure that a machine which is nowhere in the state is nowhere in fact: no host may be unknown.
func nowhere(v *scheduler.View, st cib.State) (waits, fenced string) {
	var proofs []string
	for _, n := range v.Nodes {
		if n.Kind != "member" {
			continue
		}
		switch {
		case n.Unclean:
			return n.Name + " is not proved off yet", ""
		case n.Pending:
			return "it is not known yet what runs on " + n.Name, ""
		case !n.Online:
			if f := proofOf(st, n.Name); f != "" {
				proofs = append(proofs, f)
			}
		}
	}
	return "", strings.Join(proofs, ", ")
}

// proofOf is the committed proof that a host is off, "" if it was not fenced.
func proofOf(st cib.State, node string) string {
	for _, f := range slices.Backward(st.Fencing) {
		if f.Target == node && f.State == cib.FenceDone {
			return fmt.Sprintf("%s is off (%s, %s)", node, f.Evidence, f.Completed.UTC().Format(time.RFC3339))
		}
	}
	return ""
}

func find(views []*scheduler.ResourceView, id string) *scheduler.ResourceView {
	for _, v := range views {
		if v.Kind == "primitive" && (v.ID == id || v.Name == id) {
			return v
		}
		if f := find(v.Children, id); f != nil {
			return f
		}
	}
	return nil
}

// resourceOf returns the VirtualDomain resource that operates a machine, or "".
func resourceOf(c *cib.CIB, id string, read files, now time.Time) string {
	for _, m := range guests(c, read, now) {
		if m.name == id || m.uuid != "" && strings.EqualFold(m.uuid, id) {
			return m.resource
		}
	}
	return ""
}

// guest is a machine that is a resource.
type guest struct{ resource, name, uuid string }

// guests lists the machines that are resources. What cannot be read on this host goes by the resource's id.
func guests(c *cib.CIB, read files, now time.Time) []guest {
	var out []guest
	for r := range c.AllResources() {
		if r.Kind != cib.Primitive || r.Type != "VirtualDomain" {
			continue
		}
		params, _ := cib.Evaluate(r.Params, &cib.RuleInput{Now: now}, "")
		g := guest{resource: r.ID, name: r.ID}
		if b, err := read(params["config"]); err == nil {
			if name, uuid, err := parseDefinition(b); err == nil {
				g.name, g.uuid = name, uuid
			}
		}
		out = append(out, g)
	}
	return out
}

// parseDefinition reads whose definition it is.
func parseDefinition(b []byte) (name, uuid string, err error) {
	var d struct {
		XMLName xml.Name `xml:"domain"`
		Name    string   `xml:"name"`
		UUID    string   `xml:"uuid"`
	}
	if err := xml.Unmarshal(b, &d); err != nil {
		return "", "", err
	}
	name, uuid = strings.TrimSpace(d.Name), strings.TrimSpace(d.UUID)
	if name == "" {
		return "", "", fmt.Errorf("a definition of a machine without a name")
	}
	return name, uuid, nil
}

// declared reads the option for machines that are no resources. They are off with their host.
func declared(st cib.State, id string, now time.Time) place {
	for _, pair := range strings.FieldsFunc(st.CIB.Option(Option, now), func(r rune) bool { return r == ';' || r == ' ' || r == ',' }) {
		machine, host, ok := strings.Cut(pair, ":")
		if !ok || !strings.EqualFold(machine, id) {
			continue
		}
		p := place{declared: host, node: host}
		for _, n := range scheduler.Look(st.CIB, scheduler.Options{Now: now}).Nodes {
			switch {
			case n.Name != host:
			case n.Unclean:
				p.waits = host + " is not proved off yet"
			case !n.Online:
				p.node, p.fenced = "", proofOf(st, host)
				if p.fenced == "" {
					p.fenced = host + " has left the cluster in order"
				}
			}
		}
		return p
	}
	return place{}
}

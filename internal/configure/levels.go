package configure

import (
	"slices"
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Target is what a fencing level is for: a node, nodes by a pattern, or nodes by an attribute.
type Target struct{ Node, Pattern, Attribute, Value string }

// ParseTarget reads NODE, regexp%PATTERN, node%NODE or attrib%NAME=VALUE.
func ParseTarget(text string) Target {
	kind, rest, ok := strings.Cut(text, "%")
	switch {
	case ok && kind == "regexp":
		return Target{Pattern: rest}
	case ok && kind == "attrib":
		name, value, _ := strings.Cut(rest, "=")
		return Target{Attribute: name, Value: value}
	case ok && kind == "node":
		return Target{Node: rest}
	}
	return Target{Node: text}
}

func (t Target) String() string { return t.Node + t.Pattern + t.Attribute }

func (t Target) attrs() []cib.Attr {
	switch {
	case t.Pattern != "":
		return []cib.Attr{{Name: "target-pattern", Value: t.Pattern}}
	case t.Attribute != "":
		return []cib.Attr{{Name: "target-attribute", Value: t.Attribute}, {Name: "target-value", Value: t.Value}}
	}
	return []cib.Attr{{Name: "target", Value: t.Node}}
}

func (t Target) of(level *cib.Element) bool {
	for _, a := range t.attrs() {
		if level.Attr(a.Name) != a.Value {
			return false
		}
	}
	return true
}

// AddLevel adds a level of fencing.
func AddLevel(d *Draft, level string, t Target, devices []string) error {
	n, err := strconv.Atoi(level)
	if err != nil || n < 1 {
		d.Fail("'%s' is not a valid level value, use a positive integer", level)
	}
	if t.Node != "" && len(d.Where(func(e *cib.Element) bool { return e.Name == "node" && e.Attr("uname") == t.Node })) == 0 && !slices.Contains(d.remotes(""), t.Node) {
		d.Doubt("Node '%s' does not appear to exist in configuration", t.Node)
	}
	if len(devices) == 0 {
		d.Fail("no fence devices were specified for the level")
	}
	d.checkDevices(devices)
	list := strings.Join(devices, ",")
	for e := range d.root.Child("configuration").Child("fencing-topology").Elements() {
		if e.Attr("index") == level && t.of(e) && e.Attr("devices") == list {
			d.Fail("Fencing level for '%s' at level '%s' with device(s) %s already exists", t, level, quoted(devices))
		}
	}
	if err := d.Refused(); err != nil {
		return err
	}
	attrs := append([]cib.Attr{{Name: "index", Value: strconv.Itoa(n)}, {Name: "devices", Value: list}}, t.attrs()...)
	attrs = append(attrs, cib.Attr{Name: "id", Value: d.Free("fl-" + t.String() + "-" + strconv.Itoa(n))})
	d.Add(d.Section("fencing-topology"), cib.NewElement("fencing-level", attrs))
	return nil
}

// checkDevices notes devices that are not there.
func (d *Draft) checkDevices(devices []string) {
	var missing []string
	for _, id := range devices {
		if SanitizeID(id) != id {
			d.CheckID(id, "device id")
			continue
		}
		p := d.Find(id, "primitive")
		if (p == nil || p.Last().Attr("class") != "stonith") && !slices.Contains(missing, id) {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		d.Doubt("Stonith resource(s) %s do not exist", quoted(missing))
	}
}

// Levels says which levels are meant; zero values stand for all.
type Levels struct {
	Level   string
	Target  *Target
	Devices []string
}

func (l Levels) match(e *cib.Element) bool {
	return (l.Level == "" || e.Attr("index") == l.Level) && (l.Target == nil || l.Target.of(e)) &&
		(len(l.Devices) == 0 || e.Attr("devices") == strings.Join(l.Devices, ","))
}

// RemoveLevels takes levels out. Where must says so there has to be one.
func RemoveLevels(d *Draft, must bool, choices ...Levels) error {
	removed := false
	for _, l := range choices {
		for _, p := range d.Where(func(e *cib.Element) bool { return e.Name == "fencing-level" && l.match(e) }) {
			d.Put(d.Find(p.Last().ID(), "fencing-level"), nil)
			removed = true
		}
		if removed {
			return nil
		}
	}
	if !must {
		return nil
	}
	text := "Fencing level"
	l := choices[0]
	if l.Target != nil {
		text += " for '" + l.Target.String() + "'"
	}
	text += " at level '" + l.Level + "'"
	if len(l.Devices) > 0 {
		text += " with device(s) " + quoted(l.Devices)
	}
	return d.refuse("%s does not exist", text)
}

// VerifyLevels notes levels whose nodes or devices are not there.
func VerifyLevels(d *Draft) error {
	var devices, nodes []string
	for e := range d.root.Child("configuration").Child("fencing-topology").Elements() {
		for id := range strings.SplitSeq(e.Attr("devices"), ",") {
			if p := d.Find(id, "primitive"); (p == nil || p.Last().Attr("class") != "stonith") && !slices.Contains(devices, id) {
				devices = append(devices, id)
			}
		}
		if n := e.Attr("target"); n != "" && !slices.Contains(d.remotes(""), n) && !slices.Contains(nodes, n) {
			nodes = append(nodes, n)
		}
	}
	if len(devices) > 0 {
		slices.Sort(devices)
		d.Fail("Stonith resource(s) %s do not exist", quoted(devices))
	}
	slices.Sort(nodes)
	for _, n := range nodes {
		d.Fail("Node '%s' does not appear to exist in configuration", n)
	}
	return d.Refused()
}

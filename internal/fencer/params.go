package fencer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// kept reports whether a parameter of a device goes to its agent: what is meant for the fencer does not.
func kept(name string) bool {
	switch name {
	case "action", "provides", "stonith-timeout", "crm_feature_set":
		return false
	}
	return name != "" && !strings.HasPrefix(name, "pcmk_") && !strings.HasPrefix(name, "CRM_meta_")
}

// agentParams is what an agent is told on its standard input: the action, the target if there is one, and the
// device's parameters. The order does not matter to agents; it is fixed so that two calls can be compared.
func agentParams(d *Device, meta *Metadata, word, target string) ([]cib.Attr, error) {
	out := []cib.Attr{{Name: "action", Value: word}}
	host := ""
	if target != "" {
		out = append(out, cib.Attr{Name: "nodename", Value: target})
		if host = d.Params["pcmk_host_argument"]; host == "" && meta != nil {
			host = meta.hostArgument()
		}
		if host == "none" || host == "nodename" {
			host = ""
		}
		if v := d.Params[host]; host != "" && v != "" && v != "dynamic" {
			host = "" // the device itself says which plug
		}
		if host != "" {
			out = append(out, cib.Attr{Name: host, Value: d.plug(target)})
		}
	}
	var names []string
	for name := range d.Params {
		if kept(name) && (host == "" || name != host) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		out = append(out, cib.Attr{Name: name, Value: d.Params[name]})
	}
	for _, a := range out {
		if strings.ContainsAny(a.Name+a.Value, "\n\r\x00") {
			return nil, fmt.Errorf("the parameter %q of %s holds a line break; fence agents read a parameter a line", a.Name, d.ID)
		}
	}
	return out, nil
}

// stdin is how parameters are written for an agent.
func stdin(params []cib.Attr) []byte {
	var b strings.Builder
	for _, p := range params {
		b.WriteString(p.Name + "=" + p.Value + "\n")
	}
	return []byte(b.String())
}

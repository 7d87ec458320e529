package pcs

import (
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/configure"
	"github.com/cerco-ha/cerco/internal/driver"
	"github.com/cerco-ha/cerco/internal/fencer"
	"github.com/cerco-ha/cerco/internal/secret"
)

// validator has the agent asked what it thinks of parameters, if --agent-validation says so.
func (c *call) validator(o *configure.Options) error {
	if !c.has("agent-validation") {
		return nil
	}
	v, ok := c.Agents.(configure.Validator)
	if !ok {
		return errors.New("this program can ask no agents what they think of parameters: leave --agent-validation out")
	}
	o.Validator = v
	return nil
}

var _ configure.Validator = (*hostAgents)(nil)

// validateAll is the action by which agents check their parameters, and how long that may take.
const (
	validateAll     = "validate-all"
	validateTimeout = 30 * time.Second
)

// Validate implements configure.Validator: the agent of this host is called. What has no such action accepts everything.
func (h *hostAgents) Validate(name configure.AgentName, id string, params []configure.Pair) (said string, ok bool) {
	var list []cib.Attr
	for _, p := range params {
		list = append(list, cib.Attr{Name: p.Name, Value: p.Value})
	}
	hide := secret.Of(list, nil)
	switch name.Class {
	case "ocf":
		m, err := h.resources.Metadata(h.ctx, name.Class, name.Provider, name.Type)
		if err != nil || !m.Has(validateAll) {
			return "", true
		}
		r := h.resources.Run(h.ctx, driver.Request{Class: name.Class, Provider: name.Provider, Type: name.Type, Resource: id, Action: validateAll,
			Params: list, Timeout: validateTimeout, Env: []string{"OCF_CHECK_LEVEL=10"}})
		said = strings.TrimSpace(r.Output + "\n" + r.Reason)
		if r.Reason != "" && strings.Contains(r.Output, r.Reason) {
			said = r.Output
		}
		return hide.Text(said), r.Status == cib.OpDone && r.RC == cib.RCOk
	case "stonith":
		if a, err := h.fenceAgent(name.Type); err != nil || !slices.ContainsFunc(a.Actions, isValidateAll) {
			return "", true
		}
		own := slices.DeleteFunc(list, func(a cib.Attr) bool { return strings.HasPrefix(a.Name, "pcmk_") || a.Name == "action" })
		if node, err := os.Hostname(); err == nil { // an agent may want to be told what it would fence
			for _, n := range []string{"nodename", "port"} {
				if !slices.ContainsFunc(own, func(a cib.Attr) bool { return a.Name == n || n == "port" && a.Name == "plug" }) {
					own = append(own, cib.Attr{Name: n, Value: node})
				}
			}
		}
		r := h.fencing.Run(h.ctx, fencer.AgentCall{Agent: name.Type, Timeout: validateTimeout, Params: append([]cib.Attr{{Name: "action", Value: validateAll}}, own...)})
		said = r.Stderr
		if r.Err != nil {
			said = r.Err.Error()
		}
		return hide.Text(strings.TrimSpace(said)), r.RC == 0
	}
	return "", true
}

func isValidateAll(action []cib.Attr) bool {
	return slices.Contains(action, cib.Attr{Name: "name", Value: validateAll})
}

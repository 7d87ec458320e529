package pcs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/driver"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/secret"
	"github.com/cerco-ha/cerco/internal/status"
)

func debugNoun() *verb {
	v := &verb{name: "resource"}
	for _, d := range []struct{ name, what string }{{"start", "Start"}, {"stop", "Stop"}, {"promote", "Promote"}, {"demote", "Demote"}, {"monitor", "Look at"}} {
		v.sub = append(v.sub, &verb{name: "debug-" + d.name, args: "RESOURCE", live: true, run: resourceDebug,
			what: d.what + " a resource on this node by calling its agent, whatever the cluster thinks of that, and show what the agent says; with --full each step that it takes."})
	}
	return v
}

// operator calls agents; those of the host can be called.
type operator interface {
	Operate(ctx context.Context, r driver.Request) driver.Result
}

// Operate implements operator.
func (h *hostAgents) Operate(ctx context.Context, r driver.Request) driver.Result {
	return h.resources.Run(ctx, r)
}

// resourceDebug calls the agent of a resource outside of the cluster's control.
func resourceDebug(c *call) error {
	verb := c.verb.name
	if err := c.want(1, 1); err != nil {
		return c.misused("you must specify a resource to %s", verb)
	}
	op, ok := c.Agents.(operator)
	if !ok {
		return errors.New("this program can call no agents")
	}
	doc, v, err := c.view()
	if err != nil {
		return err
	}
	r := doc.Resource(c.words[0])
	if err := debuggable(doc, r, c.words[0], verb); err != nil {
		return err
	}
	action := strings.TrimPrefix(verb, "debug-")
	c.warnElsewhere(v, r.ID, action)
	params := c.paramsOf(doc, r)
	filled, err := secret.Fill(r.ID, params, secret.Dirs())
	if err != nil {
		return err
	}
	timeout := c.timeoutOf(doc, r, action)
	request := driver.Request{Class: r.Class, Provider: r.Provider, Type: r.Type, Resource: r.ID, Action: action, Timeout: timeout,
		Params: slices.Concat(filled, []cib.Attr{{Name: "CRM_meta_timeout", Value: fmt.Sprint(timeout.Milliseconds())}, {Name: "crm_feature_set", Value: doc.Root.Attr("crm_feature_set")}}),
		Env:    c.helpers()}
	trace := ""
	if c.has("full") {
		if trace, err = traced(&request); err != nil {
			return err
		}
		defer os.Remove(trace)
	}
	return c.tellDebug(r, action, op.Operate(c.context(), request), trace, secret.Of(filled, params))
}

// debuggable refuses what has no agent to call.
func debuggable(doc *cib.CIB, r *cib.Resource, id, verb string) error {
	switch {
	case r == nil:
		return fmt.Errorf("unable to find a resource/clone/group/bundle: %s%s", id, didYouMean(id, resourceIDs(doc)))
	case r.Kind == cib.Group:
		return fmt.Errorf("unable to %s a group, try one of the group's resource(s) (%s)", verb, strings.Join(childIDs(r), ","))
	case r.Kind == cib.Clone:
		return fmt.Errorf("unable to %s a clone, try the clone's resource: %s", verb, strings.Join(childIDs(r), ","))
	case r.Kind == cib.Bundle && len(r.Children) > 0:
		return fmt.Errorf("unable to %s a bundle, try the bundle's resource: %s", verb, strings.Join(childIDs(r), ","))
	case r.Kind == cib.Bundle:
		return fmt.Errorf("unable to %s a bundle", verb)
	case r.Class == "stonith":
		return fmt.Errorf("unable to %s '%s': it is a fence device, which the cluster itself calls; 'stonith fence' uses it", verb, id)
	}
	return nil
}

func childIDs(r *cib.Resource) []string {
	var ids []string
	for _, child := range r.Children {
		ids = append(ids, child.ID)
	}
	return ids
}

// warnElsewhere warns of starting here what runs on another node.
func (c *call) warnElsewhere(v *scheduler.View, id, action string) {
	own := ""
	if c.Hostname != nil {
		own, _ = c.Hostname() // without a name every node is another
	}
	if d, err := c.daemon(); err == nil {
		if n, err := d.Node(c.context()); err == nil {
			own = n.Name
		}
	}
	each(v, id, func(r *scheduler.ResourceView) {
		for _, n := range r.On {
			if (action == "start" || action == "promote") && n.Name != own && !strings.Contains(r.ID, ":") {
				c.warnf("the cluster runs %s on %s: what must not run twice may be damaged now. '%s resource debug-stop %s' takes it back", id, n.Name, c.program, id)
			}
		}
	})
}

// paramsOf are the parameters of a resource on this node.
func (c *call) paramsOf(doc *cib.CIB, r *cib.Resource) []cib.Attr {
	own := ""
	if c.Hostname != nil {
		own, _ = c.Hostname() // rules about a node's attributes do not hold then
	}
	in := &cib.RuleInput{Now: c.now(), Rsc: &cib.RscMatch{Class: r.Class, Provider: r.Provider, Type: r.Type}, NodeAttr: func(name string) (string, bool) {
		n := doc.NodeByName(own)
		if n == nil {
			return "", false
		}
		return cib.Value(n.Attrs, &cib.RuleInput{Now: c.now()}, name)
	}}
	values, _ := cib.Evaluate(r.Params, in, "")
	var list []cib.Attr
	for _, name := range sortedKeys(values) {
		list = append(list, cib.Attr{Name: name, Value: values[name]})
	}
	return list
}

// timeoutOf is how long an operation of a resource may take: as configured, else 20 seconds.
func (c *call) timeoutOf(doc *cib.CIB, r *cib.Resource, action string) time.Duration {
	const usual = 20 * time.Second
	text, _ := cib.Value(doc.OpDefaults, &cib.RuleInput{Now: c.now()}, "timeout")
	for _, op := range r.Ops {
		if op.Name != action {
			continue
		}
		for _, a := range op.Attrs {
			if a.Name == "timeout" {
				text = a.Value
			}
		}
		break
	}
	if ms, ok := cib.ParseDuration(text); ok && ms > 0 {
		return time.Duration(ms) * time.Millisecond
	}
	return usual
}

// helpers let an agent find the commands that talk to this node's daemon, and the state that it keeps when the daemon calls it.
func (c *call) helpers() []string {
	d, err := c.daemon()
	if err != nil {
		return nil
	}
	run := filepath.Dir(d.Addr())
	env := []string{"CERCO_SOCKET=" + d.Addr()}
	links := "/var/lib/cerco/links"
	if own := filepath.Join(run, "..", "lib", "links"); exists(own) { // a node in a directory of its own
		links = own
	}
	if exists(links) && c.Getenv != nil {
		env = append(env, "PATH="+links+":"+c.Getenv("PATH"))
	}
	if agents := filepath.Join(run, "agents"); exists(agents) {
		env = append(env, "HA_RSCTMP="+agents)
	}
	return env
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// traced has an agent write down each step into a file, whose name is returned.
func traced(r *driver.Request) (string, error) {
	f, err := os.CreateTemp("", "trace-*")
	if err != nil {
		return "", err
	}
	r.Env = append(r.Env, "OCF_TRACE_RA=1", "OCF_TRACE_FILE="+f.Name(), "HA_debug=1")
	return f.Name(), f.Close()
}

// tellDebug shows what came of a call, and ends with its code.
func (c *call) tellDebug(r *cib.Resource, action string, res driver.Result, trace string, hide *secret.Redactor) error {
	agent := r.Class + ":" + r.Type
	if r.Provider != "" {
		agent = r.Class + ":" + r.Provider + ":" + r.Type
	}
	name := map[string]string{"monitor": "check"}[action]
	if name == "" {
		name = action
	}
	if res.Status != cib.OpDone {
		fmt.Fprintf(c.Stdout, "Operation force-%s for %s (%s) could not be executed (%s)\n", name, r.ID, agent, hide.Text(res.Reason))
	} else {
		fmt.Fprintf(c.Stdout, "Operation force-%s for %s (%s) returned %d (%s)\n", name, r.ID, agent, res.RC, status.ExitText(res.RC))
	}
	if out := strings.TrimSpace(hide.Text(res.Output)); out != "" {
		fmt.Fprintln(c.Stdout, out)
	}
	if trace != "" {
		steps, err := os.ReadFile(trace)
		if err != nil {
			return err
		}
		fmt.Fprint(c.Stdout, hide.Text(string(steps)))
	}
	switch {
	case res.Status == cib.OpDone && res.RC == 0:
		return nil
	case res.RC == 0:
		return exit(exitError)
	}
	return exit(res.RC)
}

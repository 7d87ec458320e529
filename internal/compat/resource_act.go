package compat

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/wire"
)

// cleanup forgets failures (onlyFails), or all history so that everything is probed again.
func (r *resourceCall) cleanup(onlyFails bool) int {
	interval, ok := int64(0), true
	if r.every != "" {
		interval, ok = cib.ParseDuration(r.every)
	}
	switch {
	case !ok:
		return r.usage("Invalid interval: " + r.every)
	case r.operation == "" && r.every != "":
		return r.usage("--interval requires --operation")
	case r.operation != "" && r.resource == "" && !onlyFails:
		return r.usage("--operation requires --resource")
	}
	d := r.open().live()
	targets, code := r.forgettable()
	if code != exitOK {
		return code
	}
	if d == nil {
		for _, t := range targets {
			r.printf("Dry run: skipping clean-up of %s on %s due to CIB_file\n", t.resource, t.node)
		}
		return exitOK
	}
	return r.forget(d, targets, onlyFails, interval)
}

// target is a resource's history on a node.
type target struct{ resource, node string }

// forgettable lists the histories that a clean-up of a resource is about, nothing for all of them. For something that is
// part of a collective they are those of the whole.
func (r *resourceCall) forgettable() ([]target, int) {
	if r.resource == "" {
		return nil, exitOK
	}
	v := r.find(r.resource)
	if v == nil {
		return nil, r.noSuch("Resource '" + r.resource + "' not found")
	}
	if !r.force {
		r.each(func(o *scheduler.ResourceView, in []*scheduler.ResourceView) bool {
			if o == v && len(in) > 0 {
				v = in[0]
			}
			return true
		})
	}
	var list []target
	nodes := slices.Clone(r.view.Nodes)
	slices.Reverse(nodes)
	var visit func(o *scheduler.ResourceView)
	visit = func(o *scheduler.ResourceView) {
		for _, c := range o.Children {
			visit(c)
		}
		if o.Kind != "primitive" {
			return
		}
		for _, n := range nodes {
			if n.Online && (r.node == "" || n.Name == r.node) && (v.Kind != "clone" || slices.Contains(o.On, n) || len(o.On) == 0) {
				list = append(list, target{o.ID, n.Name})
			}
		}
	}
	visit(v)
	return list, exitOK
}

func (r *resourceCall) forget(d *client.Client, targets []target, onlyFails bool, interval int64) int {
	do, ctx := d.Refresh, r.context()
	if onlyFails {
		do = d.Cleanup
	}
	resources := []string{""}
	if r.resource != "" {
		resources = nil
		for _, t := range targets {
			if name := plainName(t.resource); !slices.Contains(resources, name) {
				resources = append(resources, name)
			}
		}
	}
	for _, name := range resources {
		f := wire.Forget{Resource: name, Node: r.node, Operation: r.operation, IntervalMS: interval}
		if _, err := do(ctx, f, client.Wait{}); err != nil {
			return r.worldError(err)
		}
	}
	if r.outputAs == "xml" {
		return r.result(exitOK, "")
	}
	for _, t := range targets {
		r.printf("Cleaned up %s on %s\n", t.resource, t.node)
	}
	switch {
	case r.resource == "" && onlyFails:
		on := "all nodes"
		if r.node != "" {
			on = r.node
		}
		r.printf("Cleaned up all resources on %s\n", on)
	default:
		r.replies(r.affected(targets, onlyFails))
	}
	return exitOK
}

// affected counts the histories that a clean-up has taken away.
func (r *resourceCall) affected(targets []target, onlyFails bool) int {
	if r.resource == "" {
		return 1
	}
	n := 0
	for _, t := range targets {
		for _, state := range r.doc.Status.Nodes {
			if state.Name != t.node {
				continue
			}
			for _, h := range state.Lrm {
				if plainName(h.ID) == plainName(t.resource) && (!onlyFails || hasFailure(h)) {
					n++
				}
			}
		}
	}
	return n
}

func hasFailure(h *cib.LrmResource) bool {
	for i := range h.Ops {
		op := &h.Ops[i]
		if strings.HasSuffix(op.El.ID(), "_last_failure_0") || op.TargetRC >= 0 && op.RC != op.TargetRC && op.Status >= 0 && op.Status != cib.OpCancelled {
			return true
		}
	}
	return false
}

// replies tells that the cluster has answered: a change is committed before a call returns.
func (r *resourceCall) replies(n int) {
	if n == 0 || r.quiet {
		return
	}
	word := "replies"
	if n == 1 {
		word = "reply"
	}
	r.printf("Waiting for %d %s from the controller\n", n, word)
	for range n - 1 {
		r.printf("... got reply\n")
	}
	r.printf("... got reply (done)\n")
}

// fail has the cluster believe that the resource has failed.
func (r *resourceCall) fail() int {
	if r.node == "" {
		return r.usage("Must supply a node name with -N")
	}
	v := r.find(r.resource)
	if v == nil {
		r.plainErrorf(0, "Resource %s not found", r.resource)
		return r.sayError(exitNoSuch, "Error performing operation: "+exitWords(exitNoSuch))
	}
	if v.Kind != "primitive" {
		r.plainErrorf(0, "We can only process primitive resources, not %s", r.resource)
		return r.sayError(exitUsage, "Error performing operation: Invalid argument")
	}
	d := r.open().live()
	if d == nil {
		return r.notInFile()
	}
	if _, err := d.Fail(r.context(), wire.Fail{Resource: r.resource, Node: r.node}, client.Wait{}); err != nil {
		return r.worldError(err)
	}
	if r.outputAs == "xml" {
		return r.result(exitOK, "")
	}
	r.replies(1)
	return exitOK
}

func (r *resourceCall) notInFile() int {
	r.errorf(0, "Error connecting to the controller: Connection refused")
	return r.plainErrorf(exitDisconnect, "Error performing operation: %s", exitWords(exitDisconnect))
}

// deadline is the -T option as a duration, 0 for none.
func (r *resourceCall) deadline() time.Duration {
	ms, ok := cib.ParseDuration(r.timeout)
	if !ok {
		return 0
	}
	return time.Duration(ms) * time.Millisecond
}

// wait returns when the cluster has come to rest.
func (r *resourceCall) wait() int {
	d := r.open().live()
	if d == nil {
		return r.notInFile()
	}
	rest, err := d.Rest(r.context(), client.Wait{Settled: true, Timeout: r.deadline()})
	switch {
	case err != nil:
		return r.worldError(err)
	case rest.Settled:
		return r.done(nil)
	}
	r.plainErrorf(0, "Pending actions:")
	for i, w := range rest.Waiting {
		text := "\tAction " + cib.FormatScore(i+1) + ": " + w.What
		if w.Release != "" {
			text += "\t(released by: " + w.Release + ")"
		}
		r.plainErrorf(0, "%s", text)
	}
	return r.errorf(exitTimeout, "Error performing operation: %s", exitWords(exitTimeout))
}

// restart stops a resource and lets it start again, and waits for both.
func (r *resourceCall) restart(v *scheduler.ResourceView) int {
	d := r.open().live()
	if d == nil {
		return r.notInFile()
	}
	conf := r.configured(v)
	if conf == nil || len(r.places(v)) == 0 {
		r.errorf(0, "%s is not running and so cannot be restarted", r.resource)
		return r.plainErrorf(exitError, "Error performing operation: %s", exitWords(exitError))
	}
	for conf.Parent != nil && conf.Parent.Kind == cib.Clone {
		conf = conf.Parent
	}
	r.meta, r.param, r.value, r.hasValue = true, "target-role", "stopped", true
	before := r.pairs(conf)
	if code := r.change(d, r.settingEdit(conf, before)); code != exitOK {
		return code
	}
	r.printf("Waiting for 1 resources to stop:\n * %s\n", conf.ID)
	undo := cib.Edit{Op: "delete", XPath: "//nvpair[@id='" + conf.ID + "-meta_attributes-target-role']"}
	if len(before) == 1 {
		r.value = before[0].value
		undo = r.settingEdit(conf, before)
	}
	stopped := r.settle(d)
	if code := r.change(d, undo); code != exitOK {
		return code
	}
	if stopped != exitOK {
		r.errorf(0, "Could not complete shutdown of %s, the configuration is as it was", conf.ID)
		return stopped
	}
	r.printf("Waiting for 1 resources to start again:\n * %s\n", conf.ID)
	if code := r.settle(d); code != exitOK {
		return code
	}
	return r.done(nil)
}

func (r *resourceCall) change(d *client.Client, e cib.Edit) int {
	if _, err := d.Edit(r.context(), wire.Edit{Edits: []cib.Edit{e}}, client.Wait{}); err != nil {
		return r.worldError(err)
	}
	return exitOK
}

// settle waits until the cluster is at rest.
func (r *resourceCall) settle(d *client.Client) int {
	ctx, cancel := context.WithCancel(r.context())
	defer cancel()
	rest, err := d.Rest(ctx, client.Wait{Settled: true, Timeout: r.deadline()})
	switch {
	case err != nil:
		return r.worldError(err)
	case !rest.Settled:
		return exitTimeout
	}
	return exitOK
}

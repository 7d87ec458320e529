package simulate

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/transition"
)

// ErrOpSpec means that an operation specification is not of the form RESOURCE_TASK_INTERVAL@NODE=RC.
var ErrOpSpec = errors.New("want RESOURCE_TASK_INTERVAL@NODE=RC, the interval in milliseconds, for example web_monitor_10000@node1=7")

// OpSpec names an operation on a node and the return code that it is to have.
type OpSpec struct {
	Resource   string
	Task       string
	IntervalMS int64
	Node       string
	RC         int
}

// ParseOpSpec reads an operation specification.
func ParseOpSpec(s string) (OpSpec, error) {
	bad := func(what string) (OpSpec, error) {
		return OpSpec{}, fmt.Errorf("operation %q: %s: %w", s, what, ErrOpSpec)
	}
	key, rest, ok := strings.Cut(s, "@")
	if !ok {
		return bad("no @NODE in it")
	}
	node, code, ok := strings.Cut(rest, "=")
	if !ok {
		return bad("no =RC in it")
	}
	rc, err := strconv.Atoi(code)
	if err != nil {
		return bad("the return code is not a number")
	}
	i := strings.LastIndexByte(key, '_')
	if i < 0 {
		return bad("no interval in it")
	}
	interval, err := strconv.ParseInt(key[i+1:], 10, 64)
	if err != nil || interval < 0 {
		return bad("the interval is not a number")
	}
	rsc, task := splitTask(key[:i])
	if rsc == "" || task == "" || node == "" {
		return bad("the resource, the task or the node is missing")
	}
	return OpSpec{Resource: rsc, Task: task, IntervalMS: interval, Node: node, RC: rc}, nil
}

// splitTask splits RESOURCE_TASK; resources and two of the tasks have underscores of their own.
func splitTask(key string) (rsc, task string) {
	for _, t := range []string{"migrate_to", "migrate_from"} {
		if r, ok := strings.CutSuffix(key, "_"+t); ok {
			return r, t
		}
	}
	i := strings.LastIndexByte(key, '_')
	if i < 0 {
		return "", ""
	}
	return key[:i], key[i+1:]
}

// matches reports whether an action is the specified operation. The resource may be named with its
// instance number or without, and case does not matter.
func (o OpSpec) matches(a *transition.Action, name string) bool {
	return (strings.EqualFold(o.Resource, name) || strings.EqualFold(o.Resource, a.Rsc.ID)) &&
		strings.EqualFold(o.Task, a.Task) && o.IntervalMS == a.Interval() && strings.EqualFold(o.Node, a.Node)
}

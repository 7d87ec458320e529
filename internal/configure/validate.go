package configure

import (
	"slices"
	"strings"
)

// Validator asks agents what they think of parameters. It is asked only where that was asked for.
type Validator interface {
	// Validate is what the agent says, and whether it accepts the parameters.
	Validate(name AgentName, id string, params []Pair) (said string, ok bool)
}

// validate notes what an agent thinks of the parameters of a resource. Those that it had before are asked about first where
// there are any: what was wrong already is no reason to refuse a change.
func (d *Draft) validate(v Validator, name AgentName, id string, params, before []Pair) {
	if v == nil || d.Refused() != nil {
		return
	}
	if len(before) > 0 {
		if _, ok := v.Validate(name, id, before); !ok {
			d.Warn("The resource was misconfigured before the update, therefore agent self-validation will not be run for the updated configuration")
			return
		}
	}
	said, ok := v.Validate(name, id, params)
	said = strings.Join(strings.FieldsFunc(said, func(r rune) bool { return r == '\n' }), "; ")
	switch {
	case !ok:
		d.Doubt("the agent %s does not accept the parameters of '%s': %s", name, id, said)
	case said != "":
		d.Warn("Validation result from agent: %s", said)
	}
}

// updated are pairs as they are after a change: what has an empty value is gone.
func updated(before, change []Pair) []Pair {
	all := Sorted(slices.Concat(before, change))
	return slices.DeleteFunc(all, func(p Pair) bool { return p.Value == "" })
}

package pcs

import (
	"slices"

	"github.com/cerco-ha/cerco/internal/configure"
)

func resourceUpdate(c *call) error {
	if err := c.want(2, -1); err != nil {
		return err
	}
	u := &configure.Update{ID: c.words[0], Stonith: c.path[0] == "stonith"}
	parts := sections(c.words[1:], "op", "meta")
	params := slices.DeleteFunc(parts[0].words, func(w string) bool { return w == "params" })
	if len(params) < len(parts[0].words) {
		c.warnf("'params' is a word of crmsh: parameters follow the resource without it")
	}
	var err error
	if u.Params, err = pairs(params); err != nil {
		return err
	}
	var meta []string
	for _, p := range parts[1:] {
		if p.keyword == "meta" {
			meta = append(meta, p.words...)
			continue
		}
		list, err := opsOrNone(p.words)
		if err != nil {
			return err
		}
		u.Ops = append(u.Ops, list...)
	}
	if u.Meta, err = pairs(meta); err != nil {
		return err
	}
	agents, err := c.agents()
	if err != nil {
		return err
	}
	return c.change(func(d *configure.Draft) error { return configure.UpdateResource(d, agents, u) })
}

// opsOrNone is ops in which an operation may stand without options: then nothing is said of it.
func opsOrNone(words []string) ([]configure.Op, error) {
	var list []configure.Op
	for i := 0; i < len(words); {
		end := i + 1
		for end < len(words) && isPair(words[end]) {
			end++
		}
		op, err := oneOp(words[i:end])
		if err != nil {
			return nil, err
		}
		if len(op.Pairs) > 0 {
			list = append(list, op)
		}
		i = end
	}
	return list, nil
}

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
	var err error
	if u.Params, err = pairs(c.onlyPairs(parts[0].words)); err != nil {
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
	if u.Meta, err = pairs(c.onlyPairs(meta)); err != nil {
		return err
	}
	agents, err := c.agents()
	if err != nil {
		return err
	}
	if err := c.validator(&u.Options); err != nil {
		return err
	}
	return c.changeFor(anyhow, []string{u.ID}, func(d *configure.Draft) error { return configure.UpdateResource(d, agents, u) })
}

// onlyPairs leaves out words that are not NAME=VALUE, and says so: others take them for nothing, too.
func (c *call) onlyPairs(words []string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(w string) bool {
		switch {
		case w == "params":
			c.warnf("'params' is a word of crmsh: parameters follow the resource without it")
		case !isPair(w):
			c.warnf("'%s' is left out: it is not NAME=VALUE", w)
		}
		return !isPair(w)
	})
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

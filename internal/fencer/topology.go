package fencer

import (
	"regexp"
	"slices"

	"github.com/cerco-ha/cerco/internal/cib"
)

// level is one level of the topology: all its devices are needed.
type level struct {
	index   int // 0: there is no topology for the target, and any device will do
	devices []string
}

func posix(s string) (*regexp.Regexp, error) { return regexp.CompilePOSIX(s) }

// levels are the levels of a target, first to last. Those that name it go before those whose pattern it
// matches, and these before those of an attribute that it has; only the first kind that there is counts.
func levels(c *cib.CIB, target string) []level {
	attr := nodeAttrs(c, target)
	kinds := []func(*cib.FencingLevel) (string, bool){
		func(l *cib.FencingLevel) (string, bool) { return l.Target, l.Target != "" && l.Target == target },
		func(l *cib.FencingLevel) (string, bool) {
			re, err := posix(l.TargetPattern)
			return l.TargetPattern, l.TargetPattern != "" && err == nil && re.MatchString(target)
		},
		func(l *cib.FencingLevel) (string, bool) {
			v, ok := attr(l.TargetAttribute)
			return l.TargetAttribute + "=" + l.TargetValue, l.TargetAttribute != "" && ok && v == l.TargetValue
		},
	}
	for _, kind := range kinds {
		var out []level
		key := ""
		for _, l := range c.Levels {
			name, ok := kind(l)
			if !ok || key != "" && name != key {
				continue
			}
			key = name
			i := slices.IndexFunc(out, func(o level) bool { return o.index == l.Index })
			if i < 0 {
				out = append(out, level{index: l.Index})
				i = len(out) - 1
			}
			out[i].devices = append(out[i].devices, l.Devices...)
		}
		if len(out) > 0 {
			slices.SortStableFunc(out, func(a, b level) int { return a.index - b.index })
			return out
		}
	}
	return nil
}

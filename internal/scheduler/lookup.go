package scheduler

import "sort"

// find returns the resource or instance of that id, nil if there is none. It knows instances by their
// numbered id ("clone:0", "prim:0") and the child of a clone by its bare name (the first instance).
func (p *planner) find(id string) *resource { return p.byID[id] }

// sortedKeys returns the keys of a map in byte order.
func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

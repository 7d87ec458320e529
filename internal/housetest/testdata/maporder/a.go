// Package maporder lets the order of maps reach results.
package maporder

import (
	"maps"
	"slices"
	"sort"
)

func collects(m map[string]int) []string {
	var out []string
	for k := range m { // want
		out = append(out, k)
	}
	return out
}

func collectsAndSorts(m map[string]int) []string {
	var out, other []string
	for k := range m {
		out = append(out, k)
	}
	for k := range m {
		if k != "" {
			other = append(other, k)
		}
	}
	sort.Strings(out)
	slices.SortFunc(other, func(a, b string) int { return len(a) - len(b) })
	return append(out, other...)
}

func sortsTooEarly(m map[string]int) []string {
	var out []string
	sort.Strings(out)
	for k := range m { // want
		out = append(out, k)
	}
	return out
}

func anyOne(m map[string]int) string {
	for k := range m { // want
		return k
	}
	return ""
}

func has(m map[string]int) bool {
	for _, v := range m {
		if v > 3 {
			return true
		}
	}
	return false
}

func sums(m map[string]int, f map[string]float64) (n int, s float64) {
	for _, v := range m {
		n += v
	}
	for _, v := range f { // want
		s += v
	}
	return n, s
}

func copies(m map[string]int) map[string]int {
	out := map[string]int{}
	for k, v := range m {
		w := v * 2
		out[k] = w
	}
	return out
}

func inverts(m map[string]int) map[int]string {
	out := map[int]string{}
	for k, v := range m { // want
		out[v] = k
	}
	return out
}

func calls(m map[string]int, f func(string)) {
	for k := range m { // want
		f(k)
	}
}

func excused(m map[string]int, f func(string)) {
	//house:unordered f adds its argument to a set
	for k := range m {
		f(k)
	}
	//house:unordered // want
	for k := range m {
		f(k)
	}
}

func stale(s []int) {
	//house:unordered a slice has an order // want
	for range s {
	}
}

func keys(m map[string]int) []string {
	unsorted := slices.Collect(maps.Keys(m)) // want
	return append(unsorted, slices.Sorted(maps.Keys(m))...)
}

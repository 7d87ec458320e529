// Package state keeps state at package level.
package state

var (
	count  int
	byName = map[string]int{}
	table  = []struct{ n int }{{1}}
	fixed  = map[string]int{"a": 1}
)

func change() {
	count++           // want
	byName["a"] = 1   // want
	table[0].n = 2    // want
	delete(fixed, "") // want
	local := fixed["a"]
	local++
	count := 1
	count++
	_, _ = local, count
}

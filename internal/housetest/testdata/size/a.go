// Package size has a function that is too long.
package size

func long() int { // want
	n := 0
	n++
	n++
	n++
	n++
	n++
	n++
	n++
	n++
	return n
}

func short() int { return long() }

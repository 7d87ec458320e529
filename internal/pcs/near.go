package pcs

import "strings"

// nearest is the known name that a word was probably meant to be, empty if none is near.
func nearest(word string, known []string) string {
	word = strings.ToLower(word)
	for _, k := range known {
		if len(word) > 2 && strings.HasPrefix(k, word) {
			return k
		}
	}
	best, least := "", len([]rune(word))/3+2
	for _, k := range known {
		if d := distance(word, strings.ToLower(k)); d < least && d < len(k) {
			best, least = k, d
		}
	}
	return best
}

// distance counts the letters that are wrong, missing, too many or swapped with their neighbour.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before := make([]int, len(y)+1)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(x); i++ {
		next := make([]int, len(y)+1)
		next[0] = i
		for j := 1; j <= len(y); j++ {
			change := row[j-1]
			if x[i-1] != y[j-1] {
				change++
			}
			next[j] = min(row[j]+1, next[j-1]+1, change)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(y)]
}

// didYouMean is a hint at the nearest name, empty if none is near.
func didYouMean(word string, known []string) string {
	if n := nearest(word, known); n != "" {
		return " (did you mean '" + n + "'?)"
	}
	return ""
}

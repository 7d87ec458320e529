package cib

// Infinity is the score that no finite score reaches.
const Infinity = 1000000

// ParseScore reads a score: an integer, "INFINITY", "+INFINITY", "-INFINITY" (and red, yellow, green as
// plain words are NOT scores here). It saturates at ±Infinity. ok is false, and the score 0, for anything else.
func ParseScore(s string) (score int, ok bool) { panic("to be written") }

// AddScores adds with saturation; -Infinity wins over +Infinity.
func AddScores(a, b int) int { panic("to be written") }

// ParseDuration reads a time specification ("10", "10s", "500ms", "5min", "2h", "PT5M") as milliseconds.
func ParseDuration(s string) (ms int64, ok bool) { panic("to be written") }

// ParseBool reads "true", "on", "yes", "y", "1" and their opposites, in any case.
func ParseBool(s string) (value, ok bool) { panic("to be written") }

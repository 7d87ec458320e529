package cib

import (
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	cases := []struct {
		written string
		want    int64 // -1: not a duration
	}{
		{"10", 10_000}, {"10s", 10_000}, {"10 s", 10_000}, {" 10sec", 10_000}, {"10Seconds", 10_000}, {"1.5s", 1000},
		{"10ms", 10}, {"10 msec", 10}, {"3000us", 3}, {"10m", 600_000}, {"10min", 600_000}, {"10M", 600_000},
		{"2h", 7_200_000}, {"2HR", 7_200_000}, {"0", 0}, {"PT5M", 300_000}, {"P10S", 10_000}, {"PT1H30M", 5_400_000},
		{"P1M", 30 * 86_400_000}, {"P2W", 14 * 86_400_000}, {"P1D", 86_400_000}, {"PT10S ", 10_000},
		{"", -1}, {"s", -1}, {"-5", -1}, {"+9", -1}, {"10d", -1}, {"10u", -1}, {"10,5", -1}, {".5s", -1}, {"abc", -1},
		{"INFINITY", -1}, {"P", -1}, {"P5", -1}, {"P1.5S", -1}, {"p10s", -1},
	}
	for _, c := range cases {
		got, ok := ParseDuration(c.written)
		if !ok {
			got = -1
		}
		if got != c.want {
			t.Errorf("%q: %d, want %d", c.written, got, c.want)
		}
	}
	for _, long := range []string{"99999999999999999999", "9999999999999999h", "99999999999999999999us", "P2000000000Y", "PT2000000000H"} {
		if ms, ok := ParseDuration(long); !ok || time.Duration(ms)*time.Millisecond <= 0 {
			t.Errorf("%s: %d ms, %v; a time.Duration cannot hold it", long, ms, ok)
		}
	}
}

func TestParseScore(t *testing.T) {
	cases := []struct {
		written string
		want    int
		ok      bool
	}{
		{"0", 0, true}, {"-7", -7, true}, {"+7", 7, true}, {" 5", 5, true}, {"INFINITY", Infinity, true},
		{"+INFINITY", Infinity, true}, {"-INFINITY", -Infinity, true}, {"99999999999999999999", Infinity, true},
		{"-2000000", -Infinity, true}, {"10abc", 10, false}, {"3.9", 3, false}, {"abc", 0, false}, {"", 0, false},
		{"infinity", 0, false}, {"green", 0, false}, {"-", 0, false},
	}
	for _, c := range cases {
		if got, ok := ParseScore(c.written); got != c.want || ok != c.ok {
			t.Errorf("%q: %d %v, want %d %v", c.written, got, ok, c.want, c.ok)
		}
	}
}

func TestAddScores(t *testing.T) {
	cases := []struct{ a, b, want int }{
		{1, 2, 3}, {Infinity, -5, Infinity}, {Infinity, -Infinity, -Infinity}, {-Infinity, 5, -Infinity},
		{999_999, 5, Infinity}, {-999_999, -5, -Infinity},
	}
	for _, c := range cases {
		if got := AddScores(c.a, c.b); got != c.want {
			t.Errorf("%d + %d: %d, want %d", c.a, c.b, got, c.want)
		}
		if got := AddScores(c.b, c.a); got != c.want {
			t.Errorf("%d + %d: %d, want %d", c.b, c.a, got, c.want)
		}
	}
}

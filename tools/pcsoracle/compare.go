package main

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// state is the files that a call is about; nil is a file that is not there.
type state struct{ CIB, Corosync []byte }

// call is one call and what it is made upon. Options that say where the files are come on top of the words.
type call struct {
	Args          []string
	CIB, Corosync bool // which of the files it is given
	Before        state
}

// outcome is what came of a call.
type outcome struct {
	Code           int
	Stdout, Stderr string
	After          state
}

// difference says in what two outcomes part: "status", "cib", "corosync" or "stdout"; none is the same. The texts of errors
// are not compared.
func difference(want, got outcome) []string {
	var in []string
	if (want.Code == 0) != (got.Code == 0) {
		in = append(in, "status")
	}
	if canonical(want.After.CIB) != canonical(got.After.CIB) {
		in = append(in, "cib")
	}
	if canonical(want.After.Corosync) != canonical(got.After.Corosync) {
		in = append(in, "corosync")
	}
	if masked(want.Stdout) != masked(got.Stdout) {
		in = append(in, "stdout")
	}
	return in
}

// The replay tool of the recorded calls takes these for equal too: what tells the time, and the versions of a CIB. A new cluster's
// uuid is another one each time.
var (
	timeOfStatus = regexp.MustCompile(`(Last updated:|last_update time=)[^\n]*`)
	request      = regexp.MustCompile(`request="[^"]*"`)
	lineEnds     = regexp.MustCompile(`\s+\n`)
	uuid         = regexp.MustCompile(`(cluster_uuid:).*`)
	volatile     = []string{"epoch", "num_updates", "admin_epoch", "cib-last-written", "update-origin", "update-client", "update-user"}
)

func masked(text string) string {
	return request.ReplaceAllString(timeOfStatus.ReplaceAllString(text, "$1 <T>"), "")
}

// canonical is a CIB without what does not matter, or a text without white space at the ends of its lines.
func canonical(data []byte) string {
	root, err := cib.Parse("", data)
	if err != nil {
		return strings.TrimSpace(uuid.ReplaceAllString(lineEnds.ReplaceAllString(string(data), "\n"), "$1 <U>"))
	}
	var out strings.Builder
	appendCanonical(&out, root, 0)
	return out.String()
}

func appendCanonical(out *strings.Builder, e *cib.Element, depth int) {
	fmt.Fprintf(out, "%*s<%s", depth, "", e.Name)
	attrs := slices.Clone(e.AttrList())
	slices.SortFunc(attrs, func(a, b cib.Attr) int { return strings.Compare(a.Name, b.Name) })
	for _, a := range attrs {
		if depth > 0 || !slices.Contains(volatile, a.Name) {
			fmt.Fprintf(out, " %s=%q", a.Name, a.Value)
		}
	}
	out.WriteString(">" + strings.TrimSpace(e.Text()) + "\n")
	for c := range e.Elements() {
		appendCanonical(out, c, depth+1)
	}
}

// parted are the lines that only one of two texts has, at most so many.
func parted(want, got string, most int) string {
	only := func(mark string, a, b string, out *bytes.Buffer) {
		have := map[string]int{}
		for line := range strings.Lines(b) {
			have[line]++
		}
		n := 0
		for line := range strings.Lines(a) {
			if have[line]--; have[line] < 0 {
				if n++; n <= most {
					fmt.Fprintf(out, "    %s %s\n", mark, strings.TrimRight(line, "\n"))
				}
			}
		}
	}
	var out bytes.Buffer
	only("-", want, got, &out)
	only("+", got, want, &out)
	if out.Len() == 0 {
		return "    the same lines in another order, or in another number\n"
	}
	return out.String()
}

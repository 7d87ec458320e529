package judge

import (
	"regexp"
	"slices"
	"strings"
)

var (
	scoreLine = regexp.MustCompile(`^(?:(\w+): )?(\S+) (allocation|promotion) score on (\S+): (\S+)$`)
	heading   = regexp.MustCompile(`^(Current cluster status|Transition Summary|Executing Cluster Transition|` +
		`Revised Cluster Status|Performing Requested Modifications|Using the original execution date of|` +
		`Setting effective cluster time).*:`)
)

// Text is how two printed outputs agree.
type Text struct {
	Transition bool // St: the transition summaries hold the same lines
	Revised    bool // Sr: the revised cluster status is the same
	Current    bool // Sc: the current cluster status is the same
	Executing  bool // Sx: the same actions were executed, in whatever order
}

// CompareText holds two summaries against each other; white space does not count.
func CompareText(want, got string) Text {
	w, g := sections(want), sections(got)
	same := func(name string) bool { return slices.Equal(w[name], g[name]) }
	sorted := func(name string) bool {
		return slices.Equal(slices.Sorted(slices.Values(w[name])), slices.Sorted(slices.Values(g[name])))
	}
	return Text{
		Transition: sorted("Transition Summary"),
		Revised:    same("Revised Cluster Status"),
		Current:    same("Current cluster status"),
		Executing:  sorted("Executing Cluster Transition"),
	}
}

func sections(text string) map[string][]string {
	out := map[string][]string{}
	cur := "head"
	for _, l := range strings.Split(text, "\n") {
		if m := heading.FindStringSubmatch(l); m != nil {
			cur = m[1]
			continue
		}
		if l = strings.Join(strings.Fields(l), ""); l != "" {
			out[cur] = append(out[cur], l)
		}
	}
	return out
}

// SectionDifference lists the lines of a section that only one of two outputs has.
func SectionDifference(section, want, got string) (missing, extra []string) {
	w, g := counter{}, counter{}
	for _, l := range sections(want)[section] {
		w[l]++
	}
	for _, l := range sections(got)[section] {
		g[l]++
	}
	return w.minus(g), g.minus(w)
}

// Scores is how two score listings agree.
type Scores struct {
	Every bool // Cm: the same lines, as often
	Set   bool // Cs: the same values for the same resources and nodes, whichever phase printed them
	// Missing and Extra are the lines that part the sets.
	Missing, Extra []string
}

// CompareScores holds two score listings against each other, in whatever order.
func CompareScores(want, got string) Scores {
	wm, ws := scoreLines(want)
	gm, gs := scoreLines(got)
	s := Scores{Missing: ws.minus(gs), Extra: gs.minus(ws)}
	s.Set = len(s.Missing) == 0 && len(s.Extra) == 0
	s.Every = len(wm.minus(gm)) == 0 && len(gm.minus(wm)) == 0
	return s
}

func scoreLines(text string) (every, set counter) {
	every, set = counter{}, counter{}
	for _, l := range strings.Split(text, "\n") {
		if l = strings.Join(strings.Fields(l), " "); l == "" {
			continue
		}
		every[l]++
		if m := scoreLine.FindStringSubmatch(l); m != nil {
			l = strings.Join(m[2:], " ")
		}
		set[l] = 1
	}
	return every, set
}

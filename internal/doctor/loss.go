package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Loss is what is left when a host is lost and its guests are started on the others.
type Loss struct {
	Host   string   `json:"host"`
	Moves  []Move   `json:"moves"`            // in the order of the guests' names
	Broken []string `json:"broken,omitempty"` // what does not hold after that, at best
}

// Move is a guest that is started elsewhere.
type Move struct {
	Guest string `json:"guest"`
	To    string `json:"to"`
}

func (l Loss) text() string {
	var moves []string
	for _, m := range l.Moves {
		moves = append(moves, m.Guest+" on "+m.To)
	}
	text := strings.Join(moves, ", ")
	if text == "" {
		text = "nothing can be started elsewhere"
	}
	if len(l.Broken) > 0 {
		text += "; but " + strings.Join(l.Broken, "; ")
	}
	return text
}

// losses computes the placement after the loss of each host that carries guests. Without the sizes it is nil.
func losses(d *Description) []Loss {
	if len(unsized(d)) > 0 {
		return nil
	}
	var out []Loss
	for _, h := range d.Hosts {
		if s := newSearch(d, h.Name); len(s.moving) > 0 {
			out = append(out, s.run())
		}
	}
	return out
}

// unsized lists the sizes that are not known.
func unsized(d *Description) (needs []string) {
	for i := range d.Hosts {
		for _, r := range []resource{memory, processors} {
			if r.has(&d.Hosts[i]) == 0 {
				needs = append(needs, r.key+" of "+d.Hosts[i].Name)
			}
		}
	}
	for i := range d.Guests {
		g := &d.Guests[i]
		if !g.virtual() {
			continue
		}
		for _, r := range []resource{memory, processors} {
			if r.uses(g) == 0 {
				needs = append(needs, r.key+" of "+g.Name)
			}
		}
		if g.Host == "" {
			needs = append(needs, "host of "+g.Name)
		}
	}
	return needs
}

func ruleE6(d *Description, v *verdict) {
	for _, n := range unsized(d) {
		v.need("%s", n)
	}
	for _, l := range losses(d) {
		for _, b := range l.Broken {
			v.broken("without %s: %s", l.Host, b)
		}
	}
}

// search looks for a placement of the guests of a lost host that breaks nothing.
type search struct {
	d      *Description
	lost   string
	left   []*Host
	moving []*Guest // the largest first
	place  map[string]string
	free   map[string][2]int // memory and processors, by host
	steps  int               // that may still be tried
}

// maxSteps bounds the search; beyond it the best guess counts.
const maxSteps = 20000

func newSearch(d *Description, lost string) *search {
	s := &search{d: d, lost: lost, place: d.placement(), free: map[string][2]int{}, steps: maxSteps}
	for i := range d.Hosts {
		if h := &d.Hosts[i]; h.Name != lost {
			s.left = append(s.left, h)
			s.free[h.Name] = [2]int{memory.has(h), processors.has(h)}
		}
	}
	for i := range d.Guests {
		switch g := &d.Guests[i]; {
		case !g.virtual():
		case g.Host == lost:
			s.moving = append(s.moving, g)
			s.place[g.Name] = ""
		default:
			s.take(g, g.Host, 1)
		}
	}
	slices.SortStableFunc(s.moving, func(a, b *Guest) int {
		return cmp.Or(cmp.Compare(b.MemoryMiB, a.MemoryMiB), cmp.Compare(b.CPUs, a.CPUs), cmp.Compare(a.Name, b.Name))
	})
	return s
}

// take counts a guest for a host, or with -1 takes it away again.
func (s *search) take(g *Guest, host string, sign int) {
	f := s.free[host]
	s.free[host] = [2]int{f[0] - sign*g.MemoryMiB, f[1] - sign*g.CPUs}
}

func (s *search) run() Loss {
	if len(s.left) > 0 && !s.fit(0) {
		for _, g := range s.moving { // nothing fits: where most room is
			s.put(g, s.roomiest()[0].Name)
		}
	}
	l := Loss{Host: s.lost, Moves: []Move{}, Broken: s.broken()}
	for _, g := range s.moving {
		if to := s.place[g.Name]; to != "" {
			l.Moves = append(l.Moves, Move{g.Name, to})
		}
	}
	slices.SortFunc(l.Moves, func(a, b Move) int { return strings.Compare(a.Guest, b.Guest) })
	return l
}

// fit places the guests from the n-th on, and reports whether that breaks nothing.
func (s *search) fit(n int) bool {
	if n == len(s.moving) {
		return len(s.broken()) == 0
	}
	g := s.moving[n]
	for _, h := range s.roomiest() {
		if s.steps--; s.steps < 0 {
			return false
		}
		if f := s.free[h.Name]; f[0] < g.MemoryMiB || f[1] < g.CPUs {
			continue
		}
		s.put(g, h.Name)
		if s.fit(n + 1) {
			return true
		}
		s.take(g, h.Name, -1)
		s.place[g.Name] = ""
	}
	return false
}

func (s *search) put(g *Guest, host string) {
	s.place[g.Name] = host
	s.take(g, host, 1)
}

// roomiest are the hosts that are left, those with the most free memory first.
func (s *search) roomiest() []*Host {
	out := slices.Clone(s.left)
	slices.SortStableFunc(out, func(a, b *Host) int { return cmp.Compare(s.free[b.Name][0], s.free[a.Name][0]) })
	return out
}

// broken says what does not hold in the placement.
func (s *search) broken() (out []string) {
	if len(s.left) == 0 {
		return []string{"no host is left"}
	}
	for _, h := range s.left {
		if f := s.free[h.Name]; f[0] < 0 {
			out = append(out, fmt.Sprintf("%s lacks %d %s (E4)", h.Name, -f[0], memory.unit))
		}
		if f := s.free[h.Name]; f[1] < 0 {
			out = append(out, fmt.Sprintf("%s lacks %d %s (E5)", h.Name, -f[1], processors.unit))
		}
	}
	names, _ := s.d.members()
	for _, c := range names {
		if host := s.d.allOn(&verdict{rule: &Rule{}}, c, s.place); host != "" {
			out = append(out, fmt.Sprintf("all guests of cluster %s are on %s (E1)", c, host))
		}
	}
	return out
}

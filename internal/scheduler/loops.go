package scheduler

// breakLoops takes out edges that only keep capacity or a shared node in order, where they close a
// circle: two resources that swap their nodes would wait for each other for ever.
func (p *planner) breakLoops() {
	comp := p.components()
	if comp == nil {
		return
	}
	for i := len(p.written) - 1; i >= 0; i-- {
		a := p.written[i]
		for _, l := range a.before {
			if l.flags&(ordLoad|ordAntiColocation) == 0 || a.rsc == nil || comp[l.first.seq] != comp[a.seq] || !p.wantedInput(a, l) {
				continue
			}
			p.walk++
			if p.reaches(a, l.first, comp) {
				l.flags = 0
			}
		}
	}
}

// reaches reports whether target comes after a, inside a's component.
func (p *planner) reaches(a, target *action, comp []int) bool {
	if a == target {
		return true
	}
	a.mark = p.walk
	for _, l := range a.after {
		t := l.then
		if t.mark != p.walk && comp[t.seq] == comp[a.seq] && t.has(actInGraph) && p.wantedInput(t, l) && p.reaches(t, target, comp) {
			return true
		}
	}
	return false
}

// components numbers the strongly connected components of the graph that will be written, by action
// seq; nil when there is no circle.
func (p *planner) components() []int {
	t := &tarjan{p: p, index: make([]int, len(p.actions)+1), low: make([]int, len(p.actions)+1), comp: make([]int, len(p.actions)+1)}
	for _, a := range p.written {
		if t.index[a.seq] == 0 {
			t.visit(a)
		}
	}
	if !t.circle {
		return nil
	}
	return t.comp
}

// tarjan finds strongly connected components; without recursion, since chains may be long.
type tarjan struct {
	p                *planner
	index, low, comp []int
	next, comps      int
	stack            []*action
	circle           bool
}

type frame struct {
	a    *action
	edge int
}

func (t *tarjan) push(a *action) frame {
	t.next++
	t.index[a.seq], t.low[a.seq] = t.next, t.next
	t.stack = append(t.stack, a)
	return frame{a: a}
}

func (t *tarjan) visit(root *action) {
	frames := []frame{t.push(root)}
	for len(frames) > 0 {
		f := &frames[len(frames)-1]
		a := f.a
		if f.edge < len(a.after) {
			l := a.after[f.edge]
			f.edge++
			b := l.then
			switch {
			case !b.has(actInGraph) || !t.p.wantedInput(b, l):
			case t.index[b.seq] == 0:
				frames = append(frames, t.push(b))
			case t.comp[b.seq] == 0:
				t.low[a.seq] = min(t.low[a.seq], t.index[b.seq])
			}
			continue
		}
		frames = frames[:len(frames)-1]
		if len(frames) > 0 {
			up := frames[len(frames)-1].a
			t.low[up.seq] = min(t.low[up.seq], t.low[a.seq])
		}
		if t.low[a.seq] == t.index[a.seq] {
			t.close(a)
		}
	}
}

// close takes a finished component off the stack.
func (t *tarjan) close(root *action) {
	t.comps++
	for {
		a := t.stack[len(t.stack)-1]
		t.stack = t.stack[:len(t.stack)-1]
		t.comp[a.seq] = t.comps
		if a == root {
			return
		}
		t.circle = true
	}
}

package scheduler

// Free capacity is compared attribute by attribute, so that nodes can be equal or even beat each other in a
// circle. What decides then is the order in which candidates are gone through. Pacemaker keeps them in
// hash tables by node id; the same order is made here so that the same node wins.

// tableOrder returns r's candidates in the order of a hash table that they were put into by name.
func (p *planner) tableOrder(r *resource) []*node {
	var in []*node
	for _, n := range p.byName {
		if n.idx < len(r.allowed) && r.allowed[n.idx].in {
			in = append(in, n)
		}
	}
	if len(in) == len(p.byName) {
		if p.fullOrder == nil {
			p.fullOrder = hashOrder(in, nodeID)
		}
		return p.fullOrder
	}
	return hashOrder(in, nodeID)
}

func nodeID(n *node) string { return n.id }

// tablePrimes are the moduli of tables with 8, 16, 32 ... slots.
var tablePrimes = [...]uint32{7, 13, 31, 61, 127, 251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521}

// slot is one place of a table.
type slot[T any] struct {
	item T
	hash uint32
	used bool
}

// hashOrder puts items into an open hash table that grows as it fills, and reads it from slot 0 on.
func hashOrder[T any](in []T, key func(T) string) []T {
	slots, level := make([]slot[T], 8), 0
	for k, item := range in {
		insertSlot(slots, tablePrimes[level], slot[T]{item, idHash(key(item)), true})
		if have := k + 1; len(slots) <= have+have/16 && level+1 < len(tablePrimes) {
			old := slots
			for len(slots) <= have*1333/1000 && level+1 < len(tablePrimes) {
				slots, level = make([]slot[T], 2*len(slots)), level+1
			}
			for _, o := range old {
				if o.used {
					insertSlot(slots, tablePrimes[level], o)
				}
			}
		}
	}
	out := make([]T, 0, len(in))
	for _, s := range slots {
		if s.used {
			out = append(out, s.item)
		}
	}
	return out
}

func insertSlot[T any](slots []slot[T], prime uint32, s slot[T]) {
	at := s.hash * 11 % prime
	for step := uint32(1); slots[at].used; step++ {
		at = (at + step) & uint32(len(slots)-1)
	}
	slots[at] = s
}

// idHash is the hash of a key, in lower case.
func idHash(id string) uint32 {
	var h uint32
	for i := 0; i < len(id); i++ {
		h = h*31 + uint32(lower(id[i]))
	}
	return h
}

// bestBalanced is the first of r's candidates as a merge sort leaves them. Only there can a comparison go
// in circles.
func (p *planner) bestBalanced(r *resource, active *node) *node {
	order := p.tableOrder(r)
	list := make([]*node, len(order))
	for i, n := range order {
		list[len(list)-1-i] = n
	}
	if len(list) == 0 {
		return nil
	}
	return p.mergeSort(r.allowed, list, active)[0]
}

// mergeSort sorts candidates, best first; of two equal ones the earlier.
func (p *planner) mergeSort(t nodeTable, list []*node, active *node) []*node {
	if len(list) < 2 {
		return list
	}
	half := len(list) / 2
	a, b := p.mergeSort(t, list[:half], active), p.mergeSort(t, list[half:], active)
	out := make([]*node, 0, len(list))
	for len(a) > 0 && len(b) > 0 {
		if p.compareNodes(t, a[0].idx, b[0].idx, active) <= 0 {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	return append(append(out, a...), b...)
}

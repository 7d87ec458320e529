package scheduler

// failCount is how often r failed on n, as far as it still counts: expired failures are not in it.
// The instances of an anonymous clone share one count a node.
func (p *planner) failCount(r *resource, n *node) int { return 0 }

package scheduler

// These three belong to the unpack phase, which is not here yet: its landing replaces this file.

func (p *planner) warn(text string) { p.warnings = append(p.warnings, text) }

func (p *planner) recheckAt(sec int64) {
	if sec > p.now.Unix() && (p.recheckBy == 0 || sec < p.recheckBy) {
		p.recheckBy = sec
	}
}

func (p *planner) fence(n *node, reason string, priorityDelay bool) { n.unclean = true }

package scheduler

func (p *planner) unpack() {}

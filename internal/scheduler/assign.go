package scheduler

// asgState is what the assign phase keeps with a resource.
type asgState struct{}

func (p *planner) assign() {}

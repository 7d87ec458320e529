package scheduler

// find returns the resource or instance of that id, nil if there is none. It knows instances by their
// numbered id ("clone:0", "prim:0") and the child of a clone by its bare name (the first instance).
func (p *planner) find(id string) *resource { return p.byID[id] }

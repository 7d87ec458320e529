package controller

// Flying lists what was ordered and may change what runs where, or tell it, by resource and in words. The state does
// not say so before it is done: who says from the state that a resource runs nowhere must have looked here first. As
// long as not all is known, or another node decides, unknown says why.
func (c *Controller) Flying() (what map[string]string, unknown string) {
	if !c.leading {
		return nil, "this node does not decide"
	}
	if why := c.unsure(); why != "" {
		return nil, "the cluster waits for " + why
	}
	what = map[string]string{}
	for f := range c.flights.all() {
		if showsAsPending(f.op.Name) || f.op.Name == "monitor" && f.op.IntervalMS == 0 {
			what[f.op.Resource] = f.words()
		}
	}
	return what, ""
}

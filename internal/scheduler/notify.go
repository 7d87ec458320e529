package scheduler

// Notifications: the instances of a clone with notify=true are told before and after something happens
// to any of them. Marks around the clone's own actions carry the order; the instances' notify actions
// are made last, when it is settled what will happen.

// notification is one round of telling: about one task of one clone.
type notification struct {
	clone          *resource
	task           string  // what it is about
	about          *action // nil when the end of the task is a fencing
	pre, preDone   *action
	post, postDone *action
}

// notifyAround makes the marks of a notification around a clone's action and its completion.
func (p *planner) notifyAround(c *resource, task string, about, complete *action) *notification {
	if !c.notify {
		return nil
	}
	n := &notification{clone: c, task: task, about: about}
	if about != nil {
		n.pre = p.notifyMark(c, taskNotify, "pre_notify", about, task, "pre")
		n.preDone = p.notifyMark(c, taskNotified, "confirmed-pre_notify", about, task, "pre")
		n.pre.flags |= actRunnable
		n.preDone.flags |= actRunnable
		n.pre.flags |= actOptional
		n.preDone.flags |= actOptional
		p.order(n.pre, n.preDone, ordOptional)
		p.order(n.preDone, about, ordOptional)
	}
	if complete != nil {
		n.post = p.notifyMark(c, taskNotify, "post_notify", complete, task, "post")
		n.postDone = p.notifyMark(c, taskNotified, "confirmed-post_notify", complete, task, "post")
		n.post.priority, n.postDone.priority = infinity, infinity
		if complete.runnable() {
			n.post.flags |= actRunnable
			n.postDone.flags |= actRunnable
		}
		p.order(complete, n.post, ordImpliesThen|ordRunnable)
		p.order(n.post, n.postDone, ordImpliesThen|ordRunnable)
	}
	if n.pre != nil && n.post != nil {
		p.order(n.preDone, n.post, ordOptional)
	}
	return n
}

// notifyMark makes one mark: clone_post_notify_running_0.
func (p *planner) notifyMark(c *resource, task, kind string, about *action, op, typ string) *action {
	flags := actPseudo
	if about.optional() {
		flags |= actOptional
	}
	key := c.id + "_" + kind + "_" + about.task + "_0"
	a := p.newAction(c, key, task, 0, nil, flags)
	a.set("CRM_meta_notify_type", typ)
	a.set("CRM_meta_notify_operation", op)
	a.set("CRM_meta_notify_key_type", kind[:len(kind)-len("_notify")])
	a.set("CRM_meta_notify_key_operation", about.task)
	a.interval = 0
	return a
}

// round makes a round of notifications of a clone's own action.
func (p *planner) round(c *resource, task string, about, complete *action) {
	if n := p.notifyAround(c, task, about, complete); n != nil {
		c.rounds = append(c.rounds, n)
	}
}

// orderRounds orders the rounds of a clone among each other.
func (p *planner) orderRounds(c *resource) {
	if !c.notify {
		return
	}
	// What comes next waits until all have been told.
	find := func(task string) *notification {
		for _, n := range c.rounds {
			if n.task == task {
				return n
			}
		}
		return nil
	}
	start, stop, promote, demote := find(taskStart), find(taskStop), find(taskPromote), find(taskDemote)
	p.order(stop.postDone, start.pre, ordOptional)
	if promote != nil {
		p.order(stop.postDone, promote.pre, ordOptional)
		p.order(start.postDone, promote.pre, ordOptional)
		p.order(demote.postDone, promote.pre, ordOptional)
		p.order(demote.postDone, start.pre, ordOptional)
		p.order(demote.postDone, stop.pre, ordOptional)
	}
}

// afterNotify returns what ends a clone's task for those who wait for it: that all have been told of it.
func (p *planner) afterNotify(c *resource, done *action) *action {
	if !c.notify {
		return done
	}
	for _, n := range c.rounds {
		if n.task == baseTask(done.task) && n.postDone != nil && n.about != nil {
			return n.postDone
		}
	}
	return done
}

// fenceNotify tells the instances of a clone that one of them, r, was stopped by fencing.
func (p *planner) fenceNotify(r *resource, fence *action) {
	c := r.instanceOf()
	if c == nil || !r.notify {
		return
	}
	if n := p.notifyAround(r, taskStop, nil, fence); n != nil {
		extra := p.callRoll(c).attrs(p)
		c.primitives(func(i *resource) { p.tellOfDown(n, i, extra) })
	}
}

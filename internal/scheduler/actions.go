package scheduler

import "github.com/cerco-ha/cerco/internal/transition"

// actState is what the action phase keeps with the planner, resState with a resource.
type actState struct{}
type resState struct{}

type action struct{}
type ordering struct{}

func (p *planner) act() {}

func (p *planner) graph() *transition.Graph { return &transition.Graph{} }

func (p *planner) summary() []Change { return nil }

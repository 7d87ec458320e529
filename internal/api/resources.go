package api

import (
	"net/http"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/wire"
)

// getResource says where a resource is.
func (s *Server) getResource(w http.ResponseWriter, r *http.Request) error {
	st, err := s.state(r)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	v := scheduler.Look(st.CIB, scheduler.Options{Now: s.cfg.Now()})
	found, on := locate(v.Resources, id, false)
	if !found {
		return notFound("there is no resource %q", id)
	}
	if on == nil {
		on = []wire.Where{}
	}
	return answer(w, wire.Located{Resource: id, On: on})
}

// locate collects where the primitives of the resource are; inside says that it has been found already.
func locate(rs []*scheduler.ResourceView, id string, inside bool) (found bool, on []wire.Where) {
	for _, r := range rs {
		if r == nil {
			continue
		}
		here := inside || r.ID == id || r.Name == id
		found = found || here
		if r.Kind == "primitive" && here {
			for _, n := range r.On {
				on = append(on, wire.Where{Node: n.Name, Role: r.Role})
			}
		}
		children := r.Children
		for _, rep := range r.Replicas {
			children = append(children, rep.IP, rep.Container, rep.Remote, rep.Child)
		}
		below, there := locate(children, id, here)
		found, on = found || below, append(on, there...)
	}
	return found, on
}

// postCleanup forgets failures, postRefresh all history: what has none is probed again.
func (s *Server) postCleanup(w http.ResponseWriter, r *http.Request) error {
	return s.forget(w, r, true)
}

func (s *Server) postRefresh(w http.ResponseWriter, r *http.Request) error {
	return s.forget(w, r, false)
}

func (s *Server) forget(w http.ResponseWriter, r *http.Request, onlyFails bool) error {
	var body wire.Forget
	if err := s.read(w, r, &body); err != nil {
		return err
	}
	if body.Operation == "" && body.IntervalMS != 0 {
		return badRequest("name the operation, too", "an interval without an operation says nothing")
	}
	return s.propose(w, r, cib.Command{Forget: []cib.Forget{{Node: body.Node, Resource: body.Resource,
		Operation: body.Operation, Interval: body.IntervalMS, OnlyFails: onlyFails}}})
}

// postFail has the cluster believe that a monitor of the resource has failed: recovery can be rehearsed.
func (s *Server) postFail(w http.ResponseWriter, r *http.Request) error {
	var body wire.Fail
	if err := s.read(w, r, &body); err != nil {
		return err
	}
	st, err := s.cfg.Backend.State(r.Context(), true)
	if err != nil {
		return err
	}
	if st.CIB.NodeByName(body.Node) == nil {
		return notFound("there is no node %q", body.Node)
	}
	failed, ok := st.CIB.FailedMonitor(body.Node, body.Resource, "Simulated failure", s.cfg.Now())
	if !ok {
		return notFound("%s has not been on %s: nothing is known that could have failed there", body.Resource, body.Node)
	}
	return s.propose(w, r, cib.Command{Note: "a failure that was asked for", Results: []cib.OpResult{failed}})
}

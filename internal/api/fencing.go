package api

import (
	"context"
	"net/http"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/wire"
)

// getFencing gives the history of fencing, oldest first; with target that of one node.
func (s *Server) getFencing(w http.ResponseWriter, r *http.Request) error {
	soon, cancel := context.WithTimeout(r.Context(), time.Second)
	defer cancel()
	st, err := s.cfg.Backend.State(soon, true)
	if err != nil { // when it is needed most, there may be no leader
		if st, err = s.cfg.Backend.State(r.Context(), false); err != nil {
			return err
		}
	}
	target := r.URL.Query().Get("target")
	list := []cib.FenceRecord{}
	for _, f := range st.Fencing {
		if target == "" || f.Target == target {
			list = append(list, f)
		}
	}
	return answer(w, list)
}

// postFencing fences a node and answers with the record once it is decided.
func (s *Server) postFencing(w http.ResponseWriter, r *http.Request) error {
	var body wire.Fence
	if err := s.read(w, r, &body); err != nil {
		return err
	}
	switch body.Action {
	case "off", "reboot", "on":
	default:
		return badRequest("use off, reboot or on", "action %q is not known", body.Action)
	}
	if body.Target == "" {
		return badRequest("name the node in \"target\"", "no node is named")
	}
	rec, err := s.cfg.Backend.Fence(r.Context(), cib.FenceRequest{Target: body.Target, Action: body.Action, By: callerOf(r).Name,
		Why: body.Why, TimeoutMS: body.TimeoutMS, DelayMS: body.DelayMS, Tolerance: body.ToleranceMS})
	if err != nil {
		return err
	}
	return answer(w, rec)
}

func (s *Server) postFencingConfirm(w http.ResponseWriter, r *http.Request) error {
	var body wire.Confirm
	if err := s.read(w, r, &body); err != nil {
		return err
	}
	if body.Target == "" {
		return badRequest("name the node in \"target\"", "no node is named")
	}
	rec, err := s.cfg.Backend.Confirm(r.Context(), body.Target, callerOf(r).Name)
	if err != nil {
		return err
	}
	return answer(w, rec)
}

func (s *Server) getFencingDevices(w http.ResponseWriter, r *http.Request) error {
	list, err := s.cfg.Backend.Devices(r.Context(), r.URL.Query().Get("target"))
	if err != nil {
		return err
	}
	if list == nil {
		list = []wire.Device{}
	}
	return answer(w, list)
}

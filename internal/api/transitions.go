package api

import (
	"net/http"
	"strconv"

	"github.com/cerco-ha/cerco/internal/wire"
)

// getTransitions lists transitions, newest first; n limits how many.
func (s *Server) getTransitions(w http.ResponseWriter, r *http.Request) error {
	list, err := s.cfg.Backend.Transitions(r.Context())
	if err != nil {
		return err
	}
	if t := r.URL.Query().Get("n"); t != "" {
		n, err := strconv.Atoi(t)
		if err != nil || n < 0 {
			return badRequest("", "n=%q is no number", t)
		}
		list = list[:min(n, len(list))]
	}
	if list == nil {
		list = []wire.Transition{}
	}
	return answer(w, list)
}

func (s *Server) getTransition(w http.ResponseWriter, r *http.Request) error {
	list, err := s.cfg.Backend.Transitions(r.Context())
	if err != nil {
		return err
	}
	for _, t := range list {
		if t.ID == r.PathValue("id") {
			return answer(w, t)
		}
	}
	return notFound("there is no transition %q, or it is no longer kept", r.PathValue("id"))
}

func (s *Server) getTransitionCIB(w http.ResponseWriter, r *http.Request) error {
	data, err := s.cfg.Backend.TransitionInput(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return answerXML(w, data)
}

func (s *Server) getTransitionGraph(w http.ResponseWriter, r *http.Request) error {
	data, err := s.cfg.Backend.TransitionGraph(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return answerXML(w, data)
}

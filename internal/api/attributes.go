package api

import (
	"net/http"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/wire"
)

// getAttributes lists node attributes: all, or those of a node and of a name.
func (s *Server) getAttributes(w http.ResponseWriter, r *http.Request) error {
	st, err := s.state(r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	return answer(w, wire.ListAttributes(st.CIB, q.Get("node"), q.Get("name")))
}

// postAttributes sets and removes node attributes.
func (s *Server) postAttributes(w http.ResponseWriter, r *http.Request) error {
	var body wire.Attributes
	if err := s.read(w, r, &body); err != nil {
		return err
	}
	if len(body.Updates) == 0 {
		return badRequest("put at least one into \"updates\"", "no attribute is named")
	}
	for i := range body.Updates {
		u := &body.Updates[i]
		if u.Node == "" {
			u.Node = s.cfg.Backend.Self().Name
		}
		if u.Name == "" {
			return badRequest("give every update a name", "update %d has no name", i+1)
		}
	}
	return s.propose(w, r, cib.Command{Attributes: body.Updates, Note: body.Note})
}

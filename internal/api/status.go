package api

import (
	"net/http"

	"github.com/cerco-ha/cerco/internal/wire"
)

// getStatus gives the whole picture in one answer.
func (s *Server) getStatus(w http.ResponseWriter, r *http.Request) error {
	st, err := s.cfg.Backend.State(r.Context(), false) // it must be seen without a leader, too
	if err != nil {
		return err
	}
	reply := wire.Status{Node: s.cfg.Backend.Self(), Fencing: st.Fencing}
	if reply.Cluster, err = s.cfg.Backend.Cluster(r.Context()); err != nil {
		return err
	}
	if reply.Rest, err = s.cfg.Backend.Rest(r.Context(), st.Index); err != nil {
		return err
	}
	reply.CIB = st.CIB.Root.String()
	return answer(w, reply)
}

package api

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/cerco-ha/cerco/internal/wire"
)

// getStatus gives the whole picture in one answer: one JSON object, with cib=after with the CIB behind it, which is
// much less work for both sides where that is large.
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
	if r.URL.Query().Get("cib") != "after" {
		reply.CIB = st.CIB.Root.String()
		return answer(w, reply)
	}
	head, err := json.Marshal(reply)
	if err != nil {
		return err
	}
	xml := s.xml(st.CIB)
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(len(head)+1+len(xml)))
	if _, err = w.Write(append(head, '\n')); err == nil {
		_, err = w.Write(xml)
	}
	return errGone(err)
}

package api

import (
	"net/http"
	"time"
)

// getReport is what a node tells of a time, as an archive: ?node=, ?from= and ?to= in RFC 3339.
func (s *Server) getReport(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	var times [2]time.Time
	for i, name := range []string{"from", "to"} {
		t, err := time.Parse(time.RFC3339, q.Get(name))
		if err != nil {
			return badRequest("give it as 2026-01-31T12:00:00Z", "%s=%q is no time", name, q.Get(name))
		}
		times[i] = t
	}
	node := q.Get("node")
	if node == "" {
		node = s.cfg.Backend.Self().Name
	}
	data, err := s.cfg.Backend.Report(r.Context(), node, times[0], times[1])
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/gzip")
	_, err = w.Write(data)
	return errGone(err)
}

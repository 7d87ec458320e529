package api

import (
	"net/http"
	"runtime/pprof"
)

// getDebug tells of the inside of the daemon, for those who look for a mistake in it.
func (s *Server) getDebug(w http.ResponseWriter, r *http.Request) error {
	what := r.PathValue("what")
	switch what {
	case "goroutine", "heap", "allocs":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		return errGone(pprof.Lookup(what).WriteTo(w, 1))
	}
	v, err := s.cfg.Backend.Debug(r.Context(), what)
	if err != nil {
		return err
	}
	return answer(w, v)
}

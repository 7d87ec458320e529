package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/cerco-ha/cerco/internal/events"
)

// getEvents streams events, one JSON object a line. from is the number of the last one that the reader has seen; without
// it the stream begins with what happens next. With follow=0 it ends with the newest.
func (s *Server) getEvents(w http.ResponseWriter, r *http.Request) error {
	from := s.cfg.Journal.Last()
	if t := r.URL.Query().Get("from"); t != "" {
		var err error
		if from, err = strconv.ParseUint(t, 10, 64); err != nil {
			return badRequest("give the number of the last event seen, 0 for all that are kept", "from=%q is no number", t)
		}
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := json.NewEncoder(w)
	if t := r.URL.Query().Get("follow"); t == "0" || t == "false" {
		list, _ := s.cfg.Journal.Since(from)
		for i := range list {
			if err := out.Encode(&list[i]); err != nil {
				return errGone(err)
			}
		}
		return nil
	}
	flush := http.NewResponseController(w)
	if err := flush.Flush(); err != nil {
		return err
	}
	err := s.cfg.Journal.Follow(r.Context(), from, func(e events.Event) error {
		if err := out.Encode(&e); err != nil {
			return errGone(err)
		}
		return errGone(flush.Flush())
	})
	if errors.Is(err, r.Context().Err()) {
		return nil
	}
	return errGone(err)
}

package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/wire"
)

// handler is a handler whose error becomes the answer.
type handler func(w http.ResponseWriter, r *http.Request) error

// failure is an error that knows its answer.
type failure struct {
	status int
	body   wire.Error
}

func (f *failure) Error() string { return f.body.What }

func badRequest(fix, format string, args ...any) error {
	return &failure{http.StatusBadRequest, wire.Error{Code: wire.CodeRequest, What: fmt.Sprintf(format, args...), Fix: fix}}
}

func notFound(format string, args ...any) error {
	return &failure{http.StatusNotFound, wire.Error{Code: wire.CodeNotFound, What: fmt.Sprintf(format, args...)}}
}

// answerTo turns an error into its answer.
func answerTo(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	e := wire.Error{Code: wire.CodeInternal, What: err.Error()}
	status := http.StatusInternalServerError
	var refused *cib.CommandError
	switch {
	case errors.As(err, &refused):
		status, e.Code, e.Fix = http.StatusUnprocessableEntity, wire.CodeRefused, refused.Fix
		e.What = strings.TrimSuffix(err.Error(), ": "+refused.Fix)
	case errors.Is(err, cib.ErrVersion):
		status, e.Code = http.StatusConflict, wire.CodeVersion
	case errors.Is(err, ErrNotFound):
		status, e.Code = http.StatusNotFound, wire.CodeNotFound
	case errors.Is(err, cib.ErrExists):
		status, e.Code = http.StatusConflict, wire.CodeExists
	case errors.Is(err, ErrDenied):
		status, e.Code = http.StatusForbidden, wire.CodeDenied
	case errors.Is(err, ErrNoLeader), errors.Is(err, context.DeadlineExceeded), errors.Is(err, errStopped):
		status, e.Code = http.StatusServiceUnavailable, wire.CodeNoLeader
		e.Fix = "cerco status says who is missing; try again"
	}
	return &failure{status, e}
}

// decode reads a body into v: one JSON value, nothing that v has no place for.
func decode(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		return badRequest("send one JSON object and nothing after it", "the body goes on after its first JSON value, at byte %d", d.InputOffset())
	}
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF):
		return badRequest("send a JSON object", "the body is empty")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return badRequest("send a whole JSON object", "the body ends too early")
	case errors.As(err, &syntax):
		return badRequest("send a JSON object", "the body is not JSON at byte %d: %v", syntax.Offset, err)
	case errors.As(err, &kind):
		return badRequest("", "field %q must be %s, not %s (byte %d)", kind.Field, kind.Type, kind.Value, kind.Offset)
	}
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return badRequest("take it out, or see docs/api.md for what there is", "there is no field %s here", field)
	}
	return badRequest("", "the body cannot be read: %v", err)
}

// bodyPatience is how long the body of a request may take to arrive.
const bodyPatience = 30 * time.Second

// read reads a request's body into v.
func (s *Server) read(w http.ResponseWriter, r *http.Request, v any) error {
	limits := http.NewResponseController(w)
	limited := limits.SetReadDeadline(time.Now().Add(bodyPatience)) == nil // what tests make may know of no deadlines
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.cfg.MaxBody))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return &failure{http.StatusRequestEntityTooLarge, wire.Error{Code: wire.CodeRequest,
			What: fmt.Sprintf("the body is larger than %d bytes", large.Limit), Fix: "make the change in smaller steps"}}
	}
	if err != nil {
		return badRequest("", "the body cannot be read: %v", err)
	}
	if limited {
		_ = limits.SetReadDeadline(time.Time{}) // as it has just worked
	}
	return decode(data, v)
}

// answer writes a JSON answer.
func answer(w http.ResponseWriter, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, err = w.Write(append(data, '\n'))
	return errGone(err)
}

func answerXML(w http.ResponseWriter, data []byte) error {
	w.Header().Set("Content-Type", "application/xml")
	_, err := w.Write(data)
	return errGone(err)
}

// goneError is a caller who has hung up: there is nobody to tell.
type goneError struct{ error }

func errGone(err error) error {
	if err == nil {
		return nil
	}
	return goneError{err}
}

// answered turns a handler into one of net/http.
func (s *Server) answered(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if callerOf(r).Name == "" {
			panic(http.ErrAbortHandler) // nobody has vouched for them
		}
		err := h(w, r)
		if err == nil || errors.As(err, new(goneError)) {
			return
		}
		if cause := context.Cause(r.Context()); errors.Is(cause, errStopped) {
			err = cause
		} else if cause != nil {
			panic(http.ErrAbortHandler) // to end in silence would be a success
		}
		f := answerTo(err)
		if f.status == http.StatusInternalServerError {
			s.cfg.Log.Error("a request failed", "method", r.Method, "path", r.URL.Path, "by", callerOf(r).Name, "error", err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(f.status)
		if err := json.NewEncoder(w).Encode(&f.body); err != nil {
			s.cfg.Log.Debug("an error found nobody to tell", "error", err)
		}
	})
}

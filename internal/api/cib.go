package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/wire"
)

// state is the state that a request asks for: with local=1 this node's, which needs no leader, otherwise one that
// is no older than the request.
func (s *Server) state(r *http.Request) (cib.State, error) {
	return s.cfg.Backend.State(r.Context(), !flag(r, "local"))
}

// xml writes a CIB, in one piece of memory about as large as the last one took.
func (s *Server) xml(c *cib.CIB) []byte {
	size := s.size.Load()
	b := c.Root.AppendXML(make([]byte, 0, size+size/16))
	s.size.Store(int64(len(b)))
	return b
}

func flag(r *http.Request, name string) bool {
	v := r.URL.Query().Get(name)
	return v != "" && v != "0" && v != "false"
}

func (s *Server) getNode(w http.ResponseWriter, _ *http.Request) error {
	return answer(w, s.cfg.Backend.Self())
}

// getCIB gives the whole CIB as XML or, with xpath, what that finds as JSON.
func (s *Server) getCIB(w http.ResponseWriter, r *http.Request) error {
	st, err := s.state(r)
	if err != nil {
		return err
	}
	w.Header().Set("Cerco-Index", strconv.FormatUint(st.Index, 10))
	expr := r.URL.Query().Get("xpath")
	if expr == "" {
		return answerXML(w, s.xml(st.CIB))
	}
	matches, err := cib.Query(st.CIB.Root, expr)
	if err != nil {
		return badRequest("docs/api.md says which part of XPath there is", "%v", err)
	}
	found := make([]wire.Found, len(matches))
	for i, m := range matches {
		found[i].Path = m.Path.String()
		if found[i].Attr = m.Attr; m.Attr != "" {
			found[i].Value = m.Value()
		} else if !flag(r, "paths") {
			found[i].XML = m.Element().String()
		}
	}
	return answer(w, found)
}

// postCIB changes the CIB.
func (s *Server) postCIB(w http.ResponseWriter, r *http.Request) error {
	var body wire.Edit
	if err := s.read(w, r, &body); err != nil {
		return err
	}
	if len(body.Edits) == 0 && !body.Bump {
		return badRequest("put at least one step into \"edits\"", "the change has no steps")
	}
	change := &cib.ConfigChange{Edits: body.Edits, Bump: body.Bump}
	if body.Base != "" {
		v, err := cib.ParseVersion(body.Base)
		if err != nil {
			return badRequest("", "base: %v", err)
		}
		change.Base = &v
	}
	return s.propose(w, r, cib.Command{Config: change, Note: body.Note})
}

// propose has a command committed and answers once it is; with wait=settled once the cluster has come to rest.
func (s *Server) propose(w http.ResponseWriter, r *http.Request, c cib.Command) error {
	c.By = s.by(r)
	st, err := s.cfg.Backend.Propose(r.Context(), c)
	if err != nil {
		return err
	}
	return s.changed(w, r, st)
}

// by says who makes a change, and through what: "root via crm_attribute on n1".
func (s *Server) by(r *http.Request) string {
	tool := r.Header.Get("Cerco-Tool")
	if tool == "" || len(tool) > 64 || strings.ContainsFunc(tool, func(c rune) bool { return c <= ' ' || c > '~' }) {
		tool = "api"
	}
	return callerOf(r).Name + " via " + tool + " on " + s.cfg.Backend.Self().Name
}

func (s *Server) changed(w http.ResponseWriter, r *http.Request, st cib.State) error {
	reply := wire.Changed{Index: st.Index, Version: st.CIB.Version.String()}
	switch wait := r.URL.Query().Get("wait"); wait {
	case "":
	case "settled":
		rest, err := s.settle(r, st.Index)
		if err != nil {
			return err
		}
		reply.Rest = &rest
	default:
		return badRequest("wait=settled, or leave it out", "wait=%q is not known; the change was made all the same", wait)
	}
	return answer(w, reply)
}

// settle waits until the cluster has come to rest, at most as long as the request says.
func (s *Server) settle(r *http.Request, index uint64) (wire.Rest, error) {
	ctx := r.Context()
	if t := r.URL.Query().Get("timeout"); t != "" {
		d, err := time.ParseDuration(t)
		if err != nil || d <= 0 {
			return wire.Rest{}, badRequest("write it like 90s or 5m", "timeout=%q is no duration", t)
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d)
		defer cancel()
	}
	return s.cfg.Backend.Settle(ctx, index)
}

// getRest says whether the cluster is at rest; with wait=settled it waits for it.
func (s *Server) getRest(w http.ResponseWriter, r *http.Request) error {
	st, err := s.state(r)
	if err != nil {
		return err
	}
	var rest wire.Rest
	if r.URL.Query().Get("wait") == "settled" {
		rest, err = s.settle(r, st.Index)
	} else {
		rest, err = s.cfg.Backend.Rest(r.Context(), st.Index)
	}
	if err != nil {
		return err
	}
	return answer(w, rest)
}

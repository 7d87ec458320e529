package api_test

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"testing"

	"github.com/cerco-ha/cerco/internal/api"
	"github.com/cerco-ha/cerco/internal/api/apitest"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// FuzzRequests sends bodies to everything that takes one: nothing may panic, and nothing but JSON comes back.
func FuzzRequests(f *testing.F) {
	paths := []string{"/v1/cib", "/v1/attributes", "/v1/fencing", "/v1/fencing/confirm", "/v1/cluster/invite", "/v1/cluster/remove",
		"/v1/cluster/stop", "/v1/cluster/standby", "/v1/cluster/options", "/v1/resources/cleanup", "/v1/resources/fail"}
	for i := range paths {
		f.Add(byte(i), []byte(`{"edits":[{"op":"modify","xml":"<a/>"}],"updates":[{"name":"x"}],"target":"n1","node":"n1"}`))
	}
	f.Add(byte(0), []byte(`{"base":"1.2.3","edits":[{"op":"delete","xpath":"//primitive"}]}`))
	f.Fuzz(func(t *testing.T, which byte, body []byte) {
		b := apitest.New(t, "n1", document)
		h := api.New(api.Config{Backend: b, Journal: b.Journal, Now: b.Now, Log: quiet()}).Handler()
		r := httptest.NewRequest("POST", paths[int(which)%len(paths)], bytes.NewReader(body))
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r.WithContext(api.WithCaller(r.Context(), api.Caller{Name: "root", Root: true})))
		if w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%d: %s", w.Code, w.Body)
		}
	})
}

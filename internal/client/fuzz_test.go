package client

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/events"
	"github.com/cerco-ha/cerco/internal/wire"
)

// says answers every request in the same way.
type says struct {
	status int
	body   []byte
}

func (s says) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: s.status, Status: http.StatusText(s.status), Request: r, Body: io.NopCloser(bytes.NewReader(s.body)), Header: http.Header{}}, nil
}

// FuzzAnswers has a daemon of another version, or something that is none, answer.
func FuzzAnswers(f *testing.F) {
	f.Add(true, []byte(`{"name":"n1","leader":"n2"}`))
	f.Add(true, []byte(`{"seq":1,"kind":"note","text":"x"}`+"\n"+`{"seq":2}`))
	f.Add(false, []byte(`{"code":"refused","what":"no","fix":"yes"}`))
	f.Add(true, []byte(`[]`))
	f.Fuzz(func(t *testing.T, ok bool, body []byte) {
		s := says{http.StatusOK, body}
		if !ok {
			s.status = http.StatusConflict
		}
		c := New(s)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_, nodeErr := c.Node(ctx)
		_, statusErr := c.Status(ctx)
		_, planErr := c.Transitions(ctx, 3)
		_, editErr := c.Edit(ctx, wire.Edit{}, Wait{})
		eventErr := c.Events(ctx, 0, true, func(events.Event) error { return nil })
		for _, err := range []error{nodeErr, statusErr, planErr, editErr, eventErr} {
			if !ok && err == nil {
				t.Errorf("a refusal is taken for an answer: %s", body)
			}
		}
	})
}

package api

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cerco-ha/cerco/internal/memnet"
)

func TestAUserHasSoManyConnections(t *testing.T) {
	var s seats
	var leave func()
	for range maxOfUser {
		var ok bool
		if leave, ok = s.take(1000); !ok {
			t.Fatal("there are too few")
		}
	}
	if _, ok := s.take(1000); ok {
		t.Error("there are too many")
	}
	if _, ok := s.take(1001); !ok {
		t.Error("one user takes those of another")
	}
	leave()
	leave()
	if _, ok := s.take(1000); !ok {
		t.Error("what was given back is not there")
	}
	if _, ok := s.take(1000); ok {
		t.Error("what was given back is there twice")
	}
}

// Whoever sends its request drop by drop is hung up on.
func TestHalfARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, half := range map[string]string{
			"head": "POST /v1/cib HTTP/1.1\r\nHost: n1\r\n",
			"body": "POST /v1/cib HTTP/1.1\r\nHost: n1\r\nContent-Length: 1000\r\n\r\n{",
		} {
			network := &memnet.Network{}
			l, err := network.Listen("n1:2224")
			if err != nil {
				t.Fatal(err)
			}
			s := New(Config{Log: slog.New(slog.DiscardHandler), Now: time.Now, Door: l, Member: func(net.Conn) string { return "n2" }})
			if err := s.Start(); err != nil {
				t.Fatal(err)
			}
			c, err := network.Dial(context.Background(), "n2", "n1:2224")
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			go io.WriteString(c, half)
			data, _ := io.ReadAll(c)
			if took := time.Since(began); took > bodyPatience+10*time.Second || strings.Contains(string(data), " 200 ") {
				t.Errorf("%s: after %v, %q", name, took, data)
			}
			c.Close()
			s.Stop()
		}
	})
}

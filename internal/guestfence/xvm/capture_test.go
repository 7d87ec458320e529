package xvm

import (
	"bytes"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence/guesttest"
	"github.com/cerco-ha/cerco/internal/guestfence/protocol"
)

// TestCapturesReplayAgainstGuest has recorded hosts of the original speak to our guest: it says what the original's
// guest said, byte by byte.
func TestCapturesReplayAgainstGuest(t *testing.T) {
	files, err := filepath.Glob("../testdata/captures/*.hex")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range files {
		if filepath.Base(f) == "serial.hex" {
			continue
		}
		all, err := guesttest.Exchanges(f)
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range all {
			if len(e.Reply) == 0 || len(e.HostAnswer) == 0 {
				continue
			}
			n++
			replay(t, f, i, e)
		}
	}
	if n < 30 {
		t.Errorf("only %d exchanges", n)
	}
}

func replay(t *testing.T, file string, i int, e guesttest.Exchange) {
	t.Helper()
	r, err := protocol.ParseRequest(e.Requests[0])
	if err != nil {
		t.Fatal(err)
	}
	key := guesttest.Key("key-4096.bin")
	o := defaults()
	o.domain, o.hash, o.uuid = r.Domain, r.Hash, r.Flags == protocol.FlagUUID
	for h := protocol.SHA1; h <= protocol.SHA512; h++ {
		if d := h.Sum(key, e.GuestChallenge); bytes.Equal(d[:], e.HostAnswer) {
			o.auth = h
		}
	}
	a := &asking{options: o, action: r.Action, key: key, seq: r.Seq, random: func(b []byte) {
		if len(b) == len(r.Random) {
			copy(b, r.Random[:])
		} else {
			copy(b, e.GuestChallenge)
		}
	}}
	guest, host := net.Pipe()
	_ = host.SetDeadline(time.Now().Add(10 * time.Second))
	want := append(bytes.Clone(e.GuestChallenge), e.GuestAnswer...)
	if !r.CallBack.IsValid() {
		want = append(bytes.Clone(e.Requests[0]), want...)
	}
	got := make([]byte, 0, len(want))
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = host.Close() }()
		for _, say := range [][]byte{append(bytes.Clone(e.HostAnswer), e.HostChallenge...), e.Reply} {
			pause := len(want) - protocol.DigestSize
			if len(got) == pause {
				pause = len(want)
			}
			k := len(got)
			got = got[:pause]
			for k < pause {
				m, err := host.Read(got[k:])
				if err != nil {
					return
				}
				k += m
			}
			if _, err := host.Write(say); err != nil {
				return // a list goes on behind what a guest reads
			}
		}
	}()
	var result protocol.Result
	if r.CallBack.IsValid() {
		if err = a.session().Guest(guest); err == nil {
			result, _, err = a.hear(guest)
		}
		_ = guest.Close()
	} else {
		result, _, err = a.askStream(guest)
	}
	<-done
	if err != nil || result != protocol.Result(e.Reply[0]) || !bytes.Equal(got, want) {
		t.Errorf("%s, exchange %d, %v: %v, %v; the guest says\n%x\nand not\n%x", file, i, r.Action, result, err, got, want)
	}
	if r.CallBack.IsValid() {
		again := a.request()
		again.CallBack = r.CallBack
		again.Sign(key)
		if !bytes.Equal(again.Bytes(), e.Requests[0]) {
			t.Errorf("%s, exchange %d: the datagram is\n%x\nand not\n%x", file, i, again.Bytes(), e.Requests[0])
		}
	}
}

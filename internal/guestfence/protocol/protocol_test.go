package protocol

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestGuestAndHostAuthenticateEachOther(t *testing.T) {
	for _, c := range []struct {
		name              string
		guest, host       Session
		guestErr, hostErr error
	}{
		{"same", Session{Key: []byte("k"), Auth: SHA256}, Session{Key: []byte("k"), Auth: SHA256}, nil, nil},
		{"sha512", Session{Key: []byte("k"), Auth: SHA512}, Session{Key: []byte("k"), Auth: SHA512}, nil, nil},
		{"none", Session{}, Session{}, nil, nil},
		{"another key", Session{Key: []byte("k"), Auth: SHA256}, Session{Key: []byte("l"), Auth: SHA256}, ErrWrongKey, io.ErrClosedPipe},
		{"another hash", Session{Key: []byte("k"), Auth: SHA1}, Session{Key: []byte("k"), Auth: SHA256}, ErrWrongKey, io.ErrClosedPipe},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, h := net.Pipe()
			done := make(chan error)
			go func() { done <- c.host.Host(h) }()
			if err := c.guest.Guest(g); !errors.Is(err, c.guestErr) {
				t.Errorf("the guest: %v, want %v", err, c.guestErr)
			}
			_ = g.Close()
			if err := <-done; !errors.Is(err, c.hostErr) {
				t.Errorf("the host: %v, want %v", err, c.hostErr)
			}
		})
	}
}

// Two hosts with one key: somebody without it has one host answer the other one's challenge.
func TestHostsDoNotAnswerEachOther(t *testing.T) {
	key := []byte("shared")
	c := HostChallenge(key)
	s := Session{Key: key, Auth: SHA256}
	var answers bytes.Buffer
	if err := s.Host(struct {
		io.Reader
		io.Writer
	}{bytes.NewReader(c[:]), &answers}); !errors.Is(err, ErrReflected) || answers.Len() > 0 {
		t.Errorf("a host answers another host's challenge: %v, %d bytes", err, answers.Len())
	}
	if other := HostChallenge(key); other == c {
		t.Error("a challenge is used twice")
	}
}

func TestKeyThatOthersMayReadIsRefused(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if key, err := ReadKey(write("good", []byte("secret\n"), 0o400)); err != nil || string(key) != "secret\n" {
		t.Errorf("%q, %v", key, err)
	}
	if key, err := ReadKey(write("long", make([]byte, 1<<20), 0o600)); err != nil || len(key) != MaxKey {
		t.Errorf("%d bytes, %v", len(key), err)
	}
	bad := write("open", []byte("secret"), 0o640)
	if _, err := ReadKey(bad); !errors.Is(err, ErrExposed) || !strings.Contains(err.Error(), "chmod 0600 "+bad) {
		t.Errorf("%v", err)
	}
	if _, err := ReadKey(write("empty", nil, 0o600)); err == nil || !strings.Contains(err.Error(), "dd if=/dev/urandom") {
		t.Errorf("%v", err)
	}
	if _, err := ReadKey(filepath.Join(dir, "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestLongNamesAreCutAndEnded(t *testing.T) {
	r := Request{Domain: strings.Repeat("x", 100)}
	back, err := ParseRequest(r.Bytes())
	if err != nil || len(back.Domain) != DomainSize-1 {
		t.Errorf("%v, %v", back, err)
	}
}

func TestListThatDoesNotEndIsAnError(t *testing.T) {
	if _, err := ReadList(bytes.NewReader(Host{Name: "a"}.Bytes())); !errors.Is(err, io.EOF) {
		t.Errorf("%v", err)
	}
}

func FuzzRequest(f *testing.F) {
	r := Request{Action: Status, Hash: SHA256, Domain: "test"}
	r.Sign([]byte("k"))
	f.Add(r.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		VerifyRequest(b, []byte("k"))
		r, err := ParseRequest(b)
		if err != nil {
			return
		}
		again, err := ParseRequest(r.Bytes())
		if err != nil || *again != *r {
			t.Errorf("%v becomes %v, %v", r, again, err)
		}
	})
}

func FuzzSerial(f *testing.F) {
	f.Add((&SerialRequest{Action: Off, Domain: "test", Seq: 5}).Bytes())
	f.Add(SerialResponse(IsOff))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = ReadSerialResponse(bytes.NewReader(b))
		r, err := ReadSerialRequest(bytes.NewReader(b))
		if err != nil {
			return
		}
		again, err := ParseSerialRequest(r.Bytes())
		if err != nil || *again != *r {
			t.Errorf("%v becomes %v, %v", r, again, err)
		}
	})
}

func FuzzList(f *testing.F) {
	f.Add(AppendList(nil, []Host{{Name: "a", UUID: "b", State: 1}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		hosts, err := ReadList(bytes.NewReader(b))
		if err != nil {
			return
		}
		again, err := ReadList(bytes.NewReader(AppendList(nil, hosts)))
		if err != nil || len(again) != len(hosts) {
			t.Errorf("%v becomes %v, %v", hosts, again, err)
		}
	})
}

func FuzzSession(f *testing.F) {
	f.Add(make([]byte, 200))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := Session{Key: []byte("key"), Auth: SHA256}
		peer := struct {
			io.Reader
			io.Writer
		}{bytes.NewReader(b), io.Discard}
		if s.Host(peer) == nil || s.Guest(peer) == nil {
			t.Error("somebody without the key is let in")
		}
	})
}

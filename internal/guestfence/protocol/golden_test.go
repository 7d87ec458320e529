package protocol_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/cerco-ha/cerco/internal/guestfence/guesttest"
	"github.com/cerco-ha/cerco/internal/guestfence/protocol"
)

type golden struct {
	Requests []struct {
		File, Key, Domain, Address, Random, Wire      string
		Op, Hash, AddrLen, Flags, Port, SeqNo, Family int
	}
	Responses []struct {
		File, Key, Challenge, Response string
		Auth                           int
	}
	HostLists []struct {
		File, Wire string
		Hosts      [][3]any
	}
	Serial []struct{ Dir, Wire, Note string }
}

func readGolden(t testing.TB) (g golden) {
	t.Helper()
	data, err := os.ReadFile("../testdata/vectors/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRequestsAreTheOriginalsBytes(t *testing.T) {
	for _, v := range readGolden(t).Requests {
		key, wire := guesttest.Key(v.Key), unhex(t, v.Wire)
		r := protocol.Request{
			Action: protocol.Action(v.Op), Hash: protocol.Hash(v.Hash), Flags: byte(v.Flags), Domain: v.Domain,
			Random: [6]byte(unhex(t, v.Random)), Seq: uint32(v.SeqNo),
		}
		if addr, ok := netip.AddrFromSlice(unhex(t, v.Address)); ok {
			r.CallBack = netip.AddrPortFrom(addr, uint16(v.Port))
		}
		r.Sign(key)
		if got := r.Bytes(); !bytes.Equal(got, wire) {
			t.Errorf("%s: %v is written as\n%x\nand not\n%x", v.File, r, got, wire)
		}
		got, err := protocol.ParseRequest(wire)
		if err != nil || *got != r {
			t.Errorf("%s: read as\n%v\nand not\n%v (%v)", v.File, got, r, err)
		}
		if !protocol.VerifyRequest(wire, key) {
			t.Errorf("%s: the signature of %v is not accepted", v.File, r)
		}
		if wrong := bytes.Repeat([]byte{7}, 4096); r.Hash != protocol.None && protocol.VerifyRequest(wire, wrong) {
			t.Errorf("%s: a signature with another key is accepted", v.File)
		}
	}
}

// recorded plays one side of a recorded session: it says what that side said, and keeps what it hears.
type recorded struct {
	say   *bytes.Reader
	heard bytes.Buffer
}

func (r *recorded) Read(p []byte) (int, error)  { return r.say.Read(p) }
func (r *recorded) Write(p []byte) (int, error) { return r.heard.Write(p) }

func TestAnswersAreTheOriginalsBytes(t *testing.T) {
	for _, v := range readGolden(t).Responses {
		challenge, want := unhex(t, v.Challenge), unhex(t, v.Response)
		s := protocol.Session{Key: guesttest.Key(v.Key), Auth: protocol.Hash(v.Auth)}
		peer := &recorded{say: bytes.NewReader(challenge)}
		_ = s.Host(peer) // ends in the middle: the recorded guest says no more
		if got := peer.heard.Bytes(); len(got) < 64 || !bytes.Equal(got[:64], want) {
			t.Errorf("%s: challenge %x is answered with\n%x\nand not\n%x", v.File, challenge[:8], got, want)
		}
		s.Challenge = func() protocol.Challenge { return protocol.Challenge(challenge) }
		peer = &recorded{say: bytes.NewReader(append(want, make([]byte, 64)...))}
		if err := s.Guest(peer); err != nil {
			t.Errorf("%s: the recorded answer is not accepted: %v", v.File, err)
		}
	}
}

func TestListsAreTheOriginalsBytes(t *testing.T) {
	for _, v := range readGolden(t).HostLists {
		wire := unhex(t, v.Wire)
		hosts, err := protocol.ReadList(bytes.NewReader(wire))
		if err != nil || len(hosts) != len(v.Hosts) {
			t.Errorf("%s: %d machines, %v; want %d", v.File, len(hosts), err, len(v.Hosts))
			continue
		}
		for i, h := range hosts {
			if w := v.Hosts[i]; h.Name != w[0] || h.UUID != w[1] || float64(h.State) != w[2] {
				t.Errorf("%s: %v, want %v", v.File, h, w)
			}
		}
		// The original leaves bytes of its stack behind the texts and in the pad; ours are zeros.
		want := bytes.Clone(wire[:len(wire)/protocol.HostSize*protocol.HostSize])
		for i := 0; i < len(want); i += protocol.HostSize {
			want[i+63], want[i+127], want[i+129] = 0, 0, 0
		}
		if got := protocol.AppendList(nil, hosts); !bytes.Equal(got, want) {
			t.Errorf("%s: written as\n%x\nand not\n%x", v.File, got, want)
		}
	}
}

func TestSerialFramesAreTheOriginalsBytes(t *testing.T) {
	for _, v := range readGolden(t).Serial {
		wire := unhex(t, v.Wire)
		noise := append([]byte("login: ab\x61\x61\x62"), wire...)
		switch {
		case len(wire) == protocol.SerialRequestSize:
			r, err := protocol.ReadSerialRequest(bytes.NewReader(noise))
			if err != nil || !bytes.Equal(r.Bytes(), wire) {
				t.Errorf("%s: %v, %v", v.Note, r, err)
			}
		case len(wire) == protocol.SerialResponseSize:
			r, err := protocol.ReadSerialResponse(bytes.NewReader(noise))
			if err != nil || !bytes.Equal(protocol.SerialResponse(r), wire) {
				t.Errorf("%s: %v, %v", v.Note, r, err)
			}
		case len(wire) == protocol.HostSize:
			if h, end, err := protocol.ParseHost(wire); err != nil || end != strings.Contains(v.Note, "name=''") {
				t.Errorf("%s: %v, %v, %v", v.Note, h, end, err)
			}
		default:
			t.Errorf("%s: what is this?", v.Note)
		}
	}
}

package cib

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func FuzzDecodeCommand(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 40 {
		f.Add(randomCommand(r).Encode())
	}
	f.Add([]byte(`{"v":1,"config":{"edits":[{"op":"modify","xml":"<cib/>"}]}}`))
	s, err := Apply(NewState(threeNodes()), Command{Config: &ConfigChange{Edits: []Edit{{Op: "create", XML: web}}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := DecodeCommand(data)
		if err != nil {
			return
		}
		again, err := DecodeCommand(c.Encode())
		if err != nil || !bytes.Equal(again.Encode(), c.Encode()) {
			t.Fatalf("%s becomes %s: %v", c.Encode(), again.Encode(), err)
		}
		before := encoded(t, s)
		next, err := Apply(s, c)
		if encoded(t, s) != before || err != nil && encoded(t, next) != before {
			t.Fatalf("%s leaves a trace", data)
		}
		if decoded := decodedAgain(t, next); encoded(t, decoded) != encoded(t, next) {
			t.Fatalf("%s makes a state that is read as another", data)
		}
	})
}

func FuzzDecodeState(f *testing.F) {
	var b bytes.Buffer
	if err := EncodeState(&b, NewState(threeNodes())); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"cerco_state":1}` + "\n<cib/>"))
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := DecodeState(bytes.NewReader(bytes.Clone(data)))
		if err != nil {
			return
		}
		first := encoded(t, s)
		if second := encoded(t, decodedAgain(t, s)); second != first {
			t.Fatalf("read again:\n%s\ninstead of\n%s", second, first)
		}
	})
}

package cib

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

// Whoever does not know a command and whoever knows it must come to the same state, with the same words.
func TestAStrangeCommandChangesNothingAnywhere(t *testing.T) {
	s := NewState(threeNodes())
	s.Spoken = 1
	cluster := threeNodes()
	cluster.Authority = "fingerprint"
	future := []byte(`{"v":3,"at":"2026-01-01T00:00:00Z","by":"root","teleport":[{"node":"n1"}],"lead":{"dc":"1","have_quorum":true}}`)
	for name, data := range map[string][]byte{
		"known to the new one": Command{Cluster: &cluster}.Stamped().Encode(),
		"known to nobody":      future,
	} {
		var words []string
		for _, v := range []Vocabulary{1, 2} {
			c, err := v.DecodeCommand(data)
			if err != nil {
				t.Fatalf("%s: version %d: %v", name, v, err)
			}
			next, err := v.Apply(s, c)
			if refused := (*CommandError)(nil); !errors.As(err, &refused) {
				t.Fatalf("%s: version %d: %v", name, v, err)
			}
			if encoded(t, next) != encoded(t, s) {
				t.Errorf("%s: version %d changes the state", name, v)
			}
			words = append(words, err.Error())
		}
		if words[0] != words[1] {
			t.Errorf("%s: two versions answer in two ways:\n%s\n%s", name, words[0], words[1])
		}
	}
	if _, err := DecodeCommand([]byte(`{"v":2,"teleport":[]}`)); err == nil {
		t.Error("an unknown field of a known version is read")
	}
	if _, err := DecodeCommand([]byte(`{"v":1} {}`)); err == nil {
		t.Error("two commands are read as one")
	}
}

func TestAgreementOnAVocabulary(t *testing.T) {
	s := NewState(threeNodes())
	s.Spoken = 1
	raise := Command{Raise: 2}.Stamped()
	after, err := Vocabulary(2).Apply(s, raise)
	if err != nil || after.Agreed() != 2 {
		t.Fatalf("agreed on %d: %v", after.Agreed(), err)
	}
	if _, err := Vocabulary(1).Apply(s, raise); !errors.Is(err, ErrBehind) {
		t.Errorf("who speaks version 1 follows an agreement on 2: %v", err)
	}
	if _, err := Vocabulary(2).Apply(after, raise); err == nil || errors.Is(err, ErrBehind) {
		t.Errorf("a second agreement: %v", err)
	}
	cluster := threeNodes()
	cluster.Authority = "fingerprint"
	if _, err := Apply(after, Command{Cluster: &cluster}); err != nil {
		t.Errorf("what was agreed on is refused: %v", err)
	}
	var b bytes.Buffer
	if err := EncodeState(&b, after); err != nil {
		t.Fatal(err)
	}
	if again, err := DecodeState(bytes.NewReader(b.Bytes())); err != nil || again.Agreed() != 2 {
		t.Errorf("agreed on %d after it was written down: %v", again.Agreed(), err)
	}
	if _, err := Vocabulary(1).DecodeState(bytes.NewReader(b.Bytes())); !errors.Is(err, ErrBehind) || !strings.Contains(err.Error(), "install") {
		t.Errorf("who speaks version 1 reads a state of version 2: %v", err)
	}
}

func TestAgesOfKeys(t *testing.T) {
	day := 24 * time.Hour
	now := at
	c := threeNodes()
	for i, age := range []time.Duration{10 * day, 31 * day, 33 * day} {
		c.Members[i].KeySince = now.Add(-age)
	}
	for _, m := range c.Members {
		if c.KeyDue(&m, now) || c.KeyOverdue(&m, now) {
			t.Errorf("%s: without a limit, its key is too old", m.Name)
		}
	}
	c.KeyDays = 30
	for i, want := range []struct{ due, overdue bool }{{false, false}, {true, false}, {true, true}} {
		if m := &c.Members[i]; c.KeyDue(m, now) != want.due || c.KeyOverdue(m, now) != want.overdue {
			t.Errorf("%s: due %v, overdue %v", m.Name, c.KeyDue(m, now), c.KeyOverdue(m, now))
		}
	}
	unknown := Member{Name: "n9"}
	if !c.KeyDue(&unknown, now) || c.KeyOverdue(&unknown, now) {
		t.Error("a key of unknown age is exchanged, without alarm")
	}
	s := NewState(threeNodes())
	s.Spoken = 1
	if _, err := Apply(s, Command{Cluster: &c}); err == nil {
		t.Error("ages of keys are taken by a cluster of the first version")
	}
	c.KeyDays = -1
	if _, err := Apply(NewState(threeNodes()), Command{Cluster: &c}); err == nil {
		t.Error("keys are exchanged every -1 days")
	}
}

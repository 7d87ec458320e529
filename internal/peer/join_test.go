package peer

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestJoin(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, 1, "n1")
		w.start("n1")
		p := w.peers["n1"]
		token, hash := tokenFor(t, w, "nowhere:1", w.addr("n1", 0))
		if _, _, err := Join(t.Context(), token, "n2", nil, w.net.Dial); err == nil {
			t.Error("joined where nobody admits anybody")
		}
		p.HandleJoin(func(_ context.Context, invitation string, req JoinRequest) (JoinReply, error) {
			if invitation != hash {
				t.Errorf("invitation %s, not %s", invitation, hash)
			}
			if req.Name == "bad" {
				return JoinReply{}, errors.New("that name is taken")
			}
			cert, err := w.ca.Issue(req.Name, req.Key)
			if err != nil {
				return JoinReply{}, err
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			delete(w.open, invitation)
			w.nodes = append(w.nodes, Node{Name: req.Name, KeyHash: req.KeyHash, Addrs: []string{w.addr(req.Name, 0)}})
			return JoinReply{Cert: cert.Raw, Reply: append([]byte("re: "), req.Request...), ShareCAKey: true}, nil
		})
		if _, _, err := Join(t.Context(), token, "n2", nil, w.net.Dial); err == nil || !strings.Contains(err.Error(), "cerco cluster invite") {
			t.Errorf("a token that is not open: %v", err)
		}
		w.open[hash] = true
		if _, _, err := Join(t.Context(), token, "bad", nil, w.net.Dial); err == nil || !strings.Contains(err.Error(), "that name is taken") {
			t.Errorf("the handler's refusal: %v", err)
		}
		id, reply, err := Join(t.Context(), token, "n2", []byte("hello"), w.net.Dial)
		if err != nil || string(reply) != "re: hello" {
			t.Fatalf("join: %q, %v", reply, err)
		}
		if id.CAKey == nil {
			t.Error("the authority's key did not come along")
		}
		w.ids["n2"] = id
		w.start("n2")
		w.mustCall("n2", "n1")
		w.mustCall("n1", "n2")
		if _, _, err := Join(t.Context(), token, "n3", nil, w.net.Dial); err == nil {
			t.Error("a token works twice")
		}
		// Whoever sits at the address of a member, and is of another cluster, learns nothing.
		other, _ := tokenFor(t, newWorld(t, 1), w.addr("n1", 0))
		if _, _, err := Join(t.Context(), other, "n3", nil, w.net.Dial); err == nil || !strings.Contains(err.Error(), "cluster that the token was made in") {
			t.Errorf("a token of another cluster: %v", err)
		}
	})
}

func TestIdentityFiles(t *testing.T) {
	w := newWorld(t, 1, "n1")
	dir := filepath.Join(t.TempDir(), "cerco")
	if _, err := LoadIdentity(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no identity: %v", err)
	}
	id := w.identity("n1")
	if err := id.Save(dir); err != nil {
		t.Fatal(err)
	}
	got, err := LoadIdentity(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got.KeyHash() != id.KeyHash() || got.Fingerprint() != id.Fingerprint() || got.CAKey == nil || got.Name() != "n1" {
		t.Error("what is loaded is not what was saved")
	}
	key := filepath.Join(dir, nodeKeyFile)
	for _, name := range []string{nodeKeyFile, caKeyFile} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v", name, info.Mode(), err)
		}
	}
	if err := os.Chmod(key, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadIdentity(dir); err == nil || !strings.Contains(err.Error(), "chmod 0600 "+key) {
		t.Errorf("a key that others may read: %v", err)
	}
	if err := os.Chmod(key, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, caKeyFile)); err != nil {
		t.Fatal(err)
	}
	if got, err = LoadIdentity(dir); err != nil || got.CAKey != nil {
		t.Errorf("without ca.key: %v", err)
	}
	if _, err := got.Issue("n2", nil); err == nil || !strings.Contains(err.Error(), "ca.key") {
		t.Errorf("a node without the authority's key issues: %v", err)
	}
	other := newWorld(t, 1, "n1").identity("n1")
	if err := writeFile(filepath.Join(dir, nodeCertFile), certPEM(other.Cert), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadIdentity(dir); err == nil || !strings.Contains(err.Error(), "not the key of") {
		t.Errorf("a certificate of another key: %v", err)
	}
	if names, _ := filepath.Glob(filepath.Join(dir, ".*")); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
}

func TestTokens(t *testing.T) {
	w := newWorld(t, 1)
	token, hash := tokenFor(t, w, "10.0.0.1:2225", "[fd00::1]:2225")
	if strings.Trim(token, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		t.Errorf("odd characters in %s", token)
	}
	got, err := ParseToken(" " + strings.ToUpper(token) + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if got.KeyHash() != hash || got.CAFingerprint != w.ca.Fingerprint() || strings.Join(got.Addrs, " ") != "10.0.0.1:2225 [fd00::1]:2225" {
		t.Errorf("read back: %+v", got)
	}
	for i := range len(token) {
		bad := []byte(token)
		bad[i] = "ab"[bad[i]&1]
		if bad[i] == token[i] {
			bad[i] = 'c'
		}
		if _, err := ParseToken(string(bad)); err == nil {
			t.Errorf("a token with another character at %d is good", i)
		} else if strings.Contains(err.Error(), token[20:40]) {
			t.Errorf("an error repeats the token: %v", err)
		}
		if _, err := ParseToken(token[:i]); err == nil {
			t.Errorf("the first %d characters of a token are good", i)
		}
	}
	for _, addrs := range [][]string{nil, make([]string, maxTokenAddrs+1), {""}, {strings.Repeat("x", 256)}} {
		if _, _, err := NewToken(w.ca.Fingerprint(), addrs); err == nil {
			t.Errorf("a token with %d addresses", len(addrs))
		}
	}
	if _, _, err := NewToken("abc", []string{"x:1"}); err == nil {
		t.Error("a token with a short fingerprint")
	}
}

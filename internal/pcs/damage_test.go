package pcs

import (
	"slices"
	"strings"
	"testing"
)

func TestRepair(t *testing.T) {
	for _, c := range []struct{ in, want []string }{
		{[]string{"resource", "update", "dlm", "args=‐s 0 -q 1"}, []string{"resource", "update", "dlm", "args=-s 0 -q 1"}},
		{[]string{"args=“-s", "0", "-q", "1”", "next"}, []string{"args=-s 0 -q 1", "next"}},
		{[]string{"property", "set", "no–quorum—policy=ignore"}, []string{"property", "set", "no-quorum-policy=ignore"}},
		{[]string{"resource", "delete", "libvирtd"}, []string{"resource", "delete", "libvirtd"}},
		{[]string{"resource", "dеletе", "A"}, []string{"resource", "delete", "A"}},
		{[]string{"tag", "create", "тег", "A"}, []string{"tag", "create", "тег", "A"}},
		{[]string{"stonith", "create", "x", "-force"}, []string{"stonith", "create", "x", "--force"}},
		{[]string{"cluster", "start", "-", "-all"}, []string{"cluster", "start", "--all"}},
		{[]string{"-f", "cib.xml", "-1", "-INFINITY"}, []string{"-f", "cib.xml", "-1", "-INFINITY"}},
		{[]string{"description=“a – b”"}, []string{"description=“a – b”"}},
	} {
		got, notes, err := repair(slices.Clone(c.in))
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, %v; want %q", c.in, got, err, c.want)
		}
		if (len(notes) > 0) == slices.Equal(c.in, c.want) {
			t.Errorf("%q: notes %q", c.in, notes)
		}
	}
	if _, _, err := repair([]string{"cluster", "cib", "»", "file"}); err == nil || !strings.Contains(err.Error(), ">>") {
		t.Errorf("», %v", err)
	}
}

func TestDialect(t *testing.T) {
	for _, c := range []struct{ old, now string }{
		{"cluster standby n1", "node standby n1"},
		{"cluster unstandby --all", "node unstandby"},
		{"cluster auth n1 n2 -u hacluster", "host auth n1 n2"},
		{"cluster auth", "cluster auth"},
		{"cluster setup --name c n1 n2,10.0.0.2", "cluster setup c n1 n2 addr=n2 addr=10.0.0.2"},
		{"resource show", "resource status"},
		{"resource show A", "resource config A"},
		{"resource master drbd-clone drbd master-max=2 notify=true", "resource promotable drbd drbd-clone promoted-max=2 notify=true"},
		{"resource master drbd master-max=2", "resource promotable drbd promoted-max=2"},
		{"resource create A Stateful op monitor interval=9 --master master-max=2", "resource create A Stateful op monitor interval=9 promoted-max=2 promotable"},
		{"resource failcount reset A n1", "resource cleanup A node=n1"},
		{"property set --node n1 a=b", "node attribute n1 a=b"},
		{"constraint colocation add A B 100", "constraint colocation add A with B 100"},
		{"constraint colocation add master A B", "constraint colocation add master A with B"},
		{"constraint colocation add A with B", "constraint colocation add A with B"},
		{"status groups", "resource group list"},
	} {
		p, err := parse(strings.Fields(c.old))
		if err != nil {
			t.Fatal(err)
		}
		var said strings.Builder
		k := &call{Env: Env{Stderr: &said}, program: "pcs"}
		if err := k.rewrite(p); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(p.words, " "); got != c.now {
			t.Errorf("%s: %s, want %s", c.old, got, c.now)
		}
		if said.Len() == 0 && !strings.HasPrefix(c.old, c.now) {
			t.Errorf("%s: nothing is said", c.old)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("resource create A Dummy op monitor interval=9 --force -f x -- -y “a b” libvирtd » - -all")
	f.Fuzz(func(_ *testing.T, line string) {
		args, _, err := repair(strings.Split(line, " "))
		if err != nil {
			return
		}
		p, err := parse(args)
		if err != nil {
			return
		}
		k := &call{Env: Env{Stderr: &strings.Builder{}}, program: "pcs"}
		if k.rewrite(p) == nil {
			route(p.words)
		}
	})
}

func TestNearest(t *testing.T) {
	for word, want := range map[string]string{"creat": "create", "udpate": "update", "stp": "stop", "xyzzy": "", "prop": "property"} {
		if got := nearest(word, []string{"create", "update", "stop", "property"}); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
}

package virtd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const definition = `<domain type='kvm'><name>web1</name><uuid>6695eb01-f6a4-8304-79aa-97f2502e1940</uuid></domain>`

func TestHookKeepsClusteredGuestsOut(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "conf")
	grouped := func(machine string) string {
		return "groups { group { uuid = \"" + machine + "\"; ip = \"10.0.0.1\"; } }\n"
	}
	for _, c := range []struct {
		conf, name, op string
		refused        bool
	}{
		{"", "web1", "migrate begin -", true},
		{"", "web1", "prepare begin -", false}, // and whatever else libvirt tells its hook
		{"", "web1", "release end -", false},
		{grouped("web1"), "web1", "migrate begin -", true},
		{grouped("6695EB01-f6a4-8304-79aa-97f2502e1940"), "web1", "migrate begin -", true},
		{grouped("web1"), "renamed", "migrate begin -", true}, // by its definition
		{grouped("db"), "web1", "migrate begin -", false},
		{"fence_virtd { backend = \"cpg\"; }", "web1", "migrate begin -", false},
		{"backends { libvirt { uri = \"qemu+ssh://a/system\"; uri = \"qemu+ssh://b/system\"; } }", "web1", "migrate begin -", false},
		{"groups {", "web1", "migrate begin -", true},
	} {
		if err := os.WriteFile(conf, []byte(c.conf), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, errs strings.Builder
		code := Command(t.Context(), "fence-virtd", append([]string{"-f", conf, "--hook", c.name}, strings.Fields(c.op)...), strings.NewReader(definition), &out, &errs)
		if code != 0 != c.refused || c.refused != (errs.Len() > 0) || out.Len() > 0 { // what is printed would become the definition
			t.Errorf("%q, %s %s: %d, %q, %q", c.conf, c.name, c.op, code, &out, &errs)
		}
		if c.refused && !strings.Contains(errs.String(), c.name) {
			t.Errorf("the reason is %q", &errs)
		}
	}
}

func TestHookOfOthersIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	conf, file := filepath.Join(dir, "conf"), filepath.Join(dir, "qemu.d", "hook")
	if err := os.WriteFile(conf, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for range 2 {
		if err := installHook(file, conf, &out); err != nil {
			t.Fatal(err)
		}
	}
	if st, err := os.Stat(file); err != nil || st.Mode().Perm()&0o111 == 0 {
		t.Errorf("%v, %v", st, err)
	}
	const other = "#!/bin/sh\nexit 0\n"
	if err := os.WriteFile(file, []byte(other), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := installHook(file, conf, &out); err == nil || !strings.Contains(err.Error(), "not ours") {
		t.Errorf("%v", err)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != other {
		t.Errorf("%q, %v", b, err)
	}
}

func FuzzWhose(f *testing.F) {
	f.Add(definition)
	f.Fuzz(func(_ *testing.T, text string) { _, _ = whose(strings.NewReader(text)) })
}

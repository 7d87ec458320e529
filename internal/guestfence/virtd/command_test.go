package virtd

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func call(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = Command(t.Context(), "fence_virtd", args, strings.NewReader(""), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func TestConfigurationIsCheckedBeforeAnythingIsServed(t *testing.T) {
	dir := t.TempDir()
	conf, key := filepath.Join(dir, "conf"), filepath.Join(dir, "key")
	write := func(text string) {
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(key, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := fmt.Sprintf("fence_virtd { listener = \"tcp\"; }\nlisteners { tcp { key_file = \"%s\"; } }\n", key)
	write(good)
	if code, out, errs := call(t, "-f", conf, "-c"); code != 0 || !strings.Contains(out, "can be served: 1 listeners, 0 groups") {
		t.Errorf("%d, %q, %q", code, out, errs)
	}
	write(good + "groups {")
	if code, _, errs := call(t, "-F", "-f", conf); code != 255 || !strings.Contains(errs, conf+":3: the block groups does not end") {
		t.Errorf("%d, %q", code, errs)
	}
	write(good)
	if err := os.Chmod(key, 0o604); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := call(t, "-f"+conf); code != 255 || !strings.Contains(errs, "chmod 0600 "+key) {
		t.Errorf("%d, %q", code, errs)
	}
	if code, _, errs := call(t, "-f", filepath.Join(dir, "missing")); code != 255 || !strings.Contains(errs, "missing") {
		t.Errorf("%d, %q", code, errs)
	}
}

func TestWrongCalls(t *testing.T) {
	for _, c := range []struct {
		args string
		code int
		errs string
	}{
		{"-V", 1, "fence_virtd: invalid option -- 'V'\n"},
		{"-f", 1, "fence_virtd: option requires an argument -- 'f'\n"},
		{"-Fl", 0, ""},
	} {
		if code, out, errs := call(t, strings.Fields(c.args)...); code != c.code || errs != c.errs || out == "" {
			t.Errorf("%s: %d, %q, %q", c.args, code, out, errs)
		}
	}
}

func TestHostsOfURIs(t *testing.T) {
	for uri, want := range map[string]string{
		"": "me", "qemu:///system": "me", "qemu+ssh://root@hv1/system": "hv1", "qemu+tls://hv2/system": "hv2",
	} {
		if got := nameOf(uri, "me"); got != want {
			t.Errorf("%q: %q", uri, got)
		}
	}
}

package driver

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cerco-ha/cerco/internal/cib"
)

// section is one recorded call: what it was, and the environment that the agent had.
type section struct {
	resource, provider, typ, action string
	env                             map[string]string
}

func recorded(t *testing.T) []section {
	t.Helper()
	b, err := os.ReadFile("testdata/pacemaker_env.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []section
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSuffix(line, "\n")
		if head, ok := strings.CutPrefix(line, "== "); ok {
			f := strings.Fields(head)
			out = append(out, section{f[0], f[1], f[2], f[3], map[string]string{}})
		} else if name, value, ok := strings.Cut(line, "="); ok && len(out) > 0 {
			out[len(out)-1].env[name] = value
		}
	}
	return out
}

// TestEnvironmentHasAllThatPacemakers: whatever Pacemaker's executor gives an agent for an operation, ours
// gives too, from the same attributes.
func TestEnvironmentHasAllThatPacemakers(t *testing.T) {
	dir := t.TempDir()
	h := host(t, map[string]string{"rec/r10n": "env -0 > " + dir + "/env", "rec/r11a": "env -0 > " + dir + "/env", "rec/r11b": "env -0 > " + dir + "/env"})
	sections := recorded(t)
	if len(sections) < 8 {
		t.Fatalf("%d recorded calls", len(sections))
	}
	for _, s := range sections {
		var params []cib.Attr
		for name, value := range s.env {
			if p, ok := strings.CutPrefix(name, "OCF_RESKEY_"); ok || name == "OCF_CHECK_LEVEL" {
				params = append(params, cib.Attr{Name: p, Value: value})
			}
		}
		res := h.Run(t.Context(), Request{Class: "ocf", Provider: s.provider, Type: s.typ, Resource: s.resource, Action: s.action, Params: params})
		if res.RC != 0 {
			t.Fatalf("%+v", res)
		}
		got := environ(t, filepath.Join(dir, "env"))
		for name, want := range s.env {
			switch name {
			case "HA_LOGFILE", "HA_logfile", "PCMK_logfile": // elsewhere
				want = os.DevNull
			case "OCF_ROOT":
				want = ocfRoot(h.cfg.OCFRoots[1])
			}
			if got[name] != want {
				t.Errorf("%s of %s: %s=%q, want %q", s.action, s.resource, name, got[name], want)
			}
		}
	}
}

func environ(t *testing.T, file string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for kv := range strings.SplitSeq(strings.TrimSuffix(string(b), "\x00"), "\x00") {
		name, value, _ := strings.Cut(kv, "=")
		got[name] = value
	}
	return got
}

func TestRootOfTheShellLibraries(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"a/lib", "a/resource.d", "b/resource.d"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if got := ocfRoot(filepath.Join(dir, "a/resource.d")); got != filepath.Join(dir, "a") {
		t.Errorf("an own library is not used: %s", got)
	}
	got := ocfRoot(filepath.Join(dir, "b/resource.d"))
	if _, err := os.Stat("/usr/lib/ocf/lib"); err == nil && got != "/usr/lib/ocf" || err != nil && got != filepath.Join(dir, "b") {
		t.Errorf("without an own library: %s", got)
	}
}

func TestEnvironmentIsOurs(t *testing.T) {
	h := host(t, nil)
	r := ocf("x", "start", cib.Attr{Name: "a-b", Value: "c=d"}, cib.Attr{Name: "nul", Value: "\x00"})
	r.Env = []string{"EXTRA=1", "HOME=/elsewhere"}
	env := h.ocfEnv(&r, h.cfg.OCFRoots[1])
	for _, want := range []string{"OCF_RESKEY_a_b=c=d", "EXTRA=1", "HOME=/elsewhere", "CERCO_SOCKET=/sock", "HA_SBIN_DIR=" + h.cfg.Links,
		"PATH=" + h.cfg.Links + ":/usr/bin:/bin", "HA_debug=0", "PCMK_service=pacemaker-execd"} {
		if !slices.Contains(env, want) {
			t.Errorf("%s is missing from %q", want, env)
		}
	}
	for _, kv := range env {
		if strings.HasPrefix(kv, "NOTIFY_SOCKET=") || strings.HasPrefix(kv, "OCF_RESKEY_old=") || strings.HasPrefix(kv, "OCF_RESKEY_nul=") {
			t.Errorf("%s has no business there", kv)
		}
	}
}

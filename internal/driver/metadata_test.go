package driver

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

func read(t testing.TB, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestParseMetadata(t *testing.T) {
	m, err := ParseMetadata([]byte("a stray message\n" + read(t, "testdata/recorder.xml")))
	if err != nil {
		t.Fatal(err)
	}
	if m.Name != "r11b" || m.Standard != "1.1" || !m.Modern() || m.ReloadAction() != "reload-agent" || len(m.Parameters) != 7 {
		t.Errorf("%+v", m)
	}
	if p := m.Parameter("zpriv"); p == nil || !p.Private || !p.Unique || p.Reloadable {
		t.Errorf("%+v", p)
	}
	if p := m.Parameter("aaa"); p.Default != "x" || !p.HasDefault || p.Type != "string" {
		t.Errorf("%+v", p)
	}
	want := Action{Name: "monitor", Timeout: 20 * time.Second, Interval: 10 * time.Second,
		Written: []cib.Attr{{Name: "name", Value: "monitor"}, {Name: "interval", Value: "10s"}, {Name: "timeout", Value: "20s"}}}
	if !reflect.DeepEqual(m.Actions[2], want) {
		t.Errorf("%+v, want %+v", m.Actions[2], want)
	}
	for _, bad := range []string{"", "<resource-agent", "<other/>", "no XML at all"} {
		if _, err := ParseMetadata([]byte(bad)); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
}

func TestMetadataIsAskedForOnce(t *testing.T) {
	dir := t.TempDir()
	h := host(t, map[string]string{"test/m": fmt.Sprintf("echo x >> %s/calls\ncat <<'X'\n%s\nX\n", dir, read(t, "testdata/recorder.xml"))})
	for range 3 {
		if _, err := h.Metadata(t.Context(), "ocf", "test", "m"); err != nil {
			t.Fatal(err)
		}
	}
	if calls := read(t, dir+"/calls"); calls != "x\n" {
		t.Errorf("asked %q", calls)
	}
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(h.cfg.OCFRoots[1], "test", "m"), later, later); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Metadata(t.Context(), "ocf", "test", "m"); err != nil {
		t.Fatal(err)
	}
	if calls := read(t, dir+"/calls"); calls != "x\nx\n" {
		t.Errorf("after a change asked %q", calls)
	}
	if _, err := h.Metadata(t.Context(), "ocf", "test", "none"); err == nil || !strings.Contains(err.Error(), "not installed") {
		t.Errorf("%v", err)
	}
	if p := h.Providers(); !reflect.DeepEqual(p, map[string][]string{"test": {"m"}}) {
		t.Errorf("%v", p)
	}
}

// TestDigestsArePacemakers compares with the digests in the CIB of a running Pacemaker.
func TestDigestsArePacemakers(t *testing.T) {
	params := []cib.Attr{{Name: "uniq", Value: "U1"}, {Name: "aaa", Value: `a <"x"> &'q'`}, {Name: "secret", Value: "S1"},
		{Name: "password", Value: "pw"}, {Name: "zpriv", Value: "zp"}, {Name: "not-in-meta", Value: "tab\tnl\nx"},
		{Name: "crm_feature_set", Value: "3.16.1"}, {Name: "CRM_meta_on_node", Value: "n1"}}
	extra := map[string][]cib.Attr{"0": {{Name: "CRM_meta_timeout", Value: "20000"}}, "3000": {{Name: "CRM_meta_timeout", Value: "7000"}},
		"5000": {{Name: "CRM_meta_timeout", Value: "8000"}, {Name: "OCF_CHECK_LEVEL", Value: "10"}}}
	xml := read(t, "testdata/recorder.xml")
	seen := 0
	for line := range strings.Lines(read(t, "testdata/digests.txt")) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), " | ")
		if len(f) != 6 || strings.HasPrefix(line, "#") {
			continue
		}
		seen++
		head := strings.Fields(f[0])
		attrs := append([]cib.Attr{{Name: "relo", Value: head[3]}}, append(params, extra[head[2]]...)...)
		meta, err := ParseMetadata([]byte(as(xml, head[0])))
		if err != nil {
			t.Fatal(err)
		}
		var interval int64
		fmt.Sscan(head[2], &interval)
		d := DigestsOf(meta, attrs, interval)
		got := fmt.Sprintf("%q | %q | %q | %q | %q", d.All, d.Restart, d.Force, d.Secure, d.Private)
		if want := strings.Join(f[1:], " | "); got != want {
			t.Errorf("%s:\n got %s\nwant %s", f[0], got, want)
		}
	}
	if seen < 30 {
		t.Errorf("only %d recorded digests", seen)
	}
}

// as makes the recording agent's metadata into that of a variant of it: r10 and r11 for the version of the OCF
// API, then n, r, a or b for no reload action, "reload", "reload-agent" or both.
func as(xml, name string) string {
	if strings.HasPrefix(name, "r10") {
		xml = strings.Replace(xml, "<version>1.1<", "<version>1.0<", 1)
	}
	if v := name[3]; v != 'b' && v != 'r' {
		xml = strings.Replace(xml, `<action name="reload" `, `<action name="other" `, 1)
	}
	if v := name[3]; v != 'b' && v != 'a' {
		xml = strings.Replace(xml, `<action name="reload-agent" `, `<action name="another" `, 1)
	}
	return xml
}

func TestValidate(t *testing.T) {
	m := &Metadata{Name: "x", Parameters: []Parameter{{Name: "ip", Required: true, Type: "string"}, {Name: "mask", Type: "integer"},
		{Name: "on", Type: "boolean"}, {Name: "mode", Type: "select", Options: []string{"a", "b"}}, {Name: "old", Deprecated: true, ReplacedBy: "new"}, {Name: "new", Required: true}}}
	problems := m.Validate([]cib.Attr{{Name: "mask", Value: "x"}, {Name: "on", Value: "maybe"}, {Name: "mode", Value: "c"}, {Name: "mod", Value: "c"},
		{Name: "old", Value: "1"}, {Name: "CRM_meta_timeout", Value: "1"}, {Name: "crm_feature_set", Value: "1"}})
	var got []string
	for _, p := range problems {
		got = append(got, fmt.Sprintf("%s %v %s", p.Parameter, p.Fatal, p.Message))
	}
	want := `mask true parameter "mask" is "x", but must be integer
on true parameter "on" is "maybe", but must be boolean
mode true parameter "mode" is "c", but must be one of a, b
mod false agent x has no parameter "mod"; is "mode" meant?
old false parameter "old" is deprecated; use "new"
ip true agent x needs the parameter "ip" ()`
	if g := strings.Join(got, "\n"); g != want {
		t.Errorf("got\n%s\nwant\n%s", g, want)
	}
	if p := m.Validate([]cib.Attr{{Name: "ip", Value: "1"}, {Name: "new", Value: "1"}, {Name: "mask", Value: "24"}, {Name: "on", Value: "Yes"}, {Name: "mode", Value: "b"}}); len(p) != 0 {
		t.Errorf("%+v", p)
	}
}

func FuzzParseMetadata(f *testing.F) {
	f.Add(read(f, "testdata/recorder.xml"))
	f.Add(`<resource-agent name="x"><parameters><parameter name="a"><content type="select"><option value="1"/></content><deprecated/></parameter></parameters><actions><action name="monitor" timeout="99999999999h"/></actions></resource-agent>`)
	f.Fuzz(func(t *testing.T, s string) {
		m, err := ParseMetadata([]byte(s))
		if err != nil {
			return
		}
		for _, a := range m.Actions {
			if a.Timeout < 0 || a.Interval < 0 {
				t.Errorf("%+v", a)
			}
		}
		m.Validate([]cib.Attr{{Name: "a", Value: "b"}})
		DigestsOf(m, []cib.Attr{{Name: "a", Value: "b"}}, 0)
	})
}

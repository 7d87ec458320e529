package secret

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cerco-ha/cerco/internal/cib"
)

func TestSecrets(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a/passwd", "geheim")
	write("a/passwd.sign", "e8636ea013e682faf61f56ce1cb1ab5c\n")
	write("b/passwd", "other")
	write("b/passwd.sign", "00")
	was := []cib.Attr{{Name: "login", Value: "admin"}, {Name: "passwd", Value: "lrm://"}}
	got, err := Fill("a", was, []string{"/nowhere", dir})
	if err != nil || got[1].Value != "geheim" || was[1].Value != "lrm://" {
		t.Fatalf("%v, %v", got, err)
	}
	for _, resource := range []string{"b", "c", ".."} {
		if _, err := Fill(resource, was, []string{dir}); err == nil {
			t.Errorf("%s has a secret", resource)
		}
	}
	hide := Of(append(got, cib.Attr{Name: "api-token", Value: "a b&c"}, cib.Attr{Name: "zpriv", Value: "unsaid"}), was, "zpriv").Text
	for _, in := range []string{"login geheim failed", "http://x/?t=a+b%26c", "http://x/a%20b&c", "zpriv=unsaid", "Basic YWRtaW46Z2VoZWlt", "Z2VoZWlt"} {
		if out := hide(in); strings.Contains(out, "eheim") || strings.Contains(out, "unsaid") || !strings.Contains(out, Mask) {
			t.Errorf("%q became %q", in, out)
		}
	}
	for name, want := range map[string]bool{"passwd": true, "password_script": true, "ssh_key": true, "community": true, "ip": false,
		"login": false, "api-key": true, "port": false, "identity_file": false} {
		if Is(name) != want {
			t.Errorf("%s: secret %v", name, !want)
		}
	}
}

func TestTheSecretsOfACIB(t *testing.T) {
	const text = `<cib><configuration><resources><primitive id="a"><instance_attributes id="a-i"><nvpair id="1" name="ip" value="10.0.0.1"/>` +
		`<nvpair id="2" name="passwd" value="x&lt;&quot;y"/><nvpair id="3" name="password" value="lrm://"/></instance_attributes></primitive></resources></configuration></cib>`
	c, err := cib.Decode("", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	masked := string(InCIB(c.Root).AppendXML(nil))
	if strings.Contains(masked, "x&lt;") || !strings.Contains(masked, `value="***"`) || !strings.Contains(masked, "10.0.0.1") || !strings.Contains(masked, "lrm://") {
		t.Error(masked)
	}
	hide := OfCIB(c.Root).Text
	for _, in := range []string{`said x<"y aloud`, `value="x&lt;&#34;y"`, `msg="said x<\"y"`, `{"said":"x\u003c\"y "}`, `value="x&lt;&quot;y "`} {
		if out := hide(in); strings.Contains(out, "y ") && !strings.Contains(out, Mask) || out == in {
			t.Errorf("%s became %s", in, out)
		}
	}
	if out := hide("ip 10.0.0.1"); out != "ip 10.0.0.1" {
		t.Error(out)
	}
}

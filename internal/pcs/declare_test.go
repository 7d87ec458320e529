package pcs

import (
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/api/apitest"
	"github.com/cerco-ha/cerco/internal/cib"
)

// TestApply makes a configuration what a file says, on a file and on a cluster: it shows, asks, does it once, and is
// content the second time.
func TestApply(t *testing.T) {
	base, err := os.ReadFile("testdata/base.xml")
	if err != nil {
		t.Fatal(err)
	}
	socket, _ := apitest.New(t, "n1", string(base)).Serve(t)
	t.Chdir(t.TempDir())
	at := func(stdin, line string) (code int, said string) {
		var out, err strings.Builder
		env := Env{Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &err, Now: func() time.Time { return time.Unix(1e9, 0) },
			Hostname: func() (string, error) { return "n1", nil }, Socket: socket, Context: t.Context(),
			Preview: func(w io.Writer, _, _ *cib.CIB) error { _, err := io.WriteString(w, "the plan\n"); return err }}
		code = Main(env, "cerco", strings.Fields(line))
		return code, out.String() + err.String()
	}
	write := func(name, text string) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("more.yaml", "partial: [resources]\nresources:\n  fresh: {agent: 'ocf:heartbeat:Dummy', options: {passwd: geheim}}\n")
	write("wrong.yaml", "partial: [resources]\nresources:\n  fresh: {agent: 'ocf:heartbeat:Dummy', ops: [{name: monitor, interval: often}]}\n")
	write("cib.xml", string(base))
	for _, step := range []struct {
		stdin, command string
		code           int
		want, not      string
	}{
		{"", "apply", 1, "which file?", ""},
		{"", "apply nix.yaml", 1, "no such file", ""},
		{"", "apply -f more.yaml --dry-run", 0, "+ /configuration/resources/primitive[@id='fresh']\n\nthe plan", "geheim"},
		{"", "apply -f more.yaml", 1, "nobody answers", "geheim"},
		{"n\n", "apply -f more.yaml", 1, "nothing was changed", ""},
		{"", "apply -f wrong.yaml --yes", 1, "often", ""},
		{"y\n", "apply -f more.yaml", 0, "the plan\n\nApply it? [y/N] The configuration is what more.yaml says.", ""},
		{"", "apply -f more.yaml", 0, "nothing to do", "Apply it"},
		{"", "export -o all.yaml", 0, "is in all.yaml", "geheim"},
		{"", "apply all.yaml --wait", 0, "nothing to do", ""},
		{"", "export", 0, "Warning: this shows passwords", "<nix"},
		{"", "export --output xml", 0, "<configuration>", ""},
		{"", "export --output json", 1, "not known", ""},
		{"", "resource delete fresh", 0, "", ""},
		{"", "apply all.yaml --yes", 0, "+ /configuration/resources/primitive[@id='fresh']", "geheim"},
		{"", "-f cib.xml apply all.yaml --yes", 0, "fresh", ""},
		{"", "-f cib.xml apply -f all.yaml", 0, "nothing to do", ""},
		{"", "-f cib.xml apply all.yaml --wait", 1, "cannot use '-f' together with '--wait'", ""},
		{"", "apply all.yaml more.yaml", 1, "one file", ""},
		{"tags: {}", "apply - --yes", 0, "standard input says", ""},
	} {
		if code, said := at(step.stdin, step.command); code != step.code || !strings.Contains(said, step.want) || step.not != "" && strings.Contains(said, step.not) {
			t.Errorf("%s: code %d\n%s", step.command, code, said)
		}
	}
	if info, err := os.Stat("all.yaml"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v: an export has secrets in it", info, err)
	}
}

package pcs

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// program makes this test binary a program of that name: shells complete with it.
const actAs = "CERCO_TEST_ACT_AS"

func TestMain(m *testing.M) {
	if os.Getenv(actAs) == "" {
		os.Exit(m.Run())
	}
	os.Exit(Main(Env{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Now: time.Now, Agents: bookAgents, Socket: "/nowhere"},
		os.Getenv(actAs), os.Args[1:]))
}

// shell runs a script in a shell that finds the program as cerco. The script sees the directory with the program as its
// working directory.
func shell(t *testing.T, name string, script string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, "cerco")); err != nil {
		t.Fatal(err)
	}
	base, err := os.ReadFile("testdata/shared-storage.xml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cib.xml"), base, 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), path, "-c", script)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &out
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), actAs+"=cerco", "HOME="+dir, "TERM=dumb")
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, &out)
	}
	return out.String()
}

// completed are unfinished commands, something that they can become, and something that they cannot.
var completed = []struct{ line, want, not string }{
	{"cerco reso", "resource", "stonith"},
	{"cerco resource cre", "create", "delete"},
	{"cerco resource op ", "add", "create"},
	{"cerco -f cib.xml resource delete dl", "dlm-clone", "ubuntu"},
	{"cerco -f cib.xml resource delete ", "ubuntu", "create"},
	{"cerco -f cib.xml constraint delete order-res", "order-res_libvirtd-clone-ubuntu-mandatory", "ubuntu"},
	{"cerco resource config --output-format ", "json", "ubuntu"},
	{"cerco export --outp", "--output=", "--from"},
	{"cerco export --output=y", "yaml", "xml"},
	{"cerco apply ci", "cib.xml", "resource"},
	{"cerco -f ci", "cib.xml", "resource"},
	{"cerco completion ", "fish", "resource"},
	{"cerco nix ", "", "resource"},
	{"cerco help reso", "resource", "stonith"},
	{"cerco pcs reso", "resource", "stonith"},
}

func TestWords(t *testing.T) {
	t.Chdir("testdata")
	for _, x := range completed {
		var out strings.Builder
		line := strings.ReplaceAll(x.line, "cib.xml", "shared-storage.xml")
		env := Env{Stdout: &out, Stderr: &out, Now: time.Now, Context: t.Context(), Socket: "/nowhere"}
		words := strings.Split(line, " ")
		if code := Main(env, "cerco", append([]string{"completion", "words", "--"}, words[1:]...)); code != 0 {
			t.Errorf("%s: code %d", line, code)
		}
		var got []string
		for l := range strings.Lines(out.String()) {
			w, _, _ := strings.Cut(strings.TrimSuffix(l, "\n"), "\t")
			got = append(got, strings.TrimPrefix(w, "--output="))
		}
		if want := strings.TrimPrefix(x.want, "--output="); want != "" && want != "cib.xml" && !slices.Contains(got, want) || want == "cib.xml" && !slices.Contains(got, files) || slices.Contains(got, x.not) {
			t.Errorf("%q: %q", line, got)
		}
	}
}

func TestBashCompletes(t *testing.T) {
	var script strings.Builder
	script.WriteString("source <(cerco completion bash)\n")
	for _, x := range completed {
		script.WriteString("COMP_LINE='" + x.line + "'; COMP_POINT=${#COMP_LINE}; _cerco; echo \"|${COMPREPLY[*]}|\"\n")
	}
	checkShell(t, shell(t, "bash", script.String()), " |")
}

// checkShell compares what a shell found, a line a command, with what was wanted. Words are between the letters of cut.
func checkShell(t *testing.T, out, cut string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != len(completed) {
		t.Fatalf("%d lines for %d commands:\n%s", len(lines), len(completed), out)
	}
	for i, x := range completed {
		words := strings.FieldsFunc(lines[i], func(r rune) bool { return strings.ContainsRune(cut, r) })
		want := strings.TrimPrefix(x.want, "--output=")
		if want != "" && !slices.ContainsFunc(words, func(w string) bool { return w == want || w == x.want }) || slices.Contains(words, x.not) {
			t.Errorf("%q becomes %q; want %q", x.line, words, x.want)
		}
	}
}

func TestManual(t *testing.T) {
	var out strings.Builder
	env := Env{Stdout: &out, Stderr: &out, Now: time.Now, Others: func() []Noun { return []Noun{{"lab", "a cluster to play with"}} }}
	if code := Main(env, "cerco", []string{"man"}); code != 0 {
		t.Fatal(out.String())
	}
	for _, want := range []string{".TH CERCO 8", `.SH "STONITH"`, `.B resource create`, `\-\-dry\-run`, ".B lab"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the manual lacks %q", want)
		}
	}
	for _, command := range [][]string{{"groff", "-man", "-ww", "-z", "-Tutf8", "-K", "utf8"}, {"man", "--warnings", "-E", "UTF-8", "-l", "-"}} {
		if _, err := exec.LookPath(command[0]); err != nil {
			t.Logf("%s is not installed", command[0])
			continue
		}
		var said bytes.Buffer
		cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
		cmd.Stdin, cmd.Stderr, cmd.Env = strings.NewReader(out.String()), &said, append(os.Environ(), "LC_ALL=C.UTF-8")
		if err := cmd.Run(); err != nil || said.Len() > 0 {
			t.Errorf("%v: %v\n%s", command, err, &said)
		}
	}
}

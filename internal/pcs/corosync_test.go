package pcs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// on carries a command line out as it stands, and returns what it says.
func on(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err strings.Builder
	env := Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &err, Now: func() time.Time { return time.Unix(1e9, 0).UTC() },
		Getenv: func(string) string { return "" }, Context: t.Context()}
	code = Main(env, "pcs", args)
	return code, out.String(), err.String()
}

func TestCorosyncConf(t *testing.T) {
	file := filepath.Join(t.TempDir(), "corosync.conf")
	must := func(args string) string {
		t.Helper()
		code, out, said := on(t, append(strings.Fields(args), "--corosync_conf", file)...)
		if code != 0 {
			t.Fatalf("%s: code %d: %s", args, code, said)
		}
		return out + said
	}
	must("cluster setup C n1 addr=10.0.0.1 n2 addr=10.0.0.2 totem token=5000 quorum wait_for_all=1")
	if got := must("cluster config show --output-format=cmd"); !strings.HasPrefix(got, "pcs cluster setup C \\\n  n1 addr=10.0.0.1 \\\n") {
		t.Error(got)
	}
	must("quorum device add model net host=q algorithm=lms")
	if got := must("quorum"); got != "Options:\n  wait_for_all: 1\nDevice:\n  Model: net\n    algorithm: lms\n    host: q\n" {
		t.Error(got)
	}
	if got := must("quorum device remove --dry-run"); !strings.Contains(got, "two_node: 1") {
		t.Error(got)
	}
	for args, want := range map[string]string{
		"quorum update auto_tie_breaker=1":   "quorum device",
		"quorum update wait_for=1":           "there is no quorum option",
		"quorum device add host=q":           "needs a model",
		"quorum device add model host=q":     "must be named",
		"cluster setup C n1":                 "is there already",
		"cluster setup C addr=1":             "before any node",
		"cluster setup C n1 adr=1":           "unknown options 'adr'",
		"cluster config update x=1":          "stands before",
		"cluster config show --output-f=xml": "'cmd', 'json', 'text'",
	} {
		code, _, said := on(t, append(strings.Fields(args), "--corosync_conf", file)...)
		if code != 1 || !strings.HasPrefix(said, "Error: ") || !strings.Contains(said, want) {
			t.Errorf("%s: code %d: %s", args, code, said)
		}
	}
}

const small = `<cib admin_epoch="0" epoch="5" num_updates="0" validate-with="pacemaker-3.9"><configuration><crm_config/><nodes/>` +
	`<resources><primitive id="A" class="ocf" provider="pacemaker" type="Dummy"/></resources><constraints/></configuration><status/></cib>`

// Two people work on one configuration: what does not collide is joined, what does is shown place by place.
func TestCIBPush(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	there := write("there.xml", strings.Replace(strings.Replace(small, `epoch="5"`, `epoch="6"`, 1), `</resources>`, `<primitive id="B" class="ocf" provider="pacemaker" type="Dummy"/></resources>`, 1))
	base := write("base.xml", small)
	mine := write("mine.xml", strings.Replace(small, `</resources>`, `<primitive id="C" class="ocf" provider="pacemaker" type="Dummy"/></resources>`, 1))
	code, _, said := run(t, there, "cluster", "cib-push", mine)
	if code != 1 || !strings.Contains(said, "older than what there is") || !strings.Contains(said, "primitive[@id='B']") {
		t.Errorf("code %d: %s", code, said)
	}
	if code, _, said = run(t, there, "cluster", "cib-push", mine, "diff-against="+base); code != 0 || said != "CIB updated\n" {
		t.Fatalf("code %d: %s", code, said)
	}
	if _, out, _ := run(t, there, "cluster", "cib", "scope=resources"); strings.Count(out, "<primitive") != 3 {
		t.Error(out)
	}
	other := write("other.xml", strings.Replace(small, `type="Dummy"`, `type="Stateful"`, 1))
	gone := write("gone.xml", strings.Replace(small, `<primitive id="A" class="ocf" provider="pacemaker" type="Dummy"/>`, ``, 1))
	if code, _, said := run(t, other, "cluster", "cib-push", gone, "diff-against="+base); code != 1 || !strings.Contains(said, "primitive[@id='A']: it is removed here and was changed there") {
		t.Errorf("code %d: %s", code, said)
	}
	for args, want := range map[string]string{
		"cluster cib-push " + mine + " scope=resourses":  "did you mean 'resources'?",
		"cluster cib-push " + mine + " --config scope=x": "exclude",
		"cluster cib-push nowhere.xml":                   "unable to read",
		"cluster cib scope=acls":                         "no section 'acls'",
		"cluster edit":                                   "$EDITOR",
	} {
		if code, _, said := run(t, there, strings.Fields(args)...); code != 1 || !strings.Contains(said, want) {
			t.Errorf("%s: code %d: %s", args, code, said)
		}
	}
}

func TestStatusOfAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cib.xml")
	if err := os.WriteFile(file, []byte(small), 0o600); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(t.TempDir(), "corosync.conf")
	if err := os.WriteFile(conf, []byte("totem {\n    cluster_name: c1\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, said := run(t, file, "status"); code != 1 || !strings.Contains(said, "--corosync_conf") {
		t.Errorf("status of a CIB alone: code %d: %s", code, said)
	}
	for args, want := range map[string]string{
		"status --corosync_conf " + conf:   "Cluster name: c1\n\nWARNINGS:\nNo stonith devices",
		"resource status":                  "  * A\t(ocf:pacemaker:Dummy):\t Stopped\n",
		"resource status A":                "  * A\t",
		"status resources --hide-inactive": "No active resources\n",
		"stonith":                          "NO stonith devices configured\n",
		"status xml":                       "<pacemaker-result ",
		"status nodes":                     "Pacemaker Nodes:\n Online:\n",
		"cluster status":                   "Cluster Status:\n Cluster Summary:\n",
	} {
		if code, out, said := run(t, file, strings.Fields(args)...); code != 0 || !strings.Contains(out, want) {
			t.Errorf("%s: code %d: %s%s", args, code, out, said)
		}
	}
}

package pcs

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/api/apitest"
	"github.com/cerco-ha/cerco/internal/report"
	"github.com/cerco-ha/cerco/internal/wire"
)

const canary = "kanarien-Vogel+1"

// TestReport makes a report of a cluster one node of which is down. A secret that is in its configuration, and was in an
// earlier one, gets into no file.
func TestReport(t *testing.T) {
	document := func(password string) string {
		return `<cib admin_epoch="0" epoch="1" num_updates="0" validate-with="pacemaker-3.1"><configuration><crm_config/><nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes>` +
			`<resources><primitive id="f" class="stonith" type="fence_x"><instance_attributes id="f-i"><nvpair id="f-i-p" name="passwd" value="` + password + `"/></instance_attributes></primitive></resources>` +
			`<constraints/></configuration><status/></cib>`
	}
	cluster := apitest.New(t, "n1", document(canary))
	cluster.Plans = []wire.Transition{{ID: "1-1", At: cluster.Now().Add(-time.Hour)}, {ID: "1-0", At: cluster.Now().Add(-48 * time.Hour)}}
	cluster.Inputs = map[string][]byte{"1-1": []byte(document("earlier-word"))}
	var part bytes.Buffer
	if err := report.Pack(&part, cluster.Now(), []report.File{{Name: "logs/cerco.log", Data: []byte("said " + canary + " and earlier-word\n")}}); err != nil {
		t.Fatal(err)
	}
	cluster.Reports = map[string][]byte{"n1": part.Bytes()}
	socket, _ := cluster.Serve(t)
	t.Chdir(t.TempDir())
	at := func(line ...string) (int, string) {
		var out strings.Builder
		env := Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Now: cluster.Now, Hostname: func() (string, error) { return "n1", nil },
			Getenv: func(string) string { return "" }, Socket: socket, Context: t.Context()}
		return Main(env, "pcs", line), out.String()
	}
	if code, said := at("cluster", "report", "r"); code != 0 || !strings.Contains(said, "n2: nothing could be had of it") || !strings.Contains(said, "in r.tar.gz") {
		t.Fatalf("code %d: %s", code, said)
	}
	if code, said := at("cluster", "report", "r"); code != 0 || !strings.Contains(said, "in r-1.tar.gz") {
		t.Errorf("code %d: %s", code, said)
	}
	for _, args := range [][]string{{"--from", "yesterday"}, {"--from", "2030-01-01"}, {"a", "b"}} {
		if code, said := at(append([]string{"cluster", "report"}, args...)...); code != 1 {
			t.Errorf("%v: %s", args, said)
		}
	}
	if info, err := os.Stat("r.tar.gz"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	data, err := os.ReadFile("r.tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	files, err := report.Unpack(data)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, f := range files {
		found[f.Name] = string(f.Data)
		if strings.Contains(string(f.Data), canary) || strings.Contains(string(f.Data), "earlier-word") {
			t.Errorf("%s has a secret:\n%s", f.Name, f.Data)
		}
	}
	for name, want := range map[string]string{
		"r/README": "node n2: n2 cannot be reached", "r/cib.xml": `value="***"`, "r/plans/1-1.xml": `value="***"`, "r/plans.json": "1-1",
		"r/nodes/n1/logs/cerco.log": "said *** and ***", "r/shown/status.txt": "n1", "r/shown/config.txt": "f", "r/members.json": "n2", "r/metrics.txt": "cerco",
	} {
		if !strings.Contains(found[name], want) {
			t.Errorf("%s lacks %q:\n%s", name, want, found[name])
		}
	}
	if strings.Contains(found["r/plans.json"], "1-0") {
		t.Error("a plan of another time is in it")
	}
}

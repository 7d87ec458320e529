package pcs

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/api/apitest"
)

// TestConfigurationLive carries commands out on a cluster in memory: what they change is there afterwards, and nodes that
// the cluster does not have are not believed in.
func TestConfigurationLive(t *testing.T) {
	base, err := os.ReadFile("testdata/base.xml")
	if err != nil {
		t.Fatal(err)
	}
	socket, _ := apitest.New(t, "n1", string(base)).Serve(t)
	live := func(line string) (code int, stdout, stderr string) {
		var out, err strings.Builder
		env := Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &err, Now: func() time.Time { return time.Unix(1e9, 0) },
			Hostname: func() (string, error) { return "n1", nil }, Socket: socket, Context: t.Context()}
		code = Main(env, "pcs", shellWords(line))
		return code, out.String(), err.String()
	}
	for _, step := range []struct{ command, want string }{
		{"constraint location P2 prefers n2=50", ""},
		{"constraint location P2 prefers nix", "Node 'nix' does not appear to exist in configuration, use --force to override"},
		{"constraint location config resources P2", "Node: n2 (score:50)"},
		{"constraint location P3 rule score=7 #uname eq n1 or date gt 2030-01-01", ""},
		{"constraint location config resources P3", "Expression: date gt 2030-01-01"},
		{"constraint order P3 then promote C1", ""},
		{"constraint colocation add P3 with G1 -100", ""},
		{"constraint order --full", "start P3 then promote C1 (kind:Mandatory) (id:order-P3-C1-mandatory)"},
		{"constraint delete order-P3-C1-mandatory", ""},
		{"constraint delete order-P3-C1-mandatory", "Unable to find constraint"},
		{"node unstandby", ""},
		{"node attribute n1 rack=7", ""},
		{"node attribute n1", " n1: rack=7"},
		{"node maintenance --all", ""},
		{"node attribute n2", " n2: maintenance=on"},
		{"node utilization n2 cpu=4", ""},
		{"property set maintenance-mode=true fencing-enabled=false", "written as stonith-enabled"},
		{"property", " stonith-enabled: false"},
		{"tag create t P1 P2", ""},
		{"tag config t", "  P2"},
		{"alert create path=/bin/true id=a", ""},
		{"alert recipient add a value=b", ""},
		{"alert", "Recipient: a-recipient (value=b)"},
		{"acl role create r read xpath /cib", ""},
		{"acl role assign r to user us1", ""},
		{"acl", "  Roles: ro1 r"},
		{"tag --output-as json", `{"element": "tag", "attributes": {"id": "t"}`},
	} {
		code, stdout, stderr := live(step.command)
		if said := stdout + stderr; !strings.Contains(said, step.want) || code != 0 && step.want == "" {
			t.Errorf("pcs %s: code %d\n%s", step.command, code, said)
		}
	}
}

// TestRunningCluster has the verbs of a running cluster do their work, or say what to do instead.
func TestRunningCluster(t *testing.T) {
	base, err := os.ReadFile("testdata/base.xml")
	if err != nil {
		t.Fatal(err)
	}
	socket, _ := apitest.New(t, "n1", string(base)).Serve(t)
	var owned [][]string
	at := func(socket, line string) (code int, said string) {
		var out, err strings.Builder
		env := Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &err, Now: func() time.Time { return time.Unix(1e9, 0) },
			Getenv: func(string) string { return "" }, Hostname: func() (string, error) { return "n1", nil }, Socket: socket, Context: t.Context(),
			Own: func(args []string) int { owned = append(owned, args); return 0 }}
		code = Main(env, "pcs", shellWords(line))
		return code, out.String() + err.String()
	}
	for _, step := range []struct {
		command string
		code    int
		want    string
	}{
		{"resource cleanup P1 node=n1", 0, "Cleaned up P1 on n1"},
		{"resource cleanup P9", 1, "there is no resource 'P9'"},
		{"resource refresh", 0, "Cleaned up all resources on all nodes"},
		{"resource cleanup P1 interval=x", 1, "is no time"},
		{"resource failcount", 0, "No failcounts"},
		{"resource failcount show P1 n1", 0, "No failcounts for resource 'P1'"},
		{"resource move P1 n2", 0, "P1"},
		{"host auth n1 n2 -u hacluster -p secret", 0, "n1: Authorized\nn2: Authorized\n"},
		{"cluster auth n9 -u hacluster -p secret", 1, "n9: not of this cluster"},
		{"cluster node remove n9", 1, "the cluster has no node 'n9'"},
		{"cluster sync", 0, "n1: Succeeded"},
		{"quorum status", 0, "Quorum information"},
		{"quorum config", 0, "Options:"},
		{"cluster config", 0, "Transport: knet"},
		{"status", 0, "Cluster name: "},
		{"stonith fence n2 --off", 0, ""},
		{"stonith confirm n2 --force", 0, ""},
		{"stonith history", 0, ""},
		{"cluster setup office --node n1 --addr 10.0.0.1 --addr 10.1.0.1 --api none", 0, ""},
		{"cluster setup hq n1 n2 addr=10.0.0.2", 0, "cerco cluster join --node n2 --addr 10.0.0.2"},
	} {
		if code, said := at(socket, step.command); code != step.code || !strings.Contains(said, step.want) || strings.Contains(said, "secret") {
			t.Errorf("pcs %s: code %d\n%s", step.command, code, said)
		}
	}
	if len(owned) != 5 || strings.Join(owned[0], " ") != "stonith fence n2 --off" ||
		strings.Join(owned[3], " ") != "cluster setup office --node=n1 --addr=10.0.0.1 --addr=10.1.0.1 --api=none" ||
		strings.Join(owned[4], " ") != "cluster setup hq --node=n1" {
		t.Errorf("handed over: %q", owned)
	}
	if _, cib := at(socket, "constraint --full"); strings.Contains(cib, "cli-prefer") {
		t.Errorf("the move has left something behind:\n%s", cib)
	}
	if code, said := at(t.TempDir()+"/nobody", "host auth localhost"); code != 0 || !strings.Contains(said, "pcs cluster setup") {
		t.Errorf("without a cluster: code %d: %s", code, said)
	}
	if code, said := at(socket, "-f x.xml resource cleanup"); code != 1 || !strings.Contains(said, "running cluster") {
		t.Errorf("on a file: code %d: %s", code, said)
	}
}

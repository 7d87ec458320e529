package pcs

import (
	"os"
	"strings"
	"testing"

	"github.com/cerco-ha/cerco/internal/api/apitest"
	"github.com/cerco-ha/cerco/internal/wire"
)

// TestNewerVerbs holds what came with pcs 0.12, and the configurations of the past.
func TestNewerVerbs(t *testing.T) {
	base, err := os.ReadFile("testdata/base.xml")
	if err != nil {
		t.Fatal(err)
	}
	cluster := apitest.New(t, "n1", string(base))
	cluster.Plans = []wire.Transition{{ID: "3-1", At: cluster.Now(), Why: "somebody changed it"}}
	cluster.Inputs = map[string][]byte{"3-1": base}
	socket, _ := cluster.Serve(t)
	for _, step := range []struct {
		command string
		code    int
		want    string
	}{
		{"resource description P1", 0, ""},
		{"resource description P1 'what it is for'", 0, ""},
		{"cib element description P1", 0, "what it is for\n"},
		{"resource description P1 ''", 0, ""},
		{"resource description P1", 0, ""},
		{"stonith description nix", 1, "no element 'nix'"},
		{"property describe no-quorum-policy", 0, "Allowed values: 'demote', 'freeze', 'ignore', 'stop', 'suicide'\n  Default: stop"},
		{"property describe batch-limits", 1, "did you mean 'batch-limit'?"},
		{"status query resource P1 exists", 0, "True\n"},
		{"status query resource nix exists", 2, "False\n"},
		{"status query resource nix exists --quiet", 2, ""},
		{"status query resource nix is-stonith", 1, "no resource 'nix'"},
		{"status query resource P1 is-type primitive", 0, "True"},
		{"status query resource P1 is-type group", 2, "False"},
		{"status query resource G1 get-type", 0, "group"},
		{"status query resource P1 is-state stopped", 0, "True"},
		{"status query resource P1 is-state started on-node n1", 2, "False"},
		{"status query resource P1 is-state stoped", 1, "no state"},
		{"status query resource P1 exist", 1, "did you mean 'exists'?"},
		{"status query resource P1 get-nodes", 0, ""},
		{"status wait 5", 0, ""},
		{"config checkpoint", 0, "checkpoint 3-1: 2026-06-01"},
		{"config checkpoint diff 3-1 live", 0, "the same"},
		{"property set batch-limit=9", 0, ""},
		{"config checkpoint diff 3-1 live", 0, "batch-limit"},
		{"config checkpoint view 3-1", 0, "P1"},
		{"config checkpoint view 9-9", 1, "config checkpoint list"},
		{"config checkpoint restore 3-1", 0, "checkpoint 3-1 is in force"},
		{"config checkpoint diff live 3-1", 0, "the same"},
		{"cluster node add-remote x", 1, "no operations on remote nodes yet"},
		{"cluster node delete-remote x", 1, "no operations on remote nodes yet"},
		{"stonith history update", 0, "Nothing to do"},
		{"stonith update-scsi-devices d set a", 1, "resource 'd' does not exist"},
	} {
		var out strings.Builder
		env := Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Now: cluster.Now, Hostname: func() (string, error) { return "n1", nil },
			Getenv: func(string) string { return "" }, Socket: socket, Context: t.Context()}
		code := Main(env, "pcs", shellWords(step.command))
		if code != step.code || !strings.Contains(out.String(), step.want) || step.want == "" && step.code == 0 && out.Len() > 0 {
			t.Errorf("pcs %s: code %d\n%s", step.command, code, &out)
		}
	}
}

//go:build host

package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// program builds cerco, since a lab starts whatever program runs it.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cerco")
	cmd := exec.Command("go", "build", "-o", path, "../../cmd/cerco")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

var action = regexp.MustCompile(`<(?:rsc_op|crm_event) id="\d+"[^>]* operation_key="([^"]*)"[^>]* on_node="([^"]*)"[^>]*>\s*<(?:primitive|attributes|downed)`)

// actions are those of a graph that are carried out somewhere, each "KEY NODE".
func actions(graph string) []string {
	var out []string
	for _, m := range action.FindAllStringSubmatch(graph, -1) {
		out = append(out, m[1]+" "+m[2])
	}
	slices.Sort(out)
	return out
}

// TestOracleAgreesWithALivingCluster holds every plan of a cluster that starts, loses a node and takes it back against
// what crm_simulate makes of the same CIB.
func TestOracleAgreesWithALivingCluster(t *testing.T) {
	if _, err := exec.LookPath("crm_simulate"); err != nil {
		t.Skip("crm_simulate is not installed")
	}
	cerco, dir := program(t), filepath.Join(t.TempDir(), "lab")
	t.Cleanup(func() { exec.Command(cerco, "lab", "down", "--dir", dir).Run() })
	run(t, cerco, "lab", "up", "--dir", dir)
	run(t, cerco, "lab", "crash", "n2", "--dir", dir)
	l, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := poll(ctx, "n2 to be fenced", func() (bool, error) {
		s, err := l.Status(ctx)
		return err == nil && slices.ContainsFunc(s.Fencing, func(r cib.FenceRecord) bool { return r.State == cib.FenceDone }), err
	}); err != nil {
		t.Fatal(err)
	}
	if err := l.awaitOnline(ctx, 3); err != nil {
		t.Fatal(err)
	}
	if err := l.awaitRest(ctx); err != nil {
		t.Fatal(err)
	}
	c, err := l.Client("n1")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	plans, err := c.Transitions(ctx, 100)
	if err != nil || len(plans) < 4 {
		t.Fatalf("%d plans, %v", len(plans), err)
	}
	some := 0
	for _, p := range plans {
		input, err := c.TransitionCIB(ctx, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		ours, err := c.TransitionGraph(ctx, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		in, graph := filepath.Join(t.TempDir(), "cib.xml"), filepath.Join(t.TempDir(), "graph.xml")
		if err := os.WriteFile(in, input, 0o600); err != nil {
			t.Fatal(err)
		}
		run(t, "crm_simulate", "-S", "-x", in, "-t", fmt.Sprint(p.At.Unix()), "-G", graph)
		theirs, err := os.ReadFile(graph)
		if err != nil {
			t.Fatal(err)
		}
		a, b := actions(string(ours)), actions(string(theirs))
		if !slices.Equal(a, b) {
			t.Errorf("plan %s (%s):\ncerco:        %s\ncrm_simulate: %s", p.ID, p.Why, strings.Join(a, ", "), strings.Join(b, ", "))
		}
		some += len(a)
	}
	if some < 10 {
		t.Errorf("%d actions in %d plans: that is too few to be the life of this cluster", some, len(plans))
	}
	t.Logf("%d plans, %d actions", len(plans), some)
}

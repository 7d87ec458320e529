//go:build host

package cib

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// What Apply makes, Pacemaker's own tools must take: crm_verify finds no fault with its form, crm_simulate
// plans from it.
func TestPacemakerTakesWhatApplyMakes(t *testing.T) {
	for _, tool := range []string{"crm_verify", "crm_simulate"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed: install pacemaker-cli-utils", tool)
		}
	}
	edits := []Edit{
		{Op: "modify", XML: web, Create: true},
		{Op: "modify", Create: true, XML: `<primitive id="db" class="ocf" provider="pacemaker" type="Stateful"/>`},
		{Op: "modify", Create: true, XML: `<rsc_location id="l" rsc="web" node="n1" score="5"/>`},
		{Op: "modify", Create: true, XML: `<tag id="t"><obj_ref id="web"/></tag>`},
		{Op: "modify", Create: true, XML: `<rsc_defaults><meta_attributes id="d"><nvpair id="d1" name="resource-stickiness" value="1"/></meta_attributes></rsc_defaults>`},
	}
	first := Edit{Op: "create", XML: `<cluster_property_set id="o"><nvpair id="o1" name="stonith-enabled" value="false"/></cluster_property_set>`}
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 2))
		s := apply(t, NewState(threeNodes()), Command{At: at, By: "root via cerco on n1", Config: &ConfigChange{Edits: append([]Edit{first}, edits...)}})
		for i := range 60 {
			c := randomCommand(r)
			if c.Config != nil {
				c.Config.Edits = []Edit{edits[r.IntN(len(edits))]}
			}
			if next, err := Apply(s, c); err == nil {
				s = next
			}
			if i%6 == 5 {
				taken(t, s.CIB)
			}
		}
	}
}

func taken(t *testing.T, c *CIB) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "cib.xml")
	if err := os.WriteFile(file, c.Root.AppendXML(nil), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"crm_verify", "-V", "-x", file}, {"crm_simulate", "-S", "-x", file}} {
		out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
		warned := bytes.Contains(out, []byte("Warnings found during check")) // of failures in the history
		if err != nil && !warned || bytes.Contains(out, []byte("error:")) {
			t.Fatalf("%v: %v\n%s\n%s", args, err, out, c.Root)
		}
	}
}

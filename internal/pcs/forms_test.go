package pcs

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/configure"
)

// dummies has ocf:pacemaker:Dummy.
type dummies struct{}

func (dummies) Find(string) []configure.AgentName { return nil }

func (dummies) Metadata(_, _, typ string) (*configure.Agent, error) {
	if typ != "Dummy" {
		return nil, errors.New("no such agent")
	}
	return &configure.Agent{Parameters: []configure.Parameter{{Name: "fake"}, {Name: "state"}}}, nil
}

// What pcs 0.11 makes of forms of commands that are seldom typed: code, and what of the words is in the CIB then ("!": is not).
func TestSeldomForms(t *testing.T) {
	const doc = `<cib validate-with="pacemaker-3.7" epoch="1" num_updates="0" admin_epoch="0"><configuration><crm_config/><nodes><node id="1" uname="n1"/></nodes><resources>
<primitive id="A" class="ocf" provider="pacemaker" type="Dummy"><operations>
<op name="monitor" interval="10s" role="Promoted" id="A-monitor-interval-10s"/><op name="monitor" interval="11s" id="A-monitor-interval-11s"/></operations></primitive>
<group id="G"><primitive id="B" class="ocf" provider="pacemaker" type="Dummy"/></group>
</resources><constraints><rsc_location id="L" rsc="G" node="n1" score="1"/><rsc_ticket id="T1" rsc="A" ticket="T"/></constraints></configuration><status/></cib>`
	for _, c := range []struct {
		args string
		code int
		has  []string
	}{
		{"constraint --full --full", 1, nil},
		{"constraint --force", 1, nil},
		{"constraint location --force", 1, nil},
		{"constraint location A prefers n1 --full", 1, nil},
		{"constraint order A then B --full", 1, nil},
		{"acl user create u --force", 1, []string{"!acl_target"}},
		{"resource clone A meta", 0, []string{`<clone id="A-clone">`}},
		{"resource clone A X meta a=1", 0, []string{`<clone id="X">`, `name="a"`}},
		{"resource clone B X", 1, []string{`<group id="G">`}}, // the constraint on the group would be about nothing
		{"resource update A fake=a b", 0, []string{`name="fake" value="a"`}},
		{"resource update A op monitor timeout=7", 0, []string{"A-monitor-interval-10s", "!A-monitor-interval-11s", "A-monitor-interval-60s"}},
		{"resource update A op monitor role=Promoted timeout=7", 0, []string{"!A-monitor-interval-10s", "A-monitor-interval-11s", "A-monitor-interval-60s"}},
		{"resource update A op monitor role=promoted timeout=7", 1, []string{"A-monitor-interval-10s"}},
		{"resource create Z ocf:pacemaker:Dummy meta z=1 --disabled", 0, []string{"name=\"z\" value=\"1\"/>\n          <nvpair id=\"Z-meta_attributes-target-role\""}},
		{"resource create Z ocf:pacemaker:Dummy meta target-role=Started --disabled", 0, []string{`value="Stopped"`, `!value="Started"`}},
		{"resource create Z ocf:pacemaker:Dummy fake=1 --disabled", 0, []string{"<meta_attributes id=\"Z-meta_attributes\">\n          <nvpair id=\"Z-meta_attributes-target-role\" name=\"target-role\" value=\"Stopped\"/>\n        </meta_attributes>\n        <instance"}},
		{"resource create Z ocf:pacemaker:Dummy op start name=x", 1, nil},
		{"resource clone A", 0, []string{`rsc="A" ticket="T"`}},
		{"constraint location A avoids n1=+10", 1, nil},
		{"node attribute n1 b= a=1 --force", 0, []string{`name="a" value="1"`}},
		{"node attribute n1 b= a=1", 2, []string{`!name="a"`}},
		{"resource status nobody --hide-inactive", 0, nil},
		{"resource config A nobody", 0, nil},
		{"resource config nobody", 1, nil},
		{"resource status A node=n1 node=n1", 1, nil},
		{"resource update A meta remote-node=L --force", 1, nil},
		{"property unset zz zz --force", 0, nil},
		{"property unset zz zz", 1, nil},
		{"resource op add A monitor interval=5 role=Started", 1, nil},
		{"resource op add A monitor interval=5 role=Unpromoted", 0, nil},
		{"resource op add A monitor interval=5 OCF_CHECK_LEVEL=1", 0, nil},
		{"resource op add A start timeout=", 0, []string{`timeout=""`}},
		{"resource op add A start on-fail=", 1, []string{`!on-fail`}},
		{"resource defaults update", 0, nil},
		{"resource status nobody node=n9", 0, nil},
		{"resource status nobody", 1, nil},
	} {
		file := filepath.Join(t.TempDir(), "cib.xml")
		if err := os.WriteFile(file, []byte(doc), 0o600); err != nil {
			t.Fatal(err)
		}
		var said strings.Builder
		env := Env{Stdin: strings.NewReader(""), Stdout: &said, Stderr: &said, Now: time.Now, Context: t.Context(), Agents: dummies{}}
		code := Main(env, "pcs", append([]string{"-f", file}, strings.Fields(c.args)...))
		if code != c.code {
			t.Errorf("%s: code %d, want %d: %s", c.args, code, c.code, said.String())
		}
		after, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range c.has {
			want, missing := strings.CutPrefix(want, "!")
			if strings.Contains(string(after), want) == missing {
				t.Errorf("%s: %q in the CIB is %v", c.args, want, missing)
			}
		}
	}
}

package pcs

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/api/apitest"
	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/configure"
	"github.com/cerco-ha/cerco/internal/driver"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/simulate"
)

// obedient makes a cluster of two nodes in memory that carries every plan out at once.
func obedient(t *testing.T) (b *apitest.Backend, socket string) {
	t.Helper()
	document, err := os.ReadFile("testdata/cluster.xml")
	if err != nil {
		t.Fatal(err)
	}
	b = apitest.New(t, "n1", string(document))
	b.Apply = func(s cib.State, cmd cib.Command) (cib.State, error) {
		next, err := cib.Apply(s, cmd)
		for range 5 {
			if err != nil {
				break
			}
			plan := scheduler.Schedule(next.CIB, scheduler.Options{Now: b.Now()})
			if len(plan.Graph.Actions) == 0 {
				break
			}
			var done *simulate.Result
			if done, err = simulate.Run(next.CIB, plan.Graph, simulate.Options{Stamp: b.Now()}); err == nil {
				next.CIB = done.After
			}
		}
		return next, err
	}
	socket, _ = b.Serve(t)
	if _, err := b.Propose(t.Context(), cib.Command{Forget: []cib.Forget{{}}}); err != nil {
		t.Fatal(err)
	}
	return b, socket
}

// agentsHere are agents that do what they are told.
type agentsHere struct{ called []driver.Request }

func (a *agentsHere) Metadata(class, provider, typ string) (*configure.Agent, error) {
	return &configure.Agent{}, nil
}
func (a *agentsHere) Find(string) []configure.AgentName { return nil }

func (a *agentsHere) Operate(_ context.Context, r driver.Request) driver.Result {
	a.called = append(a.called, r)
	if r.Action == "monitor" {
		return driver.Result{RC: cib.RCNotRunning, Output: "not here; password=geheim"}
	}
	return driver.Result{}
}

// TestVerbsLive carries commands out, one after the other, on a cluster that does what it is told.
func TestVerbsLive(t *testing.T) {
	b, socket := obedient(t)
	agents := &agentsHere{}
	live := func(line string) (code int, said string) {
		var out strings.Builder
		env := Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Now: b.Now, Getenv: func(string) string { return "" },
			Hostname: func() (string, error) { return "n1", nil }, Socket: socket, Context: t.Context(), Agents: agents}
		code = Main(env, "pcs", shellWords(line))
		said, _, _ = strings.Cut(out.String(), "\nUsage:")
		return code, said
	}
	constraints := func() string { _, said := live("cluster cib scope=constraints"); return said }
	clean := constraints()
	text, err := os.ReadFile("testdata/cluster.script")
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		before := b.Current().CIB.Root
		code, said := live(line)
		got.WriteString("$ " + line + "\n" + said)
		if code != 0 {
			got.WriteString("[" + cib.FormatScore(code) + "]\n")
		}
		missing(&got, "-", configuration(before), configuration(b.Current().CIB.Root))
		missing(&got, "+", configuration(b.Current().CIB.Root), configuration(before))
	}
	if *rewrite {
		if err := os.WriteFile("testdata/cluster.said", []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, _ := os.ReadFile("testdata/cluster.said"); got.String() != string(want) {
		t.Errorf("differs from testdata/cluster.said: run with -rewrite and read the difference:\n%s", got.String())
	}
	if now := constraints(); now != clean {
		t.Errorf("something was left behind:\n%s", now)
	}
	if len(agents.called) != 2 || agents.called[1].Resource != "A" || agents.called[1].Action != "monitor" || agents.called[1].Timeout != 33*time.Second {
		t.Errorf("called: %+v", agents.called)
	}
}

func configuration(root *cib.Element) string { return part(root, "configuration").String() }

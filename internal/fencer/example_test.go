package fencer

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// document reads a file of the repository.
func document(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile("../../" + path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestTheExampleDoesWhatTheDocumentSays carries out fencings with the configuration that docs/fencing.md shows.
func TestTheExampleDoesWhatTheDocumentSays(t *testing.T) {
	c, err := cib.Decode("examples/fencing.xml", []byte(document(t, "examples/fencing.xml")))
	if err != nil {
		t.Fatal(err)
	}
	secrets := t.TempDir()
	for _, d := range []string{"bmc1", "bmc2"} {
		if err := os.MkdirAll(secrets+"/"+d, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(secrets+"/"+d+"/password", []byte("s3cret"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	bubble(t, func(t *testing.T) {
		w := newWorld(t, "")
		w.state.CIB = c
		dead := map[string]bool{}
		w.do = func(_ context.Context, _ string, p map[string]string) AgentResult {
			switch {
			case dead[p["ip"]]:
				return exit(1, "no route, password "+p["password"])
			case p["action"] == "status":
				return exit(2, "")
			}
			return exit(0, "")
		}
		f := New(Config{Node: "hv1", State: func() cib.State { return cib.State{CIB: w.state.CIB} }, Agents: exampleAgents{worldAgents{w, "hv1"}},
			Secrets: []string{secrets}})
		defer f.Stop()
		fence := func(target string) cib.FenceRecord { return f.Fence(t.Context(), request("reboot", target), nil) }
		w.wantDone(fence("hv2"), cib.ByAgent, "bmc2")
		dead["10.0.9.2"] = true
		w.calls = nil
		r := fence("hv2")
		w.wantDone(r, cib.ByAgent, "strip-a", "strip-b")
		if len(r.Tries) < 2 || r.Tries[0].Output != "exit code 1 (no route, password ***)" {
			t.Errorf("tries %+v", r.Tries)
		}
		w.wantCalls("hv1 10.0.9.2 reboot hv2", "hv1 10.0.9.2 reboot hv2", "hv1 10.0.9.2 status hv2", "hv1 10.0.9.11 off 7",
			"hv1 10.0.9.11 status 7", "hv1 10.0.9.12 off 7", "hv1 10.0.9.12 status 7", "hv1 10.0.9.11 on 7", "hv1 10.0.9.12 on 7")
		dead["10.0.9.12"] = true
		go func() {
			_ = sleep(t.Context(), 30*time.Second)
			if ws := f.Waiting(); len(ws) != 1 || !strings.Contains(ws[0].Doing, "waits for an operator") {
				t.Errorf("waiting %+v", ws)
			}
			if _, err := f.Confirm("hv2", "root", false); err != nil {
				t.Error(err)
			}
		}()
		w.wantDone(fence("hv2"), cib.ByOperator)
	})
}

// exampleAgents has the agents of the example, all of them power switches.
type exampleAgents struct{ worldAgents }

func (a exampleAgents) Metadata(_ context.Context, agent string) (*Metadata, error) {
	return ParseMetadata(agent, []byte(power))
}

func TestTheDocumentQuotesTheExample(t *testing.T) {
	doc, example := document(t, "docs/fencing.md"), document(t, "examples/fencing.xml")
	_, quote, ok := strings.Cut(doc, "```xml\n")
	quote, _, ok2 := strings.Cut(quote, "```")
	if !ok || !ok2 {
		t.Fatal("docs/fencing.md shows no device")
	}
	for line := range strings.Lines(quote) {
		if !strings.Contains(example, strings.TrimSpace(line)) {
			t.Errorf("docs/fencing.md shows what is not in the example: %s", strings.TrimSpace(line))
		}
	}
	for _, e := range []cib.Evidence{cib.ByAgent, cib.AlreadyOff, cib.ByWatchdog, cib.ByOperator, cib.ByItself} {
		if !strings.Contains(doc, "| `"+string(e)+"` |") {
			t.Errorf("docs/fencing.md does not tell of the proof %q", e)
		}
	}
	known := "host_list host_map host_check host_argument delay_base delay_max action_limit reboot_timeout off_timeout reboot_retries off_retries reboot_action off_action off_verify"
	for _, m := range regexp.MustCompile(`pcmk_(\w+)`).FindAllStringSubmatch(doc, -1) {
		if !strings.Contains(" "+known+" ", " "+m[1]+" ") {
			t.Errorf("docs/fencing.md names pcmk_%s, which nothing knows", m[1])
		}
	}
}

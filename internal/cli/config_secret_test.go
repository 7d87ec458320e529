package cli

import (
	"strings"
	"testing"

	"github.com/cerco-ha/cerco/internal/cib"
)

// What a change does to passwords is told without the passwords.
func TestPlansShowNoSecret(t *testing.T) {
	config := func(params string) []fact {
		c, err := cib.Decode("", []byte(`<cib validate-with="pacemaker-3.9"><configuration><crm_config/><nodes/><resources>`+
			`<primitive id="db" class="ocf" provider="heartbeat" type="mysql"><instance_attributes id="i">`+params+
			`</instance_attributes></primitive></resources><constraints/></configuration><status/></cib>`))
		if err != nil {
			t.Fatal(err)
		}
		return factsOf(c)
	}
	pair := func(value string) string {
		return `<nvpair id="p" name="replication_passwd" value="` + value + `"/><nvpair id="q" name="port" value="` + value + `7"/>`
	}
	for _, lines := range [][]string{
		diffFacts(config(pair("canary-1")), config(pair("canary-2"))),
		diffFacts(config(""), config(pair("canary-1"))),
		diffFacts(config(pair("canary-1")), config("")),
		diffFacts(nil, config(pair("canary-1"))),
	} {
		text := strings.Join(lines, "\n")
		for line := range strings.Lines(text) {
			if strings.Contains(line, "passwd") && strings.Contains(line, "canary") {
				t.Error(line)
			}
		}
		if !strings.Contains(text, "replication_passwd") || !strings.Contains(text, "canary-") {
			t.Errorf("the change is not told:\n%s", text)
		}
	}
}

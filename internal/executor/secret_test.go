package executor

import (
	"context"
	"strings"
	"testing"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/driver"
)

// An agent prints its environment and fails: what is reported and logged holds none of its secrets.
func TestWhatAnAgentTellsOfItsSecrets(t *testing.T) {
	e := &Executor{cfg: Config{Secrets: []string{t.TempDir()}, Driver: &fake{t: t, meta: &driver.Metadata{Parameters: []driver.Parameter{{Name: "pin", Private: true}}}}}}
	op := &cib.Operation{Resource: "a", Class: "ocf", Provider: "heartbeat", Type: "mysql",
		Attrs: []cib.Attr{{Name: "replication_passwd", Value: "canary-1"}, {Name: "pin", Value: "canary-2"}, {Name: "port", Value: "3306"}}}
	said := "cannot connect: replication_passwd=canary-1 pin=canary-2 port=3306"
	res := e.discreet(context.Background(), op, driver.Result{RC: 1, Reason: said, Output: said})
	for _, text := range []string{res.Reason, res.Output} {
		if strings.Contains(text, "canary") || !strings.Contains(text, "port=3306") {
			t.Error(text)
		}
	}
}

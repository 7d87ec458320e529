package testcluster_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/report"
	"github.com/cerco-ha/cerco/internal/testcluster"
)

// TestAReportHasNoSecrets asks every node of a cluster for its part of a report while one is off. A password that is in the
// configuration, and one that was, are in none of the files, though every host says them aloud.
func TestAReportHasNoSecrets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testcluster.New(t, 3)
		c.Configure("a")
		c.World.Says = "geheim-1 and geheim-2"
		for _, password := range []string{"geheim-1", "geheim-2"} {
			if err := c.Edit(c.Leader(), cib.Edit{Op: "replace", XPath: "//primitive[@id='a']", XML: `<primitive id="a" class="ocf" provider="heartbeat" type="Dummy">` +
				`<instance_attributes id="a-i"><nvpair id="a-i-p" name="passwd" value="` + password + `"/></instance_attributes></primitive>`}); err != nil {
				t.Fatal(err)
			}
			c.Until("the cluster is at rest", c.Settled)
		}
		leader := c.Leader()
		down := "n1"
		if leader == down {
			down = "n2"
		}
		c.Net.Partition([]string{down}, slices.DeleteFunc(slices.Clone(c.Names), func(n string) bool { return n == down }))
		answered := 0
		for _, name := range c.Names {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			data, err := c.Daemon(leader).NodeReport(ctx, name, time.Now().Add(-time.Hour), time.Now())
			cancel()
			if name == down {
				if err == nil {
					t.Errorf("%s answers", name)
				}
				continue
			}
			files, err := report.Unpack(data)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			answered++
			all := ""
			for _, f := range files {
				all += f.Name + "\n" + string(f.Data)
			}
			if strings.Contains(all, "geheim-2") || name == leader && strings.Contains(all, "geheim-1") {
				t.Errorf("%s tells a secret", name)
			}
			for _, want := range []string{name + " says ", "***", "daemon/controller.json", "events.jsonl"} {
				if !strings.Contains(all, want) {
					t.Errorf("%s: its part lacks %q", name, want)
				}
			}
		}
		if answered != 2 {
			t.Errorf("%d nodes answered", answered)
		}
		c.Net.HealAll()
	})
}

package executor

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/driver"
)

// TestResultsTravelTogetherWhileThereIsMoreToDo: a node with a long queue reports what went well a few times a second,
// what failed at once, and the last of all at once, too.
func TestResultsTravelTogetherWhileThereIsMoreToDo(t *testing.T) {
	bubble(t, func(t *testing.T, n *node) {
		n.SetLimit(2)
		n.drv.set(func(ctx context.Context, r driver.Request) driver.Result {
			rc := 0
			if r.Resource == "r10" {
				rc = 1
			}
			return takes(10*time.Millisecond, driver.Result{RC: rc})(ctx, r)
		})
		reports := map[time.Duration]string{} // by time since the beginning
		began := time.Now()
		n.leader.told = func(rs []cib.OpResult) { reports[time.Since(began)] = told(rs) }
		for i := range 200 {
			n.do(order(1, i, "start", fmt.Sprintf("r%d", i), 0))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := len(n.leader.heard()); got != 200 {
			t.Errorf("%d results", got)
		}
		failed := reports[60*time.Millisecond] // r10 and r11 are the sixth pair
		if len(reports) > 40 || failed == "" || reports[time.Second] == "" {
			t.Errorf("%d reports: %v", len(reports), reports)
		}
	})
}

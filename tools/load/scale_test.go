package load

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/tools/internal/hosts"
)

// cheap is an agent that costs next to nothing, so that what is left is the cluster's.
const cheap = `#!/bin/sh
state=/run/Cheap-$OCF_RESOURCE_INSTANCE.state
case $1 in
start) : >"$state" ;;
stop) rm -f "$state" ;;
monitor) [ -e "$state" ] || exit 7 ;;
meta-data) echo '<?xml version="1.0"?><resource-agent name="Cheap" version="1"><version>1.1</version><longdesc lang="en">Costs nothing.</longdesc><shortdesc lang="en">Cheap</shortdesc><parameters/><actions><action name="start" timeout="60s"/><action name="stop" timeout="60s"/><action name="monitor" timeout="60s" interval="10s"/><action name="meta-data" timeout="5s"/></actions></resource-agent>' ;;
*) exit 3 ;;
esac
`

// installCheap puts the agent where both sides look.
func installCheap(b *testing.B) {
	b.Helper()
	dir := "/usr/lib/ocf/resource.d/cercoload"
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "Cheap"), []byte(cheap), 0o755)
	}
	if err != nil {
		b.Skipf("the agent of this benchmark cannot be installed: %v", err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
}

// BenchmarkScale is what many resources cost, with an agent that costs next to nothing and a monitor every minute: the
// time and processor time of their start on three nodes, the cluster at rest afterwards, a status, and the time and
// processor time until all that a killed node ran runs elsewhere.
func BenchmarkScale(b *testing.B) {
	for _, n := range []int{100, 500, 1000, 2000} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			both(b, n > 100, func(b *testing.B, s hosts.Side) {
				installCheap(b)
				h := hosts.New(b, s, 3)
				atRest(b, h, time.Minute)
				before := all(h)
				h.Configure(primitives(n, "cercoload:Cheap", "60s"))
				took := started(b, h, n, "Cheap", 40*time.Minute)
				atRest(b, h, 5*time.Minute)
				b.ReportMetric(took.Seconds(), "s/start")
				b.ReportMetric((all(h) - before).Seconds(), "cpu-s/start")
				rest(b, h, 20*time.Second)
				statusOf(b, h)
				victim := h.DC(1)%h.N + 1
				before = all(h)
				began := h.Kill(victim)
				h.Clear(victim)
				started(b, h, n, "Cheap", 20*time.Minute)
				b.ReportMetric(time.Since(began).Seconds(), "s/failover")
				b.ReportMetric((all(h) - before).Seconds(), "cpu-s/failover")
			})
		})
	}
}

package load

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/wire"
	"github.com/cerco-ha/cerco/tools/internal/hosts"
)

// program is ours.
func program(b *testing.B) string {
	b.Helper()
	path, err := filepath.Abs(os.Getenv("CERCO"))
	if err != nil || os.Getenv("CERCO") == "" {
		b.Skip("CERCO names the program: make bench-load does")
	}
	return path
}

// both runs a benchmark for ours and for theirs. What takes theirs long is left out as a rule.
func both(b *testing.B, long bool, run func(b *testing.B, s hosts.Side)) {
	b.Helper()
	for _, s := range hosts.Sides(program(b)) {
		_, ours := s.(hosts.Cerco)
		b.Run(map[bool]string{true: "ours", false: "theirs"}[ours], func(b *testing.B) {
			if long && !ours && os.Getenv("BENCH_LONG") == "" {
				b.Skip("many minutes: BENCH_LONG=1 measures it")
			}
			run(b, s)
			b.ReportMetric(0, "ns/op") // the whole run, set-up too: it says nothing
		})
	}
}

// primitives are resources of an agent, each with a monitor.
func primitives(n int, agent, interval string) string {
	provider, typ, _ := strings.Cut(agent, ":")
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, `<primitive id="r%d" class="ocf" provider="%s" type="%s"><operations><op id="r%[1]d-mon" name="monitor" interval="%[4]s" timeout="60s"/><op id="r%[1]d-start" name="start" interval="0s" timeout="60s"/></operations></primitive>`,
			i, provider, typ, interval)
	}
	return out.String()
}

const dummy = "pacemaker:Dummy"

// started waits until resources of an agent run, as the files say that the agent keeps, and returns how long that took.
func started(b *testing.B, h *hosts.Hosts, n int, typ string, limit time.Duration) time.Duration {
	b.Helper()
	began := time.Now()
	h.Await(fmt.Sprintf("%d resources to be started", n), limit, func() bool {
		time.Sleep(30 * time.Millisecond)
		return h.Running(typ+"-r") >= n
	})
	return time.Since(began)
}

// atRest waits until nothing is done any more: agents are started by nobody.
func atRest(b *testing.B, h *hosts.Hosts, limit time.Duration) {
	b.Helper()
	h.Await("the cluster to come to rest", limit, func() bool {
		before := all(h)
		time.Sleep(2 * time.Second)
		return all(h)-before < 400*time.Millisecond
	})
}

// all is the processor time of all hosts.
func all(h *hosts.Hosts) (sum time.Duration) {
	for i := range h.N {
		sum += h.Use(i + 1).All
	}
	return sum
}

// rest measures for a while what a cluster at rest costs.
func rest(b *testing.B, h *hosts.Hosts, during time.Duration) {
	b.Helper()
	dc := h.DC(1)
	before := make([]hosts.Use, h.N+1)
	began := time.Now()
	for i := 1; i <= h.N; i++ {
		before[i] = h.Use(i)
	}
	time.Sleep(during)
	var decider, other, agents, rss, pss float64
	for i := 1; i <= h.N; i++ {
		u := h.Use(i)
		share := func(d time.Duration) float64 { return 100 * d.Seconds() / time.Since(began).Seconds() }
		if own := share(u.Own - before[i].Own); i == dc {
			decider = own
		} else {
			other = max(other, own)
		}
		agents = max(agents, share(u.All-before[i].All))
		rss, pss = max(rss, float64(u.RSS)/(1<<20)), max(pss, float64(u.PSS)/(1<<20))
	}
	b.ReportMetric(decider, "%core-dc")
	b.ReportMetric(other, "%core-others")
	b.ReportMetric(agents, "%core-with-agents")
	b.ReportMetric(rss, "MiB-rss")
	b.ReportMetric(pss, "MiB-pss")
}

// BenchmarkRest is what three nodes cost while nothing happens, with 100 resources that are monitored every 10 s: the
// processor use of the daemons of the node that decides and of the busiest other one, that with all agents, and the
// memory of the largest node's daemons.
func BenchmarkRest(b *testing.B) {
	both(b, false, func(b *testing.B, s hosts.Side) {
		h := hosts.New(b, s, 3)
		h.Configure(primitives(100, dummy, "10s"))
		started(b, h, 100, "Dummy", 10*time.Minute)
		time.Sleep(20 * time.Second)
		rest(b, h, time.Minute)
	})
}

// BenchmarkChange is changes of the configuration from one client at a node that does not decide: how long one takes
// until it is on the disks of a majority and every node shows it; how many the client makes in a second, one after the
// other and eight at a time; and how long one takes with cibadmin.
func BenchmarkChange(b *testing.B) {
	both(b, false, func(b *testing.B, s hosts.Side) {
		h := hosts.New(b, s, 3)
		h.Configure(primitives(3, dummy, "10s"))
		started(b, h, 3, "Dummy", time.Minute)
		atRest(b, h, time.Minute)
		at := h.DC(1)%h.N + 1
		tool := h.Timed(at, 50, "cibadmin", "--modify", "--allow-create", "--sync-call", "--scope", "crm_config", "--xml-text", fmt.Sprintf(option, "@"))
		b.ReportMetric(1e3*hosts.Median(tool), "ms/cibadmin")
		if ours, ok := s.(hosts.Cerco); ok {
			changes(b, h, ours, at)
		}
	})
}

const option = `<crm_config><cluster_property_set id="cib-bootstrap-options"><nvpair id="o-load" name="load-test" value="%s"/></cluster_property_set></crm_config>`

// changes are made over the API, which keeps its connection.
func changes(b *testing.B, h *hosts.Hosts, s hosts.Cerco, at int) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 5*time.Minute)
	defer cancel()
	var nodes []*client.Client
	for i := range h.N {
		c, err := client.Dial(s.Socket(h, i+1), nil)
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		nodes = append(nodes, c)
	}
	var n atomic.Int64
	change := func() uint64 {
		edit := cib.Edit{Op: "modify", Create: true, XML: fmt.Sprintf(option, fmt.Sprint("v", n.Add(1)))}
		done, err := nodes[at-1].Edit(ctx, wire.Edit{Edits: []cib.Edit{edit}}, client.Wait{})
		if err != nil {
			b.Error(err)
		}
		return done.Index
	}
	var took []float64
	for range 200 {
		began := time.Now()
		index := change()
		var wg sync.WaitGroup
		for _, c := range nodes {
			wg.Go(func() {
				for ctx.Err() == nil {
					if self, err := c.Node(ctx); err == nil && self.Index >= index {
						return
					}
				}
			})
		}
		wg.Wait()
		took = append(took, 1e3*time.Since(began).Seconds())
	}
	rate := func(atATime int) float64 {
		const during = 5 * time.Second
		first, began := n.Load(), time.Now()
		var wg sync.WaitGroup
		for range atATime {
			wg.Go(func() {
				for time.Since(began) < during && !b.Failed() {
					change()
				}
			})
		}
		wg.Wait()
		return float64(n.Load()-first) / time.Since(began).Seconds()
	}
	b.ReportMetric(hosts.Median(took), "ms/visible")
	b.ReportMetric(rate(1), "changes/s")
	b.ReportMetric(rate(8), "changes/s-8-at-a-time")
}

// BenchmarkColdStart is the time from the start of the daemons of three nodes, none of which ran, until all services
// do: the median of three.
func BenchmarkColdStart(b *testing.B) {
	both(b, false, func(b *testing.B, s hosts.Side) {
		h := hosts.New(b, s, 3)
		h.Configure(primitives(3, dummy, "10s"))
		started(b, h, 3, "Dummy", time.Minute)
		atRest(b, h, time.Minute)
		var took []float64
		for range 3 {
			for i := range h.N {
				h.Kill(i + 1)
			}
			for i := range h.N {
				h.Clear(i + 1)
			}
			began := time.Now()
			var wg sync.WaitGroup
			for i := range h.N {
				wg.Go(func() { h.Plug(i + 1) })
			}
			started(b, h, 3, "Dummy", 5*time.Minute)
			took = append(took, time.Since(began).Seconds())
			wg.Wait()
			atRest(b, h, time.Minute)
		}
		b.ReportMetric(hosts.Median(took), "s/cold-start")
	})
}

// BenchmarkMany is the start of many ocf:pacemaker:Dummy on three nodes: time, processor time of everything, and how
// much of it is not the agents' own, as a share of theirs. Theirs is what the same calls take outside of a cluster. And
// the time of a status.
func BenchmarkMany(b *testing.B) {
	for _, n := range []int{100, 1000} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			both(b, n > 100, func(b *testing.B, s hosts.Side) {
				if n > 100 && os.Getenv("BENCH_LONG") == "" {
					b.Skip("minutes: BENCH_LONG=1 measures it")
				}
				h := hosts.New(b, s, 3)
				atRest(b, h, time.Minute)
				before := all(h)
				h.Configure(primitives(n, dummy, "3600s"))
				took := started(b, h, n, "Dummy", 40*time.Minute)
				atRest(b, h, 5*time.Minute)
				spent := all(h) - before
				const agent = "/usr/lib/ocf/resource.d/pacemaker/Dummy"
				calls := h.Bare(agent, "monitor")*time.Duration(h.N*n) + h.Bare(agent, "start", "monitor")*time.Duration(n)
				b.ReportMetric(took.Seconds(), "s/start")
				b.ReportMetric(spent.Seconds(), "cpu-s")
				b.ReportMetric(calls.Seconds(), "cpu-s/agents")
				b.ReportMetric((spent-calls).Seconds()/calls.Seconds(), "beyond/agents")
				statusOf(b, h)
			})
		})
	}
}

func statusOf(b *testing.B, h *hosts.Hosts) {
	b.Helper()
	b.ReportMetric(hosts.Median(h.Timed(1, 7, "crm_mon", "-1")), "s/crm_mon")
	if h.Ours() {
		b.ReportMetric(hosts.Median(h.Timed(1, 7, "status")), "s/status")
	}
}

package store

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

// BenchmarkPropose measures changes that are durable on a majority: one client after the other, and many at
// once. p50-ms and p99-ms are the times of single changes, everywhere-ms the median until every node shows
// the change.
func BenchmarkPropose(b *testing.B) {
	for _, nodes := range []int{1, 3, 5} {
		for _, clients := range []int{1, 32} {
			b.Run(fmt.Sprintf("nodes=%d/clients=%d", nodes, clients), func(b *testing.B) { benchPropose(b, nodes, clients) })
		}
	}
}

func benchPropose(b *testing.B, nodes, clients int) {
	r := newRig(b, nodes)
	r.timing.Voters = 20 * time.Millisecond
	lead := r.up()
	took := make([][]time.Duration, clients)
	b.ResetTimer()
	began := time.Now()
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			for i := c; i < b.N; i += clients {
				at := time.Now()
				if _, err := lead.Propose(context.Background(), setAttr("n1", "v", fmt.Sprint(i))); err != nil {
					b.Error(err)
					return
				}
				took[c] = append(took[c], time.Since(at))
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "changes/s")
	b.StopTimer()
	all := slices.Concat(took...)
	slices.Sort(all)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(ms(all[len(all)/2]), "p50-ms")
	b.ReportMetric(ms(all[len(all)*99/100]), "p99-ms")
	if clients == 1 {
		b.ReportMetric(ms(everywhere(b, r, lead)), "everywhere-ms")
	}
}

// everywhere is the median time from a proposal to its being seen on every node.
func everywhere(b *testing.B, r *rig, lead *Store) time.Duration {
	var times []time.Duration
	for i := range 50 {
		at := time.Now()
		value := fmt.Sprint("e", i)
		if _, err := lead.Propose(context.Background(), setAttr("n1", "v", value)); err != nil {
			b.Fatal(err)
		}
		for _, n := range r.names {
			for !r.sees(n, value)() {
				time.Sleep(100 * time.Microsecond)
			}
		}
		times = append(times, time.Since(at))
	}
	slices.Sort(times)
	return times[len(times)/2]
}

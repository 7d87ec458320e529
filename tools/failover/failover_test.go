package failover

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/tools/internal/hosts"
)

// resources are a service, and a group of an address and a service.
const resources = `
<primitive id="d0" class="ocf" provider="pacemaker" type="Dummy"><operations>
  <op id="d0-mon" name="monitor" interval="10s" timeout="20s"/><op id="d0-start" name="start" interval="0s" timeout="20s"/><op id="d0-stop" name="stop" interval="0s" timeout="20s"/></operations></primitive>
<group id="g"><primitive id="vip" class="ocf" provider="heartbeat" type="IPaddr2"><instance_attributes id="vip-ia"><nvpair id="vip-ip" name="ip" value="10.77.0.100"/><nvpair id="vip-mask" name="cidr_netmask" value="24"/></instance_attributes>
  <operations><op id="vip-mon" name="monitor" interval="10s" timeout="20s"/></operations></primitive>
<primitive id="d1" class="ocf" provider="pacemaker" type="Dummy"><operations>
  <op id="d1-mon" name="monitor" interval="10s" timeout="20s"/></operations></primitive></group>`

// place has everything run on one host.
func place(b *testing.B, h *hosts.Hosts, victim int) {
	b.Helper()
	xml := fmt.Sprintf(`<constraints><rsc_location id="loc-g" rsc="g" node="n%d" score="1000"/><rsc_location id="loc-d0" rsc="d0" node="n%[1]d" score="1000"/></constraints>`, victim)
	if out, err := h.Tool(1, "cibadmin", "--replace", "--scope", "constraints", "--xml-text", xml); err != nil {
		b.Fatalf("constraints: %v: %s", err, out)
	}
	h.Await(fmt.Sprintf("everything to run on host %d", victim), time.Minute, func() bool {
		return !h.Started(victim, "d0").IsZero() && !h.Started(victim, "d1").IsZero()
	})
	time.Sleep(2 * time.Second) // what is still being written down, in both
}

// round kills a host and returns how long it took until all that it ran has been started elsewhere.
func round(b *testing.B, h *hosts.Hosts, victim int) float64 {
	b.Helper()
	place(b, h, victim)
	at := h.Kill(victim)
	var recovered time.Time
	h.Await("everything to run elsewhere", time.Minute, func() bool {
		recovered = at
		for _, r := range []string{"d0", "d1"} {
			var started time.Time
			for i := 1; i <= h.N; i++ {
				if t := h.Started(i, r); i != victim && t.After(at) {
					started = t
				}
			}
			if started.IsZero() {
				return false
			}
			if started.After(recovered) {
				recovered = started
			}
		}
		return true
	})
	other := victim%h.N + 1
	time.Sleep(time.Second)
	h.Plug(victim)
	h.Await("the killed host to be back", 2*time.Minute, func() bool { return h.Up(other) == h.N })
	return recovered.Sub(at).Seconds()
}

func run(b *testing.B, s hosts.Side, n int, killDC bool) {
	rounds, err := strconv.Atoi(os.Getenv("BENCH_ROUNDS"))
	if err != nil {
		rounds = 3
	}
	h := hosts.New(b, s, n)
	h.Configure(resources)
	var took []float64
	for i := range rounds {
		decider := 0
		h.Await("a host to decide", time.Minute, func() bool { decider = h.DC(1); return decider > 0 })
		victim := decider
		if !killDC {
			victim = (decider+i%(n-1))%n + 1
		}
		took = append(took, round(b, h, victim))
	}
	b.ReportMetric(hosts.Median(took), "s/recovery")
	b.ReportMetric(0, "ns/op") // the whole run, set-up too: it says nothing
}

// BenchmarkFailover is the time from the death of a host to the start of all that it ran elsewhere, fencing included:
// the median of BENCH_ROUNDS (3).
func BenchmarkFailover(b *testing.B) {
	program, err := filepath.Abs(os.Getenv("CERCO"))
	if err != nil || os.Getenv("CERCO") == "" {
		b.Skip("CERCO names the program: make bench-failover does")
	}
	for _, killDC := range []bool{false, true} {
		for _, n := range []int{2, 3, 5, 8, 16} {
			for _, s := range hosts.Sides(program) {
				victim := map[bool]string{false: "other", true: "dc"}[killDC]
				b.Run(fmt.Sprintf("victim=%s/nodes=%d/%s", victim, n, s.Name()), func(b *testing.B) {
					if n > 8 && s.Name() != "cerco" && os.Getenv("BENCH_LONG") == "" {
						b.Skip("many minutes: BENCH_LONG=1 measures it")
					}
					run(b, s, n, killDC)
				})
			}
		}
	}
}

package failover

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const resources = `<resources>
<primitive class="stonith" id="fence" type="fence_netns"><instance_attributes id="fence-ia"><nvpair id="fence-hl" name="pcmk_host_list" value="%s"/></instance_attributes></primitive>
<primitive id="d0" class="ocf" provider="pacemaker" type="Dummy"><operations>
  <op id="d0-mon" name="monitor" interval="10s" timeout="20s"/><op id="d0-start" name="start" interval="0s" timeout="20s"/><op id="d0-stop" name="stop" interval="0s" timeout="20s"/></operations></primitive>
<group id="g"><primitive id="vip" class="ocf" provider="heartbeat" type="IPaddr2"><instance_attributes id="vip-ia"><nvpair id="vip-ip" name="ip" value="10.77.0.100"/><nvpair id="vip-mask" name="cidr_netmask" value="24"/></instance_attributes>
  <operations><op id="vip-mon" name="monitor" interval="10s" timeout="20s"/></operations></primitive>
<primitive id="d1" class="ocf" provider="pacemaker" type="Dummy"><operations>
  <op id="d1-mon" name="monitor" interval="10s" timeout="20s"/></operations></primitive></group>
</resources>`

// configure gives the cluster a fence device, a service, and a group of an address and a service.
func configure(s side, h *hosts) {
	h.b.Helper()
	var names []string
	for i := 1; i <= h.n; i++ {
		names = append(names, fmt.Sprintf("n%d", i))
	}
	for scope, xml := range map[string]string{
		"crm_config":   `<crm_config><cluster_property_set id="cib-bootstrap-options"><nvpair id="o-stonith" name="stonith-enabled" value="true"/></cluster_property_set></crm_config>`,
		"rsc_defaults": `<rsc_defaults><meta_attributes id="rsc-options"><nvpair id="rsc-stick" name="resource-stickiness" value="100"/></meta_attributes></rsc_defaults>`,
	} {
		if out, err := s.tool(h, 1, "", "cibadmin", "--modify", "--allow-create", "--scope", scope, "--xml-text", xml); err != nil {
			h.b.Fatalf("%s: %v: %s", scope, err, out)
		}
	}
	if out, err := s.tool(h, 1, "", "cibadmin", "--replace", "--scope", "resources", "--xml-text", fmt.Sprintf(resources, strings.Join(names, " "))); err != nil {
		h.b.Fatalf("resources: %v: %s", err, out)
	}
}

// place has everything run on one host.
func place(s side, h *hosts, victim int) {
	h.b.Helper()
	xml := fmt.Sprintf(`<constraints><rsc_location id="loc-g" rsc="g" node="n%d" score="1000"/><rsc_location id="loc-d0" rsc="d0" node="n%[1]d" score="1000"/></constraints>`, victim)
	if out, err := s.tool(h, 1, "", "cibadmin", "--replace", "--scope", "constraints", "--xml-text", xml); err != nil {
		h.b.Fatalf("constraints: %v: %s", err, out)
	}
	h.await(fmt.Sprintf("everything to run on host %d", victim), time.Minute, func() bool {
		return !h.started(victim, "d0").IsZero() && !h.started(victim, "d1").IsZero()
	})
	time.Sleep(2 * time.Second) // what is still being written down, in both
}

// round kills a host and returns how long it took until all that it ran has been started elsewhere.
func round(s side, h *hosts, victim int) float64 {
	h.b.Helper()
	place(s, h, victim)
	at := h.kill(victim)
	var recovered time.Time
	h.await("everything to run elsewhere", time.Minute, func() bool {
		recovered = at
		for _, r := range []string{"d0", "d1"} {
			var started time.Time
			for i := 1; i <= h.n; i++ {
				if t := h.started(i, r); i != victim && t.After(at) {
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
	other := victim%h.n + 1
	time.Sleep(time.Second)
	h.plug(victim)
	s.again(h, victim)
	h.await("the killed host to be back", 2*time.Minute, func() bool { return up(s, h, other) == h.n })
	return recovered.Sub(at).Seconds()
}

func run(b *testing.B, s side, n int, killDC bool) {
	if what := s.missing(); what != "" {
		b.Skipf("%s is not installed", what)
	}
	rounds, err := strconv.Atoi(os.Getenv("BENCH_ROUNDS"))
	if err != nil {
		rounds = 3
	}
	h := newHosts(b, n, s.args()...)
	s.start(h)
	h.await("all hosts to be up", 2*time.Minute, func() bool { return up(s, h, 1) == n && dc(s, h, 1) > 0 })
	configure(s, h)
	var took []float64
	for i := range rounds {
		decider := 0
		h.await("a host to decide", time.Minute, func() bool { decider = dc(s, h, 1); return decider > 0 })
		victim := decider
		if !killDC {
			victim = (decider+i%(n-1))%n + 1
		}
		took = append(took, round(s, h, victim))
	}
	b.ReportMetric(median(took), "s/recovery")
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
			for _, s := range []side{cerco{program}, pacemaker{}} {
				victim := map[bool]string{false: "other", true: "dc"}[killDC]
				b.Run(fmt.Sprintf("victim=%s/nodes=%d/%s", victim, n, s.name()), func(b *testing.B) {
					if n > 8 && s.name() != "cerco" && os.Getenv("BENCH_LONG") == "" {
						b.Skip("many minutes: BENCH_LONG=1 measures it")
					}
					run(b, s, n, killDC)
				})
			}
		}
	}
}

package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/tools/internal/cibgen"
	"github.com/cerco-ha/cerco/tools/internal/sim"
)

// size is a configuration to plan. oracle says whether crm_simulate plans it in reasonable time; slow sizes
// take it minutes and gigabytes, and are measured only with BENCH_LONG=1.
type size struct {
	nodes, primitives int
	state             cibgen.State
	oracle            bool
	slow              bool
}

var sizes = []size{
	{8, 100, cibgen.Unprobed, true, false},
	{16, 200, cibgen.Unprobed, true, false},
	{16, 800, cibgen.Unprobed, true, false},
	{32, 1000, cibgen.Unprobed, true, true},
	{64, 2000, cibgen.Unprobed, false, false},
	{128, 5000, cibgen.Unprobed, false, false},
	{16, 800, cibgen.Running, true, false},
	{32, 1000, cibgen.Running, true, false},
	{64, 2000, cibgen.Running, true, false},
	{128, 5000, cibgen.Running, true, true},
}

func (s size) String() string {
	return fmt.Sprintf("%dx%d-%s", s.nodes, s.primitives, []string{"unprobed", "probed", "running"}[s.state])
}

func (s size) write(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), s.String()+".xml")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if err := cibgen.Regular(f, cibgen.Shape{Nodes: s.nodes, Primitives: s.primitives, State: s.state}); err != nil {
		b.Fatal(err)
	}
	return path
}

// sides are the two commands that are measured.
func sides(b *testing.B) (ours, oracle sim.Command) {
	b.Helper()
	program := os.Getenv("CERCO")
	if program == "" {
		program = "../../bin/cerco"
	}
	ours, err := sim.Parse(program+" crm_simulate", 10*time.Minute)
	if err != nil {
		b.Fatal(err)
	}
	if !ours.Installed() {
		b.Skipf("%s is not there; run make build", program)
	}
	oracle, err = sim.Parse("crm_simulate", 10*time.Minute)
	if err != nil {
		b.Fatal(err)
	}
	// A child's peak counts from its parent's size at the time of the fork, so this process must stay small.
	ours.Discard, oracle.Discard = true, true
	return ours, oracle
}

// measure runs a command b.N times and reports what its processes used.
func measure(b *testing.B, c sim.Command, s size, args ...string) {
	b.Helper()
	if !c.Installed() {
		b.Skipf("%s is not installed", c.Words[0])
	}
	var cpu time.Duration
	var peak int64
	b.ResetTimer()
	for b.Loop() {
		r := c.Run(args...)
		if r.Err != nil {
			b.Fatal(r.Complaint())
		}
		cpu += r.CPU
		peak = max(peak, r.PeakKB)
	}
	perRun := cpu.Seconds() / float64(b.N)
	b.ReportMetric(perRun, "cpu-s/op")
	b.ReportMetric(float64(peak)/1024, "peak-MB")
	b.ReportMetric(perRun*1e9/float64(s.nodes*s.primitives), "cpu-ns/cell") // a cell is a resource on a node
}

// BenchmarkPlan plans and prints what would be done (-R).
func BenchmarkPlan(b *testing.B) {
	ours, oracle := sides(b)
	for _, s := range sizes {
		b.Run("ours/"+s.String(), func(b *testing.B) { measure(b, ours, s, "-x", s.write(b), "-R") })
		b.Run("crm_simulate/"+s.String(), func(b *testing.B) {
			if !s.oracle || s.slow && os.Getenv("BENCH_LONG") == "" {
				b.Skip("takes minutes; BENCH_LONG=1 measures what ends at all")
			}
			measure(b, oracle, s, "-x", s.write(b), "-R")
		})
	}
}

// BenchmarkSimulate also carries the plan out on a copy of the CIB (-S).
func BenchmarkSimulate(b *testing.B) {
	ours, oracle := sides(b)
	s := size{16, 200, cibgen.Unprobed, true, false}
	b.Run("ours/"+s.String(), func(b *testing.B) { measure(b, ours, s, "-x", s.write(b), "-S") })
	b.Run("crm_simulate/"+s.String(), func(b *testing.B) { measure(b, oracle, s, "-x", s.write(b), "-S") })
	s = size{32, 1000, cibgen.Unprobed, false, false}
	b.Run("ours/"+s.String(), func(b *testing.B) { measure(b, ours, s, "-x", s.write(b), "-S") })
}

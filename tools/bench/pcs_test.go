package bench

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/tools/internal/sim"
)

// onFiles are commands on a file, each on a fresh copy of the same small configuration.
var onFiles = []string{
	"resource create A ocf:heartbeat:Dummy",
	"resource create A Filesystem device=/dev/a directory=/b fstype=ext4",
	"resource config",
	"constraint location D prefers n1=100",
	"property set no-quorum-policy=freeze",
	"stonith create S fence_xvm",
}

const smallCIB = `<cib validate-with="pacemaker-3.1" crm_feature_set="3.16.1" admin_epoch="0" epoch="1" num_updates="0"><configuration><crm_config/>
<nodes><node id="1" uname="n1"/></nodes><resources><primitive id="D" class="ocf" provider="heartbeat" type="Dummy"/></resources>
<constraints/></configuration><status/></cib>
`

// BenchmarkCommand measures the processor time of commands on a file, ours and pcs's. What agents use to describe
// themselves counts on both sides.
func BenchmarkCommand(b *testing.B) {
	ours, _ := sides(b)
	ours.Words = []string{ours.Words[0], "pcs"}
	pcs := sim.Command{Words: []string{"pcs"}, Timeout: time.Minute, Discard: true}
	for _, line := range onFiles {
		name := strings.Join(strings.Fields(line)[:min(4, len(strings.Fields(line)))], "_")
		b.Run("ours/"+name, func(b *testing.B) { measureOnFile(b, ours, line) })
		b.Run("pcs/"+name, func(b *testing.B) { measureOnFile(b, pcs, line) })
	}
}

func measureOnFile(b *testing.B, c sim.Command, line string) {
	b.Helper()
	if !c.Installed() {
		b.Skipf("%s is not installed", c.Words[0])
	}
	file := filepath.Join(b.TempDir(), "cib.xml")
	var cpu time.Duration
	for b.Loop() {
		if err := os.WriteFile(file, []byte(smallCIB), 0o600); err != nil {
			b.Fatal(err)
		}
		r := c.Run(append([]string{"-f", file}, strings.Fields(line)...)...)
		if r.Err != nil {
			b.Fatal(r.Complaint())
		}
		cpu += r.CPU
	}
	b.ReportMetric(cpu.Seconds()*1000/float64(b.N), "cpu-ms/op")
}

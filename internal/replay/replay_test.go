package replay_test

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cerco-ha/cerco/internal/replay"
)

// TestMain fixes the seed, so that everybody sees the same; -rapid.seed=N looks elsewhere.
func TestMain(m *testing.M) {
	flag.Parse()
	seeded := false
	flag.Visit(func(f *flag.Flag) { seeded = seeded || f.Name == "rapid.seed" })
	if !seeded {
		flag.Set("rapid.seed", "1")
	}
	os.Exit(m.Run())
}

// cluster draws a small cluster.
func cluster(t *rapid.T) replay.Config {
	cfg := replay.Config{Jitter: true, Seed: rapid.Uint64().Draw(t, "seed")}
	for i := range rapid.IntRange(2, 5).Draw(t, "nodes") {
		cfg.Nodes = append(cfg.Nodes, fmt.Sprintf("n%d", i+1))
	}
	add := func(format string, args ...any) { cfg.Edits = append(cfg.Edits, fmt.Sprintf(format, args...)) }
	primitive := func(id, meta string) string {
		return fmt.Sprintf(`<primitive id="%s" class="ocf" provider="cerco" type="Toy"><meta_attributes id="%[1]s-meta">%s</meta_attributes>`+
			`<operations><op id="%[1]s-m" name="monitor" interval="10s"/></operations></primitive>`, id, meta)
	}
	add(`<primitive id="F" class="stonith" type="fence_dummy"/>`)
	for i := range rapid.IntRange(1, 3).Draw(t, "resources") {
		meta := ""
		if rapid.Bool().Draw(t, "migrates") {
			meta = fmt.Sprintf(`<nvpair id="a%d-mig" name="allow-migrate" value="true"/>`, i)
		}
		add("%s", primitive(fmt.Sprintf("A%d", i), meta))
	}
	if rapid.Bool().Draw(t, "group") {
		add(`<group id="G">%s%s</group>`, primitive("G1", ""), primitive("G2", ""))
		if rapid.Bool().Draw(t, "order") {
			add(`<rsc_order id="o" first="A0" then="G"/>`)
		}
	}
	if rapid.Bool().Draw(t, "clone") {
		meta := ""
		if rapid.Bool().Draw(t, "promotable") {
			meta = `<nvpair id="c-p" name="promotable" value="true"/><nvpair id="c-n" name="notify" value="true"/>`
		}
		add(`<clone id="C"><meta_attributes id="C-meta">%s</meta_attributes>%s</clone>`, meta, primitive("c", ""))
		if rapid.Bool().Draw(t, "colocation") {
			add(`<rsc_colocation id="col" rsc="A0" with-rsc="C" score="INFINITY"/>`)
		}
	}
	if rapid.Bool().Draw(t, "concurrent") {
		add("%s", replay.OptionXML("concurrent-fencing", "true"))
	}
	return cfg
}

// fault draws a line of a script.
func fault(t *rapid.T, cfg replay.Config) string {
	node := rapid.SampledFrom(cfg.Nodes).Draw(t, "node")
	switch rapid.IntRange(0, 18).Draw(t, "fault") {
	case 0, 1:
		return "crash " + node
	case 2:
		return "partition " + node
	case 3:
		return "heal"
	case 4:
		return "start " + node
	case 5:
		return "break " + node + " A0"
	case 6:
		return "stop-daemon " + node
	case 7:
		return "fail-fencing " + node + " 2"
	case 8:
		return "option maintenance-mode=" + rapid.SampledFrom([]string{"true", "false"}).Draw(t, "value")
	case 9:
		return fmt.Sprintf("fail %s A0 %s %d", node, rapid.SampledFrom([]string{"start", "stop", "monitor", "migrate_to"}).Draw(t, "task"),
			rapid.SampledFrom([]int{0, 1}).Draw(t, "rc"))
	case 10:
		return fmt.Sprintf(`configure <rsc_location id="l" rsc="A0" node="%s" score="100"/>`, node)
	case 12:
		return "cleanup"
	case 13:
		return "attribute " + node + " standby=" + rapid.SampledFrom([]string{"on", "off"}).Draw(t, "value")
	case 14:
		return "option no-quorum-policy=" + rapid.SampledFrom([]string{"stop", "freeze", "demote", "suicide"}).Draw(t, "value")
	case 15:
		return "break " + node + " " + rapid.SampledFrom([]string{"G1", "G2", "c"}).Draw(t, "rsc")
	case 16:
		return fmt.Sprintf(`configure <rsc_location id="l2" rsc="A0" node="%s" score="-INFINITY"/>`, node)
	case 17:
		return fmt.Sprintf("attribute %s master-c=%d", node, rapid.IntRange(-1, 10).Draw(t, "score"))
	case 18:
		return "partition " + cfg.Nodes[0] + " " + cfg.Nodes[len(cfg.Nodes)-1]
	}
	return "stop " + node
}

// TestInvariants lets things happen to clusters, at any moment, and wants the invariants to hold all the time; and
// when all is well again, that the cluster comes to rest.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := cluster(t)
		w, err := replay.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		do := func(line string) {
			if err := w.Do(line); err != nil {
				t.Fatalf("%s: %v\n%s", line, err, w.Recent(150))
			}
		}
		do("run 2s")
		for range rapid.IntRange(1, 8).Draw(t, "faults") {
			do(fault(t, cfg))
			do(fmt.Sprintf("run %dms", rapid.SampledFrom([]int{0, 5, 150, 700, 1500, 4000}).Draw(t, "wait")))
		}
		do("heal")
		for _, n := range cfg.Nodes {
			do("fail-fencing " + n + " 0")
			for _, task := range []string{"start", "stop", "monitor", "migrate_to"} {
				do("fail " + n + " A0 " + task + " 0")
			}
		}
		for range 3 {
			for _, n := range cfg.Nodes {
				do("start " + n)
			}
			w.Run(30 * time.Second)
		}
		do("option maintenance-mode=false")
		w.Run(30 * time.Second)
		if w.Breach != nil {
			t.Fatalf("%v\n%s", w.Breach, w.Recent(150))
		}
		if why := w.Settled(); why != "" {
			t.Fatalf("the cluster does not come to rest: %s\n%s", why, w.Recent(150))
		}
	})
}

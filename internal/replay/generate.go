package replay

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Run is a cluster and what happens to it.
type Run struct {
	Config Config
	Faults []Fault
}

// Fault is a line of a script, and when it happens.
type Fault struct {
	At   time.Duration
	Line string
}

// faultsBegin is when a cluster is left to what happens to it: it has just been started then, more or less.
const faultsBegin = 1500 * time.Millisecond

// Generate makes a run from a seed.
func Generate(seed uint64) Run {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 2))}
	g.cfg = Config{Jitter: true, Seed: seed}
	g.cluster()
	r := Run{Config: g.cfg}
	at := faultsBegin
	for range 3 + g.IntN(9) {
		at += []time.Duration{0, 5, 120, 300, 700, 1500, 3000}[g.IntN(7)] * time.Millisecond
		for _, line := range g.fault() {
			r.Faults = append(r.Faults, Fault{at, line})
		}
	}
	return r
}

type generator struct {
	*rand.Rand
	cfg        Config
	services   []string
	maintained bool // maintenance mode has been asked for
}

func (g *generator) yes() bool { return g.IntN(2) == 0 }

func (g *generator) of(words ...string) string { return words[g.IntN(len(words))] }

func (g *generator) add(format string, args ...any) {
	g.cfg.Edits = append(g.cfg.Edits, fmt.Sprintf(format, args...))
}

func (g *generator) primitive(id, meta string) string {
	g.services = append(g.services, id)
	return fmt.Sprintf(`<primitive id="%s" class="ocf" provider="cerco" type="Toy"><meta_attributes id="%[1]s-meta">%s</meta_attributes>`+
		`<operations><op id="%[1]s-m" name="monitor" interval="10s"/></operations></primitive>`, id, meta)
}

// cluster makes two to five nodes, and a few resources.
func (g *generator) cluster() {
	for i := range []int{2, 2, 3, 3, 3, 4, 5}[g.IntN(7)] {
		g.cfg.Nodes = append(g.cfg.Nodes, fmt.Sprintf("n%d", i+1))
	}
	g.add(`<primitive id="F" class="stonith" type="fence_dummy"/>`)
	for i := range 1 + g.IntN(3) {
		meta := ""
		if g.yes() {
			meta = fmt.Sprintf(`<nvpair id="a%d-mig" name="allow-migrate" value="true"/>`, i)
		}
		g.add("%s", g.primitive(fmt.Sprintf("A%d", i), meta))
	}
	if g.IntN(3) == 0 {
		g.add(`<group id="G">%s%s</group>`, g.primitive("G1", ""), g.primitive("G2", ""))
		if g.yes() {
			g.add(`<rsc_order id="o" first="A0" then="G"/>`)
		}
	}
	if g.IntN(3) == 0 {
		meta := ""
		if g.yes() {
			meta = `<nvpair id="c-p" name="promotable" value="true"/><nvpair id="c-n" name="notify" value="true"/>`
		}
		g.add(`<clone id="C"><meta_attributes id="C-meta">%s</meta_attributes>%s</clone>`, meta, g.primitive("c", ""))
		if g.yes() {
			g.add(`<rsc_colocation id="col" rsc="A0" with-rsc="C" score="INFINITY"/>`)
		}
	}
	if g.yes() {
		g.add("%s", OptionXML("concurrent-fencing", "true"))
	}
}

// fault makes something happen: to hosts, links, clocks and disks, to fence devices and services, and by operators.
func (g *generator) fault() []string {
	nodes := append([]string{"leader"}, g.cfg.Nodes...)
	a, b := g.of(nodes...), g.of(nodes...)
	s := g.of(g.services...)
	switch g.IntN(30) {
	case 0, 1, 2:
		return []string{"break " + b + " " + s, "crash " + a}
	case 3, 4:
		return []string{"break " + b + " " + s, "partition " + a}
	case 5:
		return []string{g.of("isolate", "partition "+a+" "+b)}
	case 6, 7:
		return []string{"cut " + a + " " + b}
	case 8:
		return []string{fmt.Sprintf("slow %s %s %dms", a, b, 20+g.IntN(300))}
	case 9, 10:
		return []string{"heal"}
	case 11, 12:
		return []string{"start " + a}
	case 13:
		return []string{"kill-daemon " + a}
	case 14:
		return []string{"kill-at " + a + " " + g.of("done", "accepted"), "break " + b + " " + s}
	case 15:
		return []string{g.of("stop-daemon ", "lose-acks ") + a}
	case 16:
		return []string{"pause " + a}
	case 17:
		return []string{"resume " + a, "resume " + b}
	case 18, 19:
		return []string{fmt.Sprintf("clock %s %s", a, g.of("0.25", "0.5", "0.8", "1.3", "2", "4"))}
	case 20:
		return []string{fmt.Sprintf("disk %s %dms", a, []int{0, 20, 150, 700}[g.IntN(4)])}
	case 21:
		return []string{"fail-fencing " + a + " 2"}
	case 22:
		return []string{"fence-device " + a + " " + g.of("hangs", "late", "works")}
	}
	return []string{g.operator(a, s)}
}

// operator makes something that people do, and what services do by themselves.
func (g *generator) operator(node, service string) string {
	switch g.IntN(10) {
	case 0:
		g.maintained = true
		return "option maintenance-mode=" + g.of("true", "false")
	case 1:
		return fmt.Sprintf("fail %s %s %s %s", node, service, g.of("start", "stop", "monitor", "migrate_to"), g.of("0", "1"))
	case 2, 3:
		return fmt.Sprintf(`configure <rsc_location id="l" rsc="A0" node="%s" score="%s"/>`, node, g.of("100", "-INFINITY", "INFINITY"))
	case 4:
		return "cleanup"
	case 5:
		return "attribute " + node + " standby=" + g.of("on", "off")
	case 6:
		return "option no-quorum-policy=" + g.of("stop", "freeze", "demote", "suicide")
	case 7:
		return "break " + node + " " + service
	case 8:
		return fmt.Sprintf("attribute %s master-c=%d", node, g.IntN(12)-1)
	}
	if g.maintained { // what is not managed goes on where it is, although its node counts as left in good order
		return "cleanup"
	}
	return "stop " + node
}

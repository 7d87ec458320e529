package scheduler

import (
	"fmt"
	"github.com/cerco-ha/cerco/internal/cib"
	"os"
	"testing"
	"time"
)

func TestDbg(t *testing.T) {
	f := os.Getenv("DBG")
	if f == "" {
		t.Skip()
	}
	data, _ := os.ReadFile(f)
	c, _ := cib.Decode(f, data)
	now := time.Now().UTC()
	if !c.ExecutionDate.IsZero() {
		now = c.ExecutionDate
	}
	p := &planner{in: c, now: now, opts: Options{Now: now}}
	p.unpack()
	p.assign()
	p.act()
	p.graph()
	for _, a := range p.actions {
		fmt.Printf("%d %s %s@%s rsc=%v opt=%v run=%v pseudo=%v print=%v mig=%v graph=%v why=%q\n", a.seq, a.task, a.key, nameOf(a.node), a.rsc != nil, a.optional(), a.runnable(), a.has(actPseudo), a.has(actPrint), a.has(actMigratable), a.has(actInGraph), a.reason)
		if os.Getenv("DBGE") != "" {
			for _, l := range a.before {
				fmt.Printf("      <- %s@%s %x\n", l.first.key, nameOf(l.first.node), l.flags)
			}
		}
	}
	each(p.resources, func(r *resource) {
		fmt.Println(r.id, r.role, "->", r.nextRole, nameOf(r.assigned), "managed", r.managed, "blocked", r.blocked, "failed", r.failed, r.lrmStop, "ops", len(r.ops), "maint", r.maintenance)
	})
}

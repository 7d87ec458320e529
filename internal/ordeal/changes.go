package ordeal

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/wire"
)

// asked is a node that is asked something.
type asked = *client.Client

// ask asks a node, which may take its time, but not for ever.
func (r *run) ask(ctx context.Context, node string, f func(context.Context, asked) error) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	c, err := r.site.Client(node)
	if err != nil {
		return err
	}
	defer c.Close()
	return f(ctx, c)
}

func (r *run) askNode(ctx context.Context, node string) (n wire.Node, err error) {
	err = r.ask(ctx, node, func(ctx context.Context, c asked) (err error) {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		n, err = c.Node(ctx)
		return err
	})
	return n, err
}

func (r *run) edit(ctx context.Context, node, note string, edits ...cib.Edit) error {
	return r.ask(ctx, node, func(ctx context.Context, c asked) error {
		_, err := c.Edit(ctx, wire.Edit{Edits: edits, Note: note}, client.Wait{})
		return err
	})
}

const options = `<cluster_property_set id="ordeal-options">
  <nvpair id="ordeal-start-failure" name="start-failure-is-fatal" value="false"/>
</cluster_property_set>`

const stickiness = `<rsc_defaults><meta_attributes id="ordeal-defaults">
  <nvpair id="ordeal-stickiness" name="resource-stickiness" value="100"/>
</meta_attributes></rsc_defaults>`

const primitive = `<primitive id="%[1]s" class="ocf" provider="cerco" type="Service">
  <instance_attributes id="%[1]s-params"><nvpair id="%[1]s-journal" name="journal" value="%[2]s"/></instance_attributes>
  <operations>
    <op id="%[1]s-start" name="start" interval="0" timeout="20s"/>
    <op id="%[1]s-stop" name="stop" interval="0" timeout="20s"/>
    <op id="%[1]s-monitor" name="monitor" interval="%[3]dms" timeout="20s"/>
  </operations>
</primitive>`

// groupOf is how many services of each ten are a group, one started after the other.
const groupOf = 3

// configure gives the cluster its fence device and the services.
func (r *run) configure(ctx context.Context) error {
	const resources, crmConfig = "/cib/configuration/resources", "/cib/configuration/crm_config"
	edits := []cib.Edit{
		{Op: "create", Parent: crmConfig, XML: options},
		{Op: "create", Parent: crmConfig, XML: `<cluster_property_set id="` + changesSet + `"/>`},
		{Op: "modify", Create: true, XML: stickiness},
		{Op: "create", Parent: resources, XML: r.site.Device()},
	}
	var group strings.Builder
	for i := range r.Services {
		id := fmt.Sprint("s", i+1)
		r.services = append(r.services, id)
		xml := fmt.Sprintf(primitive, id, r.site.Journal(), r.Monitor.Milliseconds())
		if i%10 < groupOf {
			group.WriteString(xml)
			if i%10 == groupOf-1 || i == r.Services-1 {
				edits = append(edits, cib.Edit{Op: "create", Parent: resources, XML: fmt.Sprintf(`<group id="g%d">%s</group>`, i/10+1, group.String())})
				group.Reset()
			}
			continue
		}
		edits = append(edits, cib.Edit{Op: "create", Parent: resources, XML: xml})
	}
	return r.edit(ctx, r.site.Nodes()[0], "the services of the ordeal", edits...)
}

// move has the cluster move a service elsewhere: away from where it runs.
func (r *run) move(ctx context.Context, service string) error {
	on := r.journal.judge.Running(service)
	if len(on) != 1 {
		return fmt.Errorf("%s runs on %v", service, on)
	}
	id := "ordeal-move"
	edits := []cib.Edit{
		{Op: "delete", XPath: "//rsc_location[@id='" + id + "']", All: true},
		{Op: "create", Parent: "/cib/configuration/constraints", XML: fmt.Sprintf(`<rsc_location id="%s" rsc="%s" node="%s" score="-1000"/>`, id, service, on[0])},
	}
	var err error
	for _, n := range r.site.Nodes() {
		if r.frozen[n] || !r.site.On(n) {
			continue
		}
		if err = r.edit(ctx, n, "move "+service, edits...); err == nil {
			return nil
		}
	}
	return err
}

// changesSet holds the changes that clients make all the time.
const changesSet = "ordeal-changes"

// changes are clients that change the configuration while faults happen, each change another one.
type changes struct {
	run    *run
	cancel context.CancelFunc
	wg     sync.WaitGroup
	hold   sync.RWMutex // held by a client for as long as a change takes
}

func newChanges(r *run) *changes { return &changes{run: r, cancel: func() {}} }

// clients is how many there are; each asks one node after the other.
const clients = 2

func (c *changes) start(ctx context.Context) {
	ctx, c.cancel = context.WithCancel(ctx)
	for i := range clients {
		c.wg.Go(func() {
			nodes := c.run.site.Nodes()
			for n := 0; ; n++ {
				c.change(ctx, nodes[(n+i)%len(nodes)], fmt.Sprintf("c%d.%d", i+1, n))
				select {
				case <-ctx.Done():
					return
				case <-time.After(250 * time.Millisecond):
				}
			}
		})
	}
}

func (c *changes) stop() {
	c.cancel()
	c.wg.Wait()
}

// change makes one change. What the outcome is, nobody knows unless it is acknowledged.
func (c *changes) change(ctx context.Context, node, id string) {
	c.hold.RLock()
	defer c.hold.RUnlock()
	if c.run.note(node, "", "tried", id) != nil {
		return
	}
	pair := fmt.Sprintf(`<nvpair id="%s" name="%s" value="1"/>`, id, id)
	err := c.run.edit(ctx, node, "change "+id, cib.Edit{Op: "create", Parent: "//cluster_property_set[@id='" + changesSet + "']", XML: pair})
	if err == nil {
		_ = c.run.note(node, "", "acked", id)
	}
}

// check notes which changes each node knows of, and takes them back.
func (c *changes) check(ctx context.Context) error {
	c.hold.Lock()
	defer c.hold.Unlock()
	for _, n := range c.run.site.Nodes() {
		var ids []string
		err := c.run.ask(ctx, n, func(ctx context.Context, a asked) error {
			found, err := a.Query(ctx, "//cluster_property_set[@id='"+changesSet+"']/nvpair/@id", false)
			for _, f := range found {
				ids = append(ids, f.Value)
			}
			return err
		})
		if client.HasCode(err, wire.CodeNotFound) {
			err = nil
		}
		if err != nil {
			return fmt.Errorf("%s cannot be asked for what was changed: %w", n, err)
		}
		slices.Sort(ids)
		if err := c.run.note(n, "", "seen", strings.Join(append(ids, ""), ",")); err != nil {
			return err
		}
	}
	if err := c.run.note("", "", "cleared"); err != nil { // before: what becomes of it, nobody knows for certain
		return err
	}
	if err := c.run.edit(ctx, c.run.site.Nodes()[0], "the changes are taken back", cib.Edit{Op: "delete", XPath: "//cluster_property_set[@id='" + changesSet + "']/nvpair", All: true}); err != nil {
		return fmt.Errorf("the changes cannot be taken back: %w", err)
	}
	return nil
}

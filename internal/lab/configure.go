package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/agents"
	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/status"
	"github.com/cerco-ha/cerco/internal/wire"
)

// service is one of the services that a lab runs.
const service = `<primitive id="%[1]s" class="ocf" provider="cerco" type="Service">
  <instance_attributes id="%[1]s-params">
    <nvpair id="%[1]s-record" name="record" value="%[2]s"/>
  </instance_attributes>
  <operations>
    <op id="%[1]s-start" name="start" interval="0" timeout="20s"/>
    <op id="%[1]s-stop" name="stop" interval="0" timeout="20s"/>
    <op id="%[1]s-monitor" name="monitor" interval="2s" timeout="10s"/>
  </operations>
</primitive>`

const device = `<primitive id="power" class="stonith" type="fence_lab">
  <instance_attributes id="power-params">
    <nvpair id="power-lab" name="lab" value="%s"/>
  </instance_attributes>
  <operations><op id="power-monitor" name="monitor" interval="60s" timeout="20s"/></operations>
</primitive>`

// stickiness keeps services where they are: nothing moves back when a node has booted.
const stickiness = `<rsc_defaults><meta_attributes id="lab-defaults">
  <nvpair id="lab-stickiness" name="resource-stickiness" value="100"/>
</meta_attributes></rsc_defaults>`

// Configure gives the cluster its fence device and, if wanted, some services: web behind its address in a
// group, a database and mail.
func (l *Lab) Configure(ctx context.Context, withServices bool) error {
	if _, err := agents.Write(filepath.Join(l.Dir, "ocf")); err != nil {
		return err
	}
	edits := []cib.Edit{
		{Op: "modify", Create: true, XML: stickiness},
		create("/cib/configuration/resources", fmt.Sprintf(device, escape(l.Dir))),
	}
	if withServices {
		one := func(id string) string { return fmt.Sprintf(service, id, escape(l.Record(id))) }
		edits = append(edits,
			create("/cib/configuration/resources", `<group id="site">`+one("ip")+one("web")+`</group>`),
			create("/cib/configuration/resources", one("db")),
			create("/cib/configuration/resources", one("mail")))
	}
	return l.Edit(ctx, "the lab's configuration", edits...)
}

// Edit changes the configuration and waits until the cluster has come to rest.
func (l *Lab) Edit(ctx context.Context, note string, edits ...cib.Edit) error {
	return l.ask(ctx, func(c *client.Client) error {
		changed, err := c.Edit(ctx, wire.Edit{Edits: edits, Note: note}, client.Wait{Settled: true, Timeout: 30 * time.Second})
		if err == nil && changed.Rest != nil && !changed.Rest.Settled {
			err = fmt.Errorf("the cluster does not come to rest: it waits for %s", waits(changed.Rest.Waiting))
		}
		return err
	})
}

func waits(list []wire.Waiting) string {
	var out []string
	for _, w := range list {
		s := w.What
		if w.Release != "" {
			s += " (" + w.Release + " would release it)"
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

func create(parent, xml string) cib.Edit { return cib.Edit{Op: "create", Parent: parent, XML: xml} }

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;").Replace(s)
}

// picture is the cluster's status as text.
func (l *Lab) picture(ctx context.Context) (string, error) {
	v, err := l.View(ctx)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if err := status.Text(&b, v); err != nil {
		return "", err
	}
	return b.String(), nil
}

// Ran is who wrote the last line of a service's record, and when the file was last written.
func (l *Lab) Ran(service string) (node string, at time.Time, err error) {
	path := l.Record(service)
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", time.Time{}, nil
	}
	if err != nil {
		return "", time.Time{}, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", time.Time{}, err
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	node, _, _ = strings.Cut(lines[len(lines)-1], " ")
	return node, info.ModTime(), nil
}

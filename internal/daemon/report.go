package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/cerco-ha/cerco/internal/api"
	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/report"
	"github.com/cerco-ha/cerco/internal/secret"
)

// reportRequest asks a node for all that it can tell of a time.
type reportRequest struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// secretsOf is in how many of the newest plans a node looks for secrets that were changed since.
const secretsOf = 20

// Report is the API's.
func (d backend) Report(ctx context.Context, node string, from, to time.Time) ([]byte, error) {
	return d.NodeReport(ctx, node, from, to)
}

// NodeReport is what a node tells of a time, as an archive of package report, without secrets.
func (d *Daemon) NodeReport(ctx context.Context, node string, from, to time.Time) ([]byte, error) {
	if d.store.View().Cluster.Member(node) == nil {
		return nil, fmt.Errorf("%w: the cluster has no node %q", api.ErrNotFound, node)
	}
	body, err := json.Marshal(reportRequest{From: from, To: to})
	if err != nil {
		return nil, err
	}
	return d.call(ctx, node, serviceReport, body)
}

// serveReport is a node's part of a report.
func (d *Daemon) serveReport(ctx context.Context, _ string, body []byte) ([]byte, error) {
	var r reportRequest
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, err
	}
	host := report.ThisHost()
	if d.cfg.Host != nil {
		host = *d.cfg.Host
	}
	files := report.Hide(append(d.inside(r), host.Facts(ctx, report.Window{From: r.From, To: r.To})...), d.secrets()...)
	var out bytes.Buffer
	err := report.Pack(&out, d.cfg.Now(), files)
	return out.Bytes(), err
}

// inside is what the daemon knows of itself.
func (d *Daemon) inside(r reportRequest) []report.File {
	out := []report.File{asJSON("node.json", d.Self(), nil)}
	topics := d.debugTopics()
	names := make([]string, 0, len(topics))
	for name := range topics {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		v, err := topics[name]()
		out = append(out, asJSON("daemon/"+name+".json", v, err))
	}
	happened, _ := d.journal.Since(0)
	var events bytes.Buffer
	for _, e := range happened {
		if !e.At.Before(r.From) && !e.At.After(r.To) {
			line, err := json.Marshal(e)
			if err == nil {
				events.Write(append(line, '\n'))
			}
		}
	}
	return append(out, report.File{Name: "events.jsonl", Data: events.Bytes()})
}

func asJSON(name string, v any, err error) report.File {
	data, wrong := json.MarshalIndent(v, "", "  ")
	if err == nil {
		err = wrong
	}
	if err != nil {
		data = fmt.Appendf(nil, "(%v)", err)
	}
	return report.File{Name: name, Data: append(data, '\n')}
}

// secrets are those of the configuration, as it is and as it was, and those that this host keeps in files.
func (d *Daemon) secrets() []*secret.Redactor {
	var out []*secret.Redactor
	if c := d.store.View().CIB; c != nil {
		out = append(out, secret.OfHost(c.Root, secret.Dirs()))
	}
	plans, err := d.history.Last(secretsOf)
	if err != nil {
		d.log.Warn("secrets of earlier configurations are not known", "error", err)
	}
	for _, p := range plans {
		data, err := d.history.Input(p.ID())
		if err != nil {
			continue
		}
		if root, err := cib.Parse(p.ID(), data); err == nil {
			out = append(out, secret.OfCIB(root))
		}
	}
	return out
}

package pcs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/report"
	"github.com/cerco-ha/cerco/internal/secret"
	"github.com/cerco-ha/cerco/internal/wire"
)

func reportNoun() *verb {
	return &verb{name: "cluster", sub: []*verb{{name: "report", args: "[DEST]", live: true, options: []string{"from", "to"}, run: clusterReport,
		what: "Write an archive, DEST.tar.gz, with all that is needed to understand a problem: configuration, status, plans, fencings, events, and " +
			"logs and facts of every host that answers, from one time to another (default: the last day). Passwords are taken out. " +
			"A node that cannot be reached is named in it."}}}
}

const (
	// forUnheard is how long a node that gives no sign of life is waited for, forHeard how long one that does.
	forUnheard = time.Second
	forHeard   = time.Minute
	// reportedPlans is how many of the newest plans come with the CIB they were made from.
	reportedPlans = 20
)

// gathering is a report while it is made.
type gathering struct {
	*call
	window  report.Window
	client  *client.Client
	files   []report.File
	missing []string // who or what is not in it, and why
	secrets []*secret.Redactor
}

func clusterReport(c *call) error {
	if err := c.want(0, 1); err != nil {
		return err
	}
	window, err := c.window()
	if err != nil {
		return err
	}
	d, err := c.daemon()
	if err != nil {
		return err
	}
	name := "cerco-report-" + window.To.UTC().Format("20060102-150405")
	if len(c.words) == 1 {
		name = strings.TrimSuffix(strings.TrimSuffix(c.words[0], ".tar.gz"), ".tar.bz2")
	}
	g := &gathering{call: c, window: window, client: d}
	g.configuration()
	g.state()
	g.shown()
	g.nodes()
	return g.write(name + ".tar.gz")
}

// window is the time that --from and --to name.
func (c *call) window() (report.Window, error) {
	w := report.Window{From: c.Now().Add(-24 * time.Hour), To: c.Now()}
	for _, o := range []struct {
		name string
		at   *time.Time
	}{{"from", &w.From}, {"to", &w.To}} {
		if !c.has(o.name) {
			continue
		}
		found := false
		for _, layout := range []string{time.RFC3339, "2006-1-2 15:04:05", "2006-1-2 15:04", "2006-1-2"} {
			if t, err := time.ParseInLocation(layout, c.option(o.name), time.Local); err == nil {
				*o.at, found = t, true
				break
			}
		}
		if !found {
			return w, c.misused("--%s='%s' is no time: give it as '2026-01-31 12:00:00'", o.name, c.option(o.name))
		}
	}
	if !w.From.Before(w.To) {
		return w, c.misused("the report would end (%s) before it begins (%s)", w.To.Format(time.DateTime), w.From.Format(time.DateTime))
	}
	return w, nil
}

func (g *gathering) add(name string, data []byte) {
	g.files = append(g.files, report.File{Name: name, Data: data})
}

// lacks notes what is not in the report.
func (g *gathering) lacks(what string, err error) {
	g.missing = append(g.missing, fmt.Sprintf("%s: %v", what, err))
}

func (g *gathering) json(name string, v any, err error) {
	if err != nil {
		g.lacks(name, err)
		return
	}
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		g.lacks(name, err)
		return
	}
	g.add(name, append(data, '\n'))
}

// document adds a CIB without its secrets, and remembers them.
func (g *gathering) document(name string, data []byte) {
	root, err := cib.Parse(name, data)
	if err != nil {
		g.lacks(name, err)
		return
	}
	g.secrets = append(g.secrets, secret.OfHost(root, secret.Dirs()))
	g.add(name, secret.InCIB(root).AppendXML(nil))
}

// configuration gets the CIB, that of this node if nobody leads, and those that the plans of the time were made from.
func (g *gathering) configuration() {
	ctx, cancel := context.WithTimeout(g.context(), 10*time.Second)
	defer cancel()
	data, err := g.client.CIB(ctx, true)
	if err != nil {
		g.lacks("cib.xml", err)
	} else {
		g.document("cib.xml", data)
	}
	plans, err := g.client.Transitions(ctx, 0)
	var within []wire.Transition
	for _, t := range plans {
		if !t.At.Before(g.window.From) && !t.At.After(g.window.To) {
			within = append(within, t)
		}
	}
	g.json("plans.json", within, err)
	for _, t := range within[:min(len(within), reportedPlans)] {
		data, err := g.client.TransitionCIB(ctx, t.ID)
		if err != nil {
			g.lacks("plans/"+t.ID+".xml", err)
			continue
		}
		g.document("plans/"+t.ID+".xml", data)
	}
}

// state is what the daemon says of the cluster: members, links, votes, what is waited for, fencings.
func (g *gathering) state() {
	ctx, cancel := context.WithTimeout(g.context(), 10*time.Second)
	defer cancel()
	node, err := g.client.Node(ctx)
	g.json("node.json", node, err)
	members, err := g.client.Cluster(ctx)
	g.json("members.json", members, err)
	rest, err := g.client.Rest(ctx, client.Wait{})
	g.json("rest.json", rest, err)
	fencing, err := g.client.FencingHistory(ctx, "")
	g.json("fencing.json", fencing, err)
	metrics, err := g.client.Metrics(ctx)
	if err != nil {
		g.lacks("metrics.txt", err)
		return
	}
	g.add("metrics.txt", metrics)
}

// shown is what the commands show that somebody would type first.
func (g *gathering) shown() {
	for _, line := range []string{"status --full", "quorum status", "cluster verify --full", "config", "property config --full", "stonith history", "constraint --full"} {
		var out bytes.Buffer
		env := g.Env
		env.Stdout, env.Stderr, env.Stdin, env.Own = &out, &out, strings.NewReader(""), nil
		Main(env, g.program, strings.Fields(line))
		g.add("shown/"+strings.ReplaceAll(strings.ReplaceAll(line, " --full", ""), " ", "-")+".txt", out.Bytes())
	}
}

// nodes asks every member for its part, side by side. This host is asked directly if its daemon cannot be.
func (g *gathering) nodes() {
	ctx, cancel := context.WithTimeout(g.context(), 10*time.Second)
	defer cancel()
	members, err := g.client.Cluster(ctx)
	if err != nil {
		g.missing = append(g.missing, "every other node: no daemon answers on this host ("+err.Error()+"). Passwords are not known then: look through the files "+
			"before you give them away")
		own, err := g.Hostname()
		if err != nil {
			own = "this-host"
		}
		g.files = append(g.files, report.Below("nodes/"+own, g.Host.Facts(g.context(), g.window))...)
		return
	}
	patience := map[string]time.Duration{}
	for _, m := range members.Members {
		patience[m.Name] = forHeard
	}
	for _, s := range members.Seen {
		if !s.Heard {
			patience[s.Name] = forUnheard
		}
	}
	parts := make([][]report.File, len(members.Members))
	wrong := make([]error, len(members.Members))
	var wg sync.WaitGroup
	for i, m := range members.Members {
		wg.Go(func() {
			ctx, cancel := context.WithTimeoutCause(g.context(), patience[m.Name], fmt.Errorf("no answer within %s", patience[m.Name]))
			defer cancel()
			data, err := g.client.Report(ctx, m.Name, g.window.From, g.window.To)
			if err == nil {
				parts[i], err = report.Unpack(data)
			}
			wrong[i] = err
		})
	}
	wg.Wait()
	for i, m := range members.Members {
		if wrong[i] != nil {
			g.lacks("node "+m.Name, wrong[i])
			g.note("%s: nothing could be had of it: %v", m.Name, wrong[i])
			continue
		}
		g.note("%s: answered", m.Name)
		g.files = append(g.files, report.Below("nodes/"+m.Name, parts[i])...)
	}
}

// write puts the report into a file that only its owner can read.
func (g *gathering) write(file string) error {
	var text strings.Builder
	fmt.Fprintf(&text, "A report of Cerco, made %s, about the time from %s to %s.\n\n", g.Now().UTC().Format(time.RFC3339),
		g.window.From.UTC().Format(time.RFC3339), g.window.To.UTC().Format(time.RFC3339))
	text.WriteString("cib.xml: the configuration and the status. plans/: what plans were made from; 'cerco simulate -S -x' shows again what was decided.\n" +
		"shown/: what the usual commands show. nodes/: logs, events and facts of each host.\nSecrets are written as " + secret.Mask + ".\n")
	if len(g.missing) > 0 {
		text.WriteString("\nNot in it, since it could not be had:\n")
		for _, m := range g.missing {
			fmt.Fprintf(&text, "  %s\n", m)
		}
	}
	g.files = append([]report.File{{Name: "README", Data: []byte(text.String())}}, g.files...)
	f, file, err := newFile(file)
	if err != nil {
		return err
	}
	dir := strings.TrimSuffix(file[strings.LastIndexByte(file, '/')+1:], ".tar.gz")
	err = report.Pack(f, g.Now(), report.Below(dir, report.Hide(g.files, g.secrets...)))
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(file))
	}
	g.note("The report is in %s", file)
	return nil
}

// newFile makes a file that only its owner can read. What is there is never overwritten: the name gets a number.
func newFile(name string) (*os.File, string, error) {
	free := name
	for i := 1; ; i++ {
		f, err := os.OpenFile(free, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if !errors.Is(err, os.ErrExist) {
			return f, free, err
		}
		free = fmt.Sprintf("%s-%d.tar.gz", strings.TrimSuffix(name, ".tar.gz"), i)
	}
}

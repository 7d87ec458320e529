package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/events"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/status"
	"github.com/cerco-ha/cerco/internal/wire"
)

const statusHelp = `Usage:
  NAME [OPTION...]

Shows the cluster: who decides and whether there is a quorum, nodes, resources, what has failed, what was
fenced, and what the cluster waits for, with the command that would release it. Exit code 69: no daemon answers.

`

// statusCall is one call of cerco status.
type statusCall struct {
	*call
	format, file string
	full, watch  bool
}

func clusterStatusCommand(c *call) int {
	s := &statusCall{call: c}
	f := pflag.NewFlagSet("status", pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&s.format, "output-as", "text", "text, xml (as crm_mon writes it) or json")
	f.BoolVar(&s.full, "full", false, "attributes, fail counts, ids, links and votes, too")
	f.BoolVarP(&s.watch, "watch", "w", false, "stay, and show it anew whenever something happens")
	f.StringVarP(&s.file, "xml-file", "x", "", "show the CIB in a file instead")
	if code, ok := c.options(f, statusHelp); !ok {
		return code
	}
	switch {
	case f.NArg() > 0:
		return c.errorf(exitUsage, "%q is too much", f.Arg(0))
	case !slices.Contains([]string{"text", "xml", "json"}, s.format):
		return c.errorf(exitUsage, "output format %q is unknown: it is text, xml or json", s.format)
	case s.file != "":
		return s.ofFile()
	}
	d, ctx, err := c.daemon()
	if err != nil {
		return c.errorf(exitNoLive, "%v", err)
	}
	defer d.Close()
	if s.watch {
		return s.follow(ctx, d)
	}
	st, err := d.Status(ctx)
	if err != nil {
		return c.failed(err)
	}
	return s.print(&st)
}

// ofFile shows a CIB that no cluster runs.
func (s *statusCall) ofFile() int {
	in, code := s.readCIB(s.file, false, false)
	if in == nil {
		return code
	}
	st := wire.Status{Rest: wire.Rest{Settled: true}}
	return s.show(&st, in)
}

func (s *statusCall) print(st *wire.Status) int {
	in, err := cib.Decode("", []byte(st.CIB))
	if err != nil {
		return s.errorf(exitError, "the cluster's CIB cannot be read: %v", err)
	}
	return s.show(st, in)
}

func (s *statusCall) show(st *wire.Status, in *cib.CIB) int {
	now := s.Now()
	v := scheduler.Look(in, scheduler.Options{Now: now})
	var err error
	switch s.format {
	case "json":
		err = writeJSON(s.Stdout, statusJSON(st, v))
	case "xml":
		o := status.MonOptions{Sections: status.Everything, Now: now, Fencing: st.Fencing, AllFences: true}
		_, err = s.Stdout.Write(status.Result(s.name, status.MonXML(in, v, &o)).AppendXML(nil))
	default:
		_, err = io.WriteString(s.Stdout, s.text(st, in, v, now))
	}
	if err != nil {
		return exitCantOut
	}
	return exitOK
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// text is the whole picture as text: that of crm_mon, and around it what only a live cluster knows.
func (s *statusCall) text(st *wire.Status, in *cib.CIB, v *scheduler.View, now time.Time) string {
	var b bytes.Buffer
	if name := st.Cluster.Name; name != "" {
		fmt.Fprintf(&b, "Cluster name: %s\n", name)
	}
	o := status.MonOptions{Sections: status.Standard, Inactive: true, Now: now, Fencing: st.Fencing, Detail: s.full}
	if s.full {
		o.Sections |= status.NodeAttributes | status.FailCountsSection | status.Tickets | status.Bans | status.FencingDone
	}
	if err := status.Mon(&b, in, v, &o); err != nil {
		return err.Error() // a Buffer takes everything
	}
	waitingText(&b, &st.Rest, now)
	upgradeText(&b, st.Rest.Upgrade)
	keysText(&b, &st.Cluster.Cluster, now)
	quorumText(&b, st)
	s.linksText(&b, st, now)
	return b.String()
}

// waitingText says what the cluster waits for, and what would release it.
func waitingText(b *bytes.Buffer, rest *wire.Rest, now time.Time) {
	if len(rest.Waiting) == 0 {
		return
	}
	b.WriteString("\nWaiting for:\n")
	for _, w := range rest.Waiting {
		fmt.Fprintf(b, "  * %s", w.What)
		if !w.Since.IsZero() {
			fmt.Fprintf(b, ", for %s", ago(now.Sub(w.Since)))
		}
		if w.Why != "" {
			fmt.Fprintf(b, ": %s", w.Why)
		}
		b.WriteByte('\n')
		if w.Release != "" {
			fmt.Fprintf(b, "    to release it: %s\n", w.Release)
		}
	}
}

// upgradeText says that the nodes do not all run the same version, or that they do and it is not final.
func upgradeText(b *bytes.Buffer, u *wire.Upgrade) {
	if u == nil {
		return
	}
	if u.Final {
		b.WriteString("\nUpgrade: all nodes run the new version; `cerco cluster upgrade --final` makes it stay\n")
		return
	}
	var old []string
	for _, m := range u.Members {
		if m.Speaks <= u.Agreed {
			old = append(old, m.Node)
		}
	}
	fmt.Fprintf(b, "\nUpgrade: nodes of several versions; still to be upgraded: %s\n", strings.Join(old, ", "))
}

// keysText names the nodes whose keys should have been exchanged long ago.
func keysText(b *bytes.Buffer, c *cib.Cluster, now time.Time) {
	for i := range c.Members {
		if m := &c.Members[i]; c.KeyOverdue(m, now) {
			fmt.Fprintf(b, "\nKeys: that of %s is of %s, and is to be exchanged every %d days: cerco cluster rotate %s\n",
				m.Name, m.KeySince.Format(time.DateOnly), c.KeyDays, m.Name)
		}
	}
}

// ago is a duration in few words.
func ago(d time.Duration) string {
	switch {
	case d < time.Second:
		return "less than a second"
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// quorumText says what keeps the cluster from acting: no quorum, or nobody who decides.
func quorumText(b *bytes.Buffer, st *wire.Status) {
	n := &st.Node
	if n.Name == "" || n.Quorate && n.Leader != "" {
		return
	}
	b.WriteString("\nWarnings:\n")
	if !n.Quorate {
		fmt.Fprintf(b, "  * %s is part of no quorum: %s (%d of %d votes)\n", n.Name, n.Why, st.Cluster.Quorum.Votes, st.Cluster.Quorum.Expected)
	}
	if n.Leader == "" {
		fmt.Fprintf(b, "  * nobody decides at the moment; what is shown is what %s knew last\n", n.Name)
	}
}

// linksText tells of links that are down; with --full of all of them.
func (s *statusCall) linksText(b *bytes.Buffer, st *wire.Status, now time.Time) {
	var lines []string
	for _, l := range st.Cluster.Links {
		switch {
		case !l.Up:
			text := fmt.Sprintf("  * ring%d to %s (%s) is down", l.Ring, l.Peer, l.Remote)
			if !l.Since.IsZero() {
				text += " for " + ago(now.Sub(l.Since))
			}
			if l.Error != "" {
				text += ": " + l.Error
			}
			lines = append(lines, text)
		case s.full:
			lines = append(lines, fmt.Sprintf("  * ring%d to %s (%s) is up, round trip %.1f ms", l.Ring, l.Peer, l.Remote, l.RTTMS))
		}
	}
	if len(lines) > 0 {
		fmt.Fprintf(b, "\nLinks of %s:\n%s\n", st.Node.Name, strings.Join(lines, "\n"))
	}
	if s.full && len(st.Cluster.Members) > 0 {
		q := &st.Cluster.Quorum
		b.WriteByte('\n')
		if q.Expected > 0 {
			fmt.Fprintf(b, "Votes: %d of %d, %s\n", q.Votes, q.Expected, q.Why)
		}
		fmt.Fprintf(b, "The log is kept by: %s\n", strings.Join(st.Cluster.Voters, ", "))
	}
}

// settling is how long a burst of events may last until it is shown.
const settling = 100 * time.Millisecond

// follow shows the cluster anew whenever something happens, until somebody has had enough.
func (s *statusCall) follow(ctx context.Context, d *client.Client) int {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	happened := make(chan struct{}, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- d.Events(ctx, client.Now, false, func(events.Event) error {
			select {
			case happened <- struct{}{}:
			default:
			}
			return nil
		})
	}()
	tick := time.NewTicker(5 * time.Second) // for what changes with time alone
	defer tick.Stop()
	for {
		st, err := d.Status(ctx)
		if err != nil {
			cancel(err)
			<-ended
			return s.failed(err)
		}
		fmt.Fprint(s.Stdout, "\x1b[H\x1b[2J")
		if code := s.print(&st); code != exitOK {
			return code
		}
		if f, ok := s.Stdout.(interface{ Flush() error }); ok && f.Flush() != nil {
			return exitCantOut
		}
		select {
		case err := <-ended:
			return s.failed(err)
		case <-tick.C:
		case <-happened:
			select { // more may come at once
			case <-time.After(settling):
			case <-ctx.Done():
			}
			select {
			case <-happened:
			default:
			}
		}
	}
}

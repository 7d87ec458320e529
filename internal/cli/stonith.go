package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/wire"
)

const stonithUsage = `Usage: cerco stonith COMMAND [OPTION...]

Cuts nodes off, and tells of it. The commands work on the cluster of this node.

  fence NODE           reboot the node by its fence devices; with --off leave it off
  unfence NODE         let the node in again: switch it on
  confirm NODE         say that you have seen that the node is off; what waits for that goes on
  history [NODE]       what was fenced, when, by which device, and with what proof
  status               what a fencing waits for just now, and which command would release it
  devices [NODE]       the fence devices, or those that can fence the node

Options:
`

// stonithCall is one call of cerco stonith.
type stonithCall struct {
	*call
	ctx              context.Context
	off, force, json bool
	delay, timeout   time.Duration
	tolerance        time.Duration
}

func stonithCommand(c *call) int {
	s := &stonithCall{call: c, ctx: c.Context}
	if s.ctx == nil {
		s.ctx = context.Background()
	}
	flags := pflag.NewFlagSet(c.name, pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.BoolVar(&s.off, "off", false, "fence: switch the node off instead of rebooting it")
	flags.DurationVar(&s.timeout, "timeout", 0, "fence, unfence: what each device may take that has no time-out of its own")
	flags.DurationVar(&s.delay, "delay", -1, "fence: wait so long before, and as the devices ask (default: at once)")
	flags.DurationVar(&s.tolerance, "tolerance", 0, "fence: be content with a fencing that is not longer ago than this")
	flags.BoolVar(&s.force, "force", false, "confirm: accepted for the sake of scripts; nothing is asked anyway")
	flags.BoolVar(&s.json, "json", false, "history, status, devices: print JSON")
	help := flags.BoolP("help", "h", false, "show this")
	if err := flags.Parse(c.args); err != nil {
		return c.errorf(exitUsage, "%v; %s --help lists the options", err, c.name)
	}
	if *help || flags.NArg() == 0 {
		out, code := c.Stderr, exitUsage
		if *help {
			out, code = c.Stdout, exitOK
		}
		fmt.Fprint(out, stonithUsage, flags.FlagUsages())
		return code
	}
	return s.dispatch(flags.Arg(0), flags.Args()[1:])
}

func (s *stonithCall) dispatch(verb string, args []string) int {
	if verb == "history" && len(args) > 0 && args[0] == "show" { // as pcs has it
		args = args[1:]
	}
	verbs := map[string]struct {
		least, most int
		run         func(d *client.Client, node string) int
	}{
		"fence":   {1, 1, s.fence},
		"unfence": {1, 1, s.unfence},
		"confirm": {1, 1, s.confirm},
		"history": {0, 1, s.history},
		"status":  {0, 0, s.status},
		"devices": {0, 1, s.devices},
	}
	v, ok := verbs[verb]
	switch {
	case !ok:
		return s.errorf(exitUsage, "there is no command %q; %s --help lists them", verb, s.name)
	case len(args) < v.least:
		return s.errorf(exitUsage, "%s: name the node", verb)
	case len(args) > v.most:
		return s.errorf(exitUsage, "%s: %q is too much", verb, strings.Join(args[v.most:], " "))
	}
	d, err := client.Dial(s.Socket, nil)
	if err != nil {
		return s.errorf(exitNoLive, "%v", err)
	}
	d.SetTool(s.name)
	return v.run(d, strings.Join(args, ""))
}

func (s *stonithCall) failed(err error) int {
	if errors.Is(err, client.ErrNoDaemon) {
		return s.errorf(exitNoLive, "%v", err)
	}
	return s.errorf(exitError, "%v", err)
}

func (s *stonithCall) fence(d *client.Client, node string) int {
	action := "reboot"
	if s.off {
		action = "off"
	}
	delay := s.delay.Milliseconds()
	if s.delay < 0 {
		delay = -1
	}
	return s.cut(d, wire.Fence{Target: node, Action: action, TimeoutMS: s.timeout.Milliseconds(), DelayMS: delay,
		ToleranceMS: s.tolerance.Milliseconds(), Why: "asked for with " + s.name + " fence"})
}

func (s *stonithCall) unfence(d *client.Client, node string) int {
	return s.cut(d, wire.Fence{Target: node, Action: "on", TimeoutMS: s.timeout.Milliseconds(), DelayMS: -1, Why: "asked for with " + s.name + " unfence"})
}

// lookEvery is how often a fencing that takes its time is asked what it does.
const lookEvery = 2 * time.Second

// cut has a node fenced, and says meanwhile what that waits for.
func (s *stonithCall) cut(d *client.Client, f wire.Fence) int {
	type outcome struct {
		rec cib.FenceRecord
		err error
	}
	end := make(chan outcome, 1)
	go func() {
		rec, err := d.Fence(s.ctx, f)
		end <- outcome{rec, err}
	}()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	said := ""
	for {
		select {
		case o := <-end:
			switch {
			case o.err != nil:
				return s.failed(o.err)
			case o.rec.State != cib.FenceDone:
				return s.errorf(exitError, "%s", o.rec.Error)
			}
			fmt.Fprintln(s.Stdout, outcomeOf(o.rec))
			return exitOK
		case <-tick.C:
			ctx, cancel := context.WithTimeout(s.ctx, lookEvery)
			if st, err := d.Status(ctx); err == nil {
				for _, w := range st.Rest.Waiting {
					if text := waitText(w); (w.Node == f.Target || w.What == noLeader) && text != said {
						said = text
						fmt.Fprintln(s.Stderr, text)
					}
				}
			}
			cancel()
		}
	}
}

func (s *stonithCall) confirm(d *client.Client, node string) int {
	rec, err := d.Confirm(s.ctx, node)
	if err != nil {
		return s.failed(err)
	}
	if rec.State != cib.FenceDone {
		return s.errorf(exitError, "%s", rec.Error)
	}
	if w := s.leaderless(d); w != nil {
		fmt.Fprintf(s.Stdout, "%s counts as off: you have confirmed it. But nothing can be recovered yet: the cluster waits for %s\n", node, waitText(*w))
		return exitOK
	}
	fmt.Fprintf(s.Stdout, "%s counts as off: you have confirmed it. Its services may run elsewhere now.\n", node)
	return exitOK
}

// noLeader is what the cluster waits for before it can wait for anything else.
const noLeader = "a leader"

// leaderless tells why nobody decides, nil where somebody does, or does as soon as it is known that a node is off.
func (s *stonithCall) leaderless(d *client.Client) (wait *wire.Waiting) {
	ctx, cancel := context.WithTimeout(s.ctx, lookEvery)
	defer cancel()
	tick := time.NewTicker(lookEvery / 20)
	defer tick.Stop()
	for {
		st, err := d.Status(ctx)
		if err != nil {
			return wait
		}
		i := slices.IndexFunc(st.Rest.Waiting, func(w wire.Waiting) bool { return w.What == noLeader })
		if i < 0 {
			return nil
		}
		wait = &st.Rest.Waiting[i]
		select {
		case <-tick.C:
		case <-ctx.Done():
			return wait
		}
	}
}

func (s *stonithCall) history(d *client.Client, node string) int {
	list, err := d.FencingHistory(s.ctx, node)
	if err != nil {
		return s.failed(err)
	}
	if s.json {
		return s.printJSON(list)
	}
	if len(list) == 0 {
		fmt.Fprintln(s.Stdout, "Nothing was fenced.")
	}
	for _, r := range list {
		fmt.Fprintln(s.Stdout, outcomeOf(r))
		for _, t := range r.Tries {
			level := ""
			if t.Level > 0 {
				level = fmt.Sprintf(" (level %d)", t.Level)
			}
			said := ""
			if t.Output != "" {
				said = ": " + t.Output
			}
			end := ""
			if t.RC >= 0 {
				end = fmt.Sprintf(", exit code %d", t.RC)
				said = strings.Replace(said, ": "+end[2:], ":", 1)
			}
			fmt.Fprintf(s.Stdout, "    %s  %s%s from %s: %s%s after %s%s\n", clock(t.At), t.Device, level, t.Node, t.Action, end,
				time.Duration(t.TookMS)*time.Millisecond, strings.TrimSuffix(said, ":"))
		}
	}
	return exitOK
}

func (s *stonithCall) status(d *client.Client, _ string) int {
	st, err := d.Status(s.ctx)
	if err != nil {
		return s.failed(err)
	}
	var waiting []wire.Waiting
	for _, w := range st.Rest.Waiting {
		if w.What == noLeader || strings.HasPrefix(w.What, "fencing of ") {
			waiting = append(waiting, w)
		}
	}
	if s.json {
		return s.printJSON(waiting)
	}
	if len(waiting) == 0 {
		fmt.Fprintln(s.Stdout, "No fencing is under way.")
	}
	for _, w := range waiting {
		fmt.Fprintln(s.Stdout, waitText(w))
	}
	return exitOK
}

func (s *stonithCall) devices(d *client.Client, node string) int {
	list, err := d.FenceDevices(s.ctx, node)
	if err != nil {
		return s.failed(err)
	}
	if s.json {
		return s.printJSON(list)
	}
	for _, v := range list {
		line := v.ID
		if v.Agent != "" {
			line += "\t(stonith:" + v.Agent + ")"
		}
		if v.Level > 0 {
			line += fmt.Sprintf("\tlevel %d", v.Level)
		}
		fmt.Fprintln(s.Stdout, line)
	}
	if len(list) > 0 {
		return exitOK
	}
	if node == "" {
		return s.errorf(exitError, "there is no fence device; without one no node that is lost can be recovered, unless somebody confirms that it is off")
	}
	return s.errorf(exitError, "no device can fence %s", node)
}

func (s *stonithCall) printJSON(v any) int {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return s.errorf(exitError, "%v", err)
	}
	fmt.Fprintln(s.Stdout, string(b))
	return exitOK
}

func clock(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

// outcomeOf is one fencing in one line.
func outcomeOf(r cib.FenceRecord) string {
	who := fmt.Sprintf("%s of %s for %s", r.Action, r.Target, r.By)
	if r.Why != "" {
		who += " (" + r.Why + ")"
	}
	switch r.State {
	case cib.FenceDone:
		return fmt.Sprintf("%s  %s: done%s", clock(r.Completed), who, proof(r))
	case cib.FenceFailed:
		return fmt.Sprintf("%s  %s: FAILED: %s", clock(r.Completed), who, r.Error)
	}
	return fmt.Sprintf("%s  %s: pending", clock(r.Requested), who)
}

// proof says why a node is taken to be off.
func proof(r cib.FenceRecord) string {
	devices := strings.Join(r.Devices, " and ")
	switch r.Evidence {
	case cib.ByAgent:
		return fmt.Sprintf(" by %s from %s", devices, r.Node)
	case cib.AlreadyOff:
		return fmt.Sprintf(": %s found it off, asked from %s", devices, r.Node)
	case cib.ByWatchdog:
		return ": its watchdog has had time to reset it"
	case cib.ByOperator:
		return ": an operator has confirmed that it is off"
	case cib.ByItself:
		return ": it came back with another boot id"
	}
	return ""
}

// waitText is what is waited for, and the way out.
func waitText(w wire.Waiting) string {
	text := w.What
	if w.Why != "" {
		text += ": " + w.Why
	}
	if w.Release != "" {
		text += fmt.Sprintf("\n    once you have seen that it is off: %s", w.Release)
	}
	return text
}

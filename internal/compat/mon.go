package compat

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
	"github.com/cerco-ha/cerco/internal/status"
)

// monCall is what crm_mon was asked to show.
type monCall struct {
	*call
	common
	status.MonOptions
	simple, legacy, quiet, hide bool
	fences                      int // level of the history of fencing, -1: not asked for
	html, wrong                 string
	fencing                     []cib.FenceRecord
}

func crmMon(c *call) int {
	m := &monCall{call: c, fences: -1}
	m.Sections = status.Standard
	section := func(short byte, long string, s status.Section) option {
		return option{short, long, none, func(string, bool) { m.Sections |= s }}
	}
	own := []option{
		flagTo('1', "one-shot", new(bool)), flagTo('N', "disable-ncurses", new(bool)), flagTo('n', "group-by-node", &m.ByNode),
		flagTo('r', "inactive", &m.Inactive), section('f', "failcounts", status.FailCountsSection), section('o', "operations", status.Operations),
		{'t', "timing-details", none, func(string, bool) { m.Timing, m.Sections = true, m.Sections|status.Operations }},
		section('c', "tickets", status.Tickets), section('A', "show-node-attributes", status.NodeAttributes),
		{'m', "fence-history", optional, m.setFences}, {'L', "neg-locations", optional, func(v string, _ bool) {
			m.Sections, m.BanPrefix = m.Sections|status.Bans, v
		}},
		flagTo('D', "hide-headers", &m.hide), flagTo('R', "show-detail", &m.Detail), flagTo('b', "brief", &m.Brief),
		flagTo('j', "pending", new(bool)), flagTo('s', "simple-status", &m.simple), flagTo('X', "as-xml", &m.legacy), textTo('h', "as-html", &m.html),
		flagTo('w', "web-cgi", new(bool)), flagTo('Q', "quiet", &m.quiet), textTo('i', "interval", new(string)), flagTo('d', "daemonize", new(bool)),
		textTo('p', "pid-file", new(string)), textTo('E', "external-agent", new(string)), textTo('e', "external-recipient", new(string)),
		flagTo('W', "watch-fencing", new(bool)), textTo(0, "node", &m.Node), textTo(0, "resource", &m.Resource),
		{'I', "include", required, func(v string, _ bool) { m.include(v, true) }}, {'U', "exclude", required, func(v string, _ bool) { m.include(v, false) }},
	}
	_, code, done := c.parse(&m.common, own)
	switch {
	case done:
		return code
	case m.wrong != "":
		return c.errorf(exitUsage, "%s", m.wrong)
	}
	return m.show()
}

func (m *monCall) setFences(v string, given bool) {
	m.fences = 2
	if given {
		m.fences = parse(v)
	}
}

// include adds or takes away sections by name.
func (m *monCall) include(list string, with bool) {
	names := map[string]status.Section{"attributes": status.NodeAttributes, "bans": status.Bans, "counts": status.Counts, "dc": status.DC,
		"failcounts": status.FailCountsSection, "failures": status.Failed, "fencing": status.Fencing, "fencing-failed": status.FencingFailed,
		"fencing-pending": status.FencingPending, "fencing-succeeded": status.FencingDone, "maint-mode": 0, "nodes": status.NodeList,
		"operations": status.Operations, "options": status.OptionsSection, "resources": status.Resources, "stack": status.Stack,
		"summary": status.SummarySection, "tickets": status.Tickets, "times": status.Times, "all": status.Everything &^ status.OptionsSection, "none": 0, "default": status.Standard}
	for _, name := range strings.Split(list, ",") {
		s, known := names[name]
		switch {
		case !known && with && strings.HasPrefix(name, "bans:"):
			m.Sections, m.BanPrefix = m.Sections|status.Bans, strings.TrimPrefix(name, "bans:")
		case !known:
			m.wrong = fmt.Sprintf("%s options: all, attributes, bans, counts, dc, failcounts, failures, fencing, fencing-failed, fencing-pending, "+
				"fencing-succeeded, maint-mode, nodes, none, operations, options, resources, stack, summary, tickets, times",
				map[bool]string{true: "--include=<...>", false: "--exclude=<...>"}[with])
		case name == "none" && with || name == "all" && !with:
			m.Sections = 0
		case name == "none":
			m.Sections = status.Everything
		case name == "default" && with:
			m.Sections = status.Standard
		case with:
			m.Sections |= s
		default:
			m.Sections &^= s
		}
	}
}

// show shows the cluster once.
func (m *monCall) show() int {
	doc, code := m.load()
	if doc == nil {
		return code
	}
	v := scheduler.Look(doc, scheduler.Options{Now: m.call.Now()})
	m.MonOptions.Now = m.call.Now()
	switch {
	case m.simple:
		return m.simpleStatus(v)
	case m.html != "" || m.outputAs == "html":
		return m.errorf(exitUsage, "Cerco writes no HTML here; its console is on the node's HTTPS port")
	case m.legacy || m.outputAs == "xml":
		return m.xml(doc, v)
	}
	if m.open().live() != nil {
		m.printf("Status of pacemakerd: 'Pacemaker is running' (last updated %s)\n", status.FenceTime(m.call.Now()))
	}
	m.fencesWanted()
	if m.hide {
		m.Sections &^= status.SummarySection | status.OptionsSection
	}
	if err := status.Mon(m.Stdout, doc, v, &m.MonOptions); err != nil {
		return exitError
	}
	return exitOK
}

// fencesWanted sets what of the history of fencing is shown.
func (m *monCall) fencesWanted() {
	m.MonOptions.Fencing = m.fencing
	switch m.fences {
	case 0:
		m.Sections &^= status.Fencing
	case 1:
		m.Sections |= status.FencingFailed | status.FencingPending
	case 2, 3:
		m.Sections |= status.Fencing
		m.AllFences = m.fences == 3
	}
}

// load reads the CIB and the history of fencing.
func (m *monCall) load() (*cib.CIB, int) {
	doc, err := m.open().document()
	switch {
	case errors.Is(err, fs.ErrNotExist) && m.open().live() == nil:
		return nil, m.errorf(exitNoSuch, "Connection to cluster failed: No such file or directory")
	case err != nil && disconnected(err):
		m.plainErrorf(0, "error: Could not connect to launcher: Connection refused")
		return nil, m.errorf(exitDisconnect, "Connection to cluster failed: Connection refused")
	case err != nil:
		code, words := failureOf(err)
		return nil, m.errorf(code, "Connection to cluster failed: %s", words)
	}
	if d := m.open().live(); d != nil {
		if m.fencing, err = d.FencingHistory(m.context(), ""); err != nil {
			m.detail(err)
		}
	}
	return doc, exitOK
}

// xml writes XML, whole or in its old form.
func (m *monCall) xml(doc *cib.CIB, v *scheduler.View) int {
	o := m.MonOptions
	o.Sections, o.Fencing, o.AllFences = status.Everything, m.fencing, true
	els := status.MonXML(doc, v, &o)
	if m.open().live() != nil {
		daemon := cib.NewElement("pacemakerd", attrs("sys_from", "pacemakerd", "state", "running", "last_updated", status.FenceTime(m.call.Now())))
		els = append([]*cib.Element{daemon}, els...)
	}
	if !m.legacy {
		return m.result(exitOK, "", els...)
	}
	if _, err := m.Stdout.Write(cib.NewElement("crm_mon", attrs("version", Version), els...).AppendXML(nil)); err != nil {
		return exitError
	}
	return exitOK
}

// simpleStatus is one line for monitoring.
func (m *monCall) simpleStatus(v *scheduler.View) int {
	var offline, standby, maintenance []string
	online := 0
	for _, n := range v.Nodes {
		switch {
		case n.Standby && n.Online:
			standby = append(standby, n.Name)
		case n.Maintenance && n.Online:
			maintenance = append(maintenance, n.Name)
		case n.Online:
			online++
		default:
			offline = append(offline, "offline node: "+n.Name)
		}
	}
	switch {
	case v.DC == "":
		m.printf("CLUSTER WARN: No DC\n")
	case len(offline) > 0:
		m.printf("CLUSTER WARN: %s\n", strings.Join(offline, ", "))
		if m.open().live() == nil {
			m.plainErrorf(0, "Error outputting status info from the fencer or CIB")
		}
	default:
		s := fmt.Sprintf("CLUSTER OK: %d node%s online", online, plural(online))
		if len(standby) > 0 {
			s += fmt.Sprintf(", %d standby node%s", len(standby), plural(len(standby)))
		}
		if len(maintenance) > 0 {
			s += fmt.Sprintf(", %d maintenance node%s", len(maintenance), plural(len(maintenance)))
		}
		m.printf("%s, %d resource instance%s configured\n", s, v.Total, plural(v.Total))
	}
	return exitOK
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

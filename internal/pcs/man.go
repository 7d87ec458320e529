package pcs

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

func manNoun() *verb {
	return &verb{name: "man", run: func(c *call) error { return c.manual(c.Stdout) },
		what: "Print the manual page, from the same source as the help: cerco man | man -l -"}
}

// manual writes the manual page: the tree, and the commands besides it.
func (c *call) manual(out io.Writer) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, ".TH CERCO 8 \"\" \"Cerco\" \"System Administration\"\n.nh\n.ad l\n")
	heading(w, "NAME")
	paragraph(w, "cerco, pcs - high availability for virtual machines and services")
	heading(w, "SYNOPSIS")
	for _, line := range []string{"cerco [-f FILE] [OPTION...] COMMAND...", "pcs [-f FILE] [OPTION...] COMMAND...", "cerco help COMMAND"} {
		fmt.Fprintf(w, ".B %s\n.br\n", escaped(line))
	}
	heading(w, "DESCRIPTION")
	paragraph(w, "Cerco keeps virtual machines and services running across a set of hosts. It understands the commands of pcs in the dialects 0.9, 0.11 "+
		"and 0.12. Each command that changes something is one change: checked, made whole or not at all, and confirmed when it is on the disks of a majority.")
	heading(w, "OPTIONS")
	for _, o := range [][2]string{
		{"-f FILE", "Work on the CIB in a file instead of on the cluster."},
		{"--corosync_conf FILE", "Work on a corosync.conf in a file."},
		{"--dry-run", "Show what the cluster would do, and change nothing."},
		{"--wait[=SECONDS]", "Wait until the cluster has come to rest."},
		{"--force", "Do what is only doubtful."},
		{"--yes", "Do not ask."},
		{"--output-as FORMAT, --output-format FORMAT", "Answer as json, or in another form that the command knows."},
		{"--help, --version", "Say how a command is used; say whose language this is."},
	} {
		entry(w, o[0], o[1])
	}
	for _, n := range nouns() {
		heading(w, strings.ToUpper(n.name))
		if len(n.sub) > 0 || n.run == nil {
			paragraph(w, n.what)
		}
		manVerbs(w, n, n.name)
	}
	if c.Others != nil {
		heading(w, "OTHER COMMANDS")
		paragraph(w, "Each says more with --help.")
		for _, o := range c.Others() {
			entry(w, o.Name, strings.ToUpper(o.What[:1])+o.What[1:]+".")
		}
	}
	manEnd(w)
	return w.Flush()
}

func manVerbs(w io.Writer, v *verb, words string) {
	if v.run != nil {
		entry(w, usageLine(v, words), v.what)
	}
	for _, s := range v.sub {
		manVerbs(w, s, words+" "+s.name)
	}
}

func manEnd(w io.Writer) {
	heading(w, "EXIT STATUS")
	paragraph(w, "0 if all went well, 1 if not; what is wrong is said on standard error. Commands by the names of Pacemaker's tools have the codes of those.")
	heading(w, "ENVIRONMENT")
	entry(w, "CERCO_SOCKET", "Where the daemon of this node listens, if not at /run/cerco/cerco.sock.")
	entry(w, "EDITOR", "What 'cluster edit' edits with.")
	heading(w, "FILES")
	entry(w, "/etc/cerco", "The identity of this node; only root can read it.")
	entry(w, "/var/lib/cerco", "The log of the cluster, plans that were made, secrets of fence devices.")
	heading(w, "SEE ALSO")
	fmt.Fprintf(w, ".BR crm_simulate (8),\n.BR crm_mon (8),\n.BR journalctl (1)\n")
}

func heading(w io.Writer, text string) { fmt.Fprintf(w, ".SH \"%s\"\n", escaped(text)) }

func paragraph(w io.Writer, text string) { fmt.Fprintf(w, "%s\n", escaped(text)) }

// entry is a term and what there is to say of it.
func entry(w io.Writer, term, text string) {
	fmt.Fprintf(w, ".TP\n.B %s\n%s\n", escaped(term), escaped(text))
}

// escaped is a text as roff prints it: no line of it is a request, and a dash is one that can be copied.
func escaped(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "\n", " ", `"`, `\(dq`, "'", `\(aq`).Replace(text)
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	return text
}

package pcs

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/convert"
	"github.com/cerco-ha/cerco/internal/listing"
	"github.com/cerco-ha/cerco/internal/secret"
)

func importNoun() *verb {
	return &verb{name: "import", args: "FILE", options: []string{"show-secrets"}, run: importFile,
		what: "Carry over what another cluster manager left behind: a corosync.conf, the cluster.conf of CMAN and rgmanager, or a CIB. " +
			"Shows what becomes of it; with -f OUT.xml, puts it into that CIB; with --yes, into the cluster of this node."}
}

// importFile reads a file of another cluster manager and shows, or does, what it comes to.
func importFile(c *call) error {
	if err := c.want(1, 1); err != nil {
		return err
	}
	file := c.words[0]
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var r *convert.Result
	switch kind := kindOf(data); kind {
	case "cib":
		return c.importCIB(file, data)
	case "cluster":
		r, err = convert.ClusterConf(file, data)
	case "corosync":
		r, err = convert.Corosync(file, data)
	default:
		return fmt.Errorf("%s is none of the files that can be carried over: a corosync.conf, a cluster.conf (it begins with <cluster>), or a CIB (<cib>)", file)
	}
	if err != nil {
		return err
	}
	c.report(file, r)
	if !c.onFile() && !c.has("yes") {
		c.note("\nNothing was done. '%s import %s -f cib.xml' puts the commands' effect into a file; '--yes' into the cluster of this node.", c.program, file)
		return nil
	}
	for _, words := range r.Commands {
		if err := c.again(words); err != nil {
			return fmt.Errorf("%s %s: %w", c.program, strings.Join(masked(words), " "), err)
		}
	}
	return nil
}

// kindOf tells what a file is, from how it begins.
func kindOf(data []byte) string {
	text := strings.TrimSpace(string(data))
	if strings.HasPrefix(text, "<") {
		for _, kind := range []string{"cib", "cluster"} {
			if root, err := cib.Parse("", data); err == nil && root.Name == kind || bytes.Contains(data, []byte("<"+kind+" ")) {
				return kind
			}
		}
		return ""
	}
	if strings.Contains(text, "{") {
		return "corosync"
	}
	return ""
}

// again runs another command on what this one works on.
func (c *call) again(words []string) error {
	p, err := parse(words)
	if err != nil {
		return err
	}
	for name, values := range c.options {
		if name == "f" || name == "dry-run" || name == "wait" {
			p.options[name] = values
		}
	}
	next := &call{Env: c.Env, program: c.program, options: p.options, opened: c.opened}
	next.path, next.verb, next.words = route(p.words)
	if next.verb == nil || next.verb.run == nil {
		return fmt.Errorf("there is no such command")
	}
	return next.verb.run(next)
}

// masked hides secrets among words.
func masked(words []string) []string {
	out := slices.Clone(words)
	for i, w := range out {
		if name, _, ok := strings.Cut(w, "="); ok && secret.Is(name) {
			out[i] = name + "=" + secret.Mask
		}
	}
	return out
}

// report shows what a file comes to: the commands that found the cluster, those that fill it, and what a reader must know.
func (c *call) report(file string, r *convert.Result) {
	out := func(format string, args ...any) { fmt.Fprintf(c.Stdout, format, args...) }
	out("The cluster %s, of %s\n\n", r.Cluster, file)
	for i, n := range r.Nodes {
		command := "cerco cluster setup " + r.Cluster
		if i > 0 {
			command = "cerco cluster join"
		}
		command += " --node " + n.Name
		if len(n.Addrs) > 0 {
			command += " --addr " + strings.Join(n.Addrs, ",")
		}
		out("  on %s:\t%s\n", n.Name, command)
		if i == 0 && len(r.Nodes) > 1 {
			out("  there:\tcerco cluster invite\t(a token for each further node; join asks for it)\n")
		}
	}
	if len(r.Quorum) > 0 {
		out("  there:\tcerco cluster options %s\n", strings.Join(r.Quorum, " "))
	}
	if len(r.Commands) > 0 {
		out("\nIts resources, as commands:\n\n")
	}
	for _, words := range r.Commands {
		shown := words
		if !c.has("show-secrets") {
			shown = masked(words)
		}
		out("  pcs")
		for _, w := range shown {
			out(" %s", listing.Shell(w))
		}
		out("\n")
	}
	for _, kind := range []convert.Kind{convert.Wrong, convert.Dropped, convert.Changed} {
		title := map[convert.Kind]string{convert.Wrong: "Look at this first", convert.Dropped: "What has no counterpart", convert.Changed: "What is different"}[kind]
		first := true
		for _, n := range r.Notes {
			if n.Kind != kind {
				continue
			}
			if first {
				out("\n%s:\n\n", title)
				first = false
			}
			at := ""
			if n.Line > 0 {
				at = fmt.Sprintf("%s:%d: ", file, n.Line)
			}
			out("  * %s%s\n", at, n.Text)
		}
	}
}

// importCIB checks a CIB of another version, and puts it in force.
func (c *call) importCIB(file string, data []byte) error {
	doc, err := cib.Decode(file, data)
	if err != nil {
		return err
	}
	bad := 0
	for _, p := range cib.Check(doc) {
		fmt.Fprintf(c.Stdout, "%s\n", p)
		if p.Severity == cib.Error {
			bad++
		}
	}
	fmt.Fprintf(c.Stdout, "%s: schema %s, %d nodes, errors: %d\n", file, doc.Root.Attr("validate-with"), len(doc.Nodes), bad)
	if bad > 0 {
		return errors.New("mend the errors first; nothing was done")
	}
	if !c.onFile() && !c.has("yes") {
		c.note("\nNothing was done. '%s import %s --yes' puts its configuration in force; who belongs to the cluster is not taken from it.", c.program, file)
		return nil
	}
	w, now, err := c.document()
	if err != nil {
		return err
	}
	conf := part(doc.Root, "configuration")
	if own := part(now.Root, "nodes"); own != nil && !c.onFile() {
		if theirs := conf.Child("nodes"); theirs != nil {
			conf = conf.Swap(theirs, own)
		} else {
			conf = conf.WithChild(own)
		}
	}
	return c.commit(w, now, withPart(now.Root, conf, "configuration"))
}

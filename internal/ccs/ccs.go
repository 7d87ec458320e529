// Package ccs is the command of that name, which wrote the cluster.conf of CMAN and rgmanager: its verbs work on a file.
//
// It owns their words and what they say. It promises that a cluster.conf keeps what it does not know of, that its
// version rises with each change, and that a refused command changes nothing. There is no ricci to talk to: verbs that
// need one are refused with what to do instead.
package ccs

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Env is the world as the command sees it. Read and Write are those of files; an error of Read that is fs.ErrNotExist
// is no file.
type Env struct {
	Stdout, Stderr io.Writer
	Read           func(file string) ([]byte, error)
	Write          func(file string, data []byte) error
}

const help = `Usage: ccs -f FILE VERB [ARGUMENT...]

Writes a cluster.conf; 'cerco import FILE' carries it over into a cluster of today.

`

// call is one call.
type call struct {
	Env
	file string
	root *cib.Element
	args []string
}

// verb is one thing to do. It returns the cluster as it is then, and what to say.
type verb struct {
	name, args string
	least      int
	run        func(c *call) (*cib.Element, string, error)
}

func verbs() []verb {
	return []verb{
		{"createcluster", "NAME", 1, createCluster},
		{"getconf", "", 0, func(c *call) (*cib.Element, string, error) {
			return c.root, strings.TrimSuffix(c.root.String(), "\n"), nil
		}},
		{"getversion", "", 0, func(c *call) (*cib.Element, string, error) { return c.root, c.root.Attr("config_version"), nil }},
		{"setversion", "N", 1, setVersion},
		{"incversion", "", 0, func(c *call) (*cib.Element, string, error) { return bump(c.root), "", nil }},
		{"addnode", "NODE [--nodeid N] [--votes N]", 1, addNode},
		{"rmnode", "NODE", 1, remove("Node", "clusternodes", "clusternode")},
		{"lsnodes", "", 0, list("clusternodes", "clusternode")},
		{"addfencedev", "NAME agent=AGENT [OPTION=VALUE...]", 1, add("Fence device", "fencedevices", "fencedevice")},
		{"rmfencedev", "NAME", 1, remove("Fence device", "fencedevices", "fencedevice")},
		{"lsfencedev", "", 0, list("fencedevices", "fencedevice")},
		{"addmethod", "METHOD NODE", 2, addMethod},
		{"rmmethod", "METHOD NODE", 2, removeMethod},
		{"addfenceinst", "DEVICE NODE METHOD [OPTION=VALUE...]", 3, addInstance},
		{"rmfenceinst", "DEVICE NODE METHOD", 3, removeInstance},
		{"addfailoverdomain", "NAME [restricted] [ordered] [nofailback]", 1, addDomain},
		{"rmfailoverdomain", "NAME", 1, remove("Failover domain", "rm/failoverdomains", "failoverdomain")},
		{"lsfailoverdomain", "", 0, list("rm/failoverdomains", "failoverdomain")},
		{"addfailoverdomainnode", "DOMAIN NODE [PRIORITY]", 2, addDomainNode},
		{"addresource", "TYPE [OPTION=VALUE...]", 1, addResource},
		{"lsresources", "", 0, list("rm/resources", "")},
		{"addservice", "NAME [OPTION=VALUE...]", 1, add("Service", "rm", "service")},
		{"rmservice", "NAME", 1, remove("Service", "rm", "service")},
		{"lsservices", "", 0, list("rm", "")},
		{"addsubservice", "SERVICE TYPE [OPTION=VALUE...]", 2, addSubservice},
		{"addvm", "NAME [OPTION=VALUE...]", 1, add("VM", "rm", "vm")},
		{"rmvm", "NAME", 1, remove("VM", "rm", "vm")},
		{"setcman", "[OPTION=VALUE...]", 0, set("cman")},
		{"settotem", "[OPTION=VALUE...]", 0, set("totem")},
		{"setfencedaemon", "[OPTION=VALUE...]", 0, set("fence_daemon")},
		{"setquorumd", "[OPTION=VALUE...]", 0, set("quorumd")},
		{"setlogging", "[OPTION=VALUE...]", 0, set("logging")},
		{"setmulticast", "ADDRESS", 1, setMulticast},
	}
}

// Main runs the command and returns its exit code.
func Main(env Env, args []string) int {
	c := &call{Env: env}
	v, err := c.parse(args)
	if err == nil && v == nil {
		usage(env.Stdout)
		return 0
	}
	if err == nil {
		err = c.carryOut(v)
	}
	if err != nil {
		fmt.Fprintf(env.Stderr, "ccs: %v\n", err)
		return 1
	}
	return 0
}

func usage(w io.Writer) {
	fmt.Fprint(w, help)
	for _, v := range verbs() {
		fmt.Fprintf(w, "  --%s %s\n", v.name, v.args)
	}
}

// parse reads the command line; nil without an error asks for help.
func (c *call) parse(args []string) (*verb, error) {
	var found *verb
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		name, isLong := strings.CutPrefix(arg, "--")
		i := slices.IndexFunc(verbs(), func(v verb) bool { return v.name == name })
		switch {
		case arg == "-f" && len(args) > 0, arg == "--file" && len(args) > 0:
			c.file, args = args[0], args[1:]
		case arg == "--help":
			return nil, nil
		case arg == "-i" || arg == "--ignore":
		case arg == "-h" || arg == "--host" || arg == "--sync" || arg == "--activate" || name == "startall" || name == "stopall" || name == "start" || name == "stop":
			return nil, fmt.Errorf("%s talks to ricci, which is no more: write the file with -f FILE, and carry it over with 'cerco import FILE'", arg)
		case isLong && i >= 0 && found == nil:
			found = &verbs()[i]
		case isLong && found == nil:
			return nil, fmt.Errorf("there is no verb %s; ccs --help lists them", arg)
		case found == nil:
			return nil, fmt.Errorf("what is %q? ccs -f FILE VERB [ARGUMENT...]", arg)
		default:
			c.args = append(c.args, arg)
		}
	}
	switch {
	case found == nil:
		return nil, nil
	case c.file == "":
		return nil, fmt.Errorf("--%s needs a file: ccs -f FILE --%s %s", found.name, found.name, found.args)
	case len(c.args) < found.least:
		return nil, fmt.Errorf("--%s needs more words: ccs -f %s --%s %s", found.name, c.file, found.name, found.args)
	}
	return found, nil
}

func (c *call) carryOut(v *verb) error {
	if v.name != "createcluster" {
		data, err := c.Read(c.file)
		if err != nil {
			return fmt.Errorf("%w: ccs -f %s --createcluster NAME makes one", err, c.file)
		}
		if c.root, err = cib.Parse(c.file, data); err != nil {
			return err
		}
		if c.root.Name != "cluster" {
			return fmt.Errorf("%s is no cluster.conf: it begins with <%s>", c.file, c.root.Name)
		}
	}
	next, say, err := v.run(c)
	if err != nil {
		return err
	}
	if next != c.root {
		if v.name != "setversion" && v.name != "incversion" && c.root != nil {
			next = bump(next)
		}
		if err := c.Write(c.file, append([]byte("<?xml version=\"1.0\"?>\n"), next.AppendXML(nil)...)); err != nil {
			return err
		}
	}
	if say != "" {
		fmt.Fprintln(c.Stdout, say)
	}
	return nil
}

func bump(root *cib.Element) *cib.Element {
	n, _ := strconv.Atoi(root.Attr("config_version"))
	return root.With("config_version", strconv.Itoa(n+1))
}

func setVersion(c *call) (*cib.Element, string, error) {
	if n, err := strconv.Atoi(c.args[0]); err != nil || n < 1 {
		return nil, "", fmt.Errorf("%q is no version: give a number from 1", c.args[0])
	}
	return c.root.With("config_version", c.args[0]), "", nil
}

func createCluster(c *call) (*cib.Element, string, error) {
	if len(c.args[0]) > 15 {
		return nil, "", fmt.Errorf("the name %q is longer than 15 letters", c.args[0])
	}
	var parts []*cib.Element
	for _, n := range []string{"fence_daemon", "clusternodes", "cman", "fencedevices"} {
		parts = append(parts, cib.NewElement(n, nil))
	}
	parts = append(parts, cib.NewElement("rm", nil, cib.NewElement("failoverdomains", nil), cib.NewElement("resources", nil)))
	return cib.NewElement("cluster", []cib.Attr{{Name: "config_version", Value: "1"}, {Name: "name", Value: c.args[0]}}, parts...), "", nil
}

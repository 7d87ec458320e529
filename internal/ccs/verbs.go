package ccs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// at has f change the element that names lead to, which is made where it is not there.
func at(e *cib.Element, path string, f func(*cib.Element) (*cib.Element, error)) (*cib.Element, error) {
	if path == "" {
		return f(e)
	}
	name, rest, _ := strings.Cut(path, "/")
	if !cib.ValidName(name) {
		return nil, fmt.Errorf("%q is no kind of resource", name)
	}
	child := e.Child(name)
	made := child == nil
	if made {
		child = cib.NewElement(name, nil)
	}
	next, err := at(child, rest, f)
	switch {
	case err != nil:
		return nil, err
	case made:
		return e.WithChild(next), nil
	}
	return e.Swap(child, next), nil
}

// named is the child of a name, nil if there is none. An empty kind is any.
func named(e *cib.Element, kind, name string) *cib.Element {
	for c := range e.Elements() {
		if (kind == "" || c.Name == kind) && c.Attr("name") == name {
			return c
		}
	}
	return nil
}

// attrs reads words of the form OPTION=VALUE.
func attrs(words []string, first ...cib.Attr) ([]cib.Attr, error) {
	for _, w := range words {
		name, value, ok := strings.Cut(w, "=")
		if !ok || !cib.ValidName(name) {
			return nil, fmt.Errorf("%q is not of the form OPTION=VALUE", w)
		}
		first = cib.SetAttr(first, name, value)
	}
	return first, nil
}

// add makes the verb that adds something with a name.
func add(what, path, kind string) func(*call) (*cib.Element, string, error) {
	return func(c *call) (*cib.Element, string, error) {
		list, err := attrs(c.args[1:], cib.Attr{Name: "name", Value: c.args[0]})
		if err != nil {
			return nil, "", err
		}
		next, err := at(c.root, path, func(e *cib.Element) (*cib.Element, error) {
			if named(e, kind, c.args[0]) != nil {
				return nil, fmt.Errorf("%s %s is there already", what, c.args[0])
			}
			return e.WithChild(cib.NewElement(kind, list)), nil
		})
		return next, "", err
	}
}

// remove makes the verb that takes something out.
func remove(what, path, kind string) func(*call) (*cib.Element, string, error) {
	return func(c *call) (*cib.Element, string, error) {
		next, err := at(c.root, path, func(e *cib.Element) (*cib.Element, error) {
			old := named(e, kind, c.args[0])
			if old == nil {
				return nil, fmt.Errorf("there is no %s %s", strings.ToLower(what), c.args[0])
			}
			return e.Swap(old, nil), nil
		})
		return next, "", err
	}
}

// list makes the verb that shows what there is; an empty kind is any but the lists of rgmanager.
func list(path, kind string) func(*call) (*cib.Element, string, error) {
	return func(c *call) (*cib.Element, string, error) {
		e := c.root
		for _, name := range strings.Split(path, "/") {
			if e = e.Child(name); e == nil {
				return c.root, "", nil
			}
		}
		var lines []string
		var show func(e *cib.Element, depth int)
		show = func(e *cib.Element, depth int) {
			for x := range e.Elements() {
				if depth == 0 && (kind != "" && x.Name != kind || x.Name == "failoverdomains" || x.Name == "resources") {
					continue
				}
				line := strings.Repeat("  ", depth) + cmpName(x)
				for name, value := range x.Attrs() {
					if name != "name" {
						if name == "passwd" {
							value = "******"
						}
						line += ", " + name + "=" + value
					}
				}
				lines = append(lines, line)
				show(x, depth+1)
			}
		}
		show(e, 0)
		return c.root, strings.Join(lines, "\n"), nil
	}
}

func cmpName(e *cib.Element) string {
	if n := e.Attr("name"); n != "" {
		switch e.Name {
		case "clusternode", "fencedevice", "failoverdomain":
			return n
		}
		return e.Name + ": " + n
	}
	return e.Name
}

func addNode(c *call) (*cib.Element, string, error) {
	node := c.args[0]
	var id, votes string
	for i := 1; i < len(c.args); i++ {
		var to *string
		switch c.args[i] {
		case "--nodeid":
			to = &id
		case "--votes":
			to = &votes
		default:
			return nil, "", fmt.Errorf("what is %q? --addnode NODE [--nodeid N] [--votes N]", c.args[i])
		}
		if i++; i >= len(c.args) {
			return nil, "", fmt.Errorf("%s needs a number", c.args[i-1])
		}
		if _, err := strconv.Atoi(c.args[i]); err != nil {
			return nil, "", fmt.Errorf("%s %q: give a number", c.args[i-1], c.args[i])
		}
		*to = c.args[i]
	}
	next, err := at(c.root, "clusternodes", func(e *cib.Element) (*cib.Element, error) {
		if named(e, "clusternode", node) != nil {
			return nil, fmt.Errorf("the node %s is there already", node)
		}
		list := []cib.Attr{{Name: "name", Value: node}, {Name: "nodeid", Value: id}}
		if id == "" {
			list[1].Value = freeID(e)
		}
		if votes != "" {
			list = append(list, cib.Attr{Name: "votes", Value: votes})
		}
		return e.WithChild(cib.NewElement("clusternode", list)), nil
	})
	return next, "Node " + node + " added.", err
}

func freeID(nodes *cib.Element) string {
	taken := map[string]bool{}
	for n := range nodes.Elements() {
		taken[n.Attr("nodeid")] = true
	}
	for i := 1; ; i++ {
		if id := strconv.Itoa(i); !taken[id] {
			return id
		}
	}
}

// onNode has f change a node.
func (c *call) onNode(node string, f func(*cib.Element) (*cib.Element, error)) (*cib.Element, error) {
	return at(c.root, "clusternodes", func(e *cib.Element) (*cib.Element, error) {
		old := named(e, "clusternode", node)
		if old == nil {
			return nil, fmt.Errorf("there is no node %s", node)
		}
		next, err := f(old)
		if err != nil {
			return nil, err
		}
		return e.Swap(old, next), nil
	})
}

func addMethod(c *call) (*cib.Element, string, error) {
	method, node := c.args[0], c.args[1]
	next, err := c.onNode(node, func(n *cib.Element) (*cib.Element, error) {
		return at(n, "fence", func(e *cib.Element) (*cib.Element, error) {
			if named(e, "method", method) != nil {
				return nil, fmt.Errorf("%s has a method %s already", node, method)
			}
			return e.WithChild(cib.NewElement("method", []cib.Attr{{Name: "name", Value: method}})), nil
		})
	})
	return next, "Method " + method + " added to " + node + ".", err
}

func removeMethod(c *call) (*cib.Element, string, error) {
	next, err := c.onMethod(c.args[1], c.args[0], func(*cib.Element) (*cib.Element, error) { return nil, nil })
	return next, "", err
}

// onMethod has f change a method of a node; nil takes it out.
func (c *call) onMethod(node, method string, f func(*cib.Element) (*cib.Element, error)) (*cib.Element, error) {
	return c.onNode(node, func(n *cib.Element) (*cib.Element, error) {
		return at(n, "fence", func(e *cib.Element) (*cib.Element, error) {
			old := named(e, "method", method)
			if old == nil {
				return nil, fmt.Errorf("%s has no method %s: ccs --addmethod %s %s makes it", node, method, method, node)
			}
			next, err := f(old)
			if err != nil {
				return nil, err
			}
			return e.Swap(old, next), nil
		})
	})
}

func addInstance(c *call) (*cib.Element, string, error) {
	device := c.args[0]
	if d := c.root.Child("fencedevices"); d == nil || named(d, "fencedevice", device) == nil {
		return nil, "", fmt.Errorf("there is no fence device %s: ccs --addfencedev %s agent=... makes it", device, device)
	}
	list, err := attrs(c.args[3:], cib.Attr{Name: "name", Value: device})
	if err != nil {
		return nil, "", err
	}
	next, err := c.onMethod(c.args[1], c.args[2], func(m *cib.Element) (*cib.Element, error) {
		return m.WithChild(cib.NewElement("device", list)), nil
	})
	return next, "", err
}

func removeInstance(c *call) (*cib.Element, string, error) {
	next, err := c.onMethod(c.args[1], c.args[2], func(m *cib.Element) (*cib.Element, error) {
		old := named(m, "device", c.args[0])
		if old == nil {
			return nil, fmt.Errorf("the method %s of %s does not use %s", c.args[2], c.args[1], c.args[0])
		}
		return m.Swap(old, nil), nil
	})
	return next, "", err
}

func addDomain(c *call) (*cib.Element, string, error) {
	list := []cib.Attr{{Name: "name", Value: c.args[0]}}
	for _, flag := range []string{"nofailback", "ordered", "restricted"} {
		list = append(list, cib.Attr{Name: flag, Value: map[bool]string{true: "1", false: "0"}[slices.Contains(c.args[1:], flag)]})
	}
	for _, w := range c.args[1:] {
		if w != "nofailback" && w != "ordered" && w != "restricted" {
			return nil, "", fmt.Errorf("a failover domain is restricted, ordered, nofailback, and not %q", w)
		}
	}
	next, err := at(c.root, "rm/failoverdomains", func(e *cib.Element) (*cib.Element, error) {
		if named(e, "failoverdomain", c.args[0]) != nil {
			return nil, fmt.Errorf("the failover domain %s is there already", c.args[0])
		}
		return e.WithChild(cib.NewElement("failoverdomain", list)), nil
	})
	return next, "", err
}

func addDomainNode(c *call) (*cib.Element, string, error) {
	list := []cib.Attr{{Name: "name", Value: c.args[1]}}
	if len(c.args) > 2 {
		if _, err := strconv.Atoi(c.args[2]); err != nil {
			return nil, "", fmt.Errorf("the priority is a number, not %q", c.args[2])
		}
		list = append(list, cib.Attr{Name: "priority", Value: c.args[2]})
	}
	next, err := at(c.root, "rm/failoverdomains", func(e *cib.Element) (*cib.Element, error) {
		old := named(e, "failoverdomain", c.args[0])
		if old == nil {
			return nil, fmt.Errorf("there is no failover domain %s", c.args[0])
		}
		return e.Swap(old, old.WithChild(cib.NewElement("failoverdomainnode", list))), nil
	})
	return next, "", err
}

func addResource(c *call) (*cib.Element, string, error) {
	if !cib.ValidName(c.args[0]) {
		return nil, "", fmt.Errorf("%q is no kind of resource", c.args[0])
	}
	list, err := attrs(c.args[1:])
	if err != nil {
		return nil, "", err
	}
	next, err := at(c.root, "rm/resources", func(e *cib.Element) (*cib.Element, error) {
		return e.WithChild(cib.NewElement(c.args[0], list)), nil
	})
	return next, "", err
}

// addSubservice puts a resource into a service, or with "SERVICE PARENT:TYPE" into one that is in it.
func addSubservice(c *call) (*cib.Element, string, error) {
	list, err := attrs(c.args[2:])
	if err != nil {
		return nil, "", err
	}
	path := strings.Split(c.args[1], ":")
	kind := path[len(path)-1]
	if !cib.ValidName(kind) {
		return nil, "", fmt.Errorf("%q is no kind of resource", kind)
	}
	next, err := at(c.root, "rm", func(e *cib.Element) (*cib.Element, error) {
		service := named(e, "service", c.args[0])
		if service == nil {
			return nil, fmt.Errorf("there is no service %s", c.args[0])
		}
		changed, err := at(service, strings.Join(path[:len(path)-1], "/"), func(p *cib.Element) (*cib.Element, error) {
			return p.WithChild(cib.NewElement(kind, list)), nil
		})
		if err != nil {
			return nil, err
		}
		return e.Swap(service, changed), nil
	})
	return next, "", err
}

// set makes the verb that gives an element its attributes anew.
func set(name string) func(*call) (*cib.Element, string, error) {
	return func(c *call) (*cib.Element, string, error) {
		list, err := attrs(c.args)
		if err != nil {
			return nil, "", err
		}
		next, err := at(c.root, name, func(e *cib.Element) (*cib.Element, error) { return e.WithAttrs(list), nil })
		return next, "", err
	}
}

func setMulticast(c *call) (*cib.Element, string, error) {
	next, err := at(c.root, "cman/multicast", func(e *cib.Element) (*cib.Element, error) { return e.With("addr", c.args[0]), nil })
	return next, "", err
}

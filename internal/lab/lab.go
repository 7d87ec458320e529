// Package lab runs a whole cluster on one machine: real daemons on loopback addresses, with a fence device
// that really ends a node's processes, so that anybody can watch a node die and its services come back.
//
// It owns the lab's directory, the processes of its nodes and the faults that are put on them. It needs no
// root. It promises that what it starts it can end: every process of a node, agents and services too,
// carries the node's mark in its environment, and is found by it. It never touches a process without one
// of its marks, nor a file outside of its directory.
package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Lab is a cluster in a directory.
type Lab struct {
	Dir   string `json:"-"`
	Net   int    `json:"net"`   // second byte of its loopback addresses: 127.Net.RING.NODE
	Nodes []Node `json:"nodes"` // in the order of their numbers

	Cluster string `json:"cluster,omitempty"` // name of the cluster; empty: lab

	Verbose bool `json:"verbose,omitempty"` // its daemons log what they do in detail
}

// Node is one node of a lab.
type Node struct {
	Name  string   `json:"name"`
	Addrs []string `json:"addrs"` // its peer addresses, one a ring
	API   string   `json:"api"`
}

const (
	stateFile = "lab.json"
	peerPort  = "2225"
	apiPort   = "2224"
	rings     = 2
)

// DefaultDir is where a lab is when nothing else is said.
func DefaultDir() string {
	if dir := os.Getenv("CERCO_LAB"); dir != "" {
		return dir
	}
	return filepath.Join(os.TempDir(), "cerco-lab-"+strconv.Itoa(os.Getuid()))
}

// Create makes the directory of a new lab and plans its nodes, n1 and so on; nothing runs yet.
func Create(dir string, nodes int) (*Lab, error) {
	var names []string
	for i := range nodes {
		names = append(names, "n"+strconv.Itoa(i+1))
	}
	return CreateNamed(dir, names)
}

// CreateNamed is Create with names of the nodes.
func CreateNamed(dir string, names []string) (*Lab, error) {
	if len(names) < 1 || len(names) > 128 {
		return nil, fmt.Errorf("a lab of %d nodes: it can have 1 to 128", len(names))
	}
	for i, name := range names {
		if name == "" || strings.ContainsAny(name, "/|, ") || slices.Contains(own(), name) || slices.Contains(names[:i], name) {
			return nil, fmt.Errorf("%q is no name for another node of a lab", name)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, stateFile)); err == nil {
		return nil, fmt.Errorf("there is a lab in %s already: cerco lab down --dir %s ends it, --dir names another place", dir, dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	l := &Lab{Dir: dir}
	var err error
	if l.Net, err = freeNet(dir); err != nil {
		return nil, err
	}
	for i, name := range names {
		n := Node{Name: name, API: net.JoinHostPort(l.addr(0, i+1), apiPort)}
		for r := range rings {
			n.Addrs = append(n.Addrs, net.JoinHostPort(l.addr(r, i+1), peerPort))
		}
		l.Nodes = append(l.Nodes, n)
	}
	return l, l.save()
}

func (l *Lab) save() error {
	data, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(l.Dir, stateFile), append(data, '\n'), 0o600)
}

// Open finds the lab that is in a directory.
func Open(dir string) (*Lab, error) {
	data, err := os.ReadFile(filepath.Join(dir, stateFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("no lab in %s: cerco lab up starts one, --dir names another place", dir)
	}
	if err != nil {
		return nil, err
	}
	l := &Lab{Dir: dir}
	if err := json.Unmarshal(data, l); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, stateFile), err)
	}
	return l, nil
}

func (l *Lab) addr(ring, node int) string { return fmt.Sprintf("127.%d.%d.%d", l.Net, ring, node) }

// freeNet finds a range of loopback addresses that nobody else, another lab above all, listens on.
func freeNet(dir string) (int, error) {
	h := fnv.New32a()
	h.Write([]byte(dir))
	for try := range 100 {
		n := 16 + (int(h.Sum32()>>1)+try)%200
		ln, err := net.Listen("tcp", net.JoinHostPort(fmt.Sprintf("127.%d.0.1", n), peerPort))
		if err == nil {
			return n, ln.Close()
		}
	}
	return 0, errors.New("no free range of loopback addresses for a lab: are 100 labs running? cerco lab down ends one")
}

// Node returns the node of that name.
func (l *Lab) Node(name string) (*Node, error) {
	for i := range l.Nodes {
		if l.Nodes[i].Name == name {
			return &l.Nodes[i], nil
		}
	}
	var names []string
	for _, n := range l.Nodes {
		names = append(names, n.Name)
	}
	return nil, fmt.Errorf("the lab has no node %q; it has %s", name, strings.Join(names, " "))
}

// own are the names of what is in the directory of a lab besides its nodes.
func own() []string {
	l := &Lab{}
	return []string{stateFile, "fence", "ocf", "records", filepath.Base(l.Journal()), filepath.Base(l.powerFile())}
}

// Path is a place in a node's part of the lab.
func (l *Lab) Path(node string, parts ...string) string {
	return filepath.Join(append([]string{l.Dir, node}, parts...)...)
}

// Socket is the local API of a node.
func (l *Lab) Socket(node string) string { return l.Path(node, "run", "cerco.sock") }

// Record is the file that the lab's services write their signs of life to.
func (l *Lab) Record(service string) string { return filepath.Join(l.Dir, "records", service) }

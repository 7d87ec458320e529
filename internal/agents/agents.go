// Package agents holds the OCF agents that come with Cerco: ocf:cerco:Service and ocf:cerco:Stateful, services to
// play with in the lab and to test with.
//
// It owns their text and promises that what Write leaves is executable and needs no more than a POSIX shell. It
// never runs them.
package agents

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

//go:embed agent.sh
var agent []byte

// Process finds the process of a service by what its agent remembers in a node's state directory.
func Process(stateDir, agent, resource string) (pid int, err error) {
	data, err := os.ReadFile(filepath.Join(stateDir, "cerco-"+agent+"-"+resource))
	if err != nil {
		return 0, fmt.Errorf("%s does not run: %w", resource, err)
	}
	var began string
	if _, err := fmt.Sscan(string(data), &pid, &began); err != nil {
		return 0, fmt.Errorf("what the agent of %s remembers cannot be read: %w", resource, err)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("%s does not run: %w", resource, err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	if fields := strings.Fields(rest); len(fields) < 20 || fields[19] != began {
		return 0, fmt.Errorf("%s does not run: process %d is another one", resource, pid)
	}
	return pid, nil
}

// Names are the types of the provider cerco.
func Names() []string { return []string{"Service", "Stateful"} }

// Write puts the agents into root/resource.d/cerco, and returns root/resource.d: a driver finds them there. An
// agent that is the same already is left alone.
func Write(root string) (string, error) {
	dir := filepath.Join(root, "resource.d")
	for _, name := range Names() {
		path := filepath.Join(dir, "cerco", name)
		if old, err := os.ReadFile(path); err == nil && string(old) == string(agent) {
			continue
		}
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil {
			err = os.WriteFile(path+".new", agent, 0o755)
		}
		if err == nil {
			err = os.Rename(path+".new", path)
		}
		if err != nil {
			return "", fmt.Errorf("agent ocf:cerco:%s cannot be put into %s: %w", name, dir, err)
		}
	}
	return dir, nil
}

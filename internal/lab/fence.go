package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cerco-ha/cerco/internal/judge"
	"github.com/cerco-ha/cerco/internal/ordeal"
)

// FenceAgent is the name of the lab's fence agent. Called by it, the program cuts the power of a node of
// the lab: it ends all of its processes, and for a reboot starts the node again a moment later.
const FenceAgent = "fence_lab"

// rebootTime is how long a node of the lab takes to boot.
const rebootTime = 3 * time.Second

const fenceMetadata = `<?xml version="1.0"?>
<resource-agent name="fence_lab" shortdesc="Power switch of a Cerco lab">
  <longdesc>Ends every process of a node of a lab, and starts the node again when it is asked to.</longdesc>
  <parameters>
    <parameter name="lab" unique="0" required="1"><content type="string"/><shortdesc lang="en">Directory of the lab</shortdesc></parameter>
    <parameter name="port" unique="0" required="0"><content type="string"/><shortdesc lang="en">Name of the node</shortdesc></parameter>
    <parameter name="action" unique="0" required="0"><content type="string" default="reboot"/><shortdesc lang="en">What to do</shortdesc></parameter>
  </parameters>
  <actions>
    <action name="on"/><action name="off"/><action name="reboot"/><action name="status"/><action name="list"/>
    <action name="monitor"/><action name="metadata"/><action name="validate-all"/>
  </actions>
</resource-agent>
`

// Fence is the fence agent: parameters come in by stdin, the exit code says what became of it.
func Fence(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) int {
	params := map[string]string{"action": "reboot"}
	lines := bufio.NewScanner(stdin)
	for lines.Scan() {
		if name, value, ok := strings.Cut(strings.TrimSpace(lines.Text()), "="); ok {
			params[name] = value
		}
	}
	if params["action"] == "metadata" {
		fmt.Fprint(stdout, fenceMetadata)
		return 0
	}
	code, err := fence(ctx, params, stdout)
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", FenceAgent, err)
		return 1
	}
	return code
}

func fence(ctx context.Context, params map[string]string, stdout io.Writer) (int, error) {
	l, err := Open(params["lab"])
	if err != nil {
		return 1, err
	}
	switch params["action"] {
	case "monitor", "validate-all":
		return 0, nil
	case "list", "list-status":
		for _, n := range l.Nodes {
			fmt.Fprintf(stdout, "%s,\n", n.Name)
		}
		return 0, nil
	}
	node := params["port"]
	if node == "" {
		node = params["plug"]
	}
	if node == "" {
		node = params["nodename"]
	}
	if _, err := l.Node(node); err != nil {
		return 1, err
	}
	return l.noted(node, params["action"], func() (int, error) { return l.fence(ctx, node, params["action"]) })
}

// noted writes a call into the journal when it begins and when it ends, and has the device behave as it is told to.
func (l *Lab) noted(node, action string, do func() (int, error)) (int, error) {
	by := filepath.Base(os.Getenv(markName))
	note := func(rest ...string) error {
		return ordeal.Note(l.Journal(), judge.Event{Node: by, Resource: node, What: "fence", Rest: rest})
	}
	if err := note("begin", action); err != nil {
		return 1, err
	}
	data, _ := os.ReadFile(l.powerFile()) // missing: it works
	code, err := ordeal.Power(strings.TrimSpace(string(data))).Call(action, do)
	if err != nil {
		code = 1
	}
	return code, errors.Join(err, note("end", action, strconv.Itoa(code)))
}

func (l *Lab) fence(ctx context.Context, node, action string) (int, error) {
	switch action {
	case "status":
		pids, err := l.Processes(node)
		if err == nil && len(pids) == 0 {
			return 2, nil
		}
		return 0, err
	case "off":
		return 0, l.PowerOff(ctx, node)
	case "reboot":
		if err := l.PowerOff(ctx, node); err != nil {
			return 1, err
		}
		return 0, l.bootLater(node)
	case "on":
		if pids, err := l.Processes(node); err != nil || len(pids) > 0 {
			return 0, err
		}
		return 0, l.Boot(node)
	}
	return 1, fmt.Errorf("action %q is not known; it knows on, off, reboot, status, list, monitor, metadata and validate-all", action)
}

// bootLater leaves a process behind that boots a node when its time has come. It is neither a process of
// the node that fences, nor of the one that is fenced.
func (l *Lab) bootLater(node string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "lab", "boot", node, "--dir", l.Dir, "--after", rebootTime.String())
	cmd.Env = append(cleanEnv(), bootingName+"="+l.Dir)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Process.Release()
}

// bootingName marks processes that are about to boot a node of a lab, so that Down finds them.
const bootingName = "CERCO_LAB_BOOTING"

// installAgents puts the lab's fence agent where its nodes look for it: a link to this very program.
func (l *Lab) installAgents() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	dir := filepath.Join(l.Dir, "fence")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.Symlink(self, filepath.Join(dir, FenceAgent))
}

// Package compat is the field's tools by the names they are called: crm_attribute, crm_master, attrd_updater,
// crm_node, crm_resource, crm_mon, cibadmin, stonith_admin and crmadmin.
//
// It owns their options, what they print, and their exit codes. It promises that agents, handlers and scripts written for
// Pacemaker 2.1.5 find what they expect: the same words on the same stream, the same code. They work on the
// daemon of the node they are called on or, when CIB_file is set, on a file. It decides nothing about the cluster.
package compat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/client"
)

// Env is the world as a tool sees it.
type Env struct {
	Stdin    io.Reader
	Stdout   io.Writer
	Stderr   io.Writer
	Now      func() time.Time // its location is that of times printed
	Getenv   func(string) string
	Hostname func() (string, error)
}

// Exit codes, those of Pacemaker's tools.
const (
	exitOK         = 0
	exitError      = 1
	exitUsage      = 64
	exitNoUser     = 67
	exitNoHost     = 68
	exitSoftware   = 70
	exitProtocol   = 76
	exitConfig     = 78
	exitDisconnect = 102
	exitNoSuch     = 105
	exitUnsafe     = 107
	exitExists     = 108
	exitMultiple   = 109
	exitExpired    = 110
	exitTimeout    = 124
)

// Version is what the tools claim to be: what the agents' version checks expect.
const Version = "2.1.5"

// tool is one tool: its name and what it does.
type tool struct {
	name string
	run  func(c *call) int
}

func tools() []tool {
	return []tool{
		{"crm_attribute", crmAttribute},
		{"crm_master", crmMaster},
		{"attrd_updater", attrdUpdater},
		{"crm_node", crmNode},
		{"crm_resource", crmResource},
		{"crm_mon", crmMon},
		{"cibadmin", cibadmin},
		{"stonith_admin", stonithAdmin},
		{"crmadmin", crmadmin},
		{"corosync-keygen", corosyncKeygen},
		{"dlm_tool", dlmTool},
	}
}

// Names lists the tools.
func Names() []string {
	var list []string
	for _, t := range tools() {
		list = append(list, t.name)
	}
	return list
}

// Main runs the tool that args[0] names. known is false if there is none of that name; nothing has happened then.
func Main(env Env, args []string) (code int, known bool) {
	if len(args) == 0 {
		return 0, false
	}
	name := filepath.Base(args[0])
	for _, t := range tools() {
		if t.name == name {
			c := &call{Env: env, name: name, argv: args, args: args[1:]}
			return t.run(c), true
		}
	}
	return 0, false
}

// call is one call of a tool.
type call struct {
	Env
	name  string
	argv  []string // as it was called
	args  []string // without the name
	world world    // opened on demand
}

func (c *call) printf(format string, args ...any) { fmt.Fprintf(c.Stdout, format, args...) }

// errorf prints an error under the tool's name and returns the exit code, so that a call can end with it.
func (c *call) errorf(code int, format string, args ...any) int {
	fmt.Fprintf(c.Stderr, "%s: %s\n", c.name, fmt.Sprintf(format, args...))
	return code
}

// plainErrorf is errorf without the name.
func (c *call) plainErrorf(code int, format string, args ...any) int {
	fmt.Fprintf(c.Stderr, "%s\n", fmt.Sprintf(format, args...))
	return code
}

func (c *call) version() int {
	c.printf("Pacemaker %s\nWritten by the Cerco project; not Pacemaker, but it answers like it\n", Version)
	return exitOK
}

// context is that of the whole call.
func (c *call) context() context.Context { return context.Background() }

// open opens the CIB file that CIB_file names, else the daemon.
func (c *call) open() world {
	if c.world == nil {
		if file := c.Getenv("CIB_file"); file != "" {
			c.world = &fileWorld{path: file, host: c.Hostname}
		} else {
			c.world = &liveWorld{call: c}
		}
	}
	return c.world
}

// daemon is a client of this node's daemon.
func (c *call) daemon() (*client.Client, error) {
	socket := c.Getenv("CERCO_SOCKET")
	if socket == "" {
		socket = client.DefaultSocket
	}
	d, err := client.Dial(socket, nil)
	if err == nil {
		d.SetTool(c.name)
	}
	return d, err
}

// disconnected reports whether an error says that there is nobody to talk to.
func disconnected(err error) bool {
	var e *client.Error
	return err != nil && !errors.As(err, &e)
}

// localNode is the node that an agent or a user on this host means when they name none.
func (c *call) localNode() (string, error) {
	if n := c.Getenv("OCF_RESKEY_CRM_meta_on_node"); n != "" {
		return n, nil
	}
	return c.open().localNode()
}

// targetNode is the node whose attributes are meant: an agent in a container may speak of the host that the container
// runs on.
func (c *call) targetNode(given string) (string, error) {
	if given != "" && given != "auto" && given != "localhost" {
		return given, nil
	}
	if c.Getenv("OCF_RESKEY_CRM_meta_container_attribute_target") == "host" {
		if n := c.Getenv("OCF_RESKEY_CRM_meta_physical_host"); n != "" {
			return n, nil
		}
	}
	return c.localNode()
}

// timeWords is a time the way the tools print it.
func (c *call) timeWords(t time.Time) string {
	return t.In(c.Now().Location()).Format("Mon Jan _2 15:04:05 2006")
}

// failureOf is the exit code for the outcome of a change, and the words for it.
func failureOf(err error) (code int, words string) {
	var ce *cib.CommandError
	var ae *client.Error
	switch {
	case err == nil:
		return exitOK, ""
	case errors.Is(err, cib.ErrExists) || client.HasCode(err, "exists"):
		return exitExists, "File exists"
	case errors.Is(err, cib.ErrVersion) || client.HasCode(err, "version"):
		return exitError, "Update was older than existing configuration"
	case errors.As(err, &ce):
		return exitConfig, "Update does not conform to the configured schema"
	case errors.As(err, &ae) && ae.Code == "refused":
		return exitConfig, "Update does not conform to the configured schema"
	case errors.As(err, &ae) && ae.Code == "denied":
		return 4, "Permission denied"
	case errors.As(err, &ae) && ae.Code == "not-found":
		return exitNoSuch, "No such device or address"
	case errors.As(err, &ae) && ae.Code == "no-leader":
		return exitTimeout, "Timer expired"
	case disconnected(err):
		return exitDisconnect, "Transport endpoint is not connected"
	}
	return exitError, err.Error()
}

// detail is what the cluster says about a failed change, beyond the tool's own words.
func (c *call) detail(err error) {
	for line := range strings.Lines(strings.TrimSpace(err.Error())) {
		fmt.Fprintf(c.Stderr, "%s: %s\n", c.name, strings.TrimSuffix(line, "\n"))
	}
}

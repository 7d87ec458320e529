package compat

import "strings"

// corosyncKeygen is a tool that there is no need of any more.
func corosyncKeygen(c *call) int {
	c.printf("Nothing to do: there is no shared key to make and to copy.\n" +
		"Each node of a Cerco cluster has a key and a certificate of its own; 'cerco cluster setup' and 'cerco cluster join' make them.\n")
	return exitOK
}

// dlmTool is about the kernel's lock manager, which Cerco does not control yet.
func dlmTool(c *call) int {
	what := "dlm_tool"
	if len(c.args) > 0 {
		what += " " + c.args[0]
	}
	c.plainErrorf(exitError, "%s: Cerco does not control the kernel's lock manager (DLM) yet, so there is nothing to show or to release here.", what)
	if len(c.args) > 0 && strings.HasPrefix(c.args[0], "fence_ack") {
		c.plainErrorf(exitError, "To say that a node is off, so that what waits for its fencing goes on: pcs stonith confirm NODE")
	}
	return exitError
}

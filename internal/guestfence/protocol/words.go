package protocol

import "fmt"

// Constants that every stock program has.
const (
	Port           = 1229 // UDP, TCP and vsock
	Group4         = "225.0.0.12"
	Group6         = "ff05::3:1"
	DefaultKeyFile = "/etc/cluster/fence_xvm.key"
	HopLimit       = 2 // of requests to a group
)

// Action is what a request asks for.
type Action byte

// The numbers are the wire's. Monitor is called "devstatus" there. Metadata and ValidateAll are never sent.
const (
	Null Action = iota
	Off
	Reboot
	On
	Status
	Monitor
	List
	Metadata
	ValidateAll
)

var actionNames = [...]string{"null", "off", "reboot", "on", "status", "monitor", "list", "metadata", "validate-all"}

func (a Action) String() string {
	if int(a) < len(actionNames) {
		return actionNames[a]
	}
	return fmt.Sprintf("action %d", byte(a))
}

// Changes tells whether the action does something to a machine.
func (a Action) Changes() bool { return a == Off || a == On || a == Reboot }

// Result is the byte that a request is answered with, and the client's exit status.
type Result byte

const (
	Success   Result = 0 // done; for Status: the machine is on
	Failure   Result = 1
	IsOff     Result = 2 // Status: the machine is off
	Denied    Result = 3 // no access group has both
	HostsList Result = 253
)

func (r Result) String() string {
	switch r {
	case Success:
		return "success"
	case Failure:
		return "failure"
	case IsOff:
		return "off"
	case Denied:
		return "denied"
	case HostsList:
		return "list"
	}
	return fmt.Sprintf("result %d", byte(r))
}

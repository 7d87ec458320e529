package ordeal

import (
	"errors"
	"syscall"
	"time"

	"github.com/cerco-ha/cerco/internal/client"
)

// Site is a cluster that can be harmed. It notes in its journal when a host is switched off or on, and what its
// fence device does (see package judge); everything else is noted here.
type Site interface {
	Nodes() []string
	Client(node string) (*client.Client, error)
	Journal() string // path of the journal
	Device() string  // the configuration of its fence device: an element

	On(node string) bool        // does anything of it run?
	Boot(node string) error     // a host that is off
	PowerOff(node string) error // ends all that runs there, at once
	// EndDaemon ends the daemon alone, by a signal; it comes back after that time if its host still runs.
	EndDaemon(node string, by syscall.Signal, away time.Duration) error
	Freeze(node string, frozen bool) error // everything on it stands still, or goes on
	KillService(node, service string) error
	Connect(links Links) error        // the network, from now on
	Disk(node string, d Disk) error   // from now on
	Data(node string) string          // where it keeps its log
	Power(p Power) error              // how the fence device behaves from now on
	Lacks() []string                  // kinds of faults that cannot be done here
	Keep(reason string) (note string) // is called once when something is wrong: keeps logs and states, and says where
}

// Disk is what is wrong with a disk.
type Disk struct {
	Slow time.Duration // each write of the log takes so much longer
	Full bool
}

// Power is how a fence device behaves.
type Power string

// The ways of a fence device.
const (
	PowerWorks Power = "works"
	PowerFails Power = "fails" // it does nothing, and says so
	PowerHangs Power = "hangs" // it does nothing, and does not answer
	PowerLate  Power = "late"  // it does what it is asked to after a while
	PowerLies  Power = "lies"  // it does what it is asked to, and says that it has failed
)

// lateBy is how late a late device is.
const lateBy = 3 * time.Second

var errPower = errors.New("the device has been told to fail")

// Call is a call of a device that behaves so: do is what it does.
func (p Power) Call(action string, do func() (int, error)) (int, error) {
	if action == "on" {
		return do()
	}
	switch p {
	case PowerFails:
		return 1, errPower
	case PowerHangs:
		time.Sleep(time.Hour) // it will be killed
	case PowerLate:
		time.Sleep(lateBy)
	case PowerLies:
		if code, err := do(); action == "status" || err != nil {
			return code, err
		}
		return 1, errPower
	}
	return do()
}

// Link is the network from one node to another, in that direction.
type Link struct {
	Cut       bool
	Loss      int // percent of the packets
	Duplicate int // percent
	Reorder   int // percent that come later than those sent after them
	Delay     time.Duration
	Jitter    time.Duration // up to so much more
}

// Links is a whole network. What is not in it is as it should be.
type Links map[[2]string]Link

// Alone are the nodes that cannot be part of a majority, however what still gets through is counted: a link that
// works in one direction counts as a link. Frozen nodes are part of nothing.
func (l Links) Alone(nodes []string, frozen map[string]bool) []string {
	if len(nodes) <= 2 {
		return nil // one of two may go on
	}
	seen := map[string]bool{}
	var alone []string
	for _, first := range nodes {
		if frozen[first] || seen[first] {
			continue
		}
		part := []string{first}
		seen[first] = true
		for i := 0; i < len(part); i++ {
			for _, n := range nodes {
				if !seen[n] && !frozen[n] && (!l[[2]string{part[i], n}].Cut || !l[[2]string{n, part[i]}].Cut) {
					seen[n] = true
					part = append(part, n)
				}
			}
		}
		if len(part) <= len(nodes)/2 {
			alone = append(alone, part...)
		}
	}
	return alone
}

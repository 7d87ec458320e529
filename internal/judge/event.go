package judge

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Event is one line of a journal: "SECONDS NODE RESOURCE WHAT [REST]", with "-" for what there is none of. Seconds
// count from the machine's boot. The order of the lines is the order of events: each line is appended at once,
// before what it begins and after what it ends.
//
//	12.34 n1 r7 start begin 3/12/4/n1/boot   an agent's action begins: epoch, action, node and boot id of its operation
//	12.36 n1 r7 start end 0 3/12/4/n1/boot   and has ended, with its exit code
//	16.10 n1 n2 fence begin reboot           node n1 calls a device that is to cut off n2
//	16.12 n1 n2 fence end reboot 0           and the device has said what became of it
//	16.11 n2 - off                           nothing of n2 runs any more; on: it boots
//	17.00 n2 - paused                        everything on n2 stands still; resumed
//	17.00 n2 - alone                         n2 cannot be part of a majority, whatever it hears; together
//	17.10 n1 r7 died                         the service was killed
//	18.00 - - fault crash n2                 what was done to the cluster, its kind first
//	19.00 - - heal                           all faults are over; whole: all is well again
//	20.00 n1 - tried a7                      a change is asked for; acked: the cluster has promised it
//	21.00 n1 - seen a6,a7                    the changes that a node knows of
//	22.00 - - cleared                        the changes so far are taken back
//	23.00 - I5 broken TEXT                   a promise is broken, as somebody else has found
type Event struct {
	At       time.Duration
	Node     string
	Resource string
	What     string
	Rest     []string
}

// nothing is a field that does not apply.
const nothing = "-"

// String is the line of the journal.
func (e Event) String() string {
	or := func(s string) string {
		if s == "" {
			return nothing
		}
		return s
	}
	line := fmt.Sprintf("%.2f %s %s %s", e.At.Seconds(), or(e.Node), or(e.Resource), e.What)
	return strings.Join(append([]string{line}, e.Rest...), " ")
}

// maxSeconds keeps times within what a time.Duration can hold.
const maxSeconds = 1e9

// ParseEvent reads one line.
func ParseEvent(line string) (Event, error) {
	f := strings.Fields(line)
	if len(f) < 4 {
		return Event{}, fmt.Errorf("%q has %d words; a line of a journal has at least 4: seconds, node, resource, what", line, len(f))
	}
	s, err := strconv.ParseFloat(f[0], 64)
	if err != nil || !(s >= 0 && s < maxSeconds) {
		return Event{}, fmt.Errorf("%q does not begin with seconds since the boot", line)
	}
	e := Event{At: time.Duration(s * float64(time.Second)).Round(time.Millisecond), Node: f[1], Resource: f[2], What: f[3], Rest: f[4:]}
	if e.Node == nothing {
		e.Node = ""
	}
	if e.Resource == nothing {
		e.Resource = ""
	}
	return e, nil
}

// Read reads a whole journal.
func Read(r io.Reader) ([]Event, error) {
	var out []Event
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		e, err := ParseEvent(lines.Text())
		if err != nil {
			return out, fmt.Errorf("line %d: %w", n, err)
		}
		out = append(out, e)
	}
	return out, lines.Err()
}

func (e *Event) word(i int) string {
	if i < len(e.Rest) {
		return e.Rest[i]
	}
	return ""
}

func (e *Event) begins() bool { return e.word(0) == "begin" }
func (e *Event) ends() bool   { return e.word(0) == "end" }

// rc is the exit code of an action that has ended; -1 when there is none.
func (e *Event) rc() int {
	for _, w := range e.Rest {
		if n, err := strconv.Atoi(w); err == nil {
			return n
		}
	}
	return -1
}

// term is the term of the leader that ordered an agent's action; ok is false where the line does not tell.
func (e *Event) term() (term uint64, ok bool) {
	if len(e.Rest) == 0 {
		return 0, false
	}
	first, _, cut := strings.Cut(e.Rest[len(e.Rest)-1], "/")
	term, err := strconv.ParseUint(first, 10, 64)
	return term, cut && err == nil
}

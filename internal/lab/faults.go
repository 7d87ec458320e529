package lab

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

func newBootID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// A node's faults file says what is to go wrong there, a line each:
//
//	block NODE        nothing goes to that node or comes from it
//	block-to NODE     nothing goes to it
//	block-from NODE   nothing comes from it
//	slow-disk TIME    every write of the log takes so much longer
//
// The daemon reads it again whenever it changes.

// faults are what a faults file says.
type faults struct {
	Blocked  []string
	To, From []string // blocked in one direction
	SlowDisk time.Duration
}

func readFaults(path string) (faults, error) {
	var f faults
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return f, err
	}
	defer file.Close()
	for n, lines := 1, bufio.NewScanner(file); lines.Scan(); n++ {
		word, rest, _ := strings.Cut(strings.TrimSpace(lines.Text()), " ")
		switch word {
		case "":
		case "block":
			f.Blocked = append(f.Blocked, rest)
		case "block-to":
			f.To = append(f.To, rest)
		case "block-from":
			f.From = append(f.From, rest)
		case "slow-disk":
			if f.SlowDisk, err = time.ParseDuration(rest); err != nil {
				return f, fmt.Errorf("%s:%d: %w", path, n, err)
			}
		default:
			return f, fmt.Errorf("%s:%d: unknown fault %q; it can be block, block-to, block-from or slow-disk", path, n, word)
		}
	}
	return f, nil
}

func (f faults) write(path string) error {
	var b strings.Builder
	for _, w := range []struct {
		word  string
		nodes []string
	}{{"block", f.Blocked}, {"block-to", f.To}, {"block-from", f.From}} {
		for _, n := range w.nodes {
			fmt.Fprintf(&b, "%s %s\n", w.word, n)
		}
	}
	if f.SlowDisk > 0 {
		fmt.Fprintf(&b, "slow-disk %v\n", f.SlowDisk)
	}
	next := path + ".new"
	if err := os.WriteFile(next, []byte(b.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(next, path)
}

// change changes the faults of one node.
func (l *Lab) change(node string, with func(*faults)) error {
	path := l.Path(node, "faults")
	f, err := readFaults(path)
	if err != nil {
		return err
	}
	with(&f)
	return f.write(path)
}

// Partition cuts the network between groups of nodes: "n1|n2,n3". Nodes that are named nowhere make one
// more group.
func (l *Lab) Partition(groups string) error {
	side := map[string]int{}
	for i, g := range strings.Split(groups, "|") {
		for name := range strings.SplitSeq(g, ",") {
			name = strings.TrimSpace(name)
			if _, err := l.Node(name); err != nil {
				return err
			}
			if _, twice := side[name]; twice {
				return fmt.Errorf("%s is named twice in %q", name, groups)
			}
			side[name] = i + 1
		}
	}
	for _, a := range l.Nodes {
		err := l.change(a.Name, func(f *faults) {
			f.Blocked = nil
			for _, b := range l.Nodes {
				if side[a.Name] != side[b.Name] {
					f.Blocked = append(f.Blocked, b.Name)
				}
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Block cuts one direction-less path: the node hears nothing of the others named, whatever they hear of it.
func (l *Lab) Block(node string, others ...string) error {
	return l.change(node, func(f *faults) {
		for _, o := range others {
			if !slices.Contains(f.Blocked, o) {
				f.Blocked = append(f.Blocked, o)
			}
		}
	})
}

// Heal takes all faults away and lets paused nodes go on.
func (l *Lab) Heal() error {
	for _, n := range l.Nodes {
		if err := (faults{}).write(l.Path(n.Name, "faults")); err != nil {
			return err
		}
		if pids, _ := l.Processes(n.Name); len(pids) > 0 {
			if err := l.Signal(n.Name, syscall.SIGCONT); err != nil {
				return err
			}
		}
	}
	return nil
}

// SlowDisk makes every write of a node's log take longer.
func (l *Lab) SlowDisk(node string, by time.Duration) error {
	return l.change(node, func(f *faults) { f.SlowDisk = by })
}

// Package sim runs a crm_simulate, ours or the field's own, and hands back what it made of a CIB.
//
// It owns the environment that makes two runs comparable (locale, time zone, a private place for shadow
// files) and the time-out. It never reads the results.
package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Command is a crm_simulate: the words that start it.
type Command struct {
	Words   []string
	Timeout time.Duration // of one run
	Discard bool          // throw what it prints away
}

// Parse splits a command given as one string, such as "bin/cerco crm_simulate". A program of this
// repository is found from the current directory.
func Parse(line string, timeout time.Duration) (Command, error) {
	words := strings.Fields(line)
	if len(words) == 0 {
		return Command{}, errors.New("no command given")
	}
	if strings.Contains(words[0], "/") {
		abs, err := filepath.Abs(words[0])
		if err != nil {
			return Command{}, err
		}
		words[0] = abs
	}
	return Command{Words: words, Timeout: timeout}, nil
}

// Installed reports whether the program is there.
func (c Command) Installed() bool {
	_, err := exec.LookPath(c.Words[0])
	return err == nil
}

// Run is what one run gave.
type Run struct {
	Stdout, Stderr string
	CPU            time.Duration // user and system
	PeakKB         int64         // greatest resident set
	Err            error         // a time-out, a signal or an exit code other than 0
}

// Run starts the command with further arguments and waits for it.
func (c Command) Run(args ...string) Run {
	ctx, cancel := context.WithTimeout(context.Background(), c.Timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.Words[0], append(append([]string{}, c.Words[1:]...), args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC", "CIB_shadow_dir="+os.TempDir())
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if c.Discard {
		cmd.Stdout = nil
	}
	err := cmd.Run()
	r := Run{Stdout: stdout.String(), Stderr: stderr.String(), Err: err}
	if ctx.Err() != nil {
		r.Err = fmt.Errorf("no answer within %s", c.Timeout)
	}
	if cmd.ProcessState != nil {
		r.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			r.PeakKB = u.Maxrss
		}
	}
	return r
}

// Complaint is a line about a failed run: the panic's words, or the last thing it said.
func (r Run) Complaint() string {
	if r.Err == nil {
		return ""
	}
	last := ""
	for _, l := range strings.Split(r.Stderr, "\n") {
		if strings.HasPrefix(l, "panic:") || strings.HasPrefix(l, "fatal error:") {
			return l
		}
		if strings.TrimSpace(l) != "" {
			last = l
		}
	}
	if last == "" {
		return r.Err.Error()
	}
	return fmt.Sprintf("%v: %s", r.Err, last)
}

package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed warm.py
var warmScript string

// oracle is the installed pcs. It remembers what it has answered.
type oracle struct {
	python *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Scanner
	cache  string
}

func startOracle(cache string) (*oracle, error) {
	o := &oracle{python: exec.Command("/usr/bin/python3", "-Esc", warmScript), cache: cache}
	o.python.Stderr = os.Stderr
	var err error
	if o.in, err = o.python.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := o.python.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := o.python.Start(); err != nil {
		return nil, err
	}
	o.out = bufio.NewScanner(out)
	if !o.out.Scan() {
		return nil, errors.Join(fmt.Errorf("pcs cannot be loaded"), o.stop())
	}
	return o, nil
}

func (o *oracle) stop() error {
	return errors.Join(o.in.Close(), o.python.Wait())
}

func (o *oracle) ask(c call) (outcome, error) {
	question, err := json.Marshal(c)
	if err != nil {
		return outcome{}, err
	}
	file := filepath.Join(o.cache, fmt.Sprintf("%x.json", sha256.Sum256(question)))
	if o.cache != "" {
		if data, err := os.ReadFile(file); err == nil {
			var known outcome
			return known, json.Unmarshal(data, &known)
		}
	}
	got, err := inDirectory(c, func(dir string, args []string) (outcome, error) {
		job, err := json.Marshal(map[string]any{"dir": dir, "args": args})
		if err != nil {
			return outcome{}, err
		}
		if _, err := fmt.Fprintf(o.in, "%s\n", job); err != nil {
			return outcome{}, err
		}
		if !o.out.Scan() {
			return outcome{}, fmt.Errorf("pcs answers no more: %w", o.out.Err())
		}
		code, err := strconv.Atoi(o.out.Text())
		if err != nil {
			return outcome{}, err
		}
		stdout, err1 := os.ReadFile(filepath.Join(dir, "stdout"))
		stderr, err2 := os.ReadFile(filepath.Join(dir, "stderr"))
		return outcome{Code: code, Stdout: string(stdout), Stderr: string(stderr)}, errors.Join(err1, err2)
	})
	if err != nil || o.cache == "" {
		return got, err
	}
	data, err := json.Marshal(got)
	if err != nil {
		return got, err
	}
	return got, os.WriteFile(file, data, 0o600)
}

// ours has the program under test carry a call out.
func ours(command []string, c call) (outcome, error) {
	return inDirectory(c, func(dir string, args []string) (outcome, error) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, command[0], append(command[1:len(command):len(command)], args...)...)
		var stdout, stderr strings.Builder
		cmd.Stdout, cmd.Stderr, cmd.Dir, cmd.Env = &stdout, &stderr, dir, []string{"LC_ALL=C"}
		err := cmd.Run()
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			err = nil
		}
		return outcome{Code: cmd.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}, err
	})
}

const (
	cibFile      = "cib.xml"
	corosyncFile = "corosync.conf"
)

// inDirectory lays a call's files out in a new directory, has it carried out there, and takes up what it left.
func inDirectory(c call, run func(dir string, args []string) (outcome, error)) (outcome, error) {
	dir, err := os.MkdirTemp("", "pcsoracle")
	if err != nil {
		return outcome{}, err
	}
	defer os.RemoveAll(dir)
	var options []string
	for _, f := range []struct {
		given        bool
		option, name string
		data         []byte
	}{{c.CIB, "-f", cibFile, c.Before.CIB}, {c.Corosync, "--corosync_conf", corosyncFile, c.Before.Corosync}} {
		if !f.given {
			continue
		}
		options = append(options, f.option, f.name)
		if f.data != nil {
			if err := os.WriteFile(filepath.Join(dir, f.name), f.data, 0o600); err != nil {
				return outcome{}, err
			}
		}
	}
	got, err := run(dir, append(options, c.Args...))
	if err != nil {
		return got, err
	}
	got.After = c.Before
	if c.CIB {
		got.After.CIB, _ = os.ReadFile(filepath.Join(dir, cibFile))
	}
	if c.Corosync {
		got.After.Corosync, _ = os.ReadFile(filepath.Join(dir, corosyncFile))
	}
	return got, nil
}

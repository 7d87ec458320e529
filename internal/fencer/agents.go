package fencer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Agents runs fence agents. A call that is over its time, or whose context ends, is killed with everything
// that it has started.
type Agents interface {
	Run(ctx context.Context, c AgentCall) AgentResult
	// Metadata asks the agent for its metadata, or remembers them.
	Metadata(ctx context.Context, agent string) (*Metadata, error)
	// Installed lists the agents of this node, sorted.
	Installed() []string
}

// AgentCall is one run of an agent.
type AgentCall struct {
	Agent   string
	Params  []cib.Attr // go to standard input, in this order
	Timeout time.Duration
}

// AgentResult is how a run ended. RC is -1 where there is no exit code.
type AgentResult struct {
	RC       int
	TimedOut bool
	Stdout   string
	Stderr   string
	Err      error // it could not be run, or did not end by itself
	Took     time.Duration
}

// Programs are the fence agents that are installed on this node. Make it with NewPrograms.
type Programs struct {
	dirs []string
	now  func() time.Time
	env  []string

	mu    sync.Mutex
	known map[string]knownAgent
}

type knownAgent struct {
	stamp string // path, size and time of the file
	meta  *Metadata
}

var _ Agents = (*Programs)(nil)

// AgentDirs are where distributions put fence agents.
func AgentDirs() []string { return []string{"/usr/sbin", "/sbin", "/usr/local/sbin"} }

// NewPrograms runs the agents of the directories, the first that has one. env is added to the environment.
func NewPrograms(dirs []string, now func() time.Time, env ...string) *Programs {
	return &Programs{dirs: slices.Clone(dirs), now: now, env: env, known: make(map[string]knownAgent)}
}

func (p *Programs) find(agent string) (string, os.FileInfo, error) {
	if agent == "" || strings.ContainsAny(agent, "/\x00") || !strings.HasPrefix(agent, "fence_") {
		return "", nil, fmt.Errorf("%q is no name of a fence agent", agent)
	}
	for _, dir := range p.dirs {
		path := filepath.Join(dir, agent)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, info, nil
		}
	}
	return "", nil, fmt.Errorf("the fence agent %s is not installed here (looked in %s)", agent, strings.Join(p.dirs, ", "))
}

// Installed implements Agents.
func (p *Programs) Installed() []string {
	var out []string
	for _, dir := range p.dirs {
		names, _ := filepath.Glob(filepath.Join(dir, "fence_*"))
		for _, n := range names {
			name := filepath.Base(n)
			if _, _, err := p.find(name); err == nil && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return out
}

// metadataTimeout is for agents on a busy machine; most answer in a fraction of a second.
const metadataTimeout = 20 * time.Second

// Metadata implements Agents. They are asked for again when the agent's file has changed.
func (p *Programs) Metadata(ctx context.Context, agent string) (*Metadata, error) {
	path, info, err := p.find(agent)
	if err != nil {
		return nil, err
	}
	stamp := fmt.Sprint(path, info.Size(), info.ModTime().UnixNano())
	p.mu.Lock()
	k, ok := p.known[agent]
	p.mu.Unlock()
	if ok && k.stamp == stamp {
		return k.meta, nil
	}
	r := p.Run(ctx, AgentCall{Agent: agent, Params: []cib.Attr{{Name: "action", Value: "metadata"}}, Timeout: metadataTimeout})
	if r.Err != nil {
		return nil, fmt.Errorf("asking %s for its metadata: %w", agent, r.Err)
	}
	if r.RC != 0 {
		return nil, fmt.Errorf("%s gave exit code %d when asked for its metadata: %s", agent, r.RC, lastLines(r.Stderr, 3))
	}
	meta, err := ParseMetadata(agent, []byte(r.Stdout))
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.known[agent] = knownAgent{stamp, meta}
	p.mu.Unlock()
	return meta, nil
}

// Run implements Agents.
func (p *Programs) Run(ctx context.Context, c AgentCall) AgentResult {
	path, _, err := p.find(c.Agent)
	if err != nil {
		return AgentResult{RC: -1, Err: err}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.Timeout, errLate)
	defer cancel()
	began := p.now()
	out, errs := &limited{most: maxMetadata}, &limited{most: 64 << 10}
	cmd := exec.CommandContext(ctx, path)
	cmd.Stdin = bytes.NewReader(stdin(c.Params))
	cmd.Stdout, cmd.Stderr = out, errs
	cmd.Dir = "/"
	cmd.Env = append(append(os.Environ(), "HA_logfacility=none", "PCMK_logfacility=none", "PCMK_service=pacemaker-fenced", "OCF_OUTPUT_FORMAT=log"), p.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 500 * time.Millisecond // for children that hold on to the pipes after the agent's end
	err = cmd.Run()
	r := AgentResult{RC: -1, Stdout: out.String(), Stderr: errs.String(), Took: p.now().Sub(began)}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil && errors.Is(context.Cause(ctx), errLate):
		r.TimedOut, r.Err = true, fmt.Errorf("no answer in %s: killed", c.Timeout.Round(time.Millisecond))
	case ctx.Err() != nil:
		r.Err = fmt.Errorf("ended on request: %w", context.Cause(ctx))
	case err == nil || errors.Is(err, exec.ErrWaitDelay):
		r.RC = 0
	case errors.As(err, &exit) && exit.Exited():
		r.RC = exit.ExitCode()
	case exit != nil:
		r.Err = fmt.Errorf("it was killed: %s", exit.ProcessState)
	default:
		r.Err = err
	}
	return r
}

var errLate = errors.New("over its time")

// limited keeps the first bytes and drops the rest.
type limited struct {
	buf  bytes.Buffer
	most int
}

func (l *limited) Write(b []byte) (int, error) {
	if room := l.most - l.buf.Len(); room > 0 {
		l.buf.Write(b[:min(len(b), room)])
	}
	return len(b), nil
}

func (l *limited) String() string { return l.buf.String() }

// lastLines are the last lines of a text, on one line.
func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	for i := range lines {
		lines[i] = clean(lines[i])
	}
	out := strings.Join(lines, "; ")
	const most = 600
	if len(out) > most {
		out = "…" + strings.ToValidUTF8(out[len(out)-most:], "")
	}
	return out
}

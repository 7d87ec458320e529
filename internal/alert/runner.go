package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/events"
)

// Config is what a Runner needs.
type Config struct {
	Node   string        // this node
	Leader func() string // name of the node that decides
	Now    func() time.Time
	Since  time.Time // what happened before was told by whoever was there then
	Log    *slog.Logger
	Run    func(ctx context.Context, c Call) error // nil: Agent
	Client *http.Client                            // for webhooks; nil: http.DefaultClient
	Queue  int                                     // calls that may wait; 0: 256
	Most   int                                     // calls at one time; 0: 8
}

// Runner tells of events. It is started once.
type Runner struct {
	cfg   Config
	queue chan Call
	mu    sync.Mutex
	seq   uint64
	stop  context.CancelFunc
	wg    sync.WaitGroup
	once  sync.Once
}

// New makes a runner.
func New(cfg Config) *Runner {
	if cfg.Run == nil {
		cfg.Run = Agent
	}
	if cfg.Client == nil {
		cfg.Client = http.DefaultClient
	}
	if cfg.Queue == 0 {
		cfg.Queue = 256
	}
	if cfg.Most == 0 {
		cfg.Most = 8
	}
	return &Runner{cfg: cfg, queue: make(chan Call, cfg.Queue)}
}

// Start begins to make calls.
func (r *Runner) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	for range r.cfg.Most {
		r.wg.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case c := <-r.queue:
					r.call(ctx, c)
				}
			}
		})
	}
}

// Stop ends the agents that run, and drops what waits.
func (r *Runner) Stop() {
	r.once.Do(func() {
		if r.stop != nil {
			r.stop()
			r.wg.Wait()
		}
	})
}

// Tell has events told as far as that is for this node, as a CIB says. It never blocks: what there is no room for is dropped.
func (r *Runner) Tell(in *cib.CIB, list ...events.Event) {
	if in == nil || len(in.Alerts) == 0 {
		return
	}
	leader := r.cfg.Leader()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range list {
		if e.At.Before(r.cfg.Since) || Teller(&e, in, leader) != r.cfg.Node {
			continue
		}
		calls := Calls(in, e, r.cfg.Now(), r.seq+1)
		if len(calls) > 0 {
			r.seq++
		}
		for _, c := range calls {
			select {
			case r.queue <- c:
			default:
				r.cfg.Log.Warn("an alert is dropped: too many wait", "alert", c.Alert, "event", e.Text)
			}
		}
	}
}

// call makes one call, and logs what went wrong with it.
func (r *Runner) call(ctx context.Context, c Call) {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	var err error
	if c.URL != "" {
		err = r.post(ctx, &c)
	} else {
		err = r.cfg.Run(ctx, c)
	}
	if err != nil {
		r.cfg.Log.Warn("an alert was not told", "alert", c.Alert, "recipient", c.Recipient, "event", c.Event.Text, "error", err)
	}
}

// Hook is the body that a webhook gets.
type Hook struct {
	Alert     string       `json:"alert"`
	Recipient string       `json:"recipient,omitempty"`
	Node      string       `json:"told_by"`
	Event     events.Event `json:"event"`
}

func (r *Runner) post(ctx context.Context, c *Call) error {
	body, err := json.Marshal(Hook{Alert: c.Alert, Recipient: c.Recipient, Node: r.cfg.Node, Event: c.Event})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	resp, err := r.cfg.Client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)); err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("the webhook answers %s", resp.Status)
	}
	return nil
}

// Agent runs an alert agent: with the environment of the call and nothing else but what a program cannot do without, in a
// process group of its own that is killed as a whole when the context ends.
func Agent(ctx context.Context, c Call) error {
	if !strings.HasPrefix(c.Path, "/") {
		return fmt.Errorf("%q is no path of an agent: write it with a leading /, or as a URL for a webhook", c.Path)
	}
	cmd := exec.CommandContext(ctx, c.Path)
	cmd.Env = append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}, c.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: agentUser()}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return fmt.Errorf("%s took longer than %s", c.Path, c.Timeout)
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %s", c.Path, err, lastLine(out))
	}
	return nil
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}

package driver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Request is one call of an agent.
type Request struct {
	Class, Provider, Type string
	Resource              string // id of the resource, as the agent is to know it
	Action                string // "start", "monitor", ...: as the agent knows it
	Params                []cib.Attr
	Timeout               time.Duration // 0: none
	Env                   []string      // NAME=value, added to what each agent gets

	// Started is told which process does it, when it has run for a moment. May be nil; not called when no process of
	// ours does the work.
	Started func(Process)
}

// Agent names what is called.
func (r *Request) Agent() string {
	if r.Provider != "" {
		return r.Class + ":" + r.Provider + ":" + r.Type
	}
	return r.Class + ":" + r.Type
}

// Result is what came of a call.
type Result struct {
	RC     int    // of the OCF standard: cib.RC...
	Status int    // cib.Op...
	Reason string // what went wrong, in the agent's words where it had any
	Output string // the last of what the agent wrote, for people
	Took   time.Duration
}

// ErrAbandoned is the cause of a context that ends because the daemon does: the agent goes on by itself, and
// Run returns at once with Status cib.OpUnknown.
var ErrAbandoned = errors.New("the daemon stops; the agent goes on")

// Driver operates resources.
type Driver interface {
	// Run calls an agent and waits for it. The end of ctx ends the agent with its process group, unless its
	// cause is ErrAbandoned.
	Run(ctx context.Context, r Request) Result
	// Metadata is what an agent says of itself.
	Metadata(ctx context.Context, class, provider, typ string) (*Metadata, error)
}

// OCFRoot is where OCF agents are installed.
const OCFRoot = "/usr/lib/ocf/resource.d"

// Config is what a driver of this host needs. Zero values stand for the defaults that are named.
type Config struct {
	OCFRoots []string // searched in order for PROVIDER/TYPE; default OCFRoot
	InitDir  string   // of class lsb; default /etc/init.d
	Links    string   // directory of the helper commands, first on the agents' PATH; empty: none
	Socket   string   // CERCO_SOCKET: where helper commands find the daemon
	RunDir   string   // for drop-ins; default the system's directory of temporary files
	WorkDir  string   // where agents are started; default RunDir
	RscTmp   string   // HA_RSCTMP: where agents keep their state; default what they were built with
	AgentLog string   // HA_LOGFILE; default /dev/null: ocf_log still speaks to syslog
	Env      []string // NAME=value of the host's environment; default os.Environ()
	Units    Units    // systemd; nil: its system bus, when there is one
	Watchdog bool     // the cluster may rely on watchdogs: PCMK_watchdog
	Debug    bool     // HA_debug
	Now      func() time.Time
	Log      *slog.Logger
}

// Host is the Driver of this host.
type Host struct {
	cfg   Config
	base  []string
	meta  metaCache
	units Units

	protected func() bool // from the out-of-memory killer
}

var _ Driver = (*Host)(nil)

// New makes the driver of this host.
func New(cfg Config) *Host {
	if len(cfg.OCFRoots) == 0 {
		cfg.OCFRoots = []string{OCFRoot}
	}
	if cfg.InitDir == "" {
		cfg.InitDir = "/etc/init.d"
	}
	if cfg.RunDir == "" {
		cfg.RunDir = os.TempDir()
	}
	if cfg.WorkDir == "" {
		cfg.WorkDir = cfg.RunDir
	}
	if cfg.AgentLog == "" {
		cfg.AgentLog = os.DevNull
	}
	if cfg.Env == nil {
		cfg.Env = os.Environ()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	h := &Host{cfg: cfg, units: cfg.Units, protected: sync.OnceValue(protected)}
	h.base = baseEnv(&cfg)
	if h.units == nil {
		h.units = newSystemBus(cfg.Log)
	}
	return h
}

// Close lets go of the connection to systemd.
func (h *Host) Close() { h.units.Close() }

// Run implements Driver.
func (h *Host) Run(ctx context.Context, r Request) Result {
	began := h.cfg.Now()
	if r.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.Timeout)
		defer cancel()
	}
	res := h.run(ctx, &r)
	res.Took = h.cfg.Now().Sub(began)
	return res
}

func (h *Host) run(ctx context.Context, r *Request) Result {
	switch h.classOf(r.Class, r.Type) {
	case "ocf":
		return h.runOCF(ctx, r)
	case "lsb":
		return h.runLSB(ctx, r)
	case "systemd":
		return h.runUnit(ctx, r)
	}
	return Result{RC: cib.RCUnimplemented, Status: cib.OpNotSupported, Reason: fmt.Sprintf("agents of class %q cannot be run here", r.Class)}
}

// classOf resolves the class service: systemd where it has such a unit, else lsb.
func (h *Host) classOf(class, typ string) string {
	if class != "service" {
		return class
	}
	if _, err := os.Stat(filepath.Join(h.cfg.InitDir, typ)); err == nil && !h.units.Known(typ) {
		return "lsb"
	}
	if h.units.Known(typ) {
		return "systemd"
	}
	return "lsb"
}

// Providers lists the providers of OCF agents, and the agents of each, as far as this host has them.
func (h *Host) Providers() map[string][]string {
	out := map[string][]string{}
	for _, root := range h.cfg.OCFRoots {
		providers, _ := os.ReadDir(root) // a root that is not there has no agents
		for _, p := range providers {
			agents, _ := os.ReadDir(filepath.Join(root, p.Name()))
			for _, a := range agents {
				if executable(filepath.Join(root, p.Name(), a.Name())) && !slices.Contains(out[p.Name()], a.Name()) {
					out[p.Name()] = append(out[p.Name()], a.Name())
				}
			}
		}
	}
	for _, agents := range out {
		slices.Sort(agents)
	}
	return out
}

func executable(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0
}

package store

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"strings"

	"github.com/hashicorp/go-hclog"
)

// raftLog hands what raft says to slog. Raft tells of each failed heartbeat as an error; whether a peer
// can be reached is the transport's to say, so these go to the debug level, as does all of raft's
// narration.
type raftLog struct {
	to   *slog.Logger
	name string
}

var _ hclog.Logger = (*raftLog)(nil)

func (r *raftLog) Log(level hclog.Level, msg string, args ...any) {
	to := slog.LevelDebug
	if level == hclog.Error && !aboutPeers(msg) {
		to = slog.LevelWarn
	}
	if !r.to.Enabled(context.Background(), to) {
		return
	}
	for i, a := range args {
		if f, ok := a.(hclog.Format); ok && len(f) > 0 {
			args[i] = fmt.Sprintf(fmt.Sprint(f[0]), f[1:]...)
		}
	}
	r.to.Log(context.Background(), to, "raft: "+msg, args...)
}

func aboutPeers(msg string) bool {
	for _, s := range []string{"failed to heartbeat", "failed to appendEntries", "failed to make request", "failed to start pipeline",
		"failed to pipeline", "failed to decode incoming", "failed to flush response", "failed to accept", "failed to send snapshot",
		"failed to install snapshot", "failed to contact"} {
		if strings.HasPrefix(msg, s) {
			return true
		}
	}
	return false
}

func (r *raftLog) Trace(string, ...any)        {}
func (r *raftLog) Debug(m string, a ...any)    { r.Log(hclog.Debug, m, a...) }
func (r *raftLog) Info(m string, a ...any)     { r.Log(hclog.Info, m, a...) }
func (r *raftLog) Warn(m string, a ...any)     { r.Log(hclog.Warn, m, a...) }
func (r *raftLog) Error(m string, a ...any)    { r.Log(hclog.Error, m, a...) }
func (r *raftLog) IsTrace() bool               { return false }
func (r *raftLog) IsDebug() bool               { return r.to.Enabled(context.Background(), slog.LevelDebug) }
func (r *raftLog) IsInfo() bool                { return r.IsDebug() }
func (r *raftLog) IsWarn() bool                { return r.IsDebug() }
func (r *raftLog) IsError() bool               { return true }
func (r *raftLog) ImpliedArgs() []any          { return nil }
func (r *raftLog) Name() string                { return r.name }
func (r *raftLog) SetLevel(hclog.Level)        {}
func (r *raftLog) GetLevel() hclog.Level       { return hclog.Debug }
func (r *raftLog) Named(n string) hclog.Logger { return &raftLog{to: r.to, name: n} }

// ResetNamed is Named: names are not chained.
func (r *raftLog) ResetNamed(n string) hclog.Logger { return r.Named(n) }

// With adds keys and values to all that follows.
func (r *raftLog) With(args ...any) hclog.Logger {
	return &raftLog{to: r.to.With(args...), name: r.name}
}

// StandardLogger is asked for by nobody.
func (r *raftLog) StandardLogger(*hclog.StandardLoggerOptions) *log.Logger {
	return slog.NewLogLogger(r.to.Handler(), slog.LevelDebug)
}

// StandardWriter is asked for by nobody.
func (r *raftLog) StandardWriter(*hclog.StandardLoggerOptions) io.Writer { return io.Discard }

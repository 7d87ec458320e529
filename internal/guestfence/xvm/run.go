package xvm

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence/protocol"
)

// Env is what the command works with.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Now            func() time.Time
}

// said is an error in words that are printed as they are: those that callers know from the original.
type said string

func (s said) Error() string { return string(s) }

func saidf(format string, args ...any) error { return said(fmt.Sprintf(format, args...)) }

// noAnswer is what a call ends with, and the exit status made of it, when the host was reached and said nothing.
const noAnswer = 255

var (
	errTimedOut = error(said("Timed out waiting for response"))
	errNoAnswer = errors.New("the host does not answer")
)

// Run runs the command and returns its exit status. name is the one that it is called by.
func Run(ctx context.Context, env Env, name string, args []string) int {
	o := defaults()
	if len(args) == 0 {
		for _, key := range o.parseInput(name, env.Stdin) {
			_, _ = fmt.Fprintf(env.Stderr, "Parse error: Ignoring unknown option '%s'\n", key)
		}
	}
	for _, c := range o.parseArgs(name, args) {
		_, _ = fmt.Fprintf(env.Stderr, "%s: %s\n", name, c)
	}
	if o.debug > 1 || o.debug == 1 && len(args) == 0 {
		_, _ = fmt.Fprintf(env.Stdout, "Debugging threshold is now %d\n", o.debug)
	}
	switch action, _ := actionOf(o.action); {
	case o.version:
		_, _ = fmt.Fprintf(env.Stdout, "%s of Cerco, protocol of fence release 4.12.1\n", name)
		return 0
	case o.help:
		help(env.Stdout, name)
		return 0
	case !o.complete(env.Stdout, name, len(args) == 0):
		return 1
	case action == protocol.Metadata:
		metadata(env.Stdout, name)
		return 0
	case action == protocol.ValidateAll:
		return 0
	default:
		return o.run(ctx, env, name, action)
	}
}

// complete prints what is wrong with the options, and how they are.
func (o *options) complete(w io.Writer, name string, fromInput bool) bool {
	action, _ := actionOf(o.action)
	if o.domain == "" && len(o.problems) == 0 && action != protocol.Monitor && action != protocol.List && action != protocol.Metadata {
		o.problems = append(o.problems, "No domain specified!")
	}
	if len(o.problems) == 0 {
		return true
	}
	for _, p := range o.problems {
		if p != "" {
			_, _ = fmt.Fprintln(w, p)
		}
	}
	switch {
	case action == protocol.ValidateAll:
	case fromInput:
		inputUsage(w, name)
	default:
		usage(w, name)
	}
	return false
}

// asking is one call of the command on its way.
type asking struct {
	*options
	env    Env
	action protocol.Action
	key    []byte
	seq    uint32
	random func([]byte) // fills with what nobody can guess; tests replay what was recorded
}

func (o *options) run(ctx context.Context, env Env, name string, action protocol.Action) int {
	a := &asking{options: o, env: env, action: action, random: unguessable}
	var seq [4]byte // the original takes the clock's microseconds: two guests that ask the same in one of them are taken for one
	unguessable(seq[:])
	a.seq = binary.LittleEndian.Uint32(seq[:])
	if (action == protocol.Null || action.Changes()) && o.delay > 0 && !wait(ctx, o.delay) {
		return 1
	}
	way := a.way(name)
	if way.signed {
		if err := a.readKey(); err != nil {
			_, _ = fmt.Fprintln(env.Stdout, err)
			return 1
		}
	}
	result, hosts, err := way.ask(ctx)
	switch {
	case errors.Is(err, errNoAnswer):
		a.debugf(1, "%v", err)
		result = noAnswer
	case err != nil:
		_, _ = fmt.Fprintln(env.Stdout, err)
		result = protocol.Failure
	}
	return a.print(result, hosts)
}

// print says what came of it, and returns the exit status.
func (a *asking) print(result protocol.Result, hosts []protocol.Host) int {
	out := a.env.Stdout
	switch {
	case result == protocol.HostsList:
		for _, h := range hosts {
			state := "off"
			if h.On() {
				state = "on"
			}
			_, _ = fmt.Fprintf(out, "%-32s %s %s\n", h.Name, h.UUID, state)
		}
		return 0
	case result == protocol.Success && a.action == protocol.Status:
		_, _ = fmt.Fprintln(out, "Status: ON")
	case result == protocol.Success:
	case result == protocol.IsOff && a.action == protocol.Status:
		_, _ = fmt.Fprintln(out, "Status: OFF")
	case result == protocol.Failure:
		_, _ = fmt.Fprintln(out, "Operation failed")
	case result == protocol.Denied:
		_, _ = fmt.Fprintln(out, "Permission denied")
	case result == noAnswer:
		_, _ = fmt.Fprintln(out, "Unknown response (-1)")
	default:
		_, _ = fmt.Fprintf(out, "Unknown response (%d)\n", result)
	}
	return int(result)
}

func (a *asking) debugf(level int, format string, args ...any) {
	if a.debug >= level {
		_, _ = fmt.Fprintf(a.env.Stdout, format+"\n", args...)
	}
}

// readKey reads the key. Without the default one, and none named, nothing is signed, as stock programs do it.
func (a *asking) readKey() (err error) {
	if a.hash == protocol.None && a.auth == protocol.None && !a.keyGiven {
		return nil
	}
	a.key, err = protocol.ReadKey(a.keyFile)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist) && !a.keyGiven:
		_, _ = fmt.Fprintf(a.env.Stdout, "Could not read %s; trying without authentication\n", a.keyFile)
		a.hash, a.auth, a.key = protocol.None, protocol.None, nil
		return nil
	}
	return err
}

// way is how a host is reached.
type way struct {
	signed bool
	ask    func(context.Context) (protocol.Result, []protocol.Host, error)
}

// way picks what was asked for. When nothing was, the host below this guest is asked first, where it listens by
// vsock, and then all hosts.
func (a *asking) way(name string) way {
	switch {
	case a.tcp != "":
		return way{true, a.askTCP}
	case a.vsock:
		return way{true, a.askVsock}
	case a.device != "":
		return way{false, a.askDevice}
	case name == NameVirt:
		return way{false, a.askChannel}
	case name == NameOurs && a.addresses == "":
		return way{true, a.askNearest}
	}
	return way{true, a.askDatagrams}
}

// askNearest asks the host below by vsock, if it listens there, and all hosts if that one cannot help. What it
// says of a machine counts only if it has that machine: stock hosts call those off that they do not know.
func (a *asking) askNearest(ctx context.Context) (protocol.Result, []protocol.Host, error) {
	result, hosts, err := a.askVsock(ctx)
	if err == nil && (result == protocol.HostsList || result == protocol.Success && a.action == protocol.Monitor) {
		return result, hosts, nil
	}
	if err == nil && (result == protocol.Success || result == protocol.IsOff) {
		look := *a
		look.action, look.domain, look.seq = protocol.List, "", a.seq+1
		if _, known, err := look.askVsock(ctx); err == nil && hasHost(known, a.domain) {
			return result, hosts, nil
		}
	}
	a.debugf(1, "the host below says nothing by vsock: %v, %v", result, err)
	return a.askDatagrams(ctx)
}

func hasHost(hosts []protocol.Host, id string) bool {
	for _, h := range hosts {
		if h.Name == id || strings.EqualFold(h.UUID, id) {
			return true
		}
	}
	return false
}

// request returns the request, signed, for a datagram or a stream of its own.
func (a *asking) request() *protocol.Request {
	r := &protocol.Request{Action: a.action, Hash: a.hash, Domain: a.domain, Seq: a.seq}
	if a.uuid {
		r.Flags = protocol.FlagUUID
	}
	if a.hash != protocol.None {
		a.random(r.Random[:])
	}
	return r
}

func unguessable(b []byte) { _, _ = rand.Read(b) } // never fails

// wait returns false if ctx ends first.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/user"
	"slices"
	"strconv"
	"sync"
	"syscall"

	"github.com/cerco-ha/cerco/internal/wire"
)

// Caller is who makes a request.
type Caller struct {
	Name string // of the user, or of the node that the certificate is for
	Node bool   // a node of the cluster
	Root bool   // root or the daemon's own user: may do everything
}

type callerKey struct{}

// WithCaller names the caller of the requests of a context.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// callerOf is the caller of a request; without a name if nobody has said who it is.
func callerOf(r *http.Request) Caller {
	c, _ := r.Context().Value(callerKey{}).(Caller)
	return c
}

// listenUnix opens the socket. One that is left from before is taken away, one that somebody serves is not.
func (s *Server) listenUnix() (net.Listener, error) {
	path := s.cfg.Socket
	if c, err := net.Dial("unix", path); err == nil {
		c.Close()
		return nil, fmt.Errorf("api: %s: somebody serves it already: is another daemon running?", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("api: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	gid := s.openToGroup(path)
	return &localListener{Listener: l, gid: gid, log: s.cfg.Log}, nil
}

// openToGroup gives the socket its mode and its group and returns the group's id, -1 if there is no such group
// here.
func (s *Server) openToGroup(path string) int {
	gid := -1
	if g, err := user.LookupGroup(s.cfg.Group); err == nil {
		if gid, err = strconv.Atoi(g.Gid); err == nil && os.Geteuid() == 0 {
			if err := os.Chown(path, 0, gid); err != nil {
				s.cfg.Log.Warn("the API's socket cannot be given to its group", "group", s.cfg.Group, "error", err)
			}
		}
	}
	if err := os.Chmod(path, 0o660); err != nil {
		s.cfg.Log.Warn("the API's socket cannot be given its mode", "path", path, "error", err)
	}
	return gid
}

// maxOfUser is how many connections a user other than root may have to the socket at one time.
const maxOfUser = 128

// seats counts the connections of users.
type seats struct {
	mu    sync.Mutex
	taken map[uint32]int
}

// take gives a user one more, if there is one; leave gives it back, once.
func (s *seats) take(uid uint32) (leave func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[uid] >= maxOfUser {
		return nil, false
	}
	if s.taken == nil {
		s.taken = map[uint32]int{}
	}
	s.taken[uid]++
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.taken[uid]--; s.taken[uid] == 0 {
			delete(s.taken, uid)
		}
	}), true
}

// localListener lets in whom the kernel vouches for: root, the daemon's own user, and the members of a group. Others
// are hung up on.
type localListener struct {
	net.Listener
	gid   int
	log   interface{ Warn(string, ...any) }
	seats seats
}

// localConn is a connection of a known caller.
type localConn struct {
	net.Conn
	caller Caller
	leave  func()
}

// Close ends it.
func (c *localConn) Close() error {
	c.leave()
	return c.Conn.Close()
}

func (l *localListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		conn, err := l.check(c)
		if err == nil {
			return conn, nil
		}
		l.log.Warn("somebody was turned away from the API's socket", "error", err)
		c.Close()
	}
}

// check finds out who a connection is of, and whether they may have it.
func (l *localListener) check(c net.Conn) (*localConn, error) {
	cred, err := peerCredentials(c)
	if err != nil {
		return nil, err
	}
	caller, err := l.identify(cred)
	if err != nil {
		return nil, err
	}
	conn := &localConn{Conn: c, caller: caller, leave: func() {}}
	if !caller.Root {
		var ok bool
		if conn.leave, ok = l.seats.take(cred.Uid); !ok {
			return nil, fmt.Errorf("user %s has %d connections already", caller.Name, maxOfUser)
		}
	}
	return conn, nil
}

func (l *localListener) identify(cred *syscall.Ucred) (Caller, error) {
	name := strconv.Itoa(int(cred.Uid))
	u, err := user.LookupId(name)
	if err == nil {
		name = u.Username
	}
	caller := Caller{Name: name, Root: cred.Uid == 0 || int(cred.Uid) == os.Geteuid()}
	if caller.Root || l.gid >= 0 && int(cred.Gid) == l.gid {
		return caller, nil
	}
	if u != nil && l.gid >= 0 {
		if ids, err := u.GroupIds(); err == nil && slices.Contains(ids, strconv.Itoa(l.gid)) {
			return caller, nil
		}
	}
	return Caller{}, fmt.Errorf("user %s is neither root nor in the group that may use it", name)
}

func peerCredentials(c net.Conn) (*syscall.Ucred, error) {
	uc, ok := c.(*net.UnixConn)
	if !ok {
		return nil, fmt.Errorf("%T has no credentials", c)
	}
	raw, err := uc.SyscallConn()
	if err != nil {
		return nil, err
	}
	var cred *syscall.Ucred
	var failed error
	if err := raw.Control(func(fd uintptr) {
		cred, failed = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	}); err != nil {
		return nil, err
	}
	return cred, failed
}

func localCaller(c net.Conn) Caller {
	if lc, ok := c.(*localConn); ok {
		return lc.caller
	}
	return Caller{}
}

// certified names a member: whoever holds the key of one is root there.
func (s *Server) certified(c net.Conn) Caller {
	name := s.cfg.Member(c)
	return Caller{Name: name, Node: name != "", Root: name != ""}
}

// rootOnly keeps members of the group out of what is for root alone.
func rootOnly(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if c := callerOf(r); !c.Root {
			return &failure{http.StatusForbidden, wire.Error{Code: wire.CodeDenied,
				What: fmt.Sprintf("user %s may not do that", c.Name), Fix: "ask as root"}}
		}
		return h(w, r)
	}
}

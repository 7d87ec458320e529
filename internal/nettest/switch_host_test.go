//go:build host

package nettest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cerco-ha/cerco/internal/ordeal"
)

// ether is the network between hosts: an Ethernet switch a ring, in this process, so that any packet can be lost,
// late, out of order or there twice, in one direction or both, whatever the kernel has.
type ether struct {
	mu    sync.Mutex
	rnd   *rand.Rand
	ports map[port]*os.File
	at    map[string]port // by ring and hardware address
	links map[ringLink]ordeal.Link
	wg    sync.WaitGroup
}

// port is where a node is plugged into a ring's switch.
type port struct {
	node string
	ring int
}

// ringLink is one direction between two nodes on a ring.
type ringLink struct {
	from, to string
	ring     int
}

func newEther(seed uint64) *ether {
	return &ether{rnd: rand.New(rand.NewPCG(seed, 1)), ports: map[port]*os.File{}, at: map[string]port{}, links: map[ringLink]ordeal.Link{}}
}

// plug makes a network device in a namespace and plugs it into the switch of a ring.
func (s *ether) plug(ns, dev, node string, ring int) error {
	tap, err := openTap("/run/netns/"+ns, dev)
	if err != nil {
		return fmt.Errorf("a network device for %s: %w", node, err)
	}
	at := port{node, ring}
	s.mu.Lock()
	s.ports[at] = tap
	s.mu.Unlock()
	s.wg.Go(func() {
		frame := make([]byte, 64<<10)
		for {
			n, err := tap.Read(frame)
			if err != nil {
				return
			}
			s.forward(at, append([]byte(nil), frame[:n]...))
		}
	})
	return nil
}

// openTap makes a TAP device in a namespace. Its thread comes back from there: were it the first one of this process,
// the process would count as one of the namespace, and die with that host.
func openTap(ns, dev string) (*os.File, error) {
	type opened struct {
		file *os.File
		err  error
	}
	done := make(chan opened)
	go func() {
		runtime.LockOSThread() // until it is back; a thread that cannot come back ends with the goroutine
		file, err := func() (*os.File, error) {
			here, err := os.Open("/proc/thread-self/ns/net")
			if err != nil {
				return nil, err
			}
			defer here.Close()
			there, err := os.Open(ns)
			if err != nil {
				return nil, err
			}
			defer there.Close()
			if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
				return nil, fmt.Errorf("setns: %w", err)
			}
			defer func() {
				if unix.Setns(int(here.Fd()), unix.CLONE_NEWNET) == nil {
					runtime.UnlockOSThread()
				}
			}()
			fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
			if err != nil {
				return nil, fmt.Errorf("/dev/net/tun: %w", err)
			}
			ifr, err := unix.NewIfreq(dev)
			if err == nil {
				ifr.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
				err = unix.IoctlIfreq(fd, unix.TUNSETIFF, ifr)
			}
			if err != nil {
				_ = unix.Close(fd)
				return nil, fmt.Errorf("tap device: %w", err)
			}
			return os.NewFile(uintptr(fd), dev), nil
		}()
		done <- opened{file, err}
	}()
	o := <-done
	return o.file, o.err
}

// forward sends a frame on to whom it is for, as the links allow.
func (s *ether) forward(from port, frame []byte) {
	if len(frame) < 14 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at[fmt.Sprint(from.ring, frame[6:12])] = from
	if frame[0]&1 == 0 {
		if to, known := s.at[fmt.Sprint(from.ring, frame[:6])]; known {
			s.send(from, to, frame)
			return
		}
	}
	for to := range s.ports {
		if to.ring == from.ring && to != from {
			s.send(from, to, frame)
		}
	}
}

func (s *ether) send(from, to port, frame []byte) {
	link, tap := s.links[ringLink{from.node, to.node, from.ring}], s.ports[to]
	chance := func(percent int) bool { return percent > 0 && s.rnd.IntN(100) < percent }
	if link.Cut || chance(link.Loss) {
		return
	}
	copies := 1
	if chance(link.Duplicate) {
		copies = 2
	}
	for range copies {
		late := link.Delay
		if link.Jitter > 0 {
			late += time.Duration(s.rnd.Int64N(int64(link.Jitter)))
		}
		if chance(link.Reorder) {
			late += time.Duration(5+s.rnd.IntN(30)) * time.Millisecond
		}
		if late == 0 {
			_, _ = tap.Write(frame) // a device that is down takes nothing, as a cable that is pulled
			continue
		}
		time.AfterFunc(late, func() { _, _ = tap.Write(frame) })
	}
}

// change changes the link from one node to another, on the given rings.
func (s *ether) change(from, to string, rings []int, with func(*ordeal.Link)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ring := range rings {
		l := s.links[ringLink{from, to, ring}]
		with(&l)
		s.links[ringLink{from, to, ring}] = l
	}
}

// heal makes all links good.
func (s *ether) heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.links)
}

func (s *ether) close() {
	s.mu.Lock()
	for _, tap := range s.ports {
		_ = tap.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

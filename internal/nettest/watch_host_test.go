//go:build host

package nettest

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cerco-ha/cerco/internal/ordeal"
)

var errNotYet = errors.New("not yet")

// line is one line of a service's record: where it ran, and when, in seconds since the boot.
type line struct {
	node string
	pid  int
	at   float64
}

func (h *hosts) record(service string) []line {
	data, err := os.ReadFile(h.path("records", service))
	if err != nil {
		return nil
	}
	var out []line
	for _, l := range strings.Split(string(data), "\n") {
		f := strings.Fields(l)
		if len(f) < 4 {
			continue
		}
		pid, err1 := strconv.Atoi(f[1])
		at, err2 := strconv.ParseFloat(f[2], 64)
		if err1 == nil && err2 == nil {
			out = append(out, line{f[0], pid, at})
		}
	}
	return out
}

func uptime() float64 {
	data, _ := os.ReadFile("/proc/uptime")
	first, _, _ := strings.Cut(string(data), " ")
	at, _ := strconv.ParseFloat(first, 64)
	return at
}

// runs is where a service runs just now, "" when it does not.
func (h *hosts) runs(service string) line {
	lines := h.record(service)
	if len(lines) == 0 || uptime()-lines[len(lines)-1].at > 0.5 {
		return line{}
	}
	return lines[len(lines)-1]
}

// awaitRuns waits until a service runs on one of these nodes.
func (h *hosts) awaitRuns(limit time.Duration, service string, nodes ...string) (line, time.Duration) {
	h.t.Helper()
	var now line
	took := h.await(limit, fmt.Sprintf("%s to run on one of %v", service, nodes), func() error {
		if now = h.runs(service); !slices.Contains(nodes, now.node) {
			return fmt.Errorf("it runs on %q", now.node)
		}
		return nil
	})
	return now, took
}

// checkOnce fails when a service ever ran twice at a time.
func (h *hosts) checkOnce(services ...string) {
	h.t.Helper()
	for _, s := range services {
		var last line
		ended := map[int]bool{}
		for _, l := range h.record(s) {
			if l.pid != last.pid {
				if ended[l.pid] {
					h.t.Errorf("%s ran twice: process %d on %s and %d on %s, %.2f", s, l.pid, l.node, last.pid, last.node, l.at)
					return
				}
				ended[last.pid] = true
			}
			last = l
		}
	}
}

// fenced are the fencings so far, "n1 by n2".
func (h *hosts) fenced() []string {
	data, _ := os.ReadFile(h.path("fenced"))
	lines := strings.Split(string(data), "\n")
	return lines[:len(lines)-1] // the last one is not written yet, or empty
}

func (h *hosts) noFencing() {
	h.t.Helper()
	if f := h.fenced(); len(f) > 0 {
		h.t.Errorf("somebody was fenced: %v", f)
	}
}

// quiet lets time pass in which nothing may happen to a service.
func (h *hosts) quiet(d time.Duration, service string) {
	h.t.Helper()
	before := h.runs(service)
	if before.pid == 0 {
		h.t.Fatalf("%s does not run", service)
	}
	time.Sleep(d)
	if after := h.runs(service); after.pid != before.pid {
		h.t.Errorf("%s ran as %+v, and then as %+v", service, before, after)
	}
	h.noFencing()
}

// signal sends a signal to everything on a node.
func (h *hosts) signal(node string, sig syscall.Signal) {
	h.t.Helper()
	for _, p := range strings.Fields(h.run("ip", "netns", "pids", h.ns(node))) {
		pid, err := strconv.Atoi(p)
		if err != nil {
			h.t.Fatal(err)
		}
		_ = syscall.Kill(pid, sig)
	}
}

// deaf makes a node lose what others send to it, on all rings.
func (h *hosts) deaf(node string, to []string) {
	for _, other := range to {
		h.net.change(other, node, h.allRings(), func(l *ordeal.Link) { l.Cut = true })
	}
}

// mute makes a node lose what it sends to others.
func (h *hosts) mute(node string, to []string) {
	for _, other := range to {
		h.net.change(node, other, h.allRings(), func(l *ordeal.Link) { l.Cut = true })
	}
}

// lose makes a node lose some of what others send to it.
func (h *hosts) lose(node string, percent int) {
	for _, other := range h.others(node) {
		h.net.change(other, node, h.allRings(), func(l *ordeal.Link) { l.Loss = percent })
	}
}

// slow makes what a node sends late, by something between the two times.
func (h *hosts) slow(node string, by, most time.Duration) {
	for _, other := range h.others(node) {
		h.net.change(node, other, h.allRings(), func(l *ordeal.Link) { l.Delay, l.Jitter = by, most-by })
	}
}

// heal ends all faults of the network.
func (h *hosts) heal() { h.net.heal() }

// ring takes a whole ring down, or up again.
func (h *hosts) ring(k int, state string) {
	for _, a := range h.names {
		for _, b := range h.others(a) {
			h.net.change(a, b, []int{k}, func(l *ordeal.Link) { l.Cut = state == "down" })
		}
	}
}

func (h *hosts) allRings() []int {
	var all []int
	for ring := range h.rings {
		all = append(all, ring)
	}
	return all
}

// others are all nodes but some.
func (h *hosts) others(than ...string) []string {
	return slices.DeleteFunc(slices.Clone(h.names), func(n string) bool { return slices.Contains(than, n) })
}

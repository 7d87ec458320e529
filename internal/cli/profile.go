package cli

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/cerco-ha/cerco/internal/scheduler"
)

// profile plans with every XML file of a directory and says how long each took.
func profile(c *call, o *simulateOptions) int {
	entries, err := os.ReadDir(o.profile)
	if err != nil {
		return c.errorf(exitNoInput, "cannot read the directory: %v", err)
	}
	out := newOutline(c.Stdout, true)
	out.heading("Timings")
	for _, e := range entries {
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") || !strings.HasSuffix(e.Name(), ".xml") {
			continue
		}
		name := filepath.Join(o.profile, e.Name())
		in, code := c.readCIB(name, false, false)
		if in == nil {
			return code
		}
		start := c.Now()
		for range max(o.repeat, 1) {
			now := in.ExecutionDate
			if now.IsZero() {
				now = start
			}
			scheduler.Schedule(in, scheduler.Options{Now: now, Masked: true})
		}
		out.item("Testing " + name + " ... " + seconds(c.Now().Sub(start)) + " secs")
	}
	if err := out.flush(); err != nil {
		return c.errorf(exitIOErr, "%v", err)
	}
	return exitOK
}

package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/cerco-ha/cerco/internal/agents"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/ordeal"
)

const (
	soakConverge = 2 * time.Minute  // how soon a lab must be well again when its faults are over
	soakCalm     = 20 * time.Second // how long it is left alone then, at most
)

// soak harms a lab at random for as long as it is told to, and has what happened judged.
func (c *command) soak() error {
	dir, err := os.MkdirTemp("", "cerco-soak-")
	if err != nil {
		return err
	}
	l, err := Create(dir, c.nodes)
	if err != nil {
		return err
	}
	if _, err := agents.Write(filepath.Join(l.Dir, "ocf")); err != nil {
		return err
	}
	up, cancel := context.WithTimeout(c.ctx, upPatience)
	defer cancel()
	if err := l.Up(up, c.say); err != nil {
		return fmt.Errorf("%w (%s has the nodes' logs; cerco lab down --dir %s ends what runs)", err, dir, dir)
	}
	rep, err := ordeal.Run(c.ctx, &site{Lab: l, ctx: c.ctx}, ordeal.Config{Seed: c.seed, Faults: c.faults, For: c.long, Services: c.resources,
		Monitor: 10 * time.Second, Calm: soakCalm, Converge: soakConverge, Say: c.say})
	ordeal.WriteReport(c.stdout, c.seed, c.nodes, rep)
	if err != nil {
		return fmt.Errorf("%w (%s has the journal and the nodes' logs; cerco lab down --dir %s ends what runs)", err, dir, dir)
	}
	down, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), 10*time.Second)
	defer cancel()
	return l.Down(down)
}

// Journal is what agents, fence devices and the lab itself write down.
func (l *Lab) Journal() string { return filepath.Join(l.Dir, "journal") }

// powerFile says how the fence device behaves.
func (l *Lab) powerFile() string { return filepath.Join(l.Dir, "power") }

// site is a lab as an ordeal sees it.
type site struct {
	*Lab
	ctx context.Context
}

var _ ordeal.Site = (*site)(nil)

func (s *site) Nodes() []string {
	var out []string
	for _, n := range s.Lab.Nodes {
		out = append(out, n.Name)
	}
	return out
}

func (s *site) Client(node string) (*client.Client, error) { return s.Lab.Client(node) }

// Device has short times, so that a device that hangs is found out soon.
func (s *site) Device() string {
	return fmt.Sprintf(`<primitive id="power" class="stonith" type="%s">
  <instance_attributes id="power-params">
    <nvpair id="power-lab" name="lab" value="%s"/>
    <nvpair id="power-reboot" name="pcmk_reboot_timeout" value="10s"/>
    <nvpair id="power-off" name="pcmk_off_timeout" value="10s"/>
    <nvpair id="power-status" name="pcmk_status_timeout" value="5s"/>
  </instance_attributes>
  <operations><op id="power-monitor" name="monitor" interval="60s" timeout="20s"/></operations>
</primitive>`, FenceAgent, escape(s.Dir))
}

func (s *site) On(node string) bool {
	_, err := os.Stat(s.pidFile(node))
	return err == nil
}

func (s *site) PowerOff(node string) error {
	ctx, cancel := context.WithTimeout(s.ctx, 10*time.Second)
	defer cancel()
	return s.Lab.PowerOff(ctx, node)
}

// EndDaemon ends it at once and starts it again later, while other things happen.
func (s *site) EndDaemon(node string, by syscall.Signal, away time.Duration) error {
	go func() { _ = s.Lab.EndDaemon(node, by, away) }() // what is off already cannot be killed
	return nil
}

func (s *site) Freeze(node string, frozen bool) error {
	sig := syscall.SIGCONT
	if frozen {
		sig = syscall.SIGSTOP
	}
	if !s.On(node) {
		return nil
	}
	_ = s.Signal(node, sig) // it may be switched off just now
	return nil
}

func (s *site) KillService(node, service string) error {
	pid, err := agents.Process(s.Path(node, "run", "agents"), "Service", service)
	if err != nil {
		return err
	}
	return syscall.Kill(pid, syscall.SIGKILL)
}

func (s *site) Connect(links ordeal.Links) error {
	var errs []error
	for _, a := range s.Nodes() {
		errs = append(errs, s.change(a, func(f *faults) {
			f.To, f.From = nil, nil
			for _, b := range s.Nodes() {
				if links[[2]string{a, b}].Cut {
					f.To = append(f.To, b)
				}
				if links[[2]string{b, a}].Cut {
					f.From = append(f.From, b)
				}
			}
		}))
	}
	return errors.Join(errs...)
}

func (s *site) Data(node string) string { return s.Path(node, "lib") }

func (s *site) Disk(node string, d ordeal.Disk) error { return s.SlowDisk(node, d.Slow) }

func (s *site) Power(p ordeal.Power) error {
	return os.WriteFile(s.powerFile(), []byte(p+"\n"), 0o600)
}

// Lacks: the lab's faults are those of whole links, and its disks are that of the machine.
func (s *site) Lacks() []string {
	return strings.Fields("loss delay reorder duplicate disk-full")
}

func (s *site) Keep(string) string { return "everything is kept in " + s.Dir }

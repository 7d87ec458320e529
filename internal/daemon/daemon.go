package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cerco-ha/cerco/internal/alert"
	"github.com/cerco-ha/cerco/internal/api"
	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/compat"
	"github.com/cerco-ha/cerco/internal/controller"
	"github.com/cerco-ha/cerco/internal/driver"
	"github.com/cerco-ha/cerco/internal/events"
	"github.com/cerco-ha/cerco/internal/executor"
	"github.com/cerco-ha/cerco/internal/fencer"
	"github.com/cerco-ha/cerco/internal/history"
	"github.com/cerco-ha/cerco/internal/membership"
	"github.com/cerco-ha/cerco/internal/peer"
	"github.com/cerco-ha/cerco/internal/report"
	"github.com/cerco-ha/cerco/internal/store"
	"github.com/cerco-ha/cerco/internal/watchdog"
)

// Config is what a daemon is started with. All but Layout and BootID may be left out.
type Config struct {
	Layout   Layout
	BootID   string   // of this host; another one means that everything that ran here has ended
	OCFRoots []string // where resource agents are looked for, before /usr/lib/ocf/resource.d
	Fencers  []string // directories of fence agents, before those of the system
	Watchdog WatchdogConfig
	// Ask tells people that a fencing waits for them, beyond what the log and the events say; nil: nobody else.
	Ask    func(ctx context.Context, q fencer.Question) error
	Faults Faults // of a lab
	Guests GuestConfig

	Now func() time.Time
	Log *slog.Logger
	// Panic ends this host at once, without a word to anybody; it may return in a lab.
	Panic func(why string)
	Self  string // the program, for the helper commands that agents call; default: the one that runs

	// Speaks is the newest vocabulary of commands that this daemon knows, for tests of several versions; default: what
	// the program knows.
	Speaks cib.Vocabulary

	// For tests without a network.
	Dial     func(ctx context.Context, local, remote string) (net.Conn, error)
	Listener func(addr string) (net.Listener, error)
	Driver   driver.Driver // instead of the host's agents
	Agents   fencer.Agents // instead of the host's fence agents
	Host     *report.Host  // instead of the host, for a report
}

// eventsKept is how many events a node remembers for those who come late.
const eventsKept = 4096

// Daemon is one node.
type Daemon struct {
	cfg  Config
	log  *slog.Logger
	node *nodeConfig
	run  string // of this daemon: another one after each start
	team atomic.Pointer[team]

	ctx    context.Context // ends with Stop
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup
	asides sync.Mutex    // guards closed, and the beginning of what wg counts
	closed bool          // Stop has begun: nothing more is begun aside
	ended  chan struct{} // closed when the cluster has had everything moved away from here
	failed chan error    // of capacity 1: why the daemon cannot go on
	leaves sync.Once
	stops  sync.Once

	up   atomic.Bool // orders are taken
	led  atomic.Bool // there was a leader since
	left atomic.Bool // it leaves in order: none are taken any more
	away atomic.Bool // it had left when it was started, and no leader has taken it back: see comeBack

	idMu    sync.Mutex
	id      *peer.Identity
	rotates sync.Mutex                    // one exchange of a key or of the authority at a time
	nextCA  atomic.Pointer[peer.Identity] // the authority that this node has just made
	minding atomic.Bool

	peer      *peer.Peer
	store     *store.Store
	opened    atomic.Pointer[store.Store] // the same, for what runs while it is being opened: nil until it is
	executor  *executor.Executor
	host      *driver.Host
	fencer    *fencer.Fencer
	watchdog  *watchdog.Watchdog // nil: none
	members   *membership.Membership
	lone      *lone
	api       *api.Server
	history   *history.Log
	archive   *archive
	journal   *events.Journal
	alerts    *alert.Runner
	loop      *loop
	proposals *proposals
	guests    *guests

	arrivals    arrivals
	acks        acks
	told        tellings
	fences      fences
	clusterTurn sync.Mutex
	officeMu    sync.Mutex
	office      *office

	seen cib.State // the last state that changed was called with; used by the store's goroutine only
}

// New reads what this node knows of itself. Nothing runs before Start.
func New(cfg Config) (*Daemon, error) {
	node, err := cfg.Layout.readNode()
	if err != nil {
		return nil, err
	}
	if err := cfg.Layout.make(); err != nil {
		return nil, err
	}
	id, err := peer.LoadIdentity(cfg.Layout.Conf)
	if err != nil {
		return nil, err
	}
	if cfg.BootID == "" {
		data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
		if err != nil {
			return nil, fmt.Errorf("this host does not tell its boot id: %w", err)
		}
		cfg.BootID = string(data[:len(data)-1])
	}
	if cfg.Faults == nil {
		cfg.Faults = noFaults{}
	}
	if cfg.Speaks == 0 {
		cfg.Speaks = cib.CommandVersion
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Panic == nil {
		cfg.Panic = func(string) { watchdog.ResetHost() }
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	d := &Daemon{cfg: cfg, node: node, id: id, log: cfg.Log.With("node", node.Name), ended: make(chan struct{}), failed: make(chan error, 1),
		journal: events.NewJournal(eventsKept), run: strconv.FormatInt(cfg.Now().UnixNano(), 36)}
	d.team.Store(&team{node.Generation, node.Index, node.Members})
	d.ctx, d.cancel = context.WithCancelCause(context.Background())
	return d, nil
}

// Name is this node's.
func (d *Daemon) Name() string { return d.node.Name }

// Ended is closed when the cluster has had everything moved away from this node: the daemon is to be stopped,
// and not to be started again at once.
func (d *Daemon) Ended() <-chan struct{} { return d.ended }

// Failed tells why the daemon cannot go on: it is to be stopped, and starting it again will not help.
func (d *Daemon) Failed() <-chan error { return d.failed }

// behind is told by the store when this program is too old for what the cluster has agreed on.
func (d *Daemon) behind(why error) {
	d.up.Store(false)
	select {
	case d.failed <- why:
	default:
	}
}

func (d *Daemon) identity() *peer.Identity {
	d.idMu.Lock()
	defer d.idMu.Unlock()
	return d.id
}

// Start brings the node up. When it fails nothing is left running.
func (d *Daemon) Start() error {
	err := d.start()
	if err != nil {
		d.Stop()
	}
	return err
}

func (d *Daemon) start() (err error) {
	if d.history, err = history.Open(d.cfg.Layout.historyDir(), keptTransitions); err != nil {
		return fmt.Errorf("the history of plans: %w", err)
	}
	d.archive = &archive{log: d.history, journal: d.journal, slog: d.log, node: d.node.Name, now: d.cfg.Now}
	d.archive.start()
	d.alerts = alert.New(alert.Config{Node: d.node.Name, Now: d.cfg.Now, Since: d.cfg.Now(), Log: d.log,
		Leader: d.leaderName})
	d.alerts.Start()
	d.peer = peer.New(peer.Config{Name: d.node.Name, Listen: d.node.Listen, Identity: d.identity, Peers: d.peers, Invited: d.invited,
		Faults: d.cfg.Faults, Log: d.log, LinkChanged: d.linkChanged, Dial: d.cfg.Dial, Listener: d.cfg.Listener, Now: d.cfg.Now})
	d.store, err = store.Open(store.Config{Dir: d.cfg.Layout.storeDir(), Name: d.node.Name, Listener: d.peer.Accept("cerco/raft"),
		Dial: func(node string, timeout time.Duration) (net.Conn, error) {
			return d.peer.Stream(node, "cerco/raft", timeout)
		},
		Log: d.log, SlowDisk: d.cfg.Faults.SlowDisk, Speaks: d.cfg.Speaks, Behind: d.behind})
	if err != nil {
		return err
	}
	d.opened.Store(d.store)
	d.loop = newLoop(controller.New(controller.Config{Name: d.node.Name}), d.perform, d.cfg.Now)
	d.proposals = &proposals{store: d.store, loop: d.loop}
	if err := d.startHands(); err != nil {
		return err
	}
	d.makeMembers()
	d.guests = newGuests(d)
	d.store.Watch(d.changed)
	d.store.OnLead(d.lead)
	for name, serve := range d.services() {
		d.peer.Handle(name, func(ctx context.Context, from string, req []byte) ([]byte, error) {
			answer, err := serve(ctx, from, req)
			return answer, sendError(err)
		})
	}
	d.peer.HandleJoin(d.handleJoin)
	if err := d.peer.Start(); err != nil {
		return err
	}
	if err := d.executor.Start(); err != nil {
		return fmt.Errorf("the executor: %w", err)
	}
	d.loop.start(d.ctx)
	d.members.Start()
	d.startWatchdog()
	d.aside(d.comeBack)
	d.aside(d.mindKeyAge)
	if d.node.Found != nil && d.store.Blank() {
		first := cib.NewState(*d.node.Found)
		first.Spoken = d.cfg.Speaks
		if err := d.store.Bootstrap(first); err != nil {
			return fmt.Errorf("begin cluster %s: %w", d.node.Cluster, err)
		}
	}
	d.aside(d.guests.run)
	return d.startAPI()
}

// startHands makes what operates resources and fence devices.
func (d *Daemon) startHands() (err error) {
	if err := links(d.cfg.Layout.linksDir(), d.cfg.Self); err != nil {
		d.log.Warn("agents will not find the helper commands", "error", err)
	}
	agents := d.cfg.Agents
	if agents == nil {
		agents = fencer.NewPrograms(append(slices.Clone(d.cfg.Fencers), fencer.AgentDirs()...), d.cfg.Now)
	}
	d.fencer = fencer.New(fencer.Config{Node: d.node.Name, State: d.store.View, Agents: agents, Remote: d.remoteFencer,
		Reachable: d.reachable, Heard: d.heard, Admit: d.admitFencing, Ask: d.askPeople, Now: d.cfg.Now, Log: d.log})
	drv := d.cfg.Driver
	if drv == nil {
		d.host = driver.New(driver.Config{OCFRoots: append(slices.Clone(d.cfg.OCFRoots), "/usr/lib/ocf/resource.d"),
			Links: d.cfg.Layout.linksDir(), Socket: d.cfg.Layout.socket(), RunDir: d.cfg.Layout.Run,
			RscTmp: d.cfg.Layout.RscTmp, Now: d.cfg.Now, Log: d.log})
		drv = d.host
	}
	d.executor, err = executor.New(executor.Config{Dir: d.cfg.Layout.ledgerDir(), Node: d.node.Name, BootID: d.cfg.BootID, Driver: drv,
		Fencer: d.fencer, Report: d.Report, Lease: d.mayAct, Now: d.cfg.Now, Log: d.log})
	return err
}

func (d *Daemon) startAPI() error {
	cfg := api.Config{Backend: backend{d}, Journal: d.journal, Log: d.log, Now: d.cfg.Now, Socket: d.cfg.Layout.socket(), Member: peer.MemberOf}
	listen := func(addr string) (net.Listener, error) { return net.Listen("tcp", addr) }
	if d.cfg.Listener != nil { // no network, and no socket either: the caller has the daemon itself
		cfg.Socket, listen = "", d.cfg.Listener
	}
	if d.node.API != "" {
		l, err := listen(d.node.API)
		if err != nil {
			return fmt.Errorf("the API cannot listen on %s: %w", d.node.API, err)
		}
		cfg.Door = d.peer.Door(l, "h2", "http/1.1")
	}
	d.api = api.New(cfg)
	return d.api.Start()
}

// Stop ends this node's part in the cluster and leaves what runs here running. It may be called twice.
func (d *Daemon) Stop() {
	d.stops.Do(func() {
		d.stopWatchdog()
		d.cancel(errDaemonEnds)
		if d.api != nil {
			d.api.Stop()
		}
		if d.executor != nil {
			d.executor.Stop()
		}
		if d.members != nil {
			d.members.Stop()
		}
		if d.fencer != nil {
			d.fencer.Stop()
		}
		if d.loop != nil {
			d.loop.stop()
		}
		d.asides.Lock()
		d.closed = true
		d.asides.Unlock()
		d.wg.Wait()
		if d.store != nil {
			if err := d.store.Close(); err != nil {
				d.log.Warn("the store did not end well", "error", err)
			}
		}
		if d.proposals != nil {
			d.proposals.stop()
		}
		if d.peer != nil {
			d.peer.Stop()
		}
		if d.alerts != nil {
			d.alerts.Stop()
		}
		if d.host != nil {
			d.host.Close()
		}
		if d.archive != nil {
			d.archive.stop()
		}
	})
}

// aside does something beside the way; Stop waits for it. Once Stop has begun it is left undone.
func (d *Daemon) aside(f func()) {
	d.asides.Lock()
	defer d.asides.Unlock()
	if !d.closed {
		d.wg.Go(f)
	}
}

// links makes the names by which agents call this program.
func links(dir, self string) error {
	if self == "" {
		var err error
		if self, err = os.Executable(); err != nil {
			return err
		}
	}
	_, err := compat.Link(dir, self)
	return err
}

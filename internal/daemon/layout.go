package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Layout is where a node keeps its files.
type Layout struct {
	Conf string // identity and node.json
	Data string // the log, the ledger, the history
	Run  string // the socket, and what may be lost

	// RscTmp is where agents keep their state; empty: where they were built to keep it.
	RscTmp string
}

// DefaultLayout is the one of a real host.
var defaultLayout = Layout{Conf: "/etc/cerco", Data: "/var/lib/cerco", Run: "/run/cerco"}

// LayoutIn puts everything under one directory; an empty one means the places of a real host.
func LayoutIn(dir string) Layout {
	if dir == "" {
		return defaultLayout
	}
	return Layout{Conf: filepath.Join(dir, "etc"), Data: filepath.Join(dir, "lib"), Run: filepath.Join(dir, "run"),
		RscTmp: filepath.Join(dir, "run", "agents")}
}

func (l Layout) socket() string     { return filepath.Join(l.Run, "cerco.sock") }
func (l Layout) nodeFile() string   { return filepath.Join(l.Conf, "node.json") }
func (l Layout) storeDir() string   { return filepath.Join(l.Data, "raft") }
func (l Layout) ledgerDir() string  { return filepath.Join(l.Data, "ledger") }
func (l Layout) historyDir() string { return filepath.Join(l.Data, "history") }
func (l Layout) linksDir() string   { return filepath.Join(l.Data, "links") }
func (l Layout) guestsDir() string  { return filepath.Join(l.Data, "guests") }

func (l Layout) make() error {
	for _, dir := range []string{l.Conf, l.Data, l.storeDir(), l.ledgerDir()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	if l.RscTmp != "" {
		if err := os.MkdirAll(l.RscTmp, 0o755); err != nil {
			return err
		}
	}
	return os.MkdirAll(l.Run, 0o755) // the socket in it has rights of its own
}

// nodeConfig is what a node must know before it can hear from the others.
type nodeConfig struct {
	Cluster string   `json:"cluster"`
	Name    string   `json:"name"`
	Listen  []string `json:"listen"`        // peer addresses, ring0 first
	API     string   `json:"api,omitempty"` // HTTPS; empty: none

	// Found is the cluster that the daemon is to begin when it starts for the first time.
	Found *cib.Cluster `json:"found,omitempty"`

	// Members are those of the last state that was seen: they are needed to reach anybody at all, and to know
	// who is allowed to reach us.
	Members []cib.Member `json:"members"`

	// Generation and Index are those of the state with these members; zero when they were told on joining. A state
	// that is older does not count: after a restart the log begins with states of long ago.
	Generation uint64 `json:"generation,omitempty"`
	Index      uint64 `json:"index,omitempty"`
}

// ErrNoCluster says that a host belongs to no cluster yet.
var ErrNoCluster = errors.New("this host belongs to no cluster yet: cerco cluster setup makes one, cerco cluster join enters one")

func (l Layout) readNode() (*nodeConfig, error) {
	data, err := os.ReadFile(l.nodeFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoCluster
	}
	if err != nil {
		return nil, err
	}
	n := &nodeConfig{}
	if err := json.Unmarshal(data, n); err != nil {
		return nil, fmt.Errorf("%s: %w", l.nodeFile(), err)
	}
	return n, nil
}

func (l Layout) writeNode(n *nodeConfig) error {
	data, err := json.MarshalIndent(n, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.OpenFile(l.nodeFile()+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(data, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), l.nodeFile())
}

package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/wire"
)

// Nodes are upgraded one by one. Until all of them run the new version, and somebody has said that it is to stay,
// nothing is proposed that the old one does not know (cib.Vocabulary), so that every node can go back.

// upgradeRequest asks the leader how far an upgrade is, or to make it final.
type upgradeRequest struct {
	By    string `json:"by"`
	Final bool   `json:"final,omitempty"`
}

// spoken is what each member speaks, as the leader hears it.
func (d *Daemon) spoken() wire.Upgrade {
	st := d.store.View()
	u := wire.Upgrade{Agreed: st.Agreed(), Final: true}
	heard := map[string]cib.Vocabulary{}
	for _, s := range d.members.View().Seen {
		if !s.Lost {
			heard[s.ID] = s.Speaks
		}
	}
	for _, m := range st.Cluster.Members {
		u.Members = append(u.Members, wire.Speaks{Node: m.Name, Speaks: heard[m.ID]})
		u.Final = u.Final && heard[m.ID] > u.Agreed
	}
	return u
}

// upgrading is spoken while there is something to say: somebody speaks another version than was agreed on.
func (d *Daemon) upgrading() *wire.Upgrade {
	u := d.spoken()
	for _, m := range u.Members {
		if m.Speaks > u.Agreed {
			return &u
		}
	}
	return nil
}

// serveUpgrade is the leader's part.
func (d *Daemon) serveUpgrade(ctx context.Context, _ string, body []byte) ([]byte, error) {
	var r upgradeRequest
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, err
	}
	if d.leading() == nil {
		return nil, errElsewhere
	}
	u := d.spoken()
	if r.Final {
		var err error
		if u, err = d.agree(ctx, u, r.By); err != nil {
			return nil, err
		}
	}
	return json.Marshal(u)
}

// agree makes the newest vocabulary that all members speak the cluster's.
func (d *Daemon) agree(ctx context.Context, u wire.Upgrade, by string) (wire.Upgrade, error) {
	next := d.cfg.Speaks
	var old, silent []string
	for _, m := range u.Members {
		switch {
		case m.Speaks == 0:
			silent = append(silent, m.Node)
		case m.Speaks <= u.Agreed:
			old = append(old, m.Node)
		}
		next = min(next, m.Speaks)
	}
	switch {
	case len(silent) > 0:
		return u, fmt.Errorf("nobody hears %s: start it with the new version, or take it out with cerco cluster remove", strings.Join(silent, ", "))
	case next <= u.Agreed && len(old) < len(u.Members):
		return u, fmt.Errorf("%s runs the old version still: upgrade it first", strings.Join(old, ", "))
	case next <= u.Agreed:
		return u, nil // nothing is left to agree on
	}
	if _, err := d.store.Propose(ctx, cib.Command{At: d.cfg.Now(), By: by, Note: "the upgrade is final", Raise: next}); err != nil {
		return u, err
	}
	return d.spoken(), nil
}

// Upgrade says how far an upgrade is; with final it ends it.
func (d *Daemon) Upgrade(ctx context.Context, final bool, by string) (wire.Upgrade, error) {
	return ask[wire.Upgrade](ctx, d, serviceUpgrade, upgradeRequest{By: by, Final: final})
}

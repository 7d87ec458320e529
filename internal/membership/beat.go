package membership

import (
	"encoding/json"
	"fmt"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Beat is a sign of life from one node to another.
type Beat struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Boot  string `json:"boot"` // boot id of the host
	Run   string `json:"run"`  // of the daemon: another one after each start
	Seq   uint64 `json:"seq"`  // counts the beats of a run
	Ready bool   `json:"ready,omitempty"`
	// Speaks is the newest vocabulary of commands that the sender knows; 0: the first.
	Speaks cib.Vocabulary `json:"speaks,omitempty"`

	// AckRun and Ack are of the newest beat that the sender has heard from the one it sends this to.
	AckRun string `json:"ack_run,omitempty"`
	Ack    uint64 `json:"ack,omitempty"`

	// What the sender knows of the log: whom it takes for the leader, and how far its own copy goes.
	Leader     string `json:"leader,omitempty"`
	Term       uint64 `json:"term"`
	LastTerm   uint64 `json:"last_term"`
	LastIndex  uint64 `json:"last_index"`
	Generation uint64 `json:"generation"`

	// Open says that the sender has heard no leader for as long as a lease lasts: its answers count for whoever has
	// no leader either.
	Open bool `json:"open,omitempty"`
	// Heard tells how long ago, in ms, the sender has heard others, by id, those that it has not lost. A new leader
	// learns from it who was heard by those that follow it now.
	Heard map[string]int64 `json:"heard,omitempty"`

	// Quorate is the leader's verdict. A node that hears it need not wait for all any more.
	Quorate bool `json:"quorate,omitempty"`
	// Expected is what the leader knows of last_man_standing: the votes that are still expected; 0: all.
	Expected int `json:"expected,omitempty"`
	// Leads says that the sender is the leader and may act: its answer renews a lease, for as long as its own lasts,
	// in ms.
	Leads bool  `json:"leads,omitempty"`
	Lease int64 `json:"lease,omitempty"`
	// Led is how long ago, in ms, the sender has heard another than the one it sends this to say that it leads; -1:
	// so long ago that it does not matter.
	Led int64 `json:"led"`
}

// maxBeat limits the length of what is taken for a beat.
const maxBeat = 4096

// Encode writes a beat as JSON.
func (b *Beat) Encode() []byte {
	data, err := json.Marshal(b)
	if err != nil {
		panic("membership: a beat that is no JSON: " + err.Error())
	}
	return data
}

// DecodeBeat reads what Encode wrote.
func DecodeBeat(data []byte) (Beat, error) {
	if len(data) > maxBeat {
		return Beat{}, fmt.Errorf("a beat of %d bytes: at most %d are taken", len(data), maxBeat)
	}
	var b Beat
	if err := json.Unmarshal(data, &b); err != nil {
		return Beat{}, fmt.Errorf("this is no beat: %w", err)
	}
	if b.ID == "" || b.Name == "" || b.Run == "" {
		return Beat{}, fmt.Errorf("a beat without id, name or run (of %q)", b.Name)
	}
	return b, nil
}

package cib

import "time"

// State is everything that the nodes of a cluster agree on. It is a value that never changes: Apply makes
// the next one from it and a Command. Each node has the same State at the same Index.
type State struct {
	Index   uint64 // of the last command of the log that is in it
	CIB     *CIB   // what is wanted, and what is observed; never nil
	Cluster Cluster
	Spoken  Vocabulary    // version of the vocabulary that the cluster has agreed on; 0: the first
	Nodes   []NodeFacts   // what the CIB has no place for, by ID, ascending
	Fencing []FenceRecord // oldest first, at most FenceHistory of them
}

// FenceHistory is how many fencing records are kept.
const FenceHistory = 500

// Cluster is what the cluster is made of: who belongs to it and how it counts votes.
type Cluster struct {
	Name       string        `json:"name"`
	Generation uint64        `json:"generation"` // raised each time that survivors go on with a log of their own
	Members    []Member      `json:"members"`    // by ID, ascending
	Quorum     QuorumOptions `json:"quorum"`
	Timing     Timing        `json:"timing"`
	Invites    []Invite      `json:"invites,omitempty"` // open invitations to join
	LastID     int           `json:"last_id"`           // highest member id ever given: none is given twice

	// Authority is the fingerprint of the certificate authority that counts now; empty: the one that the cluster
	// was founded with.
	Authority string `json:"authority,omitempty"`
	// KeyDays is after how many days a node exchanges its key by itself; 0: never.
	KeyDays int `json:"key_days,omitempty"`
}

// Member is a node of the cluster, or its witness.
type Member struct {
	ID    string   `json:"id"`    // "1", "2", ...: the id of the <node> in the CIB
	Name  string   `json:"name"`  // the uname
	Addrs []string `json:"addrs"` // host:port of the node's peer port, ring0 first
	API   string   `json:"api"`   // host:port of its HTTPS API; may be empty
	Key   string   `json:"key"`   // SHA-256 of its certificate's public key (SubjectPublicKeyInfo), hex: others are refused
	// KeySince is when the members agreed on Key; zero: at a time that nobody has noted.
	KeySince time.Time `json:"key_since,omitzero"`

	Votes   int  `json:"votes"`             // as votequorum counts them; 1 unless told otherwise
	Witness bool `json:"witness,omitempty"` // has a vote and no resources, and is no node of the CIB
}

// KeyAge is how old a member's key is; ok is false when nobody knows.
func (m *Member) KeyAge(now time.Time) (age time.Duration, ok bool) {
	if m.KeySince.IsZero() {
		return 0, false
	}
	return now.Sub(m.KeySince), true
}

// keyGrace is how much older than KeyDays a key may get before people are told: its node may be off for a while.
const keyGrace = 48 * time.Hour

// KeyDue reports whether a member should exchange its key, KeyOverdue whether it should have long ago.
func (c *Cluster) KeyDue(m *Member, now time.Time) bool {
	age, known := m.KeyAge(now)
	return c.KeyDays > 0 && (!known || age >= time.Duration(c.KeyDays)*24*time.Hour)
}

// KeyOverdue is described at KeyDue.
func (c *Cluster) KeyOverdue(m *Member, now time.Time) bool {
	age, known := m.KeyAge(now)
	return known && c.KeyDue(m, now) && age >= time.Duration(c.KeyDays)*24*time.Hour+keyGrace
}

// Member returns the member of that name, or nil.
func (c Cluster) Member(name string) *Member {
	for i := range c.Members {
		if c.Members[i].Name == name {
			return &c.Members[i]
		}
	}
	return nil
}

// MemberByID returns the member of that id, or nil.
func (c Cluster) MemberByID(id string) *Member {
	for i := range c.Members {
		if c.Members[i].ID == id {
			return &c.Members[i]
		}
	}
	return nil
}

// QuorumOptions are votequorum's. Zero ExpectedVotes: the sum of the members' votes.
type QuorumOptions struct {
	TwoNode         bool   `json:"two_node,omitempty"` // set by itself while the cluster has exactly two voting members
	WaitForAll      bool   `json:"wait_for_all,omitempty"`
	AutoTieBreaker  bool   `json:"auto_tie_breaker,omitempty"`
	TieBreakerNode  string `json:"auto_tie_breaker_node,omitempty"` // "lowest" (default), "highest", or ids separated by blanks
	LastManStanding bool   `json:"last_man_standing,omitempty"`
	LMSWindowMS     int64  `json:"last_man_standing_window,omitempty"` // default 10000
	ExpectedVotes   int    `json:"expected_votes,omitempty"`
}

// Timing says how fast the cluster notices; zero values mean the defaults of DefaultTiming.
type Timing struct {
	HeartbeatMS int64 `json:"heartbeat"` // between two signs of life
	LeaseMS     int64 `json:"lease"`     // without an answer for so long, a node stops acting
	TokenMS     int64 `json:"token"`     // without a sign of life for so long, a node is lost; greater than LeaseMS
}

// DefaultTiming is what a cluster starts with. The margin between lease and token is for clocks that run
// at different rates and for processes that are late.
var DefaultTiming = Timing{HeartbeatMS: 100, LeaseMS: 500, TokenMS: 800}

// WithDefaults fills in what is not set.
func (t Timing) WithDefaults() Timing {
	fill := func(have *int64, def int64) {
		if *have <= 0 {
			*have = def
		}
	}
	fill(&t.HeartbeatMS, DefaultTiming.HeartbeatMS)
	fill(&t.LeaseMS, DefaultTiming.LeaseMS)
	fill(&t.TokenMS, DefaultTiming.TokenMS)
	return t
}

// Invite is an open invitation: whoever holds the private key of Key may join, once.
type Invite struct {
	Key     string    `json:"key"` // SHA-256 of the token's public key, hex
	Expires time.Time `json:"expires"`
	Witness bool      `json:"witness,omitempty"`
}

// NodeFacts are facts about a member that Pacemaker's node_state has no place for.
type NodeFacts struct {
	ID     string `json:"id"`
	BootID string `json:"boot_id"` // of the host when the daemon was last seen: another one means that everything there has ended
	// Ended is the boot whose end is a fact: the node was fenced, or came back with another one. A node that
	// shows up with it all the same was not cut off.
	Ended      string    `json:"ended,omitempty"`
	AwayUntil  time.Time `json:"away_until,omitzero"` // the daemon restarts and its resources go on: not lost before that time
	AwayRun    string    `json:"away_run,omitempty"`  // of the daemon that went: it may still be heard, and only another one is it back
	Watchdog   Watchdog  `json:"watchdog,omitzero"`
	Unverified bool      `json:"unverified,omitempty"` // never seen by this generation: nothing is known of what runs there
}

// Watchdog is the armed watchdog of one boot of a node. With no time none is armed, and then, or after another
// boot, the passing of time proves nothing.
type Watchdog struct {
	MS     int64  `json:"ms"` // within which it must be fed
	BootID string `json:"boot_id"`
}

// ArmedMS is the time of the watchdog that is armed in the node's present boot, 0 if there is none.
func (f *NodeFacts) ArmedMS() int64 {
	if f.Watchdog.BootID != f.BootID {
		return 0
	}
	return f.Watchdog.MS
}

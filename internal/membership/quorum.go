package membership

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Question is what quorum is decided on: votequorum(5) knows the rules.
type Question struct {
	Options cib.QuorumOptions
	Members []cib.Member
	Heard   []string // ids of the members that hear each other, our own too
	// Doubt are the ids of those among them that have not had the time to be heard yet: they count, but they
	// have not been seen.
	Doubt []string
	// Before are the ids of those that were in the cluster before, as the agreed state has it; a tie is broken
	// by one of them. Empty: all members.
	Before []string
	// Off are the ids of members that were proved to be off since this node has started. They need not be seen
	// for wait_for_all.
	Off []string
	Now time.Time
}

// Memory is what the counting of votes has to remember. A node keeps it while its host is up: a daemon that
// restarts goes on with it, a host that boots begins anew.
type Memory struct {
	BootID   string    `json:"boot_id"`
	Seen     bool      `json:"seen"`               // wait_for_all: all members were there at once
	Expected int       `json:"expected,omitempty"` // last_man_standing: votes that are still expected; 0: all
	Fewer    time.Time `json:"fewer,omitzero"`     // last_man_standing: since when there are fewer than expected
	Votes    int       `json:"votes,omitempty"`    // that there were then
}

// Verdict is the answer, and why.
type Verdict struct {
	Quorate  bool
	Why      string // in words
	Votes    int    // of those that are heard
	Expected int    // votes that there should be
	Needed   int    // votes that it takes

	// Again is when the answer may be another one although nobody comes or goes; zero: never.
	Again time.Time
}

// TwoNode reports whether the rules for two nodes hold: of exactly two voting members one is enough.
// They do unless a tie breaker is wanted instead.
func TwoNode(o cib.QuorumOptions, members []cib.Member) bool {
	votes := votesOf(members)
	voting := 0
	for _, v := range votes {
		if v > 1 {
			return false
		}
		voting += v
	}
	return voting == 2 && !o.AutoTieBreaker && o.ExpectedVotes <= 2
}

// WaitForAll reports whether a cluster that starts waits until all members were there at once. All that lets
// less than half of the votes decide needs it: nodes that come back from being fenced would otherwise count again.
func WaitForAll(o cib.QuorumOptions, members []cib.Member) bool {
	return o.WaitForAll || o.AutoTieBreaker || o.LastManStanding || TwoNode(o, members)
}

// votesOf are the votes of the members by id. If nobody was given any, each has one.
func votesOf(members []cib.Member) map[string]int {
	votes, sum := make(map[string]int, len(members)), 0
	for _, m := range members {
		votes[m.ID] = m.Votes
		sum += m.Votes
	}
	if sum == 0 {
		for _, m := range members {
			votes[m.ID] = 1
		}
	}
	return votes
}

// Decide counts the votes. It notes in mem what the next answer depends on.
func Decide(q Question, mem *Memory) Verdict {
	votes := votesOf(q.Members)
	total, heard, missing := 0, 0, []string(nil)
	for _, m := range q.Members {
		total += votes[m.ID]
		in := slices.Contains(q.Heard, m.ID)
		if in {
			heard += votes[m.ID]
		}
		if votes[m.ID] > 0 && (!in || slices.Contains(q.Doubt, m.ID)) && !slices.Contains(q.Off, m.ID) {
			missing = append(missing, m.Name)
		}
	}
	v := Verdict{Votes: heard, Expected: max(q.Options.ExpectedVotes, heard)}
	if q.Options.ExpectedVotes == 0 {
		v.Expected = total
	}
	lms := q.Options.LastManStanding && evenVotes(votes)
	if lms && mem.Expected > 0 {
		mem.Expected = max(mem.Expected, heard)
		v.Expected = min(v.Expected, mem.Expected)
	}
	if len(missing) == 0 {
		mem.Seen = true
	}
	v.judge(q, mem, missing)
	if lms {
		v.lastMan(q, mem)
	} else {
		mem.Expected, mem.Fewer, mem.Votes = 0, time.Time{}, 0
	}
	return v
}

func (v *Verdict) judge(q Question, mem *Memory, missing []string) {
	v.Needed = v.Expected/2 + 1
	two := TwoNode(q.Options, q.Members)
	if two {
		v.Needed = 1
	}
	have := plural(v.Votes, "vote") + " of " + strconv.Itoa(v.Expected)
	switch {
	case WaitForAll(q.Options, q.Members) && !mem.Seen:
		v.Why = fmt.Sprintf("the cluster has started and waits until all members were there at once (wait_for_all): %s not seen yet; "+
			"if a node is known to be off, `cerco stonith confirm NODE` says so", strings.Join(missing, ", "))
	case v.Votes >= v.Needed && v.Votes > 0 && two && v.Votes < 2:
		v.Quorate, v.Why = true, have+", one is enough of two (two_node)"
	case v.Votes >= v.Needed && v.Votes > 0:
		v.Quorate, v.Why = true, have+", "+strconv.Itoa(v.Needed)+" needed" // asked several times with every heartbeat
	case q.Options.AutoTieBreaker && 2*v.Votes == v.Expected:
		name, held := breaker(q)
		if v.Quorate = held; held {
			v.Why = fmt.Sprintf("%s, half of them with node %s, which breaks the tie (auto_tie_breaker)", have, name)
		} else {
			v.Why = fmt.Sprintf("%s, half of them without node %s, which breaks the tie (auto_tie_breaker)", have, name)
		}
	default:
		v.Why = have + ", " + strconv.Itoa(v.Needed) + " needed"
	}
}

// breaker finds the node that breaks a tie: its name, and whether it is among those that are heard.
func breaker(q Question) (name string, heard bool) {
	candidates := make([]cib.Member, 0, len(q.Members))
	for _, m := range q.Members {
		if len(q.Before) == 0 || slices.Contains(q.Before, m.ID) || slices.Contains(q.Heard, m.ID) {
			candidates = append(candidates, m)
		}
	}
	slices.SortFunc(candidates, func(a, b cib.Member) int { return compareIDs(a.ID, b.ID) })
	if len(candidates) == 0 {
		return "nobody", false
	}
	chosen := candidates[0]
	switch rule := q.Options.TieBreakerNode; rule {
	case "", "lowest":
	case "highest":
		chosen = candidates[len(candidates)-1]
	default:
		listed := false
		for _, id := range strings.Fields(rule) {
			if i := slices.IndexFunc(candidates, func(m cib.Member) bool { return m.ID == id }); i >= 0 {
				chosen, listed = candidates[i], true
				break
			}
		}
		if !listed {
			return "of the list " + rule, false
		}
	}
	return chosen.Name, slices.Contains(q.Heard, chosen.ID)
}

// defaultWindow is last_man_standing_window where none is set.
const defaultWindow = 10 * time.Second

// lastMan lowers the votes that are expected to those that there are, once they have been too few, but enough, for
// the length of the window. From two to one it takes a tie breaker.
func (v *Verdict) lastMan(q Question, mem *Memory) {
	least := 2
	if q.Options.AutoTieBreaker {
		least = 1
	}
	if !v.Quorate || v.Votes >= v.Expected || v.Votes < least {
		mem.Fewer, mem.Votes = time.Time{}, 0
		return
	}
	if mem.Fewer.IsZero() || mem.Votes != v.Votes {
		mem.Fewer, mem.Votes = q.Now, v.Votes
	}
	window := time.Duration(q.Options.LMSWindowMS) * time.Millisecond
	if window <= 0 {
		window = defaultWindow
	}
	if v.Again = mem.Fewer.Add(window); q.Now.Before(v.Again) {
		return
	}
	mem.Expected, mem.Fewer, mem.Votes = v.Votes, time.Time{}, 0
	v.Again = time.Time{}
	v.Expected = mem.Expected
	v.judge(q, mem, nil)
	v.Why += " (last_man_standing)"
}

// evenVotes reports whether nobody has more than one vote.
func evenVotes(votes map[string]int) bool {
	for _, n := range votes {
		if n > 1 {
			return false
		}
	}
	return true
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// compareIDs orders member ids by number.
func compareIDs(a, b string) int {
	x, xerr := strconv.Atoi(a)
	y, yerr := strconv.Atoi(b)
	if xerr == nil && yerr == nil && x != y {
		return x - y
	}
	return strings.Compare(a, b)
}

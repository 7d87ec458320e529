package membership

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

var day = time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)

func nodes(n int) []cib.Member {
	var list []cib.Member
	for i := range n {
		id := strconv.Itoa(i + 1)
		list = append(list, cib.Member{ID: id, Name: "n" + id, Votes: 1})
	}
	return list
}

func ids(s string) []string { return strings.Fields(s) }

// The rules of votequorum(5), one after the other. Each step is what is heard and the answer that is wanted;
// "+10s" lets time pass.
func TestDecide(t *testing.T) {
	heavy := nodes(3)
	heavy[0].Votes = 3
	witness := append(nodes(2), cib.Member{ID: "3", Name: "w", Votes: 1, Witness: true})
	lms := cib.QuorumOptions{LastManStanding: true}
	all := "1 2 3 4 5 6 7 8"
	for _, c := range []struct {
		name    string
		options cib.QuorumOptions
		members []cib.Member
		steps   string // "heard: yes" or "heard: no", separated by ";"
	}{
		{"a majority", cib.QuorumOptions{}, nodes(5), "1 2: no; 1 2 3: yes; 1 2 3 4 5: yes; 3 4 5: yes; 4 5: no"},
		{"half is no majority", cib.QuorumOptions{}, nodes(4), "1 2: no; 1 2 3: yes; 3 4: no"},
		{"alone", cib.QuorumOptions{}, nodes(1), "1: yes"},
		{"votes are weighed", cib.QuorumOptions{}, heavy, "2 3: no; 1: yes"},
		{"expected votes", cib.QuorumOptions{ExpectedVotes: 7}, nodes(5), "1 2 3: no; 1 2 3 4: yes"},
		{"fewer expected than there are", cib.QuorumOptions{ExpectedVotes: 3}, nodes(5), "1 2: yes; 1 2 3 4 5: yes"},
		{"two nodes wait for each other", cib.QuorumOptions{}, nodes(2), "1: no; 1 2: yes; 1: yes"},
		{"a third node ends two_node", cib.QuorumOptions{TwoNode: true}, nodes(3), "1: no; 1 2: yes"},
		{"a witness makes three", cib.QuorumOptions{}, witness, "1: no; 1 3: yes; 1 2: yes; 3: no"},
		{"wait_for_all", cib.QuorumOptions{WaitForAll: true}, nodes(3), "1 2: no; 1 2 3: yes; 1 2: yes; 1: no"},
		{"a tie", cib.QuorumOptions{AutoTieBreaker: true}, nodes(4), "1 2: no; 1 2 3 4: yes; 1 2: yes; 3 4: no; 2 3: no; 1 4: yes; 1: no"},
		{"highest", cib.QuorumOptions{AutoTieBreaker: true, TieBreakerNode: "highest"}, nodes(4), "1 2 3 4: yes; 1 2: no; 3 4: yes"},
		{"a list", cib.QuorumOptions{AutoTieBreaker: true, TieBreakerNode: "3 1"}, nodes(4), "1 2 3 4: yes; 1 2: no; 2 3: yes"},
		{"a tie breaker instead of two_node", cib.QuorumOptions{AutoTieBreaker: true}, nodes(2), "1 2: yes; 1: yes; 2: no"},
		{"last man standing", lms, nodes(8), all + ": yes; 1 2 3 4: no; 1 2 3 4 5: yes; +9s; 1 2 3 4 5: yes; 1 2 3: no; 1 2 3 4 5: yes; +10s; 1 2 3 4 5: yes; " +
			"3 4 5: yes; +10s; 3 4 5: yes; 4 5: yes; +10s; 4 5: yes; 5: no; 4 5 6: yes; 4: no"},
		{"to the last one", cib.QuorumOptions{LastManStanding: true, AutoTieBreaker: true, LMSWindowMS: 1000}, nodes(3),
			"1 2 3: yes; 1 2: yes; +1s; 1 2: yes; 2: no; 1: yes; +1s; 1: yes; 1 2: yes"},
		{"not with uneven votes", lms, heavy, "1 2 3: yes; 1: yes; +20s; 1: yes; 2 3: no"},
	} {
		t.Run(c.name, func(t *testing.T) {
			mem, now := &Memory{}, day
			for _, step := range strings.Split(c.steps, ";") {
				heard, want, ok := strings.Cut(strings.TrimSpace(step), ": ")
				if !ok {
					d, err := time.ParseDuration(strings.TrimPrefix(heard, "+"))
					if err != nil {
						t.Fatal(err)
					}
					now = now.Add(d)
					continue
				}
				v := Decide(Question{Options: c.options, Members: c.members, Heard: ids(heard), Now: now}, mem)
				if v.Quorate != (want == "yes") {
					t.Errorf("%s: %v, want %s: %s", heard, v.Quorate, want, v.Why)
				}
				if v.Why == "" {
					t.Errorf("%s: no reason", heard)
				}
			}
		})
	}
}

func TestDecideBefore(t *testing.T) {
	q := Question{Options: cib.QuorumOptions{AutoTieBreaker: true}, Members: nodes(4), Heard: ids("2 3"), Before: ids("2 3 4")}
	if v := Decide(q, &Memory{Seen: true}); !v.Quorate || !strings.Contains(v.Why, "n2") {
		t.Errorf("of those that were in the cluster, n2 is the lowest: %+v", v)
	}
}

func TestDecideOff(t *testing.T) {
	q := Question{Members: nodes(2), Heard: ids("1"), Now: day}
	mem := &Memory{}
	if v := Decide(q, mem); v.Quorate || !strings.Contains(v.Why, "stonith confirm") {
		t.Errorf("a node that starts alone: %+v", v)
	}
	q.Off = ids("2")
	if v := Decide(q, mem); !v.Quorate {
		t.Errorf("the other one is off: %+v", v)
	}
	q.Doubt, q.Heard, q.Off = ids("2"), ids("1 2"), nil
	if v := Decide(q, &Memory{}); v.Quorate {
		t.Errorf("a node that was not heard yet was not seen: %+v", v)
	}
}

func FuzzDecodeBeat(f *testing.F) {
	b := Beat{ID: "1", Name: "n1", Run: "r", Boot: "b", Seq: 7}
	f.Add(b.Encode())
	f.Add([]byte(`{"id":"1","name":"n1","run":"r","seq":-1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := DecodeBeat(data)
		if err != nil {
			return
		}
		again, err := DecodeBeat(b.Encode())
		if err == nil && !reflect.DeepEqual(again, b) && len(b.Heard) > 0 {
			t.Fatalf("%+v is read as %+v", b, again)
		}
		d := newDetector(identity{"9", "n9", "b", "r", 1}, day)
		d.update(&cib.Cluster{Members: append(nodes(3), cib.Member{ID: "9", Name: "n9"})}, Position{}, true)
		d.hear(b, day)
	})
}

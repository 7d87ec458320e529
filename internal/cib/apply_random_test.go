package cib

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

// randomCommand makes a command that a cluster might see, or that has gone wrong a little.
func randomCommand(r *rand.Rand) Command {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	node := func() string { return pick("n1", "n2", "n3", "n4", "") }
	id := func() string { return pick("1", "2", "3", "4", "") }
	c := Command{V: 1, At: at.Add(time.Duration(r.IntN(1e6)) * time.Second), By: pick("root", "controller", "root via cerco on n1")}
	switch r.IntN(8) {
	case 0:
		cl := threeNodes()
		cl.LastID = 4
		if r.IntN(2) == 0 {
			cl.Members = append(cl.Members, Member{ID: "4", Name: pick("n4", "w"), Votes: 1, Witness: r.IntN(2) == 0})
		}
		cl.Members = cl.Members[r.IntN(2):]
		c.Cluster = &cl
	case 1:
		c.Lead = &LeadUpdate{DC: id(), HaveQuorum: r.IntN(2) == 0}
	case 2:
		u := NodeUpdate{ID: id(), Name: node(), InCCM: pick("true", "false", ""), Crmd: pick("online", "offline", ""),
			Join: pick("member", "down", ""), Expected: pick("member", "down", ""), Erase: r.IntN(3) == 0, BootID: pick("b1", "b2", "")}
		if r.IntN(3) == 0 {
			until := c.At.Add(time.Minute)
			u.AwayUntil = &until
		}
		c.Nodes = append(c.Nodes, u)
	case 3:
		c.Config = &ConfigChange{Edits: []Edit{randomEdit(r)}}
	case 4:
		for range r.IntN(3) + 1 {
			c.Results = append(c.Results, randomResult(r, node(), pick))
		}
	case 5:
		c.Attributes = append(c.Attributes, AttributeUpdate{Node: node(), Name: pick("a", "#kind", "fail-count-web", "^f", "(", "b\x01"),
			Value: pick("1", "value++", "value+=5", "value+=INFINITY", "<&\x00>", "a++"), Delete: r.IntN(4) == 0, Pattern: r.IntN(4) == 0,
			Permanent: r.IntN(3) == 0, Utilized: r.IntN(4) == 0, Set: pick("", "", "", "s1")})
	case 6:
		c.Forget = append(c.Forget, Forget{Node: node(), Resource: pick("web", "db", "", "web:0"), Operation: pick("", "", "monitor", "start"),
			Interval: int64(r.IntN(2)) * 10000, OnlyFails: r.IntN(2) == 0, KeepHistory: r.IntN(2) == 0})
	case 7:
		f := FenceRecord{FenceRequest: FenceRequest{ID: "f" + strconv.Itoa(r.IntN(5)), Target: node(), Action: pick("off", "reboot", "on")},
			State: pick(FencePending, FenceDone, FenceFailed), Evidence: Evidence(pick(string(ByAgent), string(ByItself)))}
		c.Fencing = append(c.Fencing, f)
	}
	return c
}

func randomResult(r *rand.Rand, node string, pick func(...string) string) OpResult {
	res := dummy(node, pick("start", "stop", "monitor", "promote", "notify", "migrate_to", "migrate_from", "delete", "cancel", "reload-agent"), r.IntN(100), r.IntN(9))
	res.Op.Resource = pick("web", "web:0", "db", "ghost", "")
	res.Op.CancelTask, res.BootID, res.Reason = "monitor", pick("b1", "b2", ""), pick("", "it \"broke\"\n\x01")
	res.Status = r.IntN(12) - 2
	res.Op.IntervalMS = int64(r.IntN(2)) * 10000
	res.CountFailure, res.FatalFailure = r.IntN(3) == 0, r.IntN(3) == 0
	res.Op.Target = pick("", "", "", "n2", "remote")
	return res
}

func randomEdit(r *rand.Rand) Edit {
	edits := []Edit{
		{Op: "create", XML: web},
		{Op: "modify", XML: web, Create: true},
		{Op: "create", XML: `<rsc_location id="l" rsc="web" node="n1" score="5"/>`},
		{Op: "create", XML: `<tag id="t"><obj_ref id="web"/></tag>`},
		{Op: "delete", XPath: "//primitive", All: true},
		{Op: "delete", XML: `<primitive id="web"/>`},
		{Op: "delete", XPath: "//nvpair/@value", All: true},
		{Op: "delete", XPath: "/cib/configuration/nodes/node[@id='1']"},
		{Op: "delete", XPath: "//status"},
		{Op: "delete", XPath: "/cib"},
		{Op: "replace", XML: `<resources/>`},
		{Op: "replace", XML: `<cib validate-with="pacemaker-3.0"><configuration><crm_config/><nodes/><resources/><constraints/></configuration></cib>`},
		{Op: "replace", XML: `<cib/>`},
		{Op: "modify", XML: `<crm_config><cluster_property_set id="o"><nvpair id="o-s" name="symmetric-cluster" value="true"/></cluster_property_set></crm_config>`},
		{Op: "create", Parent: "//cluster_property_set", XML: `<nvpair id="o-x" name="x" value="&#1;"/>`},
		{Op: "patch", XML: `<diff format="2"><change operation="delete" path="/cib/configuration/nodes"/></diff>`},
		{Op: "patch", XML: `<diff format="2"><change operation="modify" path="/cib"><change-result><cib epoch="99"/></change-result></change></diff>`},
		{Op: "nonsense", XML: `<a/>`}, {Op: "create"}, {Op: "create", XML: "<"}, {Op: "modify", XML: "<a id='b'/>"}, {Op: "delete", XPath: "//["},
	}
	return edits[r.IntN(len(edits))]
}

// decodedAgain is a state after it was written down and read.
func decodedAgain(t *testing.T, s State) State {
	t.Helper()
	again, err := DecodeState(bytes.NewReader([]byte(encoded(t, s))))
	if err != nil {
		t.Fatalf("%v in\n%s", err, encoded(t, s))
	}
	return again
}

// Whatever happens to a cluster: the same commands make the same state, also where a node was started from
// a snapshot in between and where commands were read from the log; a command that is refused leaves no trace;
// what is shared with the state before reads as if it were read anew; versions only rise.
func TestApplyProperties(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := NewState(threeNodes())
		other := s
		for range 40 {
			c := randomCommand(r)
			before := encoded(t, s)
			next, err := Apply(s, c)
			if encoded(t, s) != before {
				t.Fatalf("seed %d: the input changed by %s", seed, c.Encode())
			}
			if err != nil && encoded(t, next) != before {
				t.Fatalf("seed %d: an error leaves a trace: %v", seed, err)
			}
			if err != nil && !IsRefusal(err) {
				t.Fatalf("seed %d: %v is no refusal", seed, err)
			}
			logged, lerr := DecodeCommand(c.Encode())
			if lerr != nil {
				t.Fatal(lerr)
			}
			if r.IntN(4) == 0 {
				other = decodedAgain(t, other)
			}
			otherNext, oerr := Apply(other, logged)
			if (err == nil) != (oerr == nil) || encoded(t, otherNext) != encoded(t, next) {
				t.Fatalf("seed %d: %s makes\n%s(%v)\nelsewhere\n%s(%v)", seed, c.Encode(), encoded(t, next), err, encoded(t, otherNext), oerr)
			}
			if next.CIB.Version.Compare(s.CIB.Version) < 0 {
				t.Fatalf("seed %d: version %v after %v", seed, next.CIB.Version, s.CIB.Version)
			}
			sameStatus(t, next.CIB)
			s, other = next, otherNext
		}
	}
}

// sameStatus compares the decoded status with what decoding all of the document gives.
func sameStatus(t *testing.T, c *CIB) {
	t.Helper()
	fresh, err := DecodeRoot("", c.Root)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := statusText(c), statusText(fresh); got != want {
		t.Fatalf("decoded status\n%s\nshould be\n%s", got, want)
	}
}

func statusText(c *CIB) string {
	var b bytes.Buffer
	for _, n := range c.Status.Nodes {
		b.WriteString(n.ID + n.Name + n.InCCM + n.Crmd + n.Join + n.Expected + "\n")
		for _, s := range n.Attrs {
			for _, p := range s.Pairs {
				b.WriteString(p.ID + p.Name + p.Value + "\n")
			}
		}
		for _, h := range n.Lrm {
			b.WriteString(h.ID + h.Type + h.El.String())
			for _, o := range h.Ops {
				b.WriteString(o.Operation + strconv.Itoa(o.CallID) + strconv.Itoa(o.RC) + strconv.Itoa(o.Status) + o.El.ID() + "\n")
			}
		}
	}
	return b.String()
}

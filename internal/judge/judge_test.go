package judge

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

var rules = Rules{Alone: 2 * time.Second, Converge: time.Minute}

// good is a run as it should be: a host dies, is fenced, and its service comes back elsewhere.
const good = `
1.00 n1 a start begin 1/1/1/n1/b
1.10 n1 a start end 0 1/1/1/n1/b
1.20 - - whole
2.00 n1 - tried c1
2.01 n1 - acked c1
3.00 - - fault crash n1
3.00 n1 - off
4.00 n2 n1 fence begin reboot
4.01 n2 n1 fence end reboot 0
4.10 n2 a start begin 2/1/1/n2/b
4.20 n2 a start end 0 2/1/1/n2/b
5.00 - - heal
6.00 n1 - on
6.50 n1 a monitor begin 2/2/1/n1/b2
6.60 n1 a monitor end 7 2/2/1/n1/b2
7.00 n2 - seen c1
7.10 - - whole
`

func judge(t *testing.T, text string) (*Judge, []Event) {
	t.Helper()
	events, err := Read(strings.NewReader(strings.TrimLeft(text, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	j := New(rules)
	for _, e := range events {
		j.See(e)
	}
	return j, events
}

func TestGoodRun(t *testing.T) {
	j, _ := judge(t, good)
	if v := j.Violations(); len(v) != 0 {
		t.Errorf("violations where there are none: %v", v)
	}
	if on := j.Running("a"); len(on) != 1 || on[0] != "n2" {
		t.Errorf("a runs on %v, want n2", on)
	}
	r := j.Report()
	if len(r.Gaps) != 1 || r.Gaps[0].Why != "its host was lost" || r.Gaps[0].To-r.Gaps[0].From != 1200*time.Millisecond {
		t.Errorf("gaps %+v, want one of 1.2 s", r.Gaps)
	}
	if want := 1 - 1.2/5.9; len(r.Resources) != 1 || r.Resources[0].Share < want-1e-6 || r.Resources[0].Share > want+1e-6 {
		t.Errorf("availability %+v, want %f", r.Resources, want)
	}
	if r.Faults["crash"] != 1 || len(r.Converged) != 1 || r.Converged[0] != 2100*time.Millisecond {
		t.Errorf("faults %v, converged %v", r.Faults, r.Converged)
	}
}

// TestPlanted plants a violation of each promise: the judge must find that one and no other.
func TestPlanted(t *testing.T) {
	runsOnN1 := "1.00 n1 a start begin 1/1/1/n1/b\n1.10 n1 a start end 0 1/1/1/n1/b\n"
	for _, c := range []struct{ name, want, text string }{
		{"two starts on two nodes", "I1", runsOnN1 + "2.00 n2 a start begin 1/2/1/n2/b\n"},
		{"a start while a stop goes on", "I1", runsOnN1 + "2.00 n1 a stop begin 1/2/1/n1/b\n2.01 n2 a start begin 1/2/2/n2/b\n"},
		{"a start after a stop that failed", "I1", runsOnN1 + "2.00 n1 a stop begin 1/2/1/n1/b\n2.01 n1 a stop end 1 1/2/1/n1/b\n2.02 n2 a start begin 1/2/2/n2/b\n"},
		{"a start after a start that failed elsewhere", "I1", "1.00 n1 a start begin 1/1/1/n1/b\n1.10 n1 a start end 1 1/1/1/n1/b\n2.02 n2 a start begin 1/2/2/n2/b\n"},
		{"a second one that only a monitor sees", "I1", runsOnN1 + "2.00 n2 a monitor begin 1/2/1/n2/b\n2.01 n2 a monitor end 0 1/2/1/n2/b\n"},
		{"a frozen host counts as running", "I1", runsOnN1 + "2.00 n1 - paused\n3.00 n2 a start begin 1/2/1/n2/b\n"},
		{"a dead host that nobody has fenced", "I2", runsOnN1 + "2.00 n1 - off\n3.00 n2 a start begin 1/2/1/n2/b\n"},
		{"a fencing that failed", "I2", runsOnN1 + "2.00 n1 - off\n2.10 n2 n1 fence begin reboot\n2.20 n2 n1 fence end reboot 1\n3.00 n2 a start begin 1/2/1/n2/b\n"},
		{"a fencing begun before what it should end", "I2", "1.00 n2 n1 fence begin reboot\n" + "1.01 n1 a start begin 1/1/1/n1/b\n1.02 n1 - off\n1.03 n2 n1 fence end reboot 0\n3.00 n2 a start begin 1/2/1/n2/b\n"},
		{"an order of a leader that was deposed", "I3", "1.00 n1 a start begin 4/1/1/n1/b\n2.00 n1 b start begin 3/9/1/n1/b\n"},
		{"one order carried out twice", "I3", runsOnN1 + "2.00 n1 a start begin 1/1/1/n1/b\n"},
		{"a start without a majority", "I6", "1.00 n1 - alone\n4.00 n1 a start begin 1/1/1/n1/b\n"},
		{"a fencing without a majority", "I6", "1.00 n1 - alone\n4.00 n1 n2 fence begin reboot\n"},
		{"it never converges", "I8", "1.00 - - heal\n70.00 n1 a monitor begin 1/1/1/n1/b\n80.00 - - whole\n"},
		{"a lost write", "I9", "1.00 n1 - tried c1\n1.01 n1 - acked c1\n1.10 n1 - tried c2\n1.11 n1 - acked c2\n2.00 n2 - seen c2\n"},
		{"a write that nobody made", "I9", "1.00 n1 - tried c1\n2.00 n2 - seen c1,c9\n"},
		{"what others have found", "I5", "1.00 - I5 broken there is still to do: start a on n1\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			j, events := judge(t, c.text)
			got := j.Violations()
			if len(got) != 1 || got[0].Invariant != c.want {
				t.Fatalf("violations %v, want one of %s", got, c.want)
			}
			if line := Timeline(events, got[0], time.Hour); !strings.Contains(line, "## "+c.want) {
				t.Errorf("the time-line does not tell:\n%s", line)
			}
		})
	}
}

// TestAllowed are things that look like violations and are none.
func TestAllowed(t *testing.T) {
	runsOnN1 := "1.00 n1 a start begin 1/1/1/n1/b\n1.10 n1 a start end 0 1/1/1/n1/b\n"
	start := "9.00 n2 a start begin 1/9/1/n2/b\n"
	for name, text := range map[string]string{
		"stopped":                      runsOnN1 + "2.00 n1 a stop begin x\n2.10 n1 a stop end 0 x\n" + start,
		"found stopped":                runsOnN1 + "2.00 n1 a died\n2.10 n1 a monitor end 7 x\n" + start,
		"found off":                    runsOnN1 + "2.00 n1 - off\n2.10 n2 n1 fence begin status\n2.20 n2 n1 fence end status 2\n" + start,
		"back after a boot":            runsOnN1 + "2.00 n1 - off\n3.00 n1 - on\n" + start,
		"an operator's word":           runsOnN1 + "2.00 n1 - off\n3.00 n1 - confirmed\n" + start,
		"migrated":                     runsOnN1 + "2.00 n1 a migrate_to begin x\n2.10 n1 a migrate_to end 0 x\n9.00 n2 a migrate_from begin 1/9/1/n2/b\n",
		"a moment after the cut":       "1.00 n2 - alone\n2.50 n2 a start begin 1/9/1/n2/b\n",
		"together again":               "1.00 n2 - alone\n3.00 n2 - together\n" + start,
		"a stop twice":                 runsOnN1 + "2.00 n1 a stop begin 1/2/1/n1/b\n3.00 n1 a stop begin 1/2/1/n1/b\n",
		"a monitor of an earlier term": "1.00 n1 a start begin 4/1/1/n1/b\n2.00 n1 b monitor begin 3/9/1/n1/b\n",
		"not acknowledged":             "1.00 n1 - tried c1\n2.00 n1 - seen \n",
		"taken back":                   "1.00 n1 - tried c1\n1.10 n1 - acked c1\n1.20 - - cleared\n2.00 n1 - seen \n",
	} {
		t.Run(name, func(t *testing.T) {
			j, _ := judge(t, text)
			if v := j.Violations(); len(v) != 0 {
				t.Errorf("violations where there are none: %v", v)
			}
		})
	}
}

func TestReportIsReadable(t *testing.T) {
	j, _ := judge(t, good)
	var b bytes.Buffer
	j.Report().Write(&b)
	for _, want := range []string{"6s, 1 resources", "crash                      1", "Availability: 79.661 % overall", "its host was lost          1 times: median 1.20 s",
		"under  2.00 s     1 ####", "all was well again (1 times): median 2.10 s", "Violations: 0"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, b.String())
		}
	}
}

func TestEventsComeBack(t *testing.T) {
	_, events := judge(t, good)
	for _, e := range events {
		again, err := ParseEvent(e.String())
		if err != nil || again.String() != e.String() {
			t.Errorf("%q is read as %q: %v", e, again, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(good)
	f.Add("1 n1 n2 fence begin\n2 - I5 broken\n3 a b start end\n4 - - seen\n")
	f.Fuzz(func(t *testing.T, text string) {
		events, err := Read(strings.NewReader(text))
		if err != nil {
			return
		}
		j := New(rules)
		for _, e := range events {
			j.See(e)
		}
		j.Report().Write(&bytes.Buffer{})
		for _, v := range j.Violations() {
			Timeline(events, v, time.Minute)
		}
	})
}

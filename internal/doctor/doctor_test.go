package doctor

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cerco-ha/cerco/internal/hypervisor"
)

var rewrite = flag.Bool("rewrite", false, "record the golden cases anew")

// base reads a description that keeps every rule.
func base(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "bases", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func parse(t *testing.T, text string) *Description {
	t.Helper()
	d, err := Parse("test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestGolden has each rule kept by a description, and broken by the same one after a few edits.
func TestGolden(t *testing.T) {
	for _, rule := range Rules() {
		t.Run(rule.ID, func(t *testing.T) {
			file := filepath.Join("testdata", "rules", rule.ID+".txt")
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			edits, want, ok := strings.Cut(string(b), "----\n")
			name, rest, _ := strings.Cut(edits, "\n")
			text := base(t, strings.TrimPrefix(name, "base: "))
			if r := Examine(parse(t, text)); !ok || !slices.Contains(r.Kept, rule.ID) {
				t.Fatalf("the base does not keep it: %+v", r)
			}
			got := show(Examine(parse(t, edit(t, text, rest))), rule.ID)
			if *rewrite {
				if err := os.WriteFile(file, []byte(edits+"----\n"+got), 0o600); err != nil {
					t.Fatal(err)
				}
			} else if got != want || got == "" {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

// edit replaces the text of each line that begins with - by that of the line with + after it, once. Lines that begin
// with blanks belong to the one before.
func edit(t *testing.T, text, edits string) string {
	t.Helper()
	var old, now []string
	var last *[]string
	apply := func() {
		if old == nil {
			return
		}
		from := strings.Join(old, "\n")
		if !strings.Contains(text, from) {
			t.Fatalf("there is no %q to replace", from)
		}
		text = strings.Replace(text, from, strings.Join(now, "\n"), 1)
		old, now = nil, nil
	}
	for line := range strings.Lines(edits) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "- "):
			apply()
			last = &old
		case strings.HasPrefix(line, "+ "):
			last = &now
		}
		*last = append(*last, line[2:])
	}
	apply()
	return text
}

func show(r Report, rule string) string {
	var b strings.Builder
	for _, f := range r.Findings {
		if f.Rule == rule {
			fmt.Fprintf(&b, "%s: %s\n", f.Severity, f.What)
		}
	}
	for _, l := range r.Losses {
		if rule == "E6" {
			fmt.Fprintf(&b, "without %s: %s\n", l.Host, l.text())
		}
	}
	return b.String()
}

func TestRulesAreTheFieldsRules(t *testing.T) {
	want := map[string]int{"B": 12, "C": 18, "D": 11, "E": 6}
	got, seen := map[string]int{}, map[string]bool{}
	for _, r := range Rules() {
		if seen[r.ID] || r.Says == "" || r.Why == "" || r.Remedy == "" {
			t.Errorf("rule %q is there twice, or says too little", r.ID)
		}
		seen[r.ID] = true
		got[r.ID[:1]]++
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v rules, want %v", got, want)
	}
}

func TestNothingKnownIsNothingKept(t *testing.T) {
	r := Examine(parse(t, "hosts: [{name: hv1}, {name: hv2}]\nguests:\n  - {name: a, host: hv1, cluster: c, agents: [fence_xvm]}\n  - {name: b, host: hv2, cluster: c, agents: [fence_xvm]}\n"))
	if len(r.Unjudged) < 20 || r.Worst() != Information {
		t.Errorf("%d rules are not judged, the worst is %s: %+v", len(r.Unjudged), r.Worst(), r.Findings)
	}
	for _, u := range r.Unjudged {
		if slices.Contains(r.Kept, u.Rule) || len(u.Needs) == 0 {
			t.Errorf("%+v is kept as well, or needs nothing", u)
		}
	}
}

func TestDevelopment(t *testing.T) {
	text := strings.NewReplacer("host: hv2", "host: hv1", "host: hv3", "host: hv1").Replace(base(t, "kvm"))
	if w := Examine(parse(t, text)).Worst(); w != Unsupported {
		t.Errorf("all guests on one host is %s", w)
	}
	r := Examine(parse(t, "profile: development\n"+text))
	for _, f := range r.Findings {
		if f.Rule == "E1" && f.Severity != Advice {
			t.Errorf("in development: %+v", f)
		}
	}
}

// The search finds a placement where the first guess does not.
func TestLossSearches(t *testing.T) {
	d := parse(t, `
hosts:
  - {name: a, memory-mib: 200, reserve-mib: 1, cpus: 100}
  - {name: b, memory-mib: 61, reserve-mib: 1, cpus: 100}
  - {name: c, memory-mib: 61, reserve-mib: 1, cpus: 100}
guests:
  - {name: g1, host: a, memory-mib: 30, cpus: 1}
  - {name: g2, host: a, memory-mib: 30, cpus: 1}
  - {name: g3, host: a, memory-mib: 20, cpus: 1}
  - {name: g4, host: a, memory-mib: 20, cpus: 1}
  - {name: g5, host: a, memory-mib: 20, cpus: 1}
`)
	l := losses(d)
	if len(l) != 1 || len(l[0].Broken) != 0 || l[0].text() != "g1 on b, g2 on b, g3 on c, g4 on c, g5 on c" {
		t.Errorf("%+v", l)
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"hosts: [{name: a, colour: red}]":            "field colour not found",
		"hosts: [{name: a}, {name: a}]":              "a name of its own",
		"guests: [{name: g, host: a}]":               `there is no host "a"`,
		"hosts: [{name: a, platform: openvz}]":       `platform "openvz" is not known`,
		"profile: staging":                           `profile "staging"`,
		"hosts: [{name: a, daemon: {program: dog}}]": `daemon "dog"`,
	} {
		if _, err := Parse("f.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "f.yaml") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("hosts: [{name: a}]\nguests: [{name: g, host: a, cluster: c, os: rhel 6.4, agents: [fence_scsi]}]"))
	f.Fuzz(func(_ *testing.T, b []byte) {
		if d, err := Parse("f", b); err == nil {
			Examine(d)
		}
	})
}

type sizes hypervisor.Capacity

func (s sizes) Capacity(context.Context) (hypervisor.Capacity, error) {
	return hypervisor.Capacity(s), nil
}

func TestDiscover(t *testing.T) {
	root := fstest.MapFS{
		"etc/os-release":            {Data: []byte("ID=rhel\nVERSION_ID=\"6.4\"\n")},
		"etc/fence_virt.conf":       {Data: []byte("fence_virtd {\n\tlistener = \"multicast\";\n\tbackend = \"libvirt\";\n}\n")},
		"etc/cluster/fence_xvm.key": {Data: make([]byte, 5000), Mode: 0o400},
		"proc/1/cmdline":            {Data: []byte("init\x00")},
		"proc/77/cmdline":           {Data: []byte("/usr/sbin/fence_virtd\x00-w\x00")},
	}
	found, err := Discover(t.Context(), sizes{Host: "hv1.example.org", Driver: "QEMU", MemoryMiB: 4096, CPUs: 4,
		Machines: []hypervisor.Size{{Name: "web1", MemoryMiB: 1024, CPUs: 1}}}, root)
	if err != nil {
		t.Fatal(err)
	}
	d := parse(t, "hosts: [{name: hv1, cpus: 2}]\nguests: [{name: web1, cluster: web, agents: [fence_xvm]}]")
	d.Merge(found)
	h, g := d.Hosts[0], d.Guests[0]
	if len(d.Hosts) != 1 || h.CPUs != 2 || h.MemoryMiB != 4096 || h.OS != "rhel 6.4" || h.Platform != "kvm" || *h.Daemon != (Daemon{"fence_virtd", "libvirt", "-w"}) ||
		h.Key.Size != 5000 || h.Key.Mode != "0400" || len(h.Key.SHA256) != 64 {
		t.Errorf("%+v %+v %+v", h, h.Daemon, h.Key)
	}
	if len(d.Guests) != 1 || g.Host != "hv1" || g.Cluster != "web" || g.MemoryMiB != 1024 {
		t.Errorf("%+v", g)
	}
	delete(root, "proc/77/cmdline")
	if found, _ := Discover(t.Context(), sizes{}, root); found.Hosts[0].Daemon.Program != "none" {
		t.Errorf("no daemon runs: %+v", found.Hosts[0].Daemon)
	}
	if found, _ := Discover(t.Context(), sizes{}, nil); found.Hosts[0].Daemon != nil || found.Hosts[0].Key != nil {
		t.Errorf("of a host that cannot be seen: %+v", found.Hosts[0])
	}
}

func TestCommand(t *testing.T) {
	run := func(text string, args ...string) (int, string) {
		var out, errs strings.Builder
		code := Command(t.Context(), append([]string{"guests", "-"}, args...), strings.NewReader(text), &out, &errs)
		return code, out.String() + errs.String()
	}
	good := base(t, "kvm")
	for want, text := range map[int]string{
		0:  good,
		1:  strings.Replace(good, "updates-pending: 0", "updates-pending: 1", 1),
		2:  strings.Replace(good, "kind: raw", "kind: qcow2", 1),
		3:  strings.Replace(good, "migration: false", "migration: true", 1),
		66: "hosts: 7",
	} {
		code, out := run(text)
		if code != want {
			t.Errorf("exit code %d, want %d:\n%s", code, want, out)
		}
		if want > 3 {
			continue
		}
		jsonCode, text := run(text, "--json")
		var r Report
		if err := json.Unmarshal([]byte(strings.NewReplacer(`"advice"`, "1", `"warning"`, "2", `"unsupported"`, "3").Replace(text)), &r); err != nil || jsonCode != want || len(r.Kept) < 40 {
			t.Errorf("JSON: %d, %v\n%s", jsonCode, err, text)
		}
	}
	if code, out := run(good, "--describe"); code != 0 || Examine(parse(t, out)).Worst() != Information {
		t.Errorf("the description does not come back: %d\n%s", code, out)
	}
	if code, _ := run(good, "--colour"); code != exitUsage {
		t.Errorf("usage: %d", code)
	}
}

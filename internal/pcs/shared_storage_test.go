package pcs

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/configure"
)

// step is a command as a book of 2015 has it, and as it is said today; empty: the same.
type step struct{ old, now string }

// sharedStorage builds what such a book builds: DRBD with two primaries, DLM, cluster LVM and a shared file system on both
// nodes, libvirt's daemon on top and a virtual machine that migrates.
var sharedStorage = []step{
	{"resource create drbd_datos ocf:linbit:drbd drbd_resource=datos op monitor interval=60s", ""},
	{"resource master drbd_datos-clone drbd_datos master-max=2 master-node-max=1 clone-max=2 clone-node-max=1 notify=true",
		"resource promotable drbd_datos drbd_datos-clone promoted-max=2 promoted-node-max=1 clone-max=2 clone-node-max=1 notify=true"},
	{"resource create dlm ocf:pacemaker:controld op monitor interval=60s", ""},
	{"resource clone dlm clone-max=2 clone-node-max=1", ""},
	{"resource create clvmd ocf:heartbeat:clvm op monitor interval=60s", ""},
	{"resource clone clvmd clone-max=2 clone-node-max=1", ""},
	{"resource create sharedFS Filesystem device=/dev/vg_shared/lv_shared directory=/home/datos fstype=gfs2", ""},
	{"resource clone sharedFS clone-max=2 clone-node-max=1", ""},
	{"constraint order start dlm-clone then promote drbd_datos-clone", ""},
	{"constraint order promote drbd_datos-clone then start clvmd-clone kind=Serialize", ""},
	{"constraint order start clvmd-clone then start sharedFS-clone kind=Serialize", ""},
	{"constraint colocation add master drbd_datos-clone with dlm-clone", ""},
	{"constraint colocation add clvmd-clone with master drbd_datos-clone", ""},
	{"constraint colocation add sharedFS-clone clvmd-clone", "constraint colocation add sharedFS-clone with clvmd-clone"},
	{"resource create res_libvirtd systemd:libvirtd op start interval=0s timeout=15s stop interval=0s timeout=15s monitor interval=15s timeout=15s", ""},
	{"resource clone res_libvirtd clone-max=2 notify=true", ""},
	{"constraint order start sharedFS-clone then start res_libvirtd-clone kind=Serialize", ""},
	{"constraint colocation add res_libvirtd-clone sharedFS-clone", "constraint colocation add res_libvirtd-clone with sharedFS-clone"},
	{"resource create ubuntu ocf:heartbeat:VirtualDomain hypervisor=qemu:///system config=/home/datos/xmls/ubuntu.xml migration_transport=ssh meta allow-migrate=true", ""},
	{"constraint order start res_libvirtd-clone then start ubuntu symmetrical=false", ""},
}

// today is the step in the words of pcs 0.11.
func (s step) today() string {
	if s.now != "" {
		return s.now
	}
	return s.old
}

// someAgents say of themselves what those of the book say: the actions with their times, and the parameters that matter.
type someAgents map[string]string

var _ configure.Agents = someAgents(nil)

var bookAgents = someAgents{
	"ocf:linbit:drbd":             "start/240 stop/100 promote/90 demote/90 notify/90 reload/30 monitor/20/20/Slave monitor/20/10/Master meta-data/5 validate-all/5 : drbd_resource!",
	"ocf:pacemaker:controld":      "start/90s stop/100s monitor/20s/10s meta-data/5s validate-all/30s : args",
	"ocf:heartbeat:clvm":          "start/90s stop/100s monitor/90s/30s reload/90s meta-data/10s validate-all/20s : with_cmirrord",
	"ocf:heartbeat:Filesystem":    "start/60s stop/60s monitor/40s/20s validate-all/5s meta-data/5s : device! directory! fstype!",
	"ocf:heartbeat:VirtualDomain": "start/90s stop/90s status/30s/10s monitor/30s/10s migrate_from/60s migrate_to/120s meta-data/5s validate-all/5s : config! hypervisor migration_transport",
	"systemd:libvirtd":            "start/100 stop/100 status/100 monitor/100/60 meta-data/5 :",
}

func (a someAgents) Metadata(class, provider, typ string) (*configure.Agent, error) {
	text, ok := a[configure.AgentName{Class: class, Provider: provider, Type: typ}.String()]
	if !ok {
		return nil, fmt.Errorf("it is not installed")
	}
	actions, params, _ := strings.Cut(text, ":")
	agent := &configure.Agent{}
	for _, word := range strings.Fields(actions) {
		var attrs []cib.Attr
		for i, value := range strings.Split(word, "/") {
			attrs = append(attrs, cib.Attr{Name: []string{"name", "timeout", "interval", "role"}[i], Value: value})
		}
		agent.Actions = append(agent.Actions, attrs)
	}
	for _, word := range strings.Fields(params) {
		name, required := strings.CutSuffix(word, "!")
		agent.Parameters = append(agent.Parameters, configure.Parameter{Name: name, Required: required})
	}
	return agent, nil
}

func (a someAgents) Find(typ string) []configure.AgentName {
	return []configure.AgentName{{Class: "ocf", Provider: "heartbeat", Type: typ}}
}

// build carries the steps out on an empty configuration.
func build(t *testing.T, agents configure.Agents, say func(step) string) *cib.CIB {
	t.Helper()
	doc, err := cib.Decode("", []byte(emptyCIB))
	if err != nil {
		t.Fatal(err)
	}
	world := &memory{doc}
	for _, s := range sharedStorage {
		var stdout, stderr strings.Builder
		c := &call{Env: Env{Stdout: &stdout, Stderr: &stderr, Now: func() time.Time { return time.Unix(1e9, 0) }, Agents: agents, Context: t.Context()},
			program: "pcs", opened: world}
		if code := c.conclude(c.dispatch(append([]string{"-f", "FILE"}, strings.Fields(say(s))...))); code != 0 || strings.Contains(stderr.String(), "Error") {
			t.Errorf("%s: code %d: %s", say(s), code, stderr.String())
		}
	}
	return world.doc
}

// TestSharedStorage holds the whole of it against testdata/shared-storage.xml, in the words of 2015 and of today.
func TestSharedStorage(t *testing.T) {
	got := build(t, bookAgents, func(s step) string { return s.old }).Root.String()
	if now := build(t, bookAgents, step.today).Root.String(); now != got {
		t.Errorf("the older words give another configuration than today's:\n%s\n%s", got, now)
	}
	const golden = "testdata/shared-storage.xml"
	if *rewrite {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, _ := os.ReadFile(golden); got != string(want) {
		t.Errorf("differs from %s: run with -rewrite and read the difference", golden)
	}
}

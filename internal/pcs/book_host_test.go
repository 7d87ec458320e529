//go:build host

package pcs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestHostBookOnALab types every pcs command of a book, in the book's order, on a cluster of two real daemons, and looks for
// what the book says is to be seen then: in the configuration, in who runs where, in the states of nodes. With -v it prints
// a row a command. Where the book crashes a node by hand, or goes on with a cluster that it has just taken apart, so does
// the test. Agents that a machine without DRBD, DLM, GFS2, libvirt and IPMI cannot run are stand-ins: they say of
// themselves what the installed ones say, and keep a file instead of a service. For systemd:libvirtd such a stand-in is typed.
func TestHostBookOnALab(t *testing.T) {
	rows, err := readBook()
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the table of the book's commands is not beside the repository, in ../shared")
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, agent := range []string{"/usr/lib/ocf/resource.d/heartbeat/Filesystem", "/usr/lib/ocf/resource.d/pacemaker/Dummy", "/usr/sbin/fence_ipmilan"} {
		if _, err := os.Stat(agent); err != nil {
			t.Skipf("%v: the book's agents are in Debian's resource-agents, pacemaker-resource-agents and fence-agents", err)
		}
	}
	b := newBookLab(t)
	b.found("node01", "node02")
	count := map[string]int{}
	for _, row := range rows {
		for _, line := range row.lines() {
			began := time.Now()
			verdict, said := b.judge(row, strings.ReplaceAll(line, "systemd:libvirtd", "ocf:heartbeat:libvirtd"))
			count[verdict]++
			fmt.Fprintf(t.Output(), "%s\t%s\t%s\t%.1f s\t%s\n", row.id, line, verdict, time.Since(began).Seconds(), said)
			if verdict == wrong {
				t.Errorf("%s: %s: %s", row.id, line, said)
			}
			if count[wrong] > 5 {
				t.Fatal("that is enough")
			}
		}
	}
	fmt.Fprintf(t.Output(), "%v\n", count)
}

// bookLab is the reader of the book at a real cluster.
type bookLab struct {
	t       *testing.T
	bin     string // of cerco
	dir     string // of the lab
	node    string // that she sits at
	nodes   []string
	created []string // resources that are on a file, and not in force yet
}

func newBookLab(t *testing.T) *bookLab {
	b := &bookLab{t: t, bin: filepath.Join(t.TempDir(), "cerco"), dir: filepath.Join(t.TempDir(), "lab")}
	if out, err := exec.Command("go", "build", "-o", b.bin, "../../cmd/cerco").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Cleanup(func() { b.run("", "lab", "down", "--dir", b.dir) })
	t.Chdir(t.TempDir())
	return b
}

// run carries a command out at a node.
func (b *bookLab) run(node string, args ...string) (code int, said string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, b.bin, args...)
	cmd.Env = append(os.Environ(), "EDITOR=true", "OCF_ROOT="+filepath.Join(b.dir, "ocf"), "CERCO_SOCKET="+filepath.Join(b.dir, node, "run", "cerco.sock"))
	out, err := cmd.CombinedOutput()
	var end *exec.ExitError
	if err != nil && (!errors.As(err, &end) || ctx.Err() != nil) {
		return -1, fmt.Sprintf("%s%v", out, err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// pcs types a command of pcs where the reader sits.
func (b *bookLab) pcs(words ...string) (code int, said string) {
	return b.run(b.node, append([]string{"pcs"}, words...)...)
}

// must is run for what the book does not test.
func (b *bookLab) must(node string, args ...string) string {
	b.t.Helper()
	code, said := b.run(node, args...)
	if code != 0 {
		b.t.Fatalf("cerco %s: code %d: %s", strings.Join(args, " "), code, said)
	}
	return said
}

// found makes a new cluster, with the two services that the book has from before.
func (b *bookLab) found(nodes ...string) {
	b.t.Helper()
	if b.nodes != nil {
		b.must("", "lab", "down", "--dir", b.dir)
	}
	b.nodes, b.node = nodes, nodes[0]
	b.must("", "lab", "up", "--bare", "--cluster", "kuster-test", "--names", strings.Join(nodes, ","), "--dir", b.dir)
	b.standIns()
	b.must(b.node, "stonith", "delete", "power")
	for _, id := range []string{"website", "ipsite"} {
		b.must(b.node, "resource", "create", id, "ocf:pacemaker:Dummy")
	}
}

// standIn is an agent that keeps a file for each node. What it says of itself the installed agent says, where there is one.
const standIn = `#!/bin/sh
real=/usr/lib/ocf/resource.d/$(basename "$(dirname "$0")")/$(basename "$0")
state=%s/$(basename "$CERCO_LAB_NODE").$OCF_RESOURCE_INSTANCE
case $1 in
meta-data)
	[ -x "$real" ] && OCF_ROOT=/usr/lib/ocf exec "$real" meta-data
	echo '<resource-agent name="x" version="1"><version>1.0</version><shortdesc>stand-in</shortdesc><longdesc>stand-in</longdesc><parameters>
<parameter name="drbd_resource"><content type="string"/></parameter></parameters><actions><action name="start" timeout="20"/><action name="stop" timeout="20"/>
<action name="monitor" timeout="20" interval="10"/><action name="promote" timeout="20"/><action name="demote" timeout="20"/><action name="notify" timeout="20"/>
<action name="meta-data" timeout="5"/></actions></resource-agent>' ;;
start | migrate_from)
	echo started >"$state"
	[ "$(basename "$0")" != drbd ] || crm_attribute --promotion -v 100 ;;
promote) echo promoted >"$state" ;;
demote) echo started >"$state" ;;
stop | migrate_to) rm -f "$state" ;;
monitor)
	[ -e "$state" ] || exit 7
	grep -q promoted "$state" && exit 8 ;;
esac
exit 0
`

// ipmi is a management board that can be asked, and switches nothing.
const ipmi = `#!/bin/sh
action=$(sed -n 's/^action=//p')
case ${action:-reboot} in
metadata) exec /usr/sbin/fence_ipmilan -o metadata ;;
monitor | status | list | validate-all) exit 0 ;;
esac
echo "the board does not answer" >&2
exit 1
`

func (b *bookLab) standIns() {
	b.t.Helper()
	put := func(text string, parts ...string) {
		path := filepath.Join(append([]string{b.dir}, parts...)...)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil {
			err = os.WriteFile(path, []byte(text), 0o755)
		}
		if err != nil {
			b.t.Fatal(err)
		}
	}
	states := filepath.Join(b.dir, "records")
	for _, agent := range []string{"linbit/drbd", "pacemaker/controld", "pacemaker/Dummy", "heartbeat/clvm", "heartbeat/Filesystem", "heartbeat/libvirtd",
		"heartbeat/VirtualDomain"} {
		put(fmt.Sprintf(standIn, states), "ocf", "resource.d", agent)
	}
	put(ipmi, "fence", "fence_ipmilan")
}

// again makes the cluster anew as it was before the book took it apart.
func (b *bookLab) again(document string) {
	b.t.Helper()
	b.found(b.nodes...)
	if err := os.WriteFile("before.xml", []byte(document), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.must(b.node, "cluster", "cib-push", "before.xml", "--config", "--force")
}

// judge types a line of the book, and says what came of it.
func (b *bookLab) judge(row bookRow, line string) (verdict, said string) {
	words := shellWords(line)
	b.makeRoom(words)
	if strings.HasPrefix(line, "stonith confirm ") {
		if lost := b.crash(words[2]); lost != "" {
			return wrong, lost
		}
	}
	before := b.text(words)
	typed := words
	if strings.HasPrefix(line, "cluster setup ") { // the lab has its cluster: this one is of a host beside it
		b.found(b.nodes...)
		typed = append(slices.Clone(words), "--node="+b.node, "--addr=127.0.0.1", "--api=none", "--dir="+b.t.TempDir())
	}
	if strings.HasPrefix(line, "cluster destroy ") {
		typed = append(slices.Clone(words), "--dir="+filepath.Join(b.dir, b.node))
	}
	code, said := b.pcs(typed...)
	verdict, said = row.verdict(words, code, said, true)
	switch verdict {
	case wrong:
		return verdict, said
	case refused:
		if code, said = b.pcs(append(words, "--force")...); code != 0 {
			return wrong, "with --force: " + said
		}
	case pointed:
		if words = row.meant(); strings.Contains(row.command, "[") { // a placeholder of the author's
			return verdict, said
		}
		if code, said = b.pcs(words...); code != 0 {
			return wrong, "as it was meant: " + said
		}
	}
	if fault := b.look(words, before, said); fault != "" {
		return wrong, fault + "; it says: " + strings.Join(strings.Fields(said), " ")
	}
	return verdict, strings.Join(strings.Fields(said), " ")
}

// text is the configuration that a command is about.
func (b *bookLab) text(words []string) string {
	if words[0] == "-f" {
		data, _ := os.ReadFile(words[1])
		return string(data)
	}
	_, text := b.pcs("cluster", "cib", "scope=configuration")
	return text
}

// makeRoom deletes what a command is to create: the book shows alternatives one after the other.
func (b *bookLab) makeRoom(words []string) {
	b.t.Helper()
	if words[0] == "-f" && len(words) > 4 && words[3] == "create" {
		b.created = append(b.created, words[4])
		if strings.Contains(b.text(words), `id="`+words[4]+`"`) {
			b.must(b.node, "-f", words[1], "resource", "delete", words[4])
		}
	}
}

// crash has a node die, as the book does by hand before it confirms that: the others know that it is lost, no device can
// say that it is off, and so they wait.
func (b *bookLab) crash(node string) string {
	b.node = b.nodes[0]
	if node == b.node {
		b.node = b.nodes[1]
	}
	b.must(b.node, "property", "set", "stonith-enabled=true")
	b.must("", "lab", "crash", node, "--dir", b.dir)
	return b.eventually(func() string {
		_, said := b.pcs("stonith", "status")
		return lacks(said, "stonith confirm "+node)
	})
}

// showTime is how long something may take that is to be seen.
const showTime = 40 * time.Second

// eventually waits until look finds nothing missing, and returns what is missing in the end.
func (b *bookLab) eventually(look func() string) string {
	for deadline := time.Now().Add(showTime); ; {
		missing := look()
		if missing == "" || time.Now().After(deadline) {
			return missing
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// lacks names the first text that is not there.
func lacks(said string, texts ...string) string {
	for _, text := range texts {
		if !strings.Contains(said, text) {
			return fmt.Sprintf("there is no %q", text)
		}
	}
	return ""
}

// shows waits until the status has these texts.
func (b *bookLab) shows(texts ...string) string {
	return b.eventually(func() string {
		_, said := b.pcs("status")
		return lacks(said, texts...)
	})
}

func (b *bookLab) online() string { return "Online: [ " + strings.Join(b.nodes, " ") + " ]" }

// look says what of a command's effects cannot be seen; empty if all can.
func (b *bookLab) look(words []string, before, said string) string {
	last := words[len(words)-1]
	switch line := strings.Join(words, " "); {
	case words[0] == "-f":
		if len(words) == 3 || words[2] == "constraint" && words[3] == "show" {
			return lacks(said, "e")
		}
		if b.text(words) == before && words[3] != "set" {
			return "the file is the same as before"
		}
		return ""
	case strings.HasPrefix(line, "cluster "):
		return b.lookAtCluster(words[1:], before, said)
	case line == "status":
		return lacks(said, "Cluster name: kuster-test", "Current DC: node0", fmt.Sprintf("%d node", len(b.nodes)), b.online(), "Daemon Status:")
	case line == "property":
		return lacks(said, "Cluster Properties:")
	case strings.HasPrefix(line, "property set "):
		_, said = b.pcs("property")
		return lacks(said, strings.Replace(last, "=", ": ", 1))
	case strings.HasPrefix(line, "stonith list"):
		return lacks(said, "fence_ipmilan - ")
	case strings.HasPrefix(line, "stonith describe"):
		return lacks(said, "Stonith options:", "pcmk_host_map")
	case line == "stonith show":
		if devices := regexp.MustCompile(`<primitive id="([^"]*)" class="stonith"`).FindAllStringSubmatch(before, -1); len(devices) > 0 {
			return lacks(said, devices[0][1])
		}
		return lacks(said, "NO stonith devices configured")
	case strings.HasPrefix(line, "stonith confirm "):
		missing := b.shows("OFFLINE: [ "+last+" ]", "website\t(ocf:pacemaker:Dummy):\t Started "+b.node, "ipsite\t(ocf:pacemaker:Dummy):\t Started "+b.node)
		b.must("", "lab", "boot", last, "--dir", b.dir)
		if missing == "" {
			missing = b.shows(b.online())
		}
		return missing
	case strings.HasPrefix(line, "constraint show"):
		return lacks(said, "Location Constraints:", "Ordering Constraints:", "Colocation Constraints:")
	case strings.HasPrefix(line, "constraint "):
		if words[2] == "add" {
			words = words[1:]
		}
		return lacks(b.text(words), `rsc="`+words[2]+`"`)
	case strings.HasPrefix(line, "resource "):
		return b.lookAtResource(words[1:], before, said)
	case strings.HasPrefix(line, "config backup "):
		found, err := filepath.Glob(last + "*")
		if err != nil || len(found) == 0 {
			return "there is no " + last
		}
		return ""
	case strings.HasPrefix(line, "config restore "), strings.HasPrefix(line, "host auth "):
		return ""
	}
	return "nobody knows what is to be seen of this"
}

func (b *bookLab) lookAtCluster(words []string, before, said string) string {
	switch last := words[len(words)-1]; words[0] {
	case "auth":
		for _, n := range words[1 : len(words)-2] {
			if missing := lacks(said, n+": Authorized"); missing != "" {
				return missing
			}
		}
	case "setup":
		if missing := lacks(said, "founds cluster kuster-test"); missing != "" {
			return missing
		}
		for _, n := range words[4:] { // behind setup --name NAME and the first node
			if missing := lacks(said, "cluster node add "+n); missing != "" {
				return missing
			}
		}
	case "start":
		return b.shows(b.online())
	case "standby", "unstandby":
		if words[0] == "unstandby" {
			return b.shows(b.online())
		}
		return b.eventually(func() string {
			_, said := b.pcs("status")
			if strings.Contains(said, "Started "+last) || strings.Contains(said, "Promoted "+last) {
				return "something runs on " + last
			}
			return lacks(said, "Node "+last+": standby")
		})
	case "cib":
		if len(words) == 1 {
			return lacks(said, "<cib ", "</cib>")
		}
		data, err := os.ReadFile(words[1])
		if err != nil {
			return err.Error()
		}
		return lacks(string(data), "<cib ", "<resources>")
	case "cib-push":
		return b.lookAtPush(said)
	case "edit":
		return lacks(said, "CIB not updated, no changes detected")
	case "sync", "reload":
		for _, n := range b.nodes {
			if missing := lacks(said, n+": Succeeded"); missing != "" {
				return missing
			}
		}
	case "stop":
		b.node = b.nodes[1]
		missing := b.shows("OFFLINE: [ " + b.nodes[0] + " ]")
		b.node = b.nodes[0]
		b.must("", "lab", "boot", b.node, "--dir", b.dir)
		if missing == "" {
			missing = b.shows(b.online())
		}
		return missing
	case "report":
		found, err := filepath.Glob(last + "*")
		if err != nil || len(found) == 0 {
			return "there is no " + last
		}
	case "node":
		if _, said := b.run(b.node, "cluster", "members"); strings.Contains(said, last) {
			return last + " is a member still"
		}
		b.again(before)
	case "destroy":
		if _, err := os.Stat(filepath.Join(b.dir, b.node, "etc", "node.json")); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Sprintf("this host knows of its cluster still: %v", err)
		}
		b.found(b.nodes...)
	default:
		return "nobody knows what is to be seen of this"
	}
	return ""
}

// lookAtPush waits until what was created on the file is there, and runs.
func (b *bookLab) lookAtPush(said string) string {
	created := b.created
	b.created = nil
	if missing := lacks(said, "CIB updated"); missing != "" {
		return missing
	}
	return b.eventually(func() string {
		_, said := b.pcs("status", "--full")
		for _, id := range created {
			if !regexp.MustCompile(`\* ` + regexp.QuoteMeta(id) + `\t\([^)]*\):\t (Started|Promoted|Unpromoted|Master|Slave)`).MatchString(said) {
				return id + " does not run"
			}
		}
		return ""
	})
}

func (b *bookLab) lookAtResource(words []string, before, said string) string {
	id := words[len(words)-1]
	switch words[0] {
	case "create":
		return lacks(b.text(words), `<primitive id="`+words[1]+`"`)
	case "disable":
		return b.shows(id + "\t(ocf:heartbeat:VirtualDomain):\t Stopped (disabled)")
	case "enable":
		return b.shows(id + "\t(ocf:heartbeat:VirtualDomain):\t Started node0")
	case "debug-start":
		return lacks(said, "returned")
	case "move":
		return b.shows(words[1] + "\t(ocf:heartbeat:VirtualDomain):\t Started " + id)
	case "clear":
		if text := b.text(words); strings.Contains(text, `id="cli-`) {
			return "a constraint of the move is left"
		}
		return ""
	case "delete":
		missing := b.eventually(func() string {
			_, said := b.pcs("status")
			if strings.Contains(said, id+"\t(") || strings.Contains(b.text(words), `<primitive id="`+id+`"`) {
				return id + " is there still"
			}
			return ""
		})
		if missing != "" {
			return missing
		}
		if err := os.WriteFile("before.xml", []byte(before), 0o600); err != nil {
			return err.Error()
		}
		b.must(b.node, "cluster", "cib-push", "before.xml", "scope=configuration")
		return ""
	case "update":
		name, value, _ := strings.Cut(id, "=")
		text := b.text(words)
		if pair := fmt.Sprintf(`name="%s" value="%s"`, name, value); value == "" && strings.Contains(text, `name="`+name+`"`) {
			return name + " is there still"
		} else if value != "" {
			return lacks(text, pair)
		}
		return ""
	}
	return "nobody knows what is to be seen of this"
}

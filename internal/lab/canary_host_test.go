//go:build host

package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/report"
)

// leaky is an agent that prints its password wherever it can, and fails.
const leaky = `#!/bin/sh
case $1 in
meta-data|metadata)
    echo '<resource-agent name="Leaky" version="1"><version>1.1</version><parameters><parameter name="password"><content type="string"/></parameter></parameters>'
    echo '<actions><action name="start" timeout="9s"/><action name="stop" timeout="9s"/><action name="monitor" timeout="9s" interval="9s"/><action name="meta-data" timeout="9s"/></actions></resource-agent>'
    exit 0 ;;
start)
    echo "connecting with $OCF_RESKEY_password"
    env >&2
    echo "ocf-exit-reason:the password $OCF_RESKEY_password was refused" >&2
    exit 1 ;;
monitor) exit 7 ;;
esac
exit 0
`

// canaries are secrets that must not turn up, by what they are.
type canaries map[string]string

// in lists those that stand in a text.
func (c canaries) in(text []byte) []string {
	var out []string
	for what, secret := range c {
		if bytes.Contains(text, []byte(secret)) {
			out = append(out, what)
		}
	}
	return out
}

// watchProcesses looks at the command lines of all processes until the test has ended.
func watchProcesses(t *testing.T, mu *sync.Mutex, secrets canaries) {
	stop, done := make(chan struct{}), make(chan struct{})
	looks := 0
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
			}
			lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
			for _, f := range lines {
				line, _ := os.ReadFile(f)
				mu.Lock()
				if found := secrets.in(line); len(found) > 0 {
					t.Errorf("the process list shows %v: %.100q", found, line)
				}
				mu.Unlock()
			}
			looks++
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-done
		t.Logf("the process list was looked at %d times", looks)
	})
}

// TestHostNoSecretGetsOut drives a cluster with secrets through every door, and looks for them wherever they must not be.
func TestHostNoSecretGetsOut(t *testing.T) {
	d := &drill{t: t, bin: filepath.Join(t.TempDir(), "cerco"), dir: filepath.Join(t.TempDir(), "lab")}
	if out, err := exec.Command("go", "build", "-o", d.bin, "../../cmd/cerco").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(d.try("n1", "status"))
		}
		d.try("n1", "lab", "down", "--dir", d.dir)
	})
	secrets := canaries{"a fence password": "canary-fence-4711", "an agent's password": "canary-agent-4711", "a password with marks": `canary<"&'4711`}
	var mu sync.Mutex
	watchProcesses(t, &mu, secrets)
	d.run("n1", "lab", "up", "--verbose", "--nodes", "3", "--dir", d.dir)

	// What each door says, by its name.
	said := map[string]string{}

	configureLeaks(t, d)
	joinAndLeave(t, d, said, func(what, secret string) {
		mu.Lock()
		defer mu.Unlock()
		secrets[what] = secret
	})
	said["stonith fence"] = d.try("n1", "stonith", "fence", "n3")
	said["rotate"] = d.run("n1", "cluster", "rotate", "--all")
	said["rotate the authority"] = d.run("n1", "cluster", "rotate", "--ca")
	for n := range 3 {
		for what, secret := range keysOf(t, filepath.Join(d.dir, fmt.Sprintf("n%d", n+1), "etc")) {
			mu.Lock()
			secrets[what] = secret
			mu.Unlock()
		}
	}
	for _, args := range [][]string{{"status", "--full"}, {"status", "--output-as=xml"}, {"status", "--output-as=json"}, {"history"}, {"history", "last"}, {"history", "last", "--explain"}, {"history", "--json"}, {"events", "--all", "--past"}, {"events", "--all", "--past", "--json"},
		{"stonith", "status"}, {"stonith", "history"}, {"stonith", "devices"}, {"cluster", "members"}, {"cluster", "upgrade"},
		{"crm_mon", "-1", "-A", "-f", "-t"}, {"crm_mon", "-1", "--output-as=xml"}, {"crm_resource", "--list"}, {"crm_resource", "-r", "leaky", "--why"},
		{"stonith_admin", "--history", "*"}, {"lab", "status", "--dir", d.dir}} {
		said[strings.Join(args, " ")] = d.run("n1", args...)
	}
	for _, path := range []string{"/v1/node", "/v1/cluster", "/v1/rest", "/v1/fencing", "/v1/fencing/devices", "/v1/transitions", "/v1/events?from=0&follow=0",
		"/v1/metrics", "/v1/debug", "/v1/debug/controller", "/v1/debug/links", "/v1/debug/fencing", "/v1/debug/ledger", "/v1/debug/members", "/v1/debug/store",
		"/v1/debug/goroutine"} {
		said[path] = get(t, filepath.Join(d.dir, "n1", "run", "cerco.sock"), path)
	}
	reportOf(t, d, said)
	mu.Lock()
	defer mu.Unlock()
	for door, text := range said {
		if found := secrets.in([]byte(text)); len(found) > 0 {
			t.Errorf("%s shows %v", door, found)
		}
	}
	// Whether the leaks were there to be stopped.
	if all := fmt.Sprint(said); !strings.Contains(all, "login with *** refused") || !strings.Contains(all, "the password *** was refused") {
		t.Errorf("no agent has told anything: this test sees nothing\n%s", said["status --full"])
	}
	searchFiles(t, d.dir, secrets)
}

// reportOf makes a report, and adds what is in it to what was said.
func reportOf(t *testing.T, d *drill, said map[string]string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.tar.gz")
	d.run("n1", "cluster", "report", file)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	files, err := report.Unpack(data)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, f := range files {
		said["report: "+f.Name] = string(f.Data)
		all[strings.TrimPrefix(f.Name, "report/")] = true
	}
	for _, name := range []string{"cib.xml", "fencing.json", "shown/status.txt", "nodes/n1/events.jsonl", "nodes/n2/daemon/ledger.json", "nodes/n2/logs/cerco.log"} {
		if !all[name] {
			t.Errorf("the report lacks %s", name)
		}
	}
	if !strings.Contains(said["report: report/cib.xml"], `name="password" value="***"`) {
		t.Error("the report's CIB has no password to hide: this test sees nothing")
	}
}

// configureLeaks gives the cluster a fence device and a resource that print their passwords.
func configureLeaks(t *testing.T, d *drill) {
	t.Helper()
	agent, err := os.ReadFile("../fencer/testdata/agents/fence_record")
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{"fence/fence_record": string(agent), "ocf/resource.d/cerco/Leaky": leaky} {
		if err := os.WriteFile(filepath.Join(d.dir, path), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, xml := range []string{
		`<primitive id="spill" class="stonith" type="fence_record"><instance_attributes id="spill-p">
  <nvpair id="spill-1" name="password" value="canary-fence-4711"/><nvpair id="spill-2" name="fail" value="reboot off on status"/>
  <nvpair id="spill-3" name="pcmk_host_list" value="n1 n2 n3"/></instance_attributes></primitive>`,
		`<primitive id="leaky" class="ocf" provider="cerco" type="Leaky"><instance_attributes id="leaky-p">
  <nvpair id="leaky-1" name="password" value="canary-agent-4711"/></instance_attributes></primitive>`,
		`<primitive id="marks" class="ocf" provider="cerco" type="Leaky"><instance_attributes id="marks-p">
  <nvpair id="marks-1" name="password" value="canary&lt;&quot;&amp;'4711"/></instance_attributes></primitive>`,
	} {
		edit(t, d, xml)
	}
	edit(t, d, `<fencing-topology><fencing-level id="l3" target="n3" index="1" devices="spill"/></fencing-topology>`)
	d.waitFor("the agents have failed", 20*time.Second, func() bool {
		return strings.Count(d.try("n1", "status"), "was refused") >= 2
	})
}

// edit creates something through the API: what stands in a command is not the product's to hide.
func edit(t *testing.T, d *drill, xml string) {
	t.Helper()
	parent := "resources"
	if strings.HasPrefix(xml, "<fencing-topology") {
		parent = "configuration"
	}
	body, err := json.Marshal(map[string]any{"edits": []map[string]string{{"op": "create", "parent": parent, "xml": xml}}})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := door(filepath.Join(d.dir, "n1", "run", "cerco.sock")).Post("http://cerco/v1/cib", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		t.Fatalf("%s", text)
	}
}

func door(socket string) *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}}
}

func get(t *testing.T, socket, path string) string {
	t.Helper()
	resp, err := door(socket).Get("http://cerco" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// joinAndLeave has a fourth node join with a token, another one try it again, and the fourth one removed.
func joinAndLeave(t *testing.T, d *drill, said map[string]string, keep func(what, secret string)) {
	t.Helper()
	words := strings.Fields(d.run("n1", "cluster", "invite"))
	token := words[len(words)-1]
	keep("the token", token)
	l, err := Open(d.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range []string{"n4", "n5"} {
		cmd := exec.Command(d.bin, "cluster", "join", "--dir", filepath.Join(d.dir, node), "--node", node, "--addr", l.addr(0, 40), "--api", "none")
		cmd.Stdin = strings.NewReader(token + "\n")
		out, err := cmd.CombinedOutput()
		if (err == nil) != (node == "n4") {
			t.Errorf("%s joins: %v\n%s", node, err, out)
		}
		said["join of "+node] = string(out)
	}
	for what, secret := range keysOf(t, filepath.Join(d.dir, "n4", "etc")) {
		keep(what, secret)
	}
	said["remove"] = d.try("n1", "cluster", "remove", "n4")
}

// keysOf are the keys in a directory, by file: the part of each that is its own.
func keysOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, name := range []string{"node.key", "ca.key"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		line := strings.Split(string(data), "\n")[1]
		out[filepath.Join(filepath.Base(filepath.Dir(dir)), name)] = line[24:] // what comes before says only what kind of key it is
	}
	return out
}

// searchFiles looks into every file of the lab: logs hold no secret, and what holds one is its owner's alone.
func searchFiles(t *testing.T, dir string, secrets canaries) {
	t.Helper()
	holders := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		info, gone := e.Info()
		if err := errors.Join(err, gone); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // it has been put in its place meanwhile
			}
			return err
		}
		found := secrets.in(data)
		switch {
		case len(found) == 0:
		case strings.HasSuffix(path, ".log") && filepath.Base(path) != "ledger.log": // that is a node's memory of operations, for itself
			t.Errorf("%s holds %v", path, found)
		case info.Mode().Perm()&0o077 != 0:
			t.Errorf("%s (%v) holds %v", path, info.Mode(), found)
		default:
			holders++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if holders < 8 { // the log and the keys of the nodes at least
		t.Errorf("only %d files hold a secret: this test sees nothing", holders)
	}
	for _, n := range []string{"n1", "n2", "n3"} {
		for _, private := range []string{"etc", "lib", "lib/raft", "lib/ledger", "lib/history"} {
			if info, err := os.Stat(filepath.Join(dir, n, private)); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("%s of %s: %v, %v", private, n, info.Mode(), err)
			}
		}
	}
}

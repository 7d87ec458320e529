package pcs

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// elsewhere is a verb of pcs that Cerco has another way for, or no need of.
type elsewhere struct {
	path    string
	instead string // what there is in its place, in a line
	done    bool   // what the user wants holds already: this is no error
}

// elsewheres are the verbs of pcs that are answered, and not carried out.
func elsewheres() []elsewhere {
	const (
		witness = "a quorum device is a witness here, a vote on a third host: 'cerco cluster add-witness' makes an invitation for it, " +
			"'quorum device status' shows it, and its daemon is an ordinary cerco.service"
		certificates = "nodes prove who they are by certificates that the cluster makes itself: there is nothing to copy or to load"
		booth        = "Cerco has no booth: it does not hand tickets from site to site. Constraints on tickets are kept and planned for ('constraint ticket', 'simulate -g')"
		recovery     = "Cerco has no disaster-recovery pairs: 'status' there, or its API, shows the state of another cluster"
		rings        = "a node says its addresses, one for each ring, when it founds or joins: stop it, 'cluster node remove' it, and there " +
			"'cerco cluster destroy' and 'cerco cluster join --addr ADDRESS --addr ADDRESS' with all of them"
		names  = "names of a cluster and of its nodes are part of their certificates, and stay: a node can leave and join under another name"
		remote = "Cerco's daemons run no operations on remote nodes yet: 'resource create NAME ocf:pacemaker:remote server=ADDRESS' is kept and planned for"
		disks  = "shared disks need no SBD: fence_scsi and fence_mpath keep a lost node off them by reservations"
	)
	return []elsewhere{
		{"client local-auth", "root and members of the group haclient may ask the daemon of this node, without a password", true},
		{"pcsd certkey", certificates + "; 'cerco cluster rotate' exchanges a node's key", false},
		{"pcsd sync-certificates", certificates, true},
		{"pcsd deauth", "hosts keep no tokens of each other: 'cluster node remove' ends a host's part", true},
		{"pcsd accept_token", "hosts keep no tokens of each other: 'cluster node add' makes an invitation", false},
		{"cluster authkey corosync", "there is no key that all nodes share: 'cerco cluster rotate --all' exchanges every node's own, and " +
			"'cerco cluster rotate --ca' the certificate authority", false},
		{"cluster rename", names, false},
		{"cluster node rename-corosync", names, false},
		{"cluster node rename-cib", names, false},
		{"cluster node add-outside", "'cluster node add' makes an invitation for a host, on any node", false},
		{"cluster link add", rings, false},
		{"cluster link remove", rings, false},
		{"cluster link update", rings, false},
		{"cluster uidgid add", "the members of the group haclient may ask the daemon: 'usermod -aG haclient USER' on each node", false},
		{"cluster uidgid delete", "the members of the group haclient may ask the daemon: 'gpasswd -d USER haclient' on each node", false},
		{"cluster node add-remote", remote, false},
		{"cluster node remove-remote", remote, false},
		{"stonith history cleanup", "the record of fencings is the cluster's memory of who was off, and is kept; the oldest entries go by themselves", false},
		{"stonith history update", "every node has the same record: there is nothing to fetch", true},
		{"node pacemaker-status", "'status xml' has the state of every node", false},
		{"status booth", booth, false},
		{"status qdevice", witness, false},
		{"booth config", booth, false}, {"booth setup", booth, false}, {"booth create", booth, false}, {"booth remove", booth, false},
		{"booth destroy", booth, false}, {"booth restart", booth, false}, {"booth start", booth, false}, {"booth stop", booth, false},
		{"booth enable", booth, false}, {"booth disable", booth, false}, {"booth sync", booth, false}, {"booth pull", booth, false},
		{"booth status", booth, false}, {"booth enable-authfile", booth, false}, {"booth clean-enable-authfile", booth, false},
		{"booth ticket add", booth, false}, {"booth ticket remove", booth, false}, {"booth ticket grant", booth, false}, {"booth ticket revoke", booth, false},
		{"booth ticket cleanup", booth, false}, {"booth ticket standby", booth, false}, {"booth ticket unstandby", booth, false},
		{"dr config", recovery, false}, {"dr status", recovery, false}, {"dr set-recovery-site", recovery, false}, {"dr destroy", recovery, false},
		{"qdevice setup", witness, false}, {"qdevice destroy", witness, false}, {"qdevice status", witness, false}, {"qdevice start", witness, false},
		{"qdevice stop", witness, false}, {"qdevice kill", witness, false}, {"qdevice enable", witness, false}, {"qdevice disable", witness, false},
		{"qdevice net-client setup", witness, false}, {"qdevice net-client import-certificate", witness, false}, {"qdevice net-client destroy", witness, false},
		{"qdevice sign-net-cert-request", witness, false},
		{"quorum device check_local_qnetd_certs", witness, false}, {"quorum device setup_local_qnetd_certs", witness, false},
		{"stonith sbd device setup", disks, false}, {"stonith sbd device message", disks, false},
	}
}

// elsewhereNouns are those verbs in the tree.
func elsewhereNouns() []*verb {
	what := map[string]string{
		"booth":      "Tickets that sites hand to each other; not there.",
		"client":     "Who may ask the daemon.",
		"dr":         "Pairs of clusters for disaster recovery; not there.",
		"qdevice":    "Hosts that serve quorum devices; here they are witnesses.",
		"link":       "The rings by which nodes talk.",
		"authkey":    "The keys by which nodes know each other.",
		"ticket":     "Tickets.",
		"net-client": "Certificates of quorum devices.",
		"device":     "Shared disks.",
	}
	var list []*verb
	for _, e := range elsewheres() {
		path := words(e.path)
		leaf := &verb{name: path[len(path)-1], args: "...", what: "Answered only: " + e.instead + ".", loose: true, run: e.answer}
		if rest, removes := strings.CutPrefix(leaf.name, "remove"); removes {
			leaf.aliases = []string{"delete" + rest}
		}
		for i := len(path) - 2; i >= 0; i-- {
			leaf = &verb{name: path[i], what: what[path[i]], sub: []*verb{leaf}}
		}
		list = append(list, leaf)
	}
	return list
}

// answer says what there is instead.
func (e elsewhere) answer(c *call) error {
	if e.done {
		c.note("Nothing to do: %s.", e.instead)
		return nil
	}
	return fmt.Errorf("%s", e.instead)
}

// watchdogNouns are the verbs about SBD and who may ask the daemon: what there is in their place is shown, too.
func watchdogNouns() []*verb {
	return []*verb{
		{name: "stonith", sub: []*verb{{name: "sbd", what: "The watchdog that resets a host whose part in the cluster is over.", sub: []*verb{
			{name: "enable", args: "...", loose: true, live: true, options: []string{"no-watchdog-validation"}, run: sbdEnable, what: "Say how daemons get their watchdogs."},
			{name: "disable", live: true, run: sbdDisable, what: "Say how daemons give their watchdogs up."},
			{name: "config", run: sbdConfig, what: "Show how long the cluster waits for a watchdog."},
			{name: "status", options: []string{"full"}, run: sbdConfig, what: "Show how long the cluster waits for a watchdog."},
			{name: "watchdog", what: "Watchdog devices.", sub: []*verb{
				{name: "list", live: true, run: sbdList, what: "Show the watchdog devices of this host."},
				{name: "test", args: "[DEVICE]", loose: true, live: true, run: sbdTest, what: "Say how a watchdog is tried."},
			}},
		}}}},
		{name: "cluster", sub: []*verb{{name: "uidgid", live: true, run: uidgid, what: "Show who may ask the daemon."}}},
	}
}

const sbdHow = "a host is reset by its watchdog where its daemon has one: 'ExecStart=/usr/local/sbin/cerco daemon --watchdog /dev/watchdog' " +
	"('systemctl edit cerco' on each node), and then 'property set stonith-watchdog-timeout=20s', which is more than the daemon's --watchdog-timeout (10s)"

func sbdEnable(*call) error { return fmt.Errorf("there is no SBD here: %s", sbdHow) }

func sbdDisable(*call) error {
	return fmt.Errorf("there is no SBD here: 'property set stonith-watchdog-timeout=' has the cluster no longer count on watchdogs, " +
		"and without --watchdog the daemon ('systemctl edit cerco' on each node) has none")
}

func sbdTest(*call) error {
	return fmt.Errorf("no host is reset for a test: end its daemon with 'kill -9' on a node whose daemon has --watchdog, and see it come back by its watchdog")
}

// sbdConfig shows what the cluster counts on.
func sbdConfig(c *call) error {
	return c.show(func(doc *cib.CIB, w io.Writer) error {
		value := doc.Option("stonith-watchdog-timeout", c.Now())
		if value == "" || value == "0" {
			value = "not set: the cluster does not count on watchdogs"
		}
		fmt.Fprintf(w, "stonith-watchdog-timeout: %s\n", value)
		return nil
	})
}

// sbdList lists what the kernel knows of watchdogs: a watchdog is never opened, since that arms it.
func sbdList(c *call) error {
	found, err := filepath.Glob("/sys/class/watchdog/watchdog*")
	if err != nil {
		return err
	}
	if len(found) == 0 {
		fmt.Fprintln(c.Stdout, "No available watchdog; 'cerco daemon --watchdog software' makes one, which cannot help against a kernel that hangs")
		return nil
	}
	fmt.Fprintln(c.Stdout, "Available watchdog(s):")
	for _, dir := range found {
		identity, _ := os.ReadFile(filepath.Join(dir, "identity"))
		fmt.Fprintf(c.Stdout, "  /dev/%s %s\n", filepath.Base(dir), strings.TrimSpace(string(identity)))
	}
	return nil
}

func uidgid(c *call) error {
	fmt.Fprintln(c.Stdout, "UID/GID: uid=0\nUID/GID: gid=haclient")
	return nil
}

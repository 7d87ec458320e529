//go:build host

package nettest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestGuestFencingDocument runs the commands of docs/guest-fencing.md, as they stand there, on three hosts with libvirt
// and real machines. Beside each machine is one of namespaces, which is what runs in it: a cluster of Corosync and
// Pacemaker with the original's fence_xvm.
func TestGuestFencingDocument(t *testing.T) {
	if os.Getenv("CERCO_TEST_ALONE") == "" {
		alone(t, "libvirtd", "virsh", "qemu-system-x86_64", "fence_xvm", "corosync", "pacemakerd", "pcs", "unshare", "nsenter", "ip")
		return
	}
	hosts, guests := []string{"hv1", "hv2", "hv3"}, []string{"web1", "web2"}
	prepare := map[string]func(*testing.T, *premises){guestSections()[0]: cercoHosts, guestSections()[1]: plainHosts}
	for _, section := range guestSections() {
		t.Run(section, func(t *testing.T) {
			s := newPremises(t, append(append([]string{}, hosts...), guests...)...)
			t.Cleanup(func() { s.logs(t.Failed(), hosts...) })
			for _, g := range guests {
				s.pacemaker(g, guests)
			}
			for _, h := range hosts {
				s.libvirt(h)
			}
			prepare[section](t, s)
			s.await(90*time.Second, "the guests' cluster", func() error {
				out, err := s.run("web1", "crm_mon -1")
				if err == nil && !strings.Contains(out, "Online: [ web1 web2 ]") {
					err = fmt.Errorf("%s", out)
				}
				return err
			})
			before := s.process("web2")
			for _, step := range steps(t, section) {
				for _, m := range where(t, step, hosts) {
					for _, c := range step.commands {
						s.follow(m, c)
					}
				}
			}
			s.await(30*time.Second, "the fence device", func() error {
				out, err := s.run("web1", "pcs stonith status")
				if err == nil && !strings.Contains(out, "Started") {
					err = fmt.Errorf("%s", out)
				}
				return err
			})
			s.await(30*time.Second, "web2, which was cut off and is started again", func() error {
				if now := s.process("web2"); now == before || now == "" {
					return fmt.Errorf("its process was %q and is %q", before, now)
				}
				return nil
			})
		})
	}
}

// alone runs this test again in namespaces that end with it.
func alone(t *testing.T, programs ...string) {
	if os.Getuid() != 0 {
		t.Skip("namespaces need root: sudo make test-host")
	}
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	if _, err := os.Stat("/usr/lib/ocf/resource.d/heartbeat/VirtualDomain"); err != nil {
		t.Skip("the agent VirtualDomain is not installed (resource-agents)")
	}
	bin := filepath.Join(t.TempDir(), "cerco")
	if out, err := exec.Command("go", "build", "-o", bin, "../../cmd/cerco").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command("unshare", "-n", "-m", "-p", "-f", "--mount-proc", "--kill-child", "--propagation", "private", "sh", "-c", `"$@"; exit $?`, "first",
		os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=8m")
	cmd.Env = append(os.Environ(), "CERCO_TEST_ALONE=1", "CERCO_TEST_BINARY="+bin)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	switch {
	case err != nil:
		t.Error(err)
	case strings.Contains(string(out), "--- SKIP"):
		t.Skip("see above")
	}
}

// where tells on which machines the document has a step run.
func where(t *testing.T, s step, hosts []string) []string {
	t.Helper()
	switch {
	case strings.Contains(s.where, "On one host"):
		return hosts[:1]
	case strings.Contains(s.where, "On each host"):
		return hosts
	case strings.Contains(s.where, "In a guest"):
		return []string{"web1"}
	}
	t.Fatalf("%q does not say where its commands are run", s.where)
	return nil
}

// follow types a command of the document.
func (s *premises) follow(machine, command string) {
	s.t.Helper()
	began := time.Now()
	out, err := s.run(machine, command)
	s.t.Logf("%s# %s (%v)\n%s", machine, command, time.Since(began).Round(time.Millisecond), out)
	switch {
	case strings.Contains(command, "-o status"):
		if !strings.Contains(out, "Status: O") { // it may be started again by now
			s.t.Errorf("it says %v", err)
		}
	case err != nil:
		s.t.Fatal(err)
	case strings.HasSuffix(command, "-o list"):
		if !strings.Contains(out, "web1") || !strings.Contains(out, "web2") {
			s.t.Error("not both guests are in the list")
		}
	}
}

// machineXML is a definition; the agent VirtualDomain reads it line by line.
const machineXML = `<domain type='qemu'>
<name>%[1]s</name>
<uuid>00000000-0000-4000-8000-00000000000%[2]d</uuid><memory unit='MiB'>16</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type></os><devices><memballoon model='none'/></devices></domain>
`

// libvirt starts it on a host, which has the definitions of both machines in files.
func (s *premises) libvirt(host string) {
	s.t.Helper()
	for i, m := range []string{"web1", "web2"} {
		s.must(host, "cat >/etc/libvirt/"+m+".xml <<'END'\n"+fmt.Sprintf(machineXML, m, i+1)+"END")
	}
	s.daemon(host, "libvirtd")
	s.await(60*time.Second, "libvirt on "+host, func() error {
		out, err := s.run(host, "virsh -c qemu:///system list")
		if err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
		return err
	})
}

// where lists the hosts on which a machine runs.
func (s *premises) where(machine string) string {
	var on []string
	for _, h := range []string{"hv1", "hv2", "hv3"} {
		if out, err := s.run(h, "virsh -c qemu:///system list --name"); err == nil && strings.Contains(out, machine) {
			on = append(on, h)
		}
	}
	return strings.Join(on, " ")
}

// process is the number of a machine's process on the host where it runs; "" if it runs nowhere.
func (s *premises) process(machine string) string {
	for _, h := range strings.Fields(s.where(machine)) {
		if out, err := s.run(h, "cat /run/libvirt/qemu/"+machine+".pid"); err == nil {
			return strings.TrimSpace(out)
		}
	}
	return ""
}

// cercoHosts makes the hosts a cluster of Cerco that operates the machines.
func cercoHosts(t *testing.T, s *premises) {
	for i, h := range []string{"hv1", "hv2", "hv3"} {
		args := fmt.Sprintf("cerco cluster --node %s --addr 10.92.0.%d --no-start ", h, i+1)
		if i == 0 {
			s.must(h, args+"setup test")
		} else {
			var token string
			s.await(30*time.Second, "an invitation", func() (err error) {
				token, err = s.run("hv1", "cerco cluster invite")
				return err
			})
			fields := strings.Fields(token)
			s.must(h, "echo "+fields[len(fields)-1]+" | "+args+"join")
		}
		s.must(h, "systemctl enable --now cerco")
	}
	s.await(30*time.Second, "the cluster of the hosts", func() error {
		out, err := s.run("hv1", "cerco status")
		if err == nil && !strings.Contains(out, "Online: [ hv1 hv2 hv3 ]") {
			err = fmt.Errorf("%s", out)
		}
		return err
	})
	s.must("hv1", "cerco property set stonith-enabled=false")
	for i, m := range []string{"web1", "web2"} {
		s.must("hv1", "cerco resource create "+m+" ocf:heartbeat:VirtualDomain config=/etc/libvirt/"+m+".xml hypervisor=qemu:///system op monitor interval=2s")
		s.must("hv1", fmt.Sprintf("cerco constraint location %s prefers hv%d", m, i+1))
	}
	for i, m := range []string{"web1", "web2"} {
		s.await(60*time.Second, m, func() error {
			out, err := s.run("hv1", "cerco status")
			if err == nil && !strings.Contains(out, m+"\t(ocf:heartbeat:VirtualDomain):\t Started "+fmt.Sprintf("hv%d", i+1)) {
				err = fmt.Errorf("%s", out)
			}
			return err
		})
	}
}

// plainHosts starts the machines, which nobody else operates.
func plainHosts(_ *testing.T, s *premises) {
	for i, m := range []string{"web1", "web2"} {
		h := fmt.Sprintf("hv%d", i+1)
		s.must(h, "virsh -c qemu:///system define /etc/libvirt/"+m+".xml && virsh -c qemu:///system start "+m)
	}
}

// shortWait is a configuration by which the guests do not wait long for one of them to lead.
const shortWait = `<cib epoch="1" num_updates="0" admin_epoch="0" validate-with="pacemaker-3.0"><configuration><crm_config><cluster_property_set id="b">` +
	`<nvpair id="b-d" name="dc-deadtime" value="2s"/></cluster_property_set></crm_config><nodes/><resources/><constraints/></configuration><status/></cib>`

// pacemaker starts a guest's part of its cluster.
func (s *premises) pacemaker(guest string, all []string) {
	s.t.Helper()
	conf := "totem {\n version: 2\n cluster_name: guests\n transport: knet\n}\nquorum {\n provider: corosync_votequorum\n two_node: 1\n}\nlogging {\n to_logfile: yes\n logfile: /var/log/corosync.log\n}\nnodelist {\n"
	for i, g := range all {
		conf += fmt.Sprintf(" node {\n  ring0_addr: 10.92.0.%d\n  name: %s\n  nodeid: %d\n }\n", len(s.pids)-len(all)+i+1, g, i+1)
	}
	s.must(guest, "mkdir -p /etc/corosync /var/log/pacemaker && rm -f /etc/corosync/authkey /etc/pacemaker/authkey && cat >/etc/corosync/corosync.conf <<'END'\n"+conf+"}\nEND")
	s.must(guest, "echo '"+shortWait+"' >/var/lib/pacemaker/cib/cib.xml && chown hacluster:haclient /var/lib/pacemaker/cib/cib.xml")
	s.daemon(guest, "corosync -f")
	s.await(30*time.Second, "Corosync", func() error { _, err := s.run(guest, "corosync-cmapctl -q totem.cluster_name"); return err })
	s.daemon(guest, "pacemakerd -f")
}

// logs shows what the hosts' daemons had to say.
func (s *premises) logs(failed bool, hosts ...string) {
	if !failed {
		return
	}
	for _, h := range hosts {
		out, _ := s.run(h, "virsh -c qemu:///system list --all; cerco status; tail -n 30 /var/log/cerco*.log; tail -n 5 /var/lib/cerco/*/requests.log")
		s.t.Logf("%s:\n%s", h, out)
	}
	out, _ := s.run("web1", "crm_mon -1; grep -E 'warning|error' /var/log/pacemaker/pacemaker.log | tail -n 30")
	s.t.Logf("web1:\n%s", out)
}

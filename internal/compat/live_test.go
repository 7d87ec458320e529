package compat_test

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/api/apitest"
	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/compat"
	"github.com/cerco-ha/cerco/internal/wire"
)

// cluster is a cluster in memory with the state of a file of testdata, and its socket.
func cluster(t testing.TB, file string) (*apitest.Backend, string) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	b := apitest.New(t, "n1", string(data))
	b.Devs = []wire.Device{{ID: "fence", Agent: "fence_dummy"}}
	socket, _ := b.Serve(t)
	return b, socket
}

// TestLive holds the tools, on a cluster in memory, against what Pacemaker 2.1.5's tools said on a live one.
func TestLive(t *testing.T) {
	b, socket := cluster(t, "running.xml")
	for _, s := range []step{
		{"crm_node -n", "n1\n", 0},
		{"OCF_RESKEY_CRM_meta_on_node=guest1 crm_node -n", "guest1\n", 0},
		{"crm_node -i", "1\n", 0},
		{"crm_node -l", "1 n1 member\n2 n2 member\n3 n3 member\n", 0},
		{"crm_node -p", "n1 n2 n3 \n", 0},
		{"crm_node -q", "1\n", 0},
		{"crm_node -N 2", "n2\n", 0},
		{"crm_node -N 7", "! Node is not known to cluster\n", 68},
		{"attrd_updater -n x -U 5", "", 0},
		{"attrd_updater -n x -Q", "name=\"x\" host=\"n1\" value=\"5\"\n", 0},
		{"attrd_updater -n x -N n2 -U 6", "", 0},
		{"attrd_updater -n x -Q -A", "name=\"x\" host=\"n1\" value=\"5\"\nname=\"x\" host=\"n2\" value=\"6\"\n", 0},
		{"attrd_updater -n x -Q -N n2", "name=\"x\" host=\"n2\" value=\"6\"\n", 0},
		{"attrd_updater -n nx -Q", "! attrd_updater: Could not query value of nx: attribute does not exist\n", 78},
		{"attrd_updater -n x -D -N n2", "", 0},
		{"attrd_updater -n y -B 3 -d 2", "", 0},
		{"attrd_updater -n y -Q --output-as=xml", "<pacemaker-result api-version=\"2.25\" request=\"attrd_updater -n y -Q --output-as=xml\">\n" +
			"  <attribute name=\"y\" value=\"3\" host=\"n1\"/>\n  <status code=\"0\" message=\"OK\"/>\n</pacemaker-result>\n", 0},
		{"attrd_updater -R", "", 0},
		{"attrd_updater", "! attrd_updater: Command requires --name argument\n", 64},
		{"crm_attribute -N n1 -n z -l reboot -v 3", "", 0},
		{"crm_attribute -N n1 -n z -l reboot -G", "scope=status  name=z value=3\n", 0},
		{"crm_attribute -N n1 -n z -l reboot -D", "", 0},
		{"crm_attribute -N n1 -n z -l reboot -G", "! crm_attribute: Error performing operation: No such device or address\n", 105},
		{"crm_attribute -n z2 -l reboot -v 3", "", 0},
		{"crm_attribute -n z2 -l reboot -G -q", "3\n", 0},
		{"crm_attribute -N nx -l reboot -n q -v 3", "! crm_attribute: Could not map name=nx to a UUID\n", 105},
		{"OCF_RESOURCE_INSTANCE=db crm_master -l reboot -v 5", "", 0},
		{"OCF_RESOURCE_INSTANCE=db crm_master -l reboot -G -Q", "5\n", 0},
		{"OCF_RESOURCE_INSTANCE=db crm_attribute -p -v 7", "", 0},
		{"OCF_RESOURCE_INSTANCE=db crm_attribute -p -G", "scope=status  name=master-db value=7\n", 0},
		{"crm_attribute -n no-quorum-policy -v freeze", "", 0},
		{"crm_attribute -n no-quorum-policy -G", "scope=crm_config  name=no-quorum-policy value=freeze\n", 0},
		{"stonith_admin -l n1", "fence\n1 fence device found\n", 0},
		{"stonith_admin -L", "fence\n1 fence device found\n", 0},
		{"stonith_admin -H n1", "0 events found\n", 0},
		{"stonith_admin -h n2", "Node n2 has never been fenced\n", 0},
		{"stonith_admin -Q fence", "", 0},
		{"stonith_admin -Q nx", "", 105},
		{"stonith_admin -F nx -t 5", "! stonith_admin: Couldn't fence nx: no device can fence nx\n", 105},
		{"stonith_admin -U n2", "", 0},
		{"stonith_admin -H n2 -q", "1780304400\n", 0},
		{"stonith_admin -h n2", "Node n2 last fenced at: Mon Jun  1 09:00:00 2026\n", 0},
		{"stonith_admin -C n3", "", 0},
		{"stonith_admin -C", "! stonith_admin: Missing argument for -C\n", 64},
		{"crmadmin -D", "Designated Controller is: n1\n", 0},
		{"crmadmin -D -q", "n1\n", 0},
		{"crmadmin -S n1", "Controller on n1 in state S_IDLE: ok\n", 0},
		{"crmadmin -S n2", "Controller on n2 in state S_NOT_DC: ok\n", 0},
		{"crmadmin -S n1 -q", "S_IDLE\n", 0},
		{"crm_resource -R -r web", "Cleaned up web on n3\nCleaned up web on n2\nCleaned up web on n1\nWaiting for 3 replies from the controller\n" +
			"... got reply\n... got reply\n... got reply (done)\n", 0},
		{"crm_resource -C", "Cleaned up all resources on all nodes\n", 0},
		{"crm_resource -C -r nx", "! crm_resource: Resource 'nx' not found\n! Error performing operation: No such object\n", 105},
		{"crm_resource -F -r web", "! crm_resource: Must supply a node name with -N\n", 64},
		{"crm_resource -F -r app1 -N n1", "Waiting for 1 reply from the controller\n... got reply (done)\n", 0},
		{"crm_resource --wait", "", 0},
		{"cibadmin -Q -A //nothing", "! Call failed: No such device or address\n", 105},
		{"cibadmin -C -o constraints -X '<rsc_location id=\"l1\" rsc=\"web\" node=\"n2\" score=\"5\"/>'", "", 0},
		{"cibadmin -M -o constraints -X '<rsc_location id=\"l1\" score=\"7\"/>'", "", 0},
		{"cibadmin -Q -A \"//rsc_location[@id='l1']\"", "<rsc_location id=\"l1\" rsc=\"web\" node=\"n2\" score=\"7\"/>\n", 0},
		{"cibadmin -D -X '<rsc_location id=\"l1\"/>'", "", 0},
		{"cibadmin -B", "", 0},
		{"crm_mon -s", "CLUSTER OK: 3 nodes online, 11 resource instances configured\n", 0},
	} {
		got, code := ours(t, &s, map[string]string{"CERCO_SOCKET": socket})
		if code != s.code || got != s.output {
			t.Errorf("$ %s\nwant:\n%s? %d\ngot:\n%s? %d", s.command, s.output, s.code, got, code)
		}
	}
	if v := b.Current().CIB.Version; v.Epoch < 16 {
		t.Errorf("the version is %v: changes and cibadmin --bump must have raised it", v)
	}
	if by := b.Commands[0].By; !strings.HasSuffix(by, " via attrd_updater on n1") {
		t.Errorf("the first change was made by %q", by)
	}
}

// TestNoDaemon tells apart that nobody answers: agents go by the exit code.
func TestNoDaemon(t *testing.T) {
	for command, want := range map[string]string{
		"crm_node -n":                    "! error: Could not connect to controller: Connection refused\n",
		"cibadmin -Q":                    "! Could not connect to the CIB: Transport endpoint is not connected\n! Init failed, could not perform requested operations\n",
		"crm_attribute -n x -G":          "! crm_attribute: Could not connect to the CIB: Transport endpoint is not connected\n",
		"crm_mon -1":                     "! error: Could not connect to launcher: Connection refused\n! crm_mon: Connection to cluster failed: Connection refused\n",
		"crm_resource -L":                "! crm_resource: Could not connect to the CIB: Transport endpoint is not connected\n! Error performing operation: Not connected\n",
		"attrd_updater -n x -Q":          "! attrd_updater: Could not connect to attrd: Connection refused\n",
		"attrd_updater -n x -N n1 -U 1":  "! attrd_updater: Could not update x=1: Connection refused (111)\n",
		"stonith_admin -L":               "! Could not connect to fencer: Transport endpoint is not connected\n",
		"crm_attribute -N n1 -p db -v 1": "! crm_attribute: Could not connect to the CIB: Transport endpoint is not connected\n",
	} {
		s := step{command: command}
		got, code := ours(t, &s, map[string]string{"CERCO_SOCKET": t.TempDir() + "/none"})
		if code != 102 || got != want {
			t.Errorf("$ %s\nwant:\n%s? 102\ngot:\n%s? %d", command, want, got, code)
		}
	}
}

func TestFencingIsShown(t *testing.T) {
	b, socket := cluster(t, "running.xml")
	for _, r := range []cib.FenceRequest{{Target: "nx", Action: "off", By: "root"}, {Target: "n3", Action: "reboot", By: "controller"}} {
		if _, err := b.Fence(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	s := step{command: "crm_mon -1 -m3"}
	got, _ := ours(t, &s, map[string]string{"CERCO_SOCKET": socket})
	for _, want := range []string{
		"Failed Fencing Actions:\n  * turning off of nx for root@n1 failed at 2026-06-01 09:00:00Z (no device can fence nx)\n",
		"Fencing History:\n  * reboot of n3 by n1 for controller@n1 successful at 2026-06-01 09:00:00Z\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("want %sgot\n%s", want, got)
		}
	}
	s.command = "stonith_admin -H '*' -V"
	if got, _ := ours(t, &s, map[string]string{"CERCO_SOCKET": socket}); !strings.HasPrefix(got,
		"reboot of n3 successful: delegate=n1, client=controller, origin=n1, completed='2026-06-01 09:00:00Z'\n"+
			"turning off of nx failed: client=root, origin=n1, completed='2026-06-01 09:00:00Z': no device can fence nx\n2 events found\n") {
		t.Error(got)
	}
}

func TestLinks(t *testing.T) {
	dir := t.TempDir() + "/links"
	var out bytes.Buffer
	for range 2 {
		if code := compat.LinksCommand([]string{dir}, "/usr/bin/cerco", &out, &out); code != 0 {
			t.Fatal(out.String())
		}
	}
	if to, err := os.Readlink(dir + "/crm_mon"); err != nil || to != "/usr/bin/cerco" {
		t.Error(to, err)
	}
	if err := os.Remove(dir + "/cibadmin"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/cibadmin", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if code := compat.LinksCommand([]string{dir}, "/usr/bin/cerco", &out, &out); code == 0 {
		t.Error("a file that is no link is replaced")
	}
}

// FuzzCommandLines calls the tools with anything, on a file: nothing may panic.
func FuzzCommandLines(f *testing.F) {
	for _, line := range []string{"crm_attribute -n x -G", "cibadmin -Q -A //node", "crm_resource -r web -M -N n2", "crm_mon -1 -r", "cibadmin -C -o x -X <a/>",
		"attrd_updater -Q -n x", "crmadmin -N", "crm_mon -I all,-U", "crm_resource -p a -v", "cibadmin -P -X <diff format='2'/>"} {
		f.Add(line)
	}
	data, err := os.ReadFile("testdata/failed.xml")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Fields(line)
		if len(args) == 0 || args[0] == "stonith_admin" || strings.Contains(line, "metadata") || strings.Contains(line, "-x") || strings.Contains(line, "file") {
			return // nothing is run, and no other file is read
		}
		file := t.TempDir() + "/cib.xml"
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		compat.Main(compat.Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Now: time.Now,
			Hostname: func() (string, error) { return "n1", nil }, Getenv: func(name string) string {
				return map[string]string{"CIB_file": file, "CERCO_SOCKET": "/nowhere"}[name]
			}}, args)
	})
}

// BenchmarkQuery is what agents do most: ask for an attribute, over the socket. The program's start comes on top.
func BenchmarkQuery(b *testing.B) {
	_, socket := cluster(b, "running.xml")
	for b.Loop() {
		var out bytes.Buffer
		code, _ := compat.Main(compat.Env{Stdout: &out, Stderr: &out, Now: time.Now, Getenv: func(name string) string {
			return map[string]string{"CERCO_SOCKET": socket}[name]
		}}, []string{"crm_attribute", "-N", "n1", "-n", "pingd", "-l", "reboot", "-G"})
		if code != 0 {
			b.Fatal(out.String())
		}
	}
}

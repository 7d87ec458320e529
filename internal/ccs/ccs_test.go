package ccs

import (
	"io/fs"
	"strings"
	"testing"
)

// files is a file system of one file.
type files map[string][]byte

func (f files) run(t *testing.T, line string) (code int, out, said string) {
	t.Helper()
	var stdout, stderr strings.Builder
	code = Main(Env{Stdout: &stdout, Stderr: &stderr,
		Read: func(file string) ([]byte, error) {
			if data, ok := f[file]; ok {
				return data, nil
			}
			return nil, fs.ErrNotExist
		},
		Write: func(file string, data []byte) error { f[file] = data; return nil }}, strings.Fields(line))
	return code, stdout.String(), stderr.String()
}

// The commands of the book, in their order.
func TestTheBook(t *testing.T) {
	f := files{}
	var said strings.Builder
	for _, line := range []string{"--createcluster pacemaker1", "--addnode node1", "--addnode node2", "--addfencedev pcmk agent=fence_pcmk",
		"--addmethod pcmk-redirect node1", "--addmethod pcmk-redirect node2", "--addfenceinst pcmk node1 pcmk-redirect port=node1",
		"--addfenceinst pcmk node2 pcmk-redirect port=node2", "--setcman two_node=1 expected_votes=1",
		"--addfailoverdomain d ordered", "--addfailoverdomainnode d node1 1", "--addresource ip address=10.0.0.5",
		"--addservice web domain=d", "--addsubservice web ip ref=10.0.0.5", "--addvm guest path=/etc/libvirt/qemu"} {
		code, out, err := f.run(t, "-f /etc/cluster/cluster.conf "+line)
		if code != 0 {
			t.Fatalf("%s: %s", line, err)
		}
		said.WriteString(out)
	}
	if said.String() != "Node node1 added.\nNode node2 added.\nMethod pcmk-redirect added to node1.\nMethod pcmk-redirect added to node2.\n" {
		t.Error(said.String())
	}
	want := `<?xml version="1.0"?>
<cluster config_version="15" name="pacemaker1">
  <fence_daemon/>
  <clusternodes>
    <clusternode name="node1" nodeid="1">
      <fence>
        <method name="pcmk-redirect">
          <device name="pcmk" port="node1"/>
        </method>
      </fence>
    </clusternode>
    <clusternode name="node2" nodeid="2">
      <fence>
        <method name="pcmk-redirect">
          <device name="pcmk" port="node2"/>
        </method>
      </fence>
    </clusternode>
  </clusternodes>
  <cman two_node="1" expected_votes="1"/>
  <fencedevices>
    <fencedevice name="pcmk" agent="fence_pcmk"/>
  </fencedevices>
  <rm>
    <failoverdomains>
      <failoverdomain name="d" nofailback="0" ordered="1" restricted="0">
        <failoverdomainnode name="node1" priority="1"/>
      </failoverdomain>
    </failoverdomains>
    <resources>
      <ip address="10.0.0.5"/>
    </resources>
    <service name="web" domain="d">
      <ip ref="10.0.0.5"/>
    </service>
    <vm name="guest" path="/etc/libvirt/qemu"/>
  </rm>
</cluster>
`
	if got := string(f["/etc/cluster/cluster.conf"]); got != want {
		t.Error(got)
	}
	if _, out, _ := f.run(t, "-f /etc/cluster/cluster.conf --lsnodes"); out != "node1, nodeid=1\n  fence\n    method: pcmk-redirect\n      device: pcmk, port=node1\n"+
		"node2, nodeid=2\n  fence\n    method: pcmk-redirect\n      device: pcmk, port=node2\n" {
		t.Error(out)
	}
	before := string(f["/etc/cluster/cluster.conf"])
	for line, want := range map[string]string{
		"-f /etc/cluster/cluster.conf --addnode node1":             "is there already",
		"-f /etc/cluster/cluster.conf --addmethod m node9":         "no node node9",
		"-f /etc/cluster/cluster.conf --addfenceinst x node1 m":    "no fence device x",
		"-f /etc/cluster/cluster.conf --addfenceinst pcmk node1 m": "has no method m",
		"-f /etc/cluster/cluster.conf --addnod node1":              "no verb --addnod",
		"-f /etc/cluster/cluster.conf --addservice web x":          "OPTION=VALUE",
		"-f /etc/cluster/cluster.conf --setversion x":              "no version",
		"-f other.conf --addnode n":                                "--createcluster",
		"--addnode node1":                                          "needs a file",
		"-h node1 --sync --activate":                               "ricci",
	} {
		if code, _, err := f.run(t, line); code != 1 || !strings.Contains(err, want) {
			t.Errorf("%s: code %d: %s", line, code, err)
		}
	}
	if string(f["/etc/cluster/cluster.conf"]) != before {
		t.Error("a refused command changes the file")
	}
}

// FuzzMain runs any verb on any file.
func FuzzMain(f *testing.F) {
	f.Add("<cluster/>", "--addnode n")
	f.Add("<cluster><rm><service name='s'/></rm></cluster>", "--addsubservice s fs:ip a=b")
	f.Fuzz(func(t *testing.T, conf, line string) {
		files{"f": []byte(conf)}.run(t, "-f f "+line)
	})
}

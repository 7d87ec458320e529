package convert

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "record the golden conversions anew")

// text is a conversion as people read it.
func text(r *Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "cluster %s\n", r.Cluster)
	for _, n := range r.Nodes {
		fmt.Fprintf(&b, "node %s %v votes %d\n", n.Name, n.Addrs, n.Votes)
	}
	fmt.Fprintf(&b, "quorum %s\n\n", strings.Join(r.Quorum, " "))
	for _, c := range r.Commands {
		fmt.Fprintln(&b, strings.Join(c, " "))
	}
	fmt.Fprintln(&b)
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "%d: %s: %s\n", n.Line, n.Kind, n.Text)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.conf")
	if err != nil || len(files) == 0 {
		t.Fatal(err, "no files")
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		convert := ClusterConf
		if strings.Contains(file, "corosync") {
			convert = Corosync
		}
		r, err := convert(filepath.Base(file), data)
		if err != nil {
			t.Fatal(err)
		}
		golden := strings.TrimSuffix(file, ".conf") + ".txt"
		if *rewrite {
			if err := os.WriteFile(golden, []byte(text(r)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got := text(r); got != string(want) {
			t.Errorf("%s becomes\n%s\nand not\n%s", file, got, want)
		}
	}
}

func TestWhatIsNoClusterConf(t *testing.T) {
	for in, want := range map[string]string{"": "", "<cib/>": "f:1: a cluster.conf begins with <cluster>", "<cluster>": "f:1"} {
		if _, err := ClusterConf("f", []byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", in, err)
		}
	}
	if _, err := Corosync("f", []byte("totem {")); err == nil || !strings.Contains(err.Error(), "f:1") {
		t.Error(err)
	}
}

// FuzzClusterConf converts anything: nothing may panic, and no command may be empty.
func FuzzClusterConf(f *testing.F) {
	data, err := os.ReadFile("testdata/rhel6.conf")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(data))
	f.Add(`<cluster><clusternodes><clusternode/></clusternodes><rm><service><ip ref="x"/></service><vm/></rm></cluster>`)
	f.Fuzz(func(t *testing.T, in string) {
		r, err := ClusterConf("f", []byte(in))
		if err != nil {
			return
		}
		for _, c := range r.Commands {
			if len(c) < 3 {
				t.Errorf("%q", c)
			}
		}
	})
}

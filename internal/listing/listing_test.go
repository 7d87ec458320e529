package listing

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

var rewrite = flag.Bool("rewrite", false, "record the listings anew")

// listings are the commands of pcs whose output this package writes.
func listings(c *cib.CIB, now time.Time) map[string]Lines {
	plain, full := RuleOptions{Now: now}, RuleOptions{Now: now, Full: true}
	all := RuleOptions{Now: now, Full: true, All: true}
	tags, _ := Tags(c)
	resources, stonith := AllResources(c), AllStonith(c)
	some, _ := resources.Choose([]string{"C2", "P1"})
	list := map[string]Lines{
		"resource config":                         resources.Text(),
		"resource config --output-format=cmd":     resources.Commands(),
		"resource config --output-format=json":    resources.JSON(),
		"stonith config":                          Stonith(c, stonith, true),
		"stonith config --output-format=cmd":      stonith.Commands(),
		"stonith config --output-format=json":     stonith.JSON(),
		"stonith level":                           Levels(c),
		"constraint":                              Constraints(c, plain),
		"constraint --full":                       Constraints(c, full),
		"constraint --full --all":                 Constraints(c, all),
		"constraint location":                     Locations(c, plain),
		"constraint location config resources P1": Locations(c, plain, "P1"),
		"constraint location config nodes --full": LocationsByNode(c, full),
		"constraint location config nodes n1":     LocationsByNode(c, plain, "n1"),
		"constraint order":                        Orders(c, false),
		"constraint colocation --full":            Colocations(c, true),
		"constraint ticket":                       Tickets(c, false),
		"constraint ref P1":                       References(c, "P1"),
		"property":                                Properties(c),
		"resource defaults":                       Defaults(c, ResourceDefaults, plain),
		"resource defaults --all --full":          Defaults(c, ResourceDefaults, all),
		"resource op defaults":                    Defaults(c, OperationDefaults, plain),
		"resource op defaults --full":             Defaults(c, OperationDefaults, full),
		"resource op defaults --no-expire-check":  Defaults(c, OperationDefaults, RuleOptions{}),
		"tag":                                     tags,
		"alert":                                   Alerts(c),
		"acl":                                     ACLs(c),
		"node attribute":                          NodeAttributes(c, "", ""),
		"node attribute n1":                       NodeAttributes(c, "n1", ""),
		"node attribute --name standby":           NodeAttributes(c, "", "standby"),
		"node utilization":                        NodeUtilization(c, "", ""),
		"resource utilization":                    ResourceUtilization(c, ""),
		"resource group list":                     Groups(c),
		"config":                                  Config(c, Corosync{Name: "test", Nodes: []string{"n1", "n2"}, Quorum: Lines{"  Options:"}}),
	}
	if !some.Empty() {
		list["resource config C2 P1 --output-format=json"] = some.JSON()
		list["resource config C2 P1 --output-format=cmd"] = some.Commands()
		list["resource config C2 P1"] = some.Text()
	}
	return list
}

func read(t *testing.T, file string) *cib.CIB {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c, err := cib.Decode(file, data)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestListings(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.xml")
	for _, file := range files {
		var got bytes.Buffer
		list := listings(read(t, file), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
		for _, command := range slices.Sorted(maps.Keys(list)) {
			got.WriteString("$ " + command + "\n")
			if _, err := list[command].WriteTo(&got); err != nil {
				t.Fatal(err)
			}
		}
		golden := strings.TrimSuffix(file, ".xml") + ".txt"
		if *rewrite {
			if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: the listing differs from %s; run with -rewrite and read the difference", file, golden)
		}
	}
}

//go:build host

package xvm

import (
	"encoding/xml"
	"os/exec"
	"reflect"
	"testing"
)

// TestMetadataIsTheOriginals compares all but descriptions.
func TestMetadataIsTheOriginals(t *testing.T) {
	type metadata struct {
		Name       string `xml:"name,attr"`
		Parameters []struct {
			Name       string `xml:"name,attr"`
			Unique     string `xml:"unique,attr"`
			Required   string `xml:"required,attr"`
			Deprecated string `xml:"deprecated,attr"`
			Obsoletes  string `xml:"obsoletes,attr"`
			Getopt     struct {
				Mixed string `xml:"mixed,attr"`
			} `xml:"getopt"`
			Content struct {
				Type    string  `xml:"type,attr"`
				Default *string `xml:"default,attr"`
			} `xml:"content"`
		} `xml:"parameters>parameter"`
		Actions []struct {
			Name string `xml:"name,attr"`
		} `xml:"actions>action"`
	}
	for _, name := range []string{NameXVM, NameVirt} {
		stock, err := exec.Command(name, "-o", "metadata").Output()
		if err != nil {
			t.Skipf("%s is not installed: %v", name, err)
		}
		_, out, _ := runIn(t, "", name, "-o", "metadata")
		var want, got metadata
		if err := xml.Unmarshal(stock, &want); err != nil {
			t.Fatal(err)
		}
		if err := xml.Unmarshal([]byte(out), &got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got.Actions, want.Actions) || len(got.Parameters) != len(want.Parameters) {
			t.Errorf("%s: %+v\nand not %+v", name, got, want)
			continue
		}
		for _, p := range got.Parameters { // in whatever order
			i := 0
			for i < len(want.Parameters) && want.Parameters[i].Name != p.Name {
				i++
			}
			if i == len(want.Parameters) || !reflect.DeepEqual(p, want.Parameters[i]) {
				t.Errorf("%s: the parameter %+v is not the original's", name, p)
			}
		}
	}
}

package cib

import (
	"errors"
	"testing"
)

func TestAddAndMerge(t *testing.T) {
	root := decodeText(t, `<cib><configuration><resources><primitive id="a"><meta_attributes id="m"><nvpair id="m1" name="x" value="1"/></meta_attributes></primitive></resources><tags/></configuration></cib>`).Root
	found, err := QueryOne(root, "//resources")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := found.Path.Add(NewElement("group", []Attr{{"id", "g"}}, NewElement("primitive", []Attr{{"id", "a"}}))); !errors.Is(err, ErrExists) {
		t.Errorf("a second primitive a: %v", err)
	}
	added, err := found.Path.Add(NewElement("primitive", []Attr{{"id", "b"}}))
	if err != nil {
		t.Fatal(err)
	}
	tags, _ := QueryOne(added, "//tags")
	added, err = tags.Path.Add(NewElement("tag", []Attr{{"id", "t"}}, NewElement("obj_ref", []Attr{{"id", "a"}}))) // means a, and is not a
	if err != nil {
		t.Fatal(err)
	}
	a := ByID(added, "a")
	change, err := Parse("change", []byte(`<primitive id="a" class="ocf"><meta_attributes id="m"><nvpair id="m1" value="2"/><nvpair id="m2" name="y" value="3"/></meta_attributes><operations/></primitive>`))
	if err != nil {
		t.Fatal(err)
	}
	const want = `<cib>
  <configuration>
    <resources>
      <primitive id="a" class="ocf">
        <meta_attributes id="m">
          <nvpair id="m1" name="x" value="2"/>
          <nvpair id="m2" name="y" value="3"/>
        </meta_attributes>
        <operations/>
      </primitive>
      <primitive id="b"/>
    </resources>
    <tags>
      <tag id="t">
        <obj_ref id="a"/>
      </tag>
    </tags>
  </configuration>
</cib>
`
	if got := a.Replace(a.Last().Merge(change)).String(); got != want {
		t.Errorf("got\n%s", got)
	}
}

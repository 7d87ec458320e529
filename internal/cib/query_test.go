package cib

import (
	"strings"
	"testing"
)

func TestQuery(t *testing.T) {
	root, err := Parse("test", []byte(`<cib epoch="3">
  <configuration>
    <nodes><node id="1" uname="a"/><node id="2" uname="b"><instance_attributes id="n2"><nvpair id="n2s" name="standby" value="on"/></instance_attributes></node></nodes>
    <resources>
      <group id="g"><primitive id="p1" class="ocf"><op id="o1" name="start"/><op id="o2" name="stop"/></primitive><primitive id="p2" class="lsb"/></group>
      <primitive id="p3" class="ocf"><!-- note --><op id="o3" name="start"/></primitive>
    </resources>
  </configuration>
  <status><node_state id="1"/></status>
</cib>`))
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct{ expr, want string }{
		{"/cib", "cib"},
		{"/configuration", ""},
		{"/cib/@epoch", "epoch=3"},
		{"//primitive", "p1 p2 p3"},
		{"//resources/primitive", "p3"},
		{"//group/*", "p1 p2"},
		{"//primitive[@id='p2']", "p2"},
		{`//primitive[@id!="p2"]/@id`, "id=p1 id=p3"},
		{"//primitive[1]", "p1 p3"},
		{"//primitive[last()]", "p2 p3"},
		{"//primitive[@class='ocf'][2]", ""},
		{"//primitive[op]", "p1 p3"},
		{"//primitive[op/@name='stop']", "p1"},
		{"//primitive[not(op)]", "p2"},
		{"//primitive[@class='ocf' and not(op/@name='stop')]", "p3"},
		{"//primitive[@id='p1' or (@id='p2' and @class='ocf')]", "p1"},
		{"//primitive[starts-with(@id,'p')][contains(@class,'c')]", "p1 p3"},
		{"//node[@uname='b']//nvpair[@name='standby']/@value", "value=on"},
		{"//op[@id='o2']/..", "p1"},
		{"//node/@uname | //node_state", "uname=a uname=b 1"},
		{"//@uname", "uname=a uname=b"},
		{"primitive[@id='p3']/comment()", "comment()"},
		{"//nothing", ""},
	}
	for _, c := range cases {
		found, err := Query(root, c.expr)
		if err != nil {
			t.Error(err)
			continue
		}
		var got []string
		for _, m := range found {
			switch {
			case m.Attr != "":
				got = append(got, m.Attr+"="+m.Value())
			case m.Element().Attr("id") != "":
				got = append(got, m.Element().Attr("id"))
			default:
				got = append(got, stepName(m.Element()))
			}
			for i := range m.Path[1:] {
				if m.Path[i].Index(m.Path[i+1]) < 0 {
					t.Errorf("%s: the path is broken", c.expr)
				}
			}
		}
		if got := strings.Join(got, " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.expr, got, c.want)
		}
	}
	if p := ByID(root, "o3"); len(p) != 5 || p.Last().Attr("name") != "start" {
		t.Errorf("o3 is at %v", p)
	}
	if p := ByID(root, "nothing"); p != nil {
		t.Errorf("nothing is at %v", p)
	}
}

func TestQueryErrors(t *testing.T) {
	for _, expr := range []string{"", "/", "//", "//a[", "//a[@b=]", "//a[@b='x]", "//a]", "//@a/b", "//a[f(x)]", "//a[(b]", "//a[1", "//a|", "//a b"} {
		if found, err := Query(NewElement("cib", nil), expr); err == nil {
			t.Errorf("%q is understood: %v", expr, found)
		}
	}
}

func FuzzQuery(f *testing.F) {
	f.Add("//a[@b='c' and not(d/@e=1)]/.. | /f/@*")
	root := NewElement("cib", nil, NewElement("a", []Attr{{"b", "c"}}, NewText("x")))
	f.Fuzz(func(_ *testing.T, expr string) { _, _ = Query(root, expr) })
}

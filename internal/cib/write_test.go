package cib

import (
	"os"
	"testing"
)

func TestCorpusRoundTrip(t *testing.T) {
	for _, file := range corpusFiles(t) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, file, data)
	}
}

// roundTrip checks that what is written reads as the same, and is written the same again.
func roundTrip(t *testing.T, name string, data []byte) {
	t.Helper()
	first, err := Parse(name, data)
	if err != nil {
		return
	}
	text := first.String()
	second, err := Parse(name, []byte(text))
	if err != nil {
		t.Fatalf("%s: what we write cannot be read: %v\n%s", name, err, text)
	}
	if !Equal(first, second) {
		t.Fatalf("%s: changed by a round trip:\n%s\nthen\n%s", name, text, second)
	}
	if again := second.String(); again != text {
		t.Fatalf("%s: written in two ways:\n%s\nthen\n%s", name, text, again)
	}
}

func TestWrite(t *testing.T) {
	const written = `<?xml version="1.0"?>
<!DOCTYPE cib [ <!ELEMENT cib ANY> ]>
<cib  epoch = '1'
      x="a&#10;b &lt;&quot;&#38;"><!-- kept --><unknown odd:name="ü"/>
  <mixed> some <b>bold</b> text<![CDATA[ <raw> ]]></mixed><?target  data ?>
  <empty></empty>
</cib>
<!-- after -->`
	const want = `<cib epoch="1" x="a&#10;b &lt;&quot;&amp;">
  <!-- kept -->
  <unknown odd:name="ü"/>
  <mixed> some <b>bold</b> text &lt;raw&gt; </mixed>
  <?target data ?>
  <empty/>
</cib>
`
	e, err := Parse("test", []byte(written))
	if err != nil {
		t.Fatal(err)
	}
	if got := e.String(); got != want {
		t.Errorf("got\n%s", got)
	}
	if e.Line != 3 || e.Children[1].Line != 4 || e.Children[2].Line != 5 {
		t.Errorf("lines: %d %d %d", e.Line, e.Children[1].Line, e.Children[2].Line)
	}
	roundTrip(t, "test", []byte(written))
	d, err := ParseDocument("test", []byte(written))
	if err != nil {
		t.Fatal(err)
	}
	const around = "<?xml version=\"1.0\"?>\n" + want + "<!-- after -->\n"
	if got := string(d.AppendXML(nil)); got != around {
		t.Errorf("the document became\n%s", got)
	}
}

func TestEdit(t *testing.T) {
	root, err := Parse("test", []byte(`<cib><configuration><nodes><node id="1" uname="a"/><node id="2"/></nodes></configuration><status/></cib>`))
	if err != nil {
		t.Fatal(err)
	}
	before := root.String()
	configuration := root.Child("configuration")
	nodes := configuration.Child("nodes")
	node := nodes.Find("node", "1")
	changed := Path{root, configuration, nodes, node}.Replace(node.With("uname", "<b>").With("type", "remote").Without("id"))
	const want = `<cib>
  <configuration>
    <nodes>
      <node uname="&lt;b&gt;" type="remote"/>
      <node id="2"/>
    </nodes>
  </configuration>
  <status/>
</cib>
`
	if got := changed.String(); got != want {
		t.Errorf("got\n%s", got)
	}
	if root.String() != before {
		t.Error("the original has changed")
	}
	if changed.Child("status") != root.Child("status") {
		t.Error("what has not changed is not shared")
	}
	gone := root.Map(func(e *Element) *Element {
		if e.Attr("id") == "2" {
			return nil
		}
		return e
	})
	if gone.Child("configuration").Child("nodes").Find("node", "2") != nil || gone.Child("status") != root.Child("status") {
		t.Errorf("got\n%s", gone)
	}
}

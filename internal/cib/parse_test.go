package cib

import "testing"

func TestParseErrors(t *testing.T) {
	cases := []struct{ xml, want string }{
		{"", "f.xml:1: no element found: the file is empty or not XML"},
		{"\n\nhello", `f.xml:3: text outside the root element: "hello"`},
		{"<a>\n<b>\n</a>", "f.xml:3: </a> does not end <b> of line 2"},
		{"<a>\n<b/>", "f.xml:2: the file ends inside <a> of line 1: it is cut off, or </a> is missing"},
		{"<a x=1/>", "f.xml:1: the value of attribute x of <a> is not in quotes"},
		{"<a x/>", "f.xml:1: attribute x of <a> has no value"},
		{"<a x='1' x='2'/>", "f.xml:1: attribute x of <a> is given twice"},
		{"<a x='1'y='2'/>", "f.xml:1: no blank before the next attribute in the tag <a>"},
		{"<a x='<'/>", "f.xml:1: '<' in the value of attribute x of <a>: write it as &lt;"},
		{"<a x='&nbsp;'/>", `f.xml:1: unknown reference "&nbsp;": a plain & is written &amp;`},
		{"<a>&#0;</a>", `f.xml:1: unknown reference "&#0;": a plain & is written &amp;`},
		{"<a>\x01</a>", "f.xml:1: control character 0x01, which XML does not allow"},
		{"<a>\n\xff</a>", "f.xml:2: not UTF-8 text: save the file in UTF-8"},
		{"<a/><b/>", "f.xml:1: a second root element <b>"},
		{"<a><!-- x", "f.xml:1: comment without -->"},
		{"<a", "f.xml:1: the file ends inside the tag <a>"},
		{"<1/>", "f.xml:1: '<' is not followed by a name: a plain < is written &lt;"},
	}
	for _, c := range cases {
		if _, err := Parse("f.xml", []byte(c.xml)); err == nil || err.Error() != c.want {
			t.Errorf("%q: %v, want %s", c.xml, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`<cib a="b&amp;"><!-- c --><x/>text<![CDATA[<]]><?p q?></cib>`))
	f.Add([]byte("<!DOCTYPE a [<!ENTITY x 'y'>]>\n<a\tb='\n'>\r\n&#x41;</a>"))
	f.Fuzz(func(t *testing.T, data []byte) { roundTrip(t, "fuzz", data) })
}

func FuzzDecode(f *testing.F) {
	f.Add(generate(2, 2))
	f.Add([]byte(`<cib><configuration><resources><primitive id="a" template="t"><operations id-ref="o"/></primitive>` +
		`<template id="t"><operations id="o"><op name="monitor" interval="P1M"/></operations></template></resources></configuration></cib>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Decode("fuzz", data)
		if err == nil && c == nil {
			t.Fatal("neither a CIB nor an error")
		}
		if err == nil {
			Check(c)
			Evaluate(c.Properties, &RuleInput{NodeAttr: c.Root.Lookup}, "")
		}
	})
}

func FuzzParseTime(f *testing.F) {
	for _, s := range []string{"2005-020T12:30", "2005-W02-3", "20050102 123045 +02:00", "epoch", "2004-02-29"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, ok := ParseTime(s)
		if !ok {
			return
		}
		if again, ok := ParseTime(at.Format(testTime)); at.Year() > 999 && at.Year() <= 9999 && (!ok || !again.Equal(at)) {
			t.Fatalf("%q is %v, and that written is %v", s, at, again)
		}
		addDuration(at, []Attr{{"years", s}, {"months", s}, {"days", s}})
		ParseDuration(s)
	})
}

package cib

import (
	"strings"
	"testing"
)

func TestMergeThree(t *testing.T) {
	const base = `<r a="1" b="1"><x id="x" v="1"/><y id="y"/><z id="z"><in id="i" v="1"/></z></r>`
	for _, c := range []struct{ what, mine, theirs, want, conflicts string }{
		{"nothing", base, base, base, ""},
		{"mine alone", `<r a="2" b="1"><x id="x" v="1"/></r>`, base, `<r a="2" b="1"><x id="x" v="1"/></r>`, ""},
		{"attributes of both", strings.Replace(base, `a="1"`, `a="2"`, 1), strings.Replace(base, `b="1"`, `b="3"`, 1),
			`<r a="2" b="3"><x id="x" v="1"/><y id="y"/><z id="z"><in id="i" v="1"/></z></r>`, ""},
		{"the same on both", strings.Replace(base, `a="1"`, `a="2"`, 1), strings.Replace(base, `a="1" b="1"`, `a="2"`, 1),
			`<r a="2"><x id="x" v="1"/><y id="y"/><z id="z"><in id="i" v="1"/></z></r>`, ""},
		{"added on both, deep and shallow", strings.Replace(base, `<in id="i" v="1"/>`, `<in id="i" v="1"/><in id="j"/>`, 1),
			strings.Replace(base, `<y id="y"/>`, `<y id="y"/><n id="n"/>`, 1),
			`<r a="1" b="1"><x id="x" v="1"/><y id="y"/><n id="n"/><z id="z"><in id="i" v="1"/><in id="j"/></z></r>`, ""},
		{"removed here, something else changed there", strings.Replace(base, `<y id="y"/>`, ``, 1), strings.Replace(base, `x" v="1"`, `x" v="2"`, 1),
			`<r a="1" b="1"><x id="x" v="2"/><z id="z"><in id="i" v="1"/></z></r>`, ""},
		{"one attribute, two values", strings.Replace(base, `i" v="1"`, `i" v="2"`, 1), strings.Replace(base, `i" v="1"`, `i" v="3"`, 1),
			strings.Replace(base, `i" v="1"`, `i" v="3"`, 1), `/r/z[@id='z']/in[@id='i']: v is "2" here and "3" there; it was "1"`},
		{"removed here, changed there", strings.Replace(base, `<x id="x" v="1"/>`, ``, 1), strings.Replace(base, `x" v="1"`, `x" v="2"`, 1),
			strings.Replace(base, `x" v="1"`, `x" v="2"`, 1), `/r/x[@id='x']: it is removed here and was changed there`},
		{"changed here, removed there", strings.Replace(base, `x" v="1"`, `x" v="2"`, 1), strings.Replace(base, `<x id="x" v="1"/>`, ``, 1),
			strings.Replace(base, `<x id="x" v="1"/>`, ``, 1), `/r/x[@id='x']: it is changed here and was removed there`},
		{"the same id added, not the same", strings.Replace(base, `<y`, `<n id="n" v="1"/><y`, 1), strings.Replace(base, `<y`, `<n id="n" v="2"/><y`, 1),
			strings.Replace(base, `<y`, `<n id="n" v="2"/><y`, 1), `/r/n[@id='n']: it was added on both sides, and not the same`},
		{"another order here, added there", `<r a="1" b="1"><y id="y"/><x id="x" v="1"/><z id="z"><in id="i" v="1"/></z></r>`,
			strings.Replace(base, `</r>`, `<w id="w"/></r>`, 1),
			`<r a="1" b="1"><y id="y"/><x id="x" v="1"/><z id="z"><in id="i" v="1"/></z><w id="w"/></r>`, ""},
	} {
		got, conflicts := MergeThree(element(t, base), element(t, c.mine), element(t, c.theirs))
		var lines []string
		for _, x := range conflicts {
			lines = append(lines, x.String())
		}
		if text := strings.Join(lines, "\n"); text != c.conflicts {
			t.Errorf("%s: conflicts %q, not %q", c.what, text, c.conflicts)
		}
		if !Equal(got, element(t, c.want)) {
			t.Errorf("%s: %s", c.what, got)
		}
	}
}

func element(t *testing.T, text string) *Element {
	t.Helper()
	e, err := Parse("", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

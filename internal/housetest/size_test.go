package housetest

import (
	"go/ast"
	"strings"
	"testing"
)

// Guide values of the house. A file holds one idea; a function fits on a screen. Tables and generated
// transcripts in tests are read differently, so functions of tests are not measured.
const (
	maxFileLines     = 500
	maxFunctionLines = 80
)

func checkSize(p *pkg, fileLines, functionLines int) []complaint {
	var out []complaint
	for _, f := range p.Syntax {
		if n := p.Fset.File(f.Pos()).LineCount() - 1; n > fileLines {
			out = append(out, p.at(f, "%d lines; a file over %d holds more than one idea", n, fileLines))
		}
		if strings.HasSuffix(p.Fset.Position(f.Pos()).Filename, "_test.go") {
			continue
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			n := p.Fset.Position(fn.End()).Line - p.Fset.Position(fn.Pos()).Line + 1
			if n > functionLines {
				out = append(out, p.at(fn, "function %s has %d lines, over %d", fn.Name.Name, n, functionLines))
			}
		}
	}
	return out
}

func TestFilesAndFunctionsAreSmall(t *testing.T) {
	for _, p := range house(t) {
		report(t, checkSize(p, maxFileLines, maxFunctionLines))
	}
}

func TestSizeCatchesPlanted(t *testing.T) {
	p := planted(t, "size", "internal/cib")
	catches(t, p, checkSize(p, maxFileLines, 10))
	if got := checkSize(p, 5, 1000); len(got) != 1 {
		t.Errorf("a long file passes: %v", got)
	}
}

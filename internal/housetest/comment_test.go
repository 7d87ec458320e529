package housetest

import (
	"path/filepath"
	"strings"
	"testing"
)

// checkComment wants one package comment, in one file, that says more than the name.
func checkComment(p *pkg) []complaint {
	var out []complaint
	found := 0
	want := "Package " + p.Name
	if p.Name == "main" {
		want = "Command " + filepath.Base(p.rel)
	}
	for _, f := range p.Syntax {
		if f.Doc == nil {
			continue
		}
		found++
		switch text := f.Doc.Text(); {
		case found > 1:
			out = append(out, p.at(f, "a second package comment; one file has it"))
		case !strings.HasPrefix(text, want+" "):
			out = append(out, p.at(f, "the package comment must begin with %q", want))
		case len(strings.Fields(text)) < 12:
			out = append(out, p.at(f, "the package comment must say what the package owns, promises and never does"))
		}
	}
	if found == 0 {
		out = append(out, p.at(p.Syntax[0], "no package comment"))
	}
	return out
}

func TestEveryPackageHasOneComment(t *testing.T) {
	for _, p := range house(t) {
		report(t, checkComment(p))
	}
}

func TestCommentCatchesPlanted(t *testing.T) {
	for _, dir := range []string{"comment_none", "comment_two", "comment_short", "comment_other"} {
		p := planted(t, dir, "internal/"+dir)
		catches(t, p, checkComment(p))
	}
}

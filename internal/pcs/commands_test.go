package pcs

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
)

// commandTable lists the commands of three versions of pcs.
const commandTable = "../../../shared/facts/pcs-commands.tsv"

// TestEveryCommandOfPcs finds each command that pcs has, in any of three versions, in the tree: carried out, or answered with
// what there is instead.
func TestEveryCommandOfPcs(t *testing.T) {
	data, err := os.ReadFile(commandTable)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the table of pcs's commands is not beside the repository, in ../shared")
	}
	if err != nil {
		t.Fatal(err)
	}
	var header []string
	found := 0
	for line := range strings.Lines(string(data)) {
		cells := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		if header == nil {
			header = cells
			continue
		}
		if i := slices.Index(header, "internal"); i < len(cells) && cells[i] != "" {
			continue // what one pcs says to another
		}
		p := &parsed{words: strings.Fields(cells[0]), options: map[string][]string{}}
		c := &call{program: "pcs", Env: Env{Stderr: &strings.Builder{}}}
		if err := c.rewrite(p); err != nil {
			t.Errorf("%s: %v", cells[0], err)
		}
		if path, at, rest := route(p.words); at == nil || at.run == nil && len(at.sub) == 0 || len(rest) > 0 && !strings.Contains(at.args, rest[0]) {
			t.Errorf("%s: the tree ends at '%s'", cells[0], strings.Join(path, " "))
			continue
		}
		found++
	}
	t.Logf("%d commands", found)
}

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
)

// table counts, tier by tier, how many cases hold at each level.
type table struct {
	tiers []int
	cases map[int]int
	holds map[int]map[string]int
}

func newTable() *table { return &table{cases: map[int]int{}, holds: map[int]map[string]int{}} }

// tally makes the table of all results, or of those whose expected graph has a real action.
func tally(results []*result, onlyReal bool) *table {
	t := newTable()
	for _, r := range results {
		if onlyReal && !r.hasReal {
			continue
		}
		t.tier(r.tier)
		t.cases[r.tier]++
		for _, l := range levels {
			if r.holds[l] {
				t.holds[r.tier][l]++
			}
		}
	}
	slices.Sort(t.tiers)
	return t
}

func (t *table) tier(n int) {
	if t.holds[n] == nil {
		t.tiers = append(t.tiers, n)
		t.holds[n] = map[string]int{}
	}
}

func (t *table) print(w io.Writer, title string) {
	fmt.Fprintf(w, "%s\ntier  cases", title)
	for _, l := range levels {
		fmt.Fprintf(w, " %5s", l)
	}
	fmt.Fprintln(w)
	total, sum := 0, map[string]int{}
	for _, n := range t.tiers {
		t.row(w, strconv.Itoa(n), t.cases[n], t.holds[n])
		total += t.cases[n]
		for _, l := range levels {
			sum[l] += t.holds[n][l]
		}
	}
	t.row(w, "all", total, sum)
	fmt.Fprintf(w, "   %%       ")
	for _, l := range levels {
		fmt.Fprintf(w, " %5.1f", 100*float64(sum[l])/float64(max(1, total)))
	}
	fmt.Fprint(w, "\n\n")
}

func (t *table) row(w io.Writer, name string, cases int, holds map[string]int) {
	fmt.Fprintf(w, "%4s  %5d", name, cases)
	for _, l := range levels {
		fmt.Fprintf(w, " %5d", holds[l])
	}
	fmt.Fprintln(w)
}

const floorHead = `# Floor of the corpus: how many cases of each tier hold at each level. "make corpus" fails below it;
# "make corpus-floor" lifts it to what holds now, and never lowers it.
`

// writeFloor keeps the better of the old floor and this table.
func (t *table) writeFloor(path string) error {
	old, err := readFloor(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	var b strings.Builder
	b.WriteString(floorHead + "# tier cases")
	for _, l := range levels {
		fmt.Fprintf(&b, " %s", l)
	}
	b.WriteString("\n")
	for _, n := range t.tiers {
		fmt.Fprintf(&b, "%d %d", n, t.cases[n])
		for _, l := range levels {
			fmt.Fprintf(&b, " %d", max(t.holds[n][l], old.holds[n][l]))
		}
		b.WriteString("\n")
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}

func (t *table) checkFloor(path string) error {
	floor, err := readFloor(path)
	if err != nil {
		return err
	}
	var below []string
	for _, n := range floor.tiers {
		for _, l := range levels {
			if t.holds[n][l] < floor.holds[n][l] {
				below = append(below, fmt.Sprintf("tier %d at %s: %d hold, %d held before", n, l, t.holds[n][l], floor.holds[n][l]))
			}
		}
	}
	if len(below) > 0 {
		return fmt.Errorf("below the floor of %s:\n%s", path, strings.Join(below, "\n"))
	}
	return nil
}

// readFloor reads a floor file. Columns are found by the names in its last comment line. An absent file is
// an empty floor, and an error.
func readFloor(path string) (*table, error) {
	t := newTable()
	data, err := os.ReadFile(path)
	if err != nil {
		return t, err
	}
	var columns []string
	for i, l := range strings.Split(string(data), "\n") {
		if head, ok := strings.CutPrefix(l, "#"); ok {
			columns = strings.Fields(head)
			continue
		}
		f := strings.Fields(l)
		if len(f) == 0 {
			continue
		}
		if len(f) != len(columns) {
			return t, fmt.Errorf("%s:%d: %d fields where the head has %d", path, i+1, len(f), len(columns))
		}
		tier := 0
		for k, c := range columns {
			n, err := strconv.Atoi(f[k])
			if err != nil {
				return t, fmt.Errorf("%s:%d: %q is not a number", path, i+1, f[k])
			}
			switch c {
			case "tier":
				tier = n
				t.tier(n)
			case "cases":
				t.cases[tier] = n
			default:
				t.holds[tier][c] = n
			}
		}
	}
	return t, nil
}

// readJudgement reads compare_graphs.py's table: case -> level -> whether it holds.
func readJudgement(path string) (map[string]map[string]bool, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	columns := strings.Split(lines[0], "\t")
	out := map[string]map[string]bool{}
	for _, l := range lines[1:] {
		f := strings.Split(l, "\t")
		row := map[string]bool{}
		for k, c := range columns {
			if k < len(f) {
				row[c] = f[k] == "1"
			}
		}
		out[f[0]] = row
	}
	return out, nil
}

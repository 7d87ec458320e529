package scheduler

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// findCorpus returns the directory of the cases with expected score lines, which lie beside the
// repository or above its worktrees; empty if there is none.
func findCorpus() string {
	for _, up := range []string{"../../../", "../../../../"} {
		dir := up + "shared/corpus/scheduler"
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
	}
	return ""
}

// TestCorpusScores unpacks and assigns every case of the corpus and compares the score lines as a sorted
// multiset. It needs no actions and no graph.
func TestCorpusScores(t *testing.T) {
	corpusDir := findCorpus()
	table, err := os.ReadFile(filepath.Join(corpusDir, "cases.tsv"))
	if err != nil {
		t.Skip("no corpus beside the repository")
	}
	only := os.Getenv("CERCO_CASE")
	good, total := map[string]int{}, map[string]int{}
	var failing []string
	for _, line := range strings.Split(strings.TrimSpace(string(table)), "\n")[1:] {
		field := strings.Split(line, "\t")
		if only != "" && field[0] != only {
			continue
		}
		total[field[1]]++
		diff := scoreDiff(corpusDir, field[0], field[2])
		if diff == "" {
			good[field[1]]++
			continue
		}
		failing = append(failing, field[1]+" "+field[0])
		if only != "" {
			t.Log(diff)
		}
	}
	slices.Sort(failing)
	if len(failing) > 0 {
		t.Log("not matching:\n" + strings.Join(failing, "\n"))
	}
	for tier := range 10 {
		if k := fmt.Sprint(tier); total[k] > 0 {
			t.Logf("tier %s: %d of %d", k, good[k], total[k])
		}
	}
	if len(failing) > 0 {
		t.Errorf("%d cases do not match", len(failing))
	}
}

// scoreDiff lists the lines that only one side has.
func scoreDiff(corpusDir, name, args string) (diff string) {
	data, err := os.ReadFile(filepath.Join(corpusDir, "xml", name+".xml"))
	if err != nil {
		return err.Error()
	}
	want, err := os.ReadFile(filepath.Join(corpusDir, "scores", name+".scores"))
	if err != nil {
		return err.Error()
	}
	defer func() {
		if r := recover(); r != nil {
			if os.Getenv("CERCO_CASE") != "" {
				panic(r)
			}
			diff = fmt.Sprint("panic: ", r)
		}
	}()
	in, err := cib.Decode(name, data)
	if err != nil {
		return err.Error()
	}
	now := time.Now()
	if !in.ExecutionDate.IsZero() {
		now = in.ExecutionDate
	}
	if _, at, ok := strings.Cut(args, "-t "); ok {
		if parsed, ok := cib.ParseTime(strings.Trim(at, "'")); ok {
			now = parsed
		} else {
			return "cannot read the time " + at
		}
	}
	p := &planner{in: in, now: now, opts: Options{Now: now, Scores: true}}
	p.unpack()
	p.assign()
	have := map[string]int{}
	for _, l := range p.scoreLines {
		have[l.text()]++
	}
	for _, l := range strings.Split(string(want), "\n") {
		if l != "" {
			have[l]--
		}
	}
	var out []string
	for l, n := range have {
		if n > 0 {
			out = append(out, fmt.Sprintf("%s   (ours, %d)", l, n))
		} else if n < 0 {
			out = append(out, fmt.Sprintf("%s   (expected, %d)", l, -n))
		}
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// text is the line as crm_simulate prints it.
func (l ScoreLine) text() string {
	score := fmt.Sprint(l.Score)
	if l.Score >= infinity {
		score = "INFINITY"
	} else if l.Score <= -infinity {
		score = "-INFINITY"
	}
	if l.Promotion {
		return fmt.Sprintf("%s promotion score on %s: %s", l.Resource, l.Node, score)
	}
	return fmt.Sprintf("%s: %s allocation score on %s: %s", l.By, l.Resource, l.Node, score)
}

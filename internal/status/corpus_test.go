package status

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
)

const corpusDir = "../../../shared/corpus/scheduler"

var section = regexp.MustCompile(`^(Current cluster status|Transition Summary|Executing Cluster Transition|` +
	`Revised Cluster Status|Performing Requested Modifications).*:`)

// currentStatus is the status section of crm_simulate's output, without white space.
func currentStatus(out string) []string {
	var lines []string
	in := false
	for _, l := range strings.Split(out, "\n") {
		if m := section.FindStringSubmatch(l); m != nil {
			in = m[1] == "Current cluster status"
			continue
		}
		if l = strings.Join(strings.Fields(l), ""); in && l != "" {
			lines = append(lines, l)
		}
	}
	return lines
}

// TestCorpusStatus holds the status that we print before anything is decided against what Pacemaker
// 2.1.5 printed for the same CIB.
func TestCorpusStatus(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(corpusDir, "xml", "*.xml"))
	if len(files) == 0 {
		t.Skip("the corpus is not here: ", corpusDir)
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".xml")
		t.Run(name, func(t *testing.T) {
			want, err := os.ReadFile(filepath.Join(corpusDir, "summary", name+".summary"))
			if err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			c, err := cib.Decode(f, data)
			if err != nil {
				t.Fatal(err)
			}
			now := c.ExecutionDate
			if now.IsZero() {
				now = time.Now()
			}
			var got bytes.Buffer
			if err := Text(&got, scheduler.Look(c, scheduler.Options{Now: now})); err != nil {
				t.Fatal(err)
			}
			compare(t, currentStatus(string(want)), currentStatus("Current cluster status:\n"+got.String()))
		})
	}
}

func compare(t *testing.T, want, got []string) {
	for i := 0; i < len(want) || i < len(got); i++ {
		w, g := "", ""
		if i < len(want) {
			w = want[i]
		}
		if i < len(got) {
			g = got[i]
		}
		if w != g {
			t.Errorf("line %d: want %s\n          got %s", i+1, w, g)
		}
	}
}

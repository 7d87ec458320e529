package controller_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cerco-ha/cerco/internal/replay"
)

var rewrite = flag.Bool("rewrite", false, "record the golden cases anew")

// TestGolden runs the script of each case in a model world and compares what the controller was told and what
// it wanted with what was recorded. See testdata/README.md.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text := string(data)
			head, rest, ok1 := strings.Cut(text, "-- cluster --\n")
			cluster, rest, ok2 := strings.Cut(rest, "-- script --\n")
			script, want, _ := strings.Cut(rest, "-- transcript --\n")
			if !ok1 || !ok2 {
				t.Fatal("want a text, -- cluster --, -- script --, -- transcript --")
			}
			got := play(t, cluster, script)
			if *rewrite {
				text = head + "-- cluster --\n" + cluster + "-- script --\n" + script + "-- transcript --\n" + got
				if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != want {
				t.Errorf("differs from what was recorded (-rewrite records it anew):\n%s", firstDifference(want, got))
			}
		})
	}
}

func play(t *testing.T, cluster, script string) string {
	t.Helper()
	cfg, err := replay.ParseConfig(cluster)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	quiet := true
	cfg.Trace = func(line string) {
		if !quiet {
			out.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
	w, err := replay.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(script, "watch") {
		quiet = false
	}
	for _, line := range strings.Split(script, "\n") {
		if line == "watch" {
			quiet = false
			continue
		}
		if err := w.Do(line); err != nil {
			t.Errorf("%s: %v\n%s", line, err, w.Recent(60))
			break
		}
	}
	return out.String()
}

func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return "want " + a[i] + "\ngot  " + b[i]
		}
	}
	return "one goes on after the other has ended"
}

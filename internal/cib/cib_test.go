package cib

import (
	"os"
	"path/filepath"
	"testing"
)

// corpusDir is the scheduler corpus beside the repository, if it is there.
const corpusDir = "../../../shared/corpus/scheduler/xml"

func corpusFiles(t testing.TB) []string {
	dir := os.Getenv("CERCO_CORPUS")
	if dir == "" {
		dir = corpusDir
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.xml"))
	if len(files) == 0 {
		t.Skip("no corpus: set CERCO_CORPUS to a directory of CIBs")
	}
	return files
}

func TestCorpusDecodes(t *testing.T) {
	for _, file := range corpusFiles(t) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c, err := Decode(file, data)
		if err != nil {
			t.Error(err)
		} else if len(c.Nodes) == 0 && len(c.Resources) == 0 && len(c.Status.Nodes) == 0 {
			t.Logf("%s: empty", file)
		}
	}
}

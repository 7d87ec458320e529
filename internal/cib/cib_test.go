package cib

import (
	"os"
	"path/filepath"
	"testing"
)

// corpusFiles are the CIBs of the scheduler corpus, if it is beside the repository.
func corpusFiles(t testing.TB) []string {
	t.Helper()
	for _, beside := range []string{"../../..", "../../../.."} {
		files, _ := filepath.Glob(filepath.Join(beside, "shared/corpus/scheduler/xml/*.xml"))
		if len(files) > 0 {
			return files
		}
	}
	t.Skip("the scheduler corpus is not beside the repository, in ../shared")
	return nil
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

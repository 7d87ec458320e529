package cib

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "record what the golden tests see as what is right")

// TestGoldenCheck holds what Check says of each testdata/check/*.xml against the file .txt beside it.
func TestGoldenCheck(t *testing.T) {
	files, _ := filepath.Glob("testdata/check/*.xml")
	if len(files) == 0 {
		t.Fatal("no cases")
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c, err := Decode(filepath.Base(file), data)
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for _, p := range Check(c) {
			got.WriteString(p.String() + "\n")
		}
		golden := strings.TrimSuffix(file, ".xml") + ".txt"
		if *rewrite {
			if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got.String() != string(want) {
			t.Errorf("%s: got\n%swant\n%s(go test -rewrite records it)", file, got.String(), want)
		}
	}
}

// TestCheckCorpus makes sure that Check gets through what is odd, and knows every element in use.
func TestCheckCorpus(t *testing.T) {
	for _, file := range corpusFiles(t) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c, err := Decode(filepath.Base(file), data)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range Check(c) {
			if strings.Contains(p.What, "cannot be in") || strings.Contains(p.What, "has no attribute") {
				t.Error(p)
			}
		}
	}
}

package housetest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// unfuzzed are packages that decode bytes and have no fuzz target of their own, with the reason.
var unfuzzed = map[string]string{
	"internal/lab":                  "reads its own files only",
	"internal/guestfence/guesttest": "reads recordings, for tests",
	"internal/guestfence/xvm":       "reads options from the agent's caller, line by line",
}

// decodes reports whether a text turns bytes into values.
func decodes(text string) bool {
	for _, word := range []string{"json.Unmarshal", "json.NewDecoder", "xml.Unmarshal", "xml.NewDecoder", "gob.NewDecoder", "Endian.Uint",
		"bufio.NewScanner", "pem.Decode"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

func TestEveryDecoderHasAFuzzTarget(t *testing.T) {
	for _, p := range house(t) {
		if !strings.HasPrefix(p.rel, "internal/") || p.rel == "internal/housetest" || unfuzzed[p.rel] != "" {
			continue
		}
		files, err := filepath.Glob(filepath.Join(top(), p.rel, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		decoder, target := "", false
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(f, "_test.go") {
				target = target || strings.Contains(string(data), "\nfunc Fuzz")
			} else if decodes(string(data)) {
				decoder = filepath.Base(f)
			}
		}
		if decoder != "" && !target {
			t.Errorf("%s decodes bytes (%s) and has no fuzz target: add one and a row in docs/security.md, or a reason in the list here", p.rel, decoder)
		}
	}
}

var namesTest = regexp.MustCompile("`((?:Test|Fuzz)[A-Z][A-Za-z0-9]*)`")

// Tests that the documents rest their promises on exist.
func TestPromisesNameTests(t *testing.T) {
	known := map[string]bool{}
	err := filepath.WalkDir(top(), func(path string, e os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`).FindAllStringSubmatch(string(data), -1) {
			known[m[1]] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range documents(t) {
		for _, m := range namesTest.FindAllStringSubmatch(document(t, path), -1) {
			if !known[m[1]] {
				t.Errorf("%s names %s, which is not there", path, m[1])
			}
		}
	}
}

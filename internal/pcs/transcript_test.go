package pcs

import (
	flags "flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

var rewrite = flags.Bool("rewrite", false, "record the transcripts anew")

// TestTranscripts carries out each line of testdata/*.commands on a copy of testdata/base.xml, or of the file that the last
// line "base FILE" names. What is said, and the lines
// of the document that are others then, are held against the transcript beside it. Each of these commands was given to
// pcs 0.11.5, too.
func TestTranscripts(t *testing.T) {
	base, err := os.ReadFile("testdata/base.xml")
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob("testdata/*.commands")
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".commands"), func(t *testing.T) {
			commands, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			on := base
			for line := range strings.Lines(string(commands)) {
				if other, ok := strings.CutPrefix(strings.TrimSpace(line), "base "); ok {
					if on, err = os.ReadFile("testdata/" + other); err != nil {
						t.Fatal(err)
					}
					continue
				}
				transcribe(t, &got, strings.TrimSpace(line), string(on))
			}
			golden := strings.TrimSuffix(file, ".commands") + ".txt"
			if *rewrite {
				if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, _ := os.ReadFile(golden)
			if got.String() != string(want) {
				t.Errorf("differs from %s: run with -rewrite and read the difference", golden)
			}
		})
	}
}

// memory is a world in memory.
type memory struct{ doc *cib.CIB }

func (w *memory) read() (*cib.CIB, error) { return w.doc, nil }
func (w *memory) look() (*cib.CIB, error) { return w.doc, nil }

func (w *memory) write(_ *cib.CIB, to *cib.Element) (err error) {
	w.doc, err = cib.DecodeRoot("", to)
	return err
}

func transcribe(t *testing.T, w *strings.Builder, line, base string) {
	doc, err := cib.Decode("", []byte(base))
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr strings.Builder
	world := &memory{doc}
	c := &call{Env: Env{Stdout: &stdout, Stderr: &stderr, Now: func() time.Time { return time.Unix(1e9, 0) }, Context: t.Context()}, program: "pcs", opened: world}
	code := c.conclude(c.dispatch(append([]string{"-f", "FILE"}, shellWords(line)...)))
	said, _, _ := strings.Cut(stderr.String(), "\nUsage:")
	fmt.Fprintf(w, "$ %s\n%s%s", line, said, stdout.String())
	if code != 0 {
		fmt.Fprintf(w, "[%d]\n", code)
	}
	missing(w, "-", doc.Root.String(), world.doc.Root.String())
	missing(w, "+", world.doc.Root.String(), doc.Root.String())
}

// missing prints the lines of one text that the other has not.
func missing(w *strings.Builder, mark, text, other string) {
	count := map[string]int{}
	for line := range strings.Lines(other) {
		count[line]++
	}
	for line := range strings.Lines(text) {
		if count[line]--; count[line] < 0 && !strings.HasPrefix(line, "<cib ") {
			fmt.Fprintf(w, "%s %s\n", mark, strings.TrimSpace(line))
		}
	}
}

// shellWords takes a line apart as a shell does, as far as single and double quotes go.
func shellWords(line string) []string {
	var words []string
	var b strings.Builder
	var quote rune
	inWord := false
	for _, r := range line {
		switch {
		case r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, inWord = r, true
		case quote == 0 && r == ' ':
			if inWord {
				words = append(words, b.String())
			}
			b.Reset()
			inWord = false
		default:
			b.WriteRune(r)
			inWord = true
		}
	}
	if inWord {
		words = append(words, b.String())
	}
	return words
}

package nettest

import (
	"os"
	"strings"
	"testing"
)

// guestDocument is what a reader follows; its steps are run, too (make test-host).
const guestDocument = "../../docs/guest-fencing.md"

// guestSections lead from nothing to a tested fence device.
func guestSections() []string {
	return []string{"Guests of a Cerco cluster", "Guests on hosts that are no cluster"}
}

// step is a block of commands and the words before it, which say where it is run.
type step struct {
	where    string
	commands []string
}

// steps reads the commands of a section, up to its first subsection.
func steps(t *testing.T, section string) []step {
	t.Helper()
	data, err := os.ReadFile(guestDocument)
	if err != nil {
		t.Fatal(err)
	}
	_, text, ok := strings.Cut(string(data), "\n## "+section+"\n")
	if !ok {
		t.Fatalf("%s has no section %q", guestDocument, section)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	text, _, _ = strings.Cut(text, "\n### ")
	var out []step
	words := ""
	for line := range strings.Lines(text) {
		command, is := strings.CutPrefix(line, "    ")
		switch {
		case !is:
			words += line
		case words != "":
			out = append(out, step{where: strings.TrimSpace(words)})
			words = ""
			fallthrough
		default:
			last := &out[len(out)-1]
			last.commands = append(last.commands, strings.TrimSpace(command))
		}
		if strings.TrimSpace(line) == "" && len(out) > 0 && words == line {
			words = "" // an empty line
		}
	}
	return out
}

func TestFewCommandsMakeAFenceDevice(t *testing.T) {
	for _, section := range guestSections() {
		n := 0
		for _, s := range steps(t, section) {
			n += len(s.commands)
		}
		if n == 0 || n >= 10 {
			t.Errorf("%q takes %d commands", section, n)
		}
	}
}

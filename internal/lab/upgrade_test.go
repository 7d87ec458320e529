package lab

import (
	"os"
	"strings"
	"testing"
)

// next are the changes that make a later version of the program: it knows a field of commands that this one does not,
// and writes it with every change of the configuration, once that was agreed on.
var next = map[string][][2]string{
	"../cib/command.go": {
		{"const CommandVersion Vocabulary = 2", "const CommandVersion Vocabulary = 3"},
		{"	Raise Vocabulary `json:\"raise,omitempty\"`", "	Raise Vocabulary `json:\"raise,omitempty\"`\n	Motto string `json:\"motto,omitempty\"`"},
		{"func (c *Command) needs() Vocabulary {", "func (c *Command) needs() Vocabulary {\n	if c.Motto != \"\" {\n		return 3\n	}"},
	},
	"../cib/apply.go": {
		{"	if c.Config != nil {", "	if c.Motto != \"\" {\n		if err := a.replaceRoot(a.root().With(\"remote-tls-port\", c.Motto)); err != nil {\n			return err\n		}\n	}\n	if c.Config != nil {"},
	},
	"../daemon/propose.go": {
		{"	if c.Config != nil {", "	if st := d.store.View(); c.Config != nil && st.Agreed() >= 3 {\n		c.Motto = \"3003\"\n	}\n	if c.Config != nil {"},
	},
}

// laterText is a file of the later version.
func laterText(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, c := range next[file] {
		if strings.Count(text, c[0]) != 1 {
			t.Fatalf("%s has changed: %q stands in it %d times, not once; mend the list here", file, c[0], strings.Count(text, c[0]))
		}
		text = strings.Replace(text, c[0], c[1], 1)
	}
	return text
}

// TestHostUpgradeNodeByNode takes time and runs seldom: this one tells at once when its changes no longer fit.
func TestTheLaterVersionCanBeMade(t *testing.T) {
	for file := range next {
		laterText(t, file)
	}
}

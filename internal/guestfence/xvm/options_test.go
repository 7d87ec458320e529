package xvm

import (
	"bytes"
	"context"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// runIn runs the command with lines on stdin.
func runIn(t *testing.T, input, name string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Run(context.Background(), Env{Stdin: strings.NewReader(input), Stdout: &out, Stderr: &errs, Now: time.Now}, name, args)
	return code, out.String(), errs.String()
}

// What the original says of wrong calls, and its exit status; the help that follows is each program's own.
func TestComplaintsAreTheOriginals(t *testing.T) {
	for _, c := range []struct {
		args, input string
		code        int
		stdout      string // how it begins
		stderr      string
	}{
		{args: "-o off", code: 1, stdout: "No domain specified!\nusage: fence_xvm [args]\n"},
		{args: "-o bogus -C bogus -t x", code: 1, stdout: "Unsupported operation: bogus\nUnsupported auth type: bogus\nInvalid timeout: 'x'\nusage:"},
		{args: "-o status -c bogus -n x", code: 1, stdout: "Unsupported hash: bogus\nusage:"},
		{args: "-o status -n x -H x", code: 1, stdout: "Domain/UUID may not be specified more than once\nusage:"},
		{args: "-o status -n x -i 4", code: 1, stdout: "Unsupported family: '4'\nusage:"},
		{args: "-o status -n x -p 99999", code: 1, stdout: "Invalid port: '99999'\nusage:"},
		{args: "-o status -n x -r 0", code: 1, stdout: "Invalid retransmit time: '0'\nusage:"},
		{args: "-o status -n x -w -1", code: 1, stdout: "Invalid delay: '-1'\nusage:"},
		{args: "-o status -n x -k /nonexistent", code: 1, stdout: "Invalid key file: '/nonexistent' (No such file or directory)\nusage:"},
		{args: "-n " + strings.Repeat("a", 64), code: 1, stdout: "Invalid domain name: '" + strings.Repeat("a", 64) + "' (File name too long)\nusage:"},
		{args: "-M x -n x", code: 1, stdout: "usage:"},
		{args: "-x", stdout: "usage:", stderr: "fence_xvm: invalid option -- 'x'\n"},
		{args: "-k", stdout: "usage:", stderr: "fence_xvm: option requires an argument -- 'k'\n"},
		{args: "-h", stdout: "usage:"},
		{args: "-o validate-all -nx"},
		{args: "-o validate-all", code: 1, stdout: "No domain specified!\n"},
		{input: "action=validate-all\nport=x\nnodename=me\nfoo=1\nnoequals\n", stderr: "Parse error: Ignoring unknown option 'foo'\nParse error: Ignoring unknown option 'noequals'\n"},
		{input: "# a comment\n\nACTION=Validate-All\ndomain=x rest\n"},
		{input: "action=status\nport=x\nplug=x\n", code: 1, stdout: "Domain/UUID may not be specified more than once\n  debug"},
		{input: "option=validate-all\nport=x\ntimeout=\n", code: 1, stdout: "Invalid timeout: ''\n"},
		{input: "action=validate-all\nport=x\nipaddr=10.0.0.1\n", stderr: "Parse error: Ignoring unknown option 'ipaddr'\n"},
		{input: "debug=3\naction=validate-all\nport=x\n", stdout: "Debugging threshold is now 3\n"},
		{input: "", code: 1, stdout: "No domain specified!\n"},
	} {
		code, stdout, stderr := runIn(t, c.input, NameXVM, strings.Fields(c.args)...)
		if code != c.code || !strings.HasPrefix(stdout, c.stdout) || c.stdout == "" && stdout != "" || stderr != c.stderr {
			t.Errorf("%q %q: %d, %q, %q", c.args, c.input, code, stdout, stderr)
		}
	}
}

func TestExposedKeyIsRefused(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("k"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	if code, out, _ := runIn(t, "", NameXVM, "-k", key, "-o", "monitor"); code != 1 || !strings.Contains(out, "chmod 0600 "+key) {
		t.Errorf("%d, %q", code, out)
	}
}

func TestMetadataIsXML(t *testing.T) {
	for _, name := range []string{NameXVM, NameVirt, NameOurs} {
		code, out, _ := runIn(t, "action=metadata\n", name)
		var m struct {
			Name       string `xml:"name,attr"`
			Parameters []struct {
				Name string `xml:"name,attr"`
			} `xml:"parameters>parameter"`
		}
		if err := xml.Unmarshal([]byte(out), &m); err != nil || code != 0 || m.Name != name || len(m.Parameters) < 15 {
			t.Errorf("%s: %d, %v, %+v", name, code, err, m)
		}
	}
}

func FuzzInput(f *testing.F) {
	f.Add("action=status\nport=x\nkey_file=/k\n", "-dd -nx -k")
	f.Fuzz(func(_ *testing.T, input, args string) {
		o := defaults()
		o.parseInput(NameOurs, strings.NewReader(input))
		o.parseArgs(NameOurs, strings.Fields(args))
		_, _ = o.targets()
	})
}

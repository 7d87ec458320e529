package pcs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// run carries a command line out on a file, and returns what it says.
func run(t *testing.T, file string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err strings.Builder
	env := Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &err, Now: func() time.Time { return time.Unix(1e9, 0) }, Context: t.Context()}
	code = Main(env, "pcs", append([]string{"-f", file}, args...))
	return code, out.String(), err.String()
}

func TestChangeOfAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cib.xml")
	if code, _, said := run(t, file, "property", "set", "no-quorum-policy=ignore"); code != 0 || said != "" {
		t.Fatalf("code %d: %s", code, said)
	}
	before, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(before), `<nvpair id="cib-bootstrap-options-no-quorum-policy" name="no-quorum-policy" value="ignore"/>`) {
		t.Errorf("%v\n%s", err, before)
	}
	for args, want := range map[string]string{
		"property unset batch-limit":  "use --force to override",
		"property sett a=b":           "did you mean 'set'?",
		"property set a":              "missing value of 'a' option",
		"property set =1":             "missing key in '=1' option",
		"property set a=b --group=c":  "'--group' is not supported",
		"property set a=b --grpup=c":  "did you mean '--group'?",
		"resource meta A a=b --wait":  "cannot use '-f' together with '--wait'",
		"property set a=1 a=2":        "duplicate option 'a'",
		"property set a=b --output-a": "requires argument",
	} {
		code, _, said := run(t, file, strings.Fields(args)...)
		if code != 1 || !strings.HasPrefix(said, "Error: ") || !strings.Contains(said, want) {
			t.Errorf("%s: code %d: %s", args, code, said)
		}
	}
	after, err := os.ReadFile(file)
	if err != nil || string(after) != string(before) {
		t.Errorf("a refused command changes the file: %v\n%s", err, after)
	}
}

// TestTreeIsWhole holds what every entry of the tree must have.
func TestTreeIsWhole(t *testing.T) {
	kinds := optionKinds()
	var check func(path string, list []*verb)
	check = func(path string, list []*verb) {
		seen := map[string]bool{}
		for _, v := range list {
			at := strings.TrimSpace(path + " " + v.name)
			for _, n := range append([]string{v.name}, v.aliases...) {
				if seen[n] {
					t.Errorf("%s: %s is there twice", path, n)
				}
				seen[n] = true
			}
			if v.what == "" {
				t.Errorf("%s says nothing of itself", at)
			}
			if v.run == nil && len(v.sub) == 0 {
				t.Errorf("%s does nothing", at)
			}
			if v.bare != "" && find(v.sub, v.bare) == nil {
				t.Errorf("%s: there is no %s below it", at, v.bare)
			}
			for _, o := range v.options {
				if _, ok := kinds[o]; !ok {
					t.Errorf("%s: there is no option --%s", at, o)
				}
			}
			check(at, v.sub)
		}
	}
	check("", nouns())
}

// TestBanWithoutANode has a resource leave the node that the status says it runs on.
func TestBanWithoutANode(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cib.xml")
	text := `<cib validate-with="pacemaker-3.1" admin_epoch="0" epoch="1" num_updates="0"><configuration><crm_config/><nodes><node id="1" uname="n1"/></nodes>
<resources><primitive id="A" class="ocf" provider="heartbeat" type="Dummy"/></resources><constraints/></configuration>
<status><node_state id="1" uname="n1" in_ccm="true" crmd="online" join="member" expected="member"><lrm id="1"><lrm_resources>
<lrm_resource id="A" type="Dummy" class="ocf" provider="heartbeat"><lrm_rsc_op id="A_last_0" operation="start" rc-code="0" op-status="0" call-id="1"
 interval="0" transition-key="1:1:0:a" transition-magic="0:0;1:1:0:a"/></lrm_resource></lrm_resources></lrm></node_state></status></cib>`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, said := run(t, file, "resource", "ban", "A"); code != 0 {
		t.Fatalf("code %d: %s", code, said)
	}
	if data, err := os.ReadFile(file); err != nil || !strings.Contains(string(data), `<rsc_location id="cli-ban-A-on-n1" rsc="A" role="Started" node="n1" score="-INFINITY"/>`) {
		t.Errorf("%v\n%s", err, data)
	}
}

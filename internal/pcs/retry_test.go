package pcs

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/api/apitest"
)

// TestOthersWereFaster has somebody else change the configuration between a command's reading and its writing: what
// does not collide is made on the newer configuration, what does is refused and shown.
func TestOthersWereFaster(t *testing.T) {
	base, err := os.ReadFile("testdata/base.xml")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		mine, theirs string
		code         int
		want         string // in what is said, or in the configuration afterwards
	}{
		{"node attribute n1 rack=7", "node attribute n2 rack=8", 0, `name="rack" value="7"`},
		{"constraint location P2 prefers n2=50", "constraint location P3 prefers n2=50", 0, `id="location-P2-n2-50"`},
		{"property set batch-limit=3", "property set cluster-delay=20s", 0, `value="3"`},
		{"property set batch-limit=3", "property set batch-limit=4", 1, "others have changed the same places as you"},
		{"resource meta P3 priority=3", "resource delete P3", 1, "others have changed the same places"},
	} {
		b := apitest.New(t, "n1", string(base))
		socket, _ := b.Serve(t)
		typed := func(line string) (int, string) {
			var out strings.Builder
			env := Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Now: func() time.Time { return time.Unix(1e9, 0) },
				Hostname: func() (string, error) { return "n1", nil }, Socket: socket, Context: t.Context()}
			return Main(env, "pcs", shellWords(line)), out.String()
		}
		slow := true
		b.First = func() {
			if slow {
				slow = false
				if code, said := typed(c.theirs); code != 0 {
					t.Errorf("%s: code %d: %s", c.theirs, code, said)
				}
			}
		}
		code, said := typed(c.mine)
		_, text := typed("cluster cib")
		if code != c.code || !strings.Contains(said+text, c.want) {
			t.Errorf("%s, and %s before it: code %d: %s", c.mine, c.theirs, code, said)
		}
	}
}

package listing

import (
	"strings"
	"testing"
)

func TestConstraintCommands(t *testing.T) {
	c := read(t, "testdata/everything.xml")
	lines, skipped := ConstraintCommands(c, ConstraintKinds()...)
	if got := strings.Join(skipped, " "); got != "l2" { // a role without a rule
		t.Errorf("skipped: %s", got)
	}
	text := strings.Join(lines, "\n")
	for _, want := range []string{
		"pcs -- constraint location add l3 resource%P1 n3 0 \\\n  resource-discovery=never;",
		"pcs -- constraint location resource%P1 rule \\\n  constraint-id=l5 id=l5-r score-attribute=foo role=Promoted \\\n  '\"a b\" eq string \"c d\"';",
		"pcs -- constraint order stop P1 then demote P2 \\\n  id=o2 kind=Serialize require-all=false symmetrical=false;",
		"pcs -- constraint order \\\n  set P1 P2 sequential=false \\\n  set P3 action=promote \\\n  setoptions id=o4;",
		"pcs -- constraint colocation add Promoted P1 with Unpromoted P2 \\\n  score=-10 id=c2 influence=true node-attribute=x;",
		"pcs -- constraint ticket add T Promoted P1 \\\n  id=t2 loss-policy=fence;",
		"pcs -- constraint rule add l9 \\\n  id=l9-r2 score=5 \\\n  'date gt 3000-01-01';",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no\n%s\nin\n%s", want, text)
		}
	}
}

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

func TestOtherCommands(t *testing.T) {
	c := read(t, "testdata/everything.xml")
	got := strings.Join([]string{strings.Join(PropertyCommands(c), "\n"), strings.Join(TagCommands(c), "\n"), strings.Join(AlertCommands(c), "\n"),
		strings.Join(NodeAttributeCommands(c, "n1", ""), "\n"), strings.Join(NodeUtilizationCommands(c, "", ""), "\n")}, "\n---\n")
	want := `pcs property set --force -- \
  'a b=c d' \
  batch-limit=5 \
  enable-acl=yes \
  no-quorum-policy=stop \
  stonith-enabled=true
---
pcs -- tag create tag2 \
  P2 P1;
pcs -- tag create tag1 \
  P1
---
pcs -- alert create 'path=/a b' id=al1 description=ad \
  options 'o=p q' b=1 \
  meta timeout=5s;
pcs -- alert recipient add al1 'value=v w' id=rec1 description=rd \
  options 'o=p q'
---
pcs -- node attribute n1 \
  standby=on \
  'x y=v w'
---
pcs -- node utilization n1 \
  cpu=4 \
  ram=8`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

package daemon

import (
	"fmt"
	"testing"

	"github.com/cerco-ha/cerco/internal/cib"
)

// TestOrdersGoTogether: what a node is told at one time travels together and in order, but not without bounds.
func TestOrdersGoTogether(t *testing.T) {
	var o orders
	for i := range 2*ordersTogether + 1 {
		o.add(cib.Operation{Node: fmt.Sprintf("n%d", i%2), Action: i})
	}
	o.add(cib.Operation{Node: "n2"})
	for _, b := range o.batches {
		for i, op := range b.ops {
			if op.Node != b.node || len(b.ops) > ordersTogether || i > 0 && op.Action <= b.ops[i-1].Action {
				t.Errorf("%s: %d of %d: %+v", b.node, i, len(b.ops), op)
			}
		}
	}
	if len(o.batches) != 4 {
		t.Errorf("%d batches", len(o.batches))
	}
}

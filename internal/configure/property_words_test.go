package configure

import "testing"

// TestEveryPropertyIsDescribed holds that no property is left without words.
func TestEveryPropertyIsDescribed(t *testing.T) {
	list := Properties()
	if len(list) < 40 {
		t.Errorf("only %d properties", len(list))
	}
	for _, p := range list {
		if p.What == "" {
			t.Errorf("%s says nothing of itself", p.Name)
		}
	}
}

package configure

import (
	"fmt"
	"slices"
	"strings"
)

// invalidOptions says which options are none, and which are.
func invalidOptions(kind string, unknown, allowed []string) string {
	slices.Sort(unknown)
	slices.Sort(allowed)
	s := ""
	if len(unknown) > 1 {
		s = "s"
	}
	text := fmt.Sprintf("invalid %s option%s %s", kind, s, quoted(unknown))
	if len(allowed) == 0 {
		return text + ", there are no options allowed"
	}
	return text + ", allowed options are: " + quoted(slices.Compact(allowed))
}

func quoted(list []string) string { return "'" + strings.Join(list, "', '") + "'" }

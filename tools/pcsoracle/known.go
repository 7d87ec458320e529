package main

import "strings"

// known says why a difference is meant to be, empty if it is not. docs/pcs.md tells users of each.
func known(c call, want, got outcome) string {
	words := strings.Join(c.Args, " ")
	starts := func(prefixes ...string) bool {
		for _, p := range prefixes {
			if strings.HasPrefix(words, p) {
				return true
			}
		}
		return false
	}
	switch {
	case want.Code != 0 && strings.Contains(got.Stderr, "' is now: "):
		return "a spelling of another dialect works"
	case want.Code == got.Code && want.Code != 0 && starts("constraint remove", "constraint delete", "node attribute"):
		return "what is refused is refused whole"
	case strings.Contains(want.Stderr, "Application of update diff failed"):
		return "a slip of the tool that pcs writes with"
	case starts("cluster verify ") && got.Code == 0:
		return "a file is named as pcs 0.9 had it"
	case starts("config") && !c.Corosync:
		return "pcs looks at the corosync.conf of this host"
	case starts("cluster setup") && strings.Contains(want.Stderr, "Unable to resolve addresses"):
		return "a name need not be known to this host"
	case starts("resource clone", "resource promotable") && strings.Contains(want.Stderr, "does not provide valid metadata") && strings.Contains(words, "--force"):
		return "pcs says that --force helps, and it does"
	case want.Code != 0 && got.Code != 0 && want.Stdout != "" && got.Stdout == "":
		return "a command that is refused shows nothing"
	}
	return ""
}

package simulate

import "github.com/cerco-ha/cerco/internal/cib"

// fenced marks a node as off: out of the membership, its history and transient attributes gone.
func fenced(n *cib.NodeEdit) {
	n.Set(memberAttrs("false", "offline", "down", "down", "simulate_fencing_action")...)
	n.Empty()
}

func memberAttrs(inCCM, crmd, join, expected, from string) []cib.Attr {
	return []cib.Attr{{Name: "in_ccm", Value: inCCM}, {Name: "crmd", Value: crmd}, {Name: "join", Value: join},
		{Name: "expected", Value: expected}, {Name: "crm-debug-origin", Value: from}}
}

package simulate

import "github.com/cerco-ha/cerco/internal/cib"

// fenced marks a node as off: out of the membership, its history and transient attributes gone.
func (s *state) fenced(name, id string) {
	n := s.node(name, id)
	n.set(memberAttrs("false", "offline", "down", "down", "simulate_fencing_action")...)
	n.empty()
}

func memberAttrs(inCCM, crmd, join, expected, from string) []cib.Attr {
	return []cib.Attr{{Name: "in_ccm", Value: inCCM}, {Name: "crmd", Value: crmd}, {Name: "join", Value: join},
		{Name: "expected", Value: expected}, {Name: "crm-debug-origin", Value: from}}
}

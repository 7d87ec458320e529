package cib

import (
	"fmt"
	"strconv"
	"strings"
)

// String is the path as XPath: "/cib/configuration/resources/primitive[@id='web']".
func (p Path) String() string {
	var b strings.Builder
	for i, e := range p {
		b.WriteByte('/')
		if i == 0 {
			b.WriteString(stepName(e))
			continue
		}
		at := p[i-1].Index(e)
		if at < 0 {
			b.WriteString(stepName(e))
			continue
		}
		b.WriteString(stepTo(p[i-1].Children, at))
	}
	return b.String()
}

// ParseVersion reads what Version.String writes: "admin_epoch.epoch.num_updates", the last of which may be left out.
func ParseVersion(s string) (Version, error) {
	parts := strings.Split(s, ".")
	if len(parts) != 2 && len(parts) != 3 {
		return Version{}, fmt.Errorf("%q is no version of a CIB: write it as admin_epoch.epoch.num_updates", s)
	}
	var n [3]int
	for i, p := range parts {
		v, err := strconv.Atoi(p)
		if err != nil || v < 0 {
			return Version{}, fmt.Errorf("%q is no version of a CIB: %q is no number", s, p)
		}
		n[i] = v
	}
	return Version{AdminEpoch: n[0], Epoch: n[1], NumUpdates: n[2]}, nil
}

package simulate

import (
	"crypto/md5"
	"encoding/hex"
	"strings"

	"github.com/cerco-ha/cerco/internal/transition"
)

// digest is the digest of an operation's parameters: of what the agent is called with, so the meta
// attributes do not count, except the time-out of a recurring operation. Histories keep it, so that a
// change of the configuration is noticed.
func digest(a *transition.Action) string {
	var b strings.Builder
	b.WriteString(" <parameters")
	for _, at := range a.Attrs { // sorted by name
		if !inDigest(at.Name, a.Interval() > 0) {
			continue
		}
		b.WriteByte(' ')
		b.WriteString(at.Name)
		b.WriteString(`="`)
		digestEscape.WriteString(&b, at.Value)
		b.WriteByte('"')
	}
	b.WriteString("/>\n")
	sum := md5.Sum([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}

func inDigest(name string, recurring bool) bool {
	switch name {
	case "CRM_meta_timeout":
		return recurring
	case "id", "crm_feature_set", "op-digest", "pcmk_external_ip":
		return false
	}
	return !strings.HasPrefix(name, "CRM_meta_")
}

var digestEscape = strings.NewReplacer("<", "&lt;", ">", "&gt;", "&", "&amp;", `"`, "&quot;", "'", "&apos;", "\n", `\n`, "\t", "    ")

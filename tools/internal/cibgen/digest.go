package cibgen

import (
	"crypto/md5"
	"encoding/hex"
	"strings"
)

// digest is what the node would have recorded of the parameters an operation was run with. With the
// feature "digests" it is now and then that of other parameters: the configuration has changed since.
func (g *generator) digest(r *rsc, intervalMS int) string {
	var b strings.Builder
	b.WriteString(" <parameters")
	if intervalMS > 0 {
		b.WriteString(` CRM_meta_timeout="20000"`)
	}
	if g.when("digests", 10) {
		b.WriteString(` changed="since"`)
	}
	for i := 0; i+1 < len(r.params); i += 2 {
		b.WriteString(" " + r.params[i] + `="` + strings.ReplaceAll(r.params[i+1], "&", "&amp;") + `"`)
	}
	b.WriteString("/>\n")
	return md5Of(b.String())
}

func md5Of(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

package scheduler

import (
	"crypto/md5"
	"encoding/hex"
	"sort"
	"strings"
)

// sortedKeys returns the keys of a map in byte order.
func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// digestOf is the digest of a set of parameters as Pacemaker stores it with every operation: MD5 of a
// <parameters> element with its attributes sorted by name.
func digestOf(params map[string]string, skip func(name string) bool) string {
	var b strings.Builder
	b.WriteString(" <parameters")
	for _, k := range sortedKeys(params) {
		if skip != nil && skip(k) {
			continue
		}
		b.WriteByte(' ')
		b.WriteString(k)
		b.WriteString(`="`)
		escapeAttr(&b, params[k])
		b.WriteByte('"')
	}
	b.WriteString("/>\n")
	sum := md5.Sum([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}

func escapeAttr(b *strings.Builder, s string) {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '&':
			b.WriteString("&amp;")
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '"':
			b.WriteString("&quot;")
		default:
			b.WriteByte(c)
		}
	}
}

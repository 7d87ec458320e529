package cib

import (
	"crypto/md5"
	"encoding/hex"
	"slices"
	"strings"
)

// Digest is the digest of a set of parameters as histories keep it with every operation: MD5 of a
// <parameters> element with its attributes sorted by name. Parameters that skip tells of are left out; skip may
// be nil.
func Digest(params map[string]string, skip func(name string) bool) string {
	names := make([]string, 0, len(params))
	for name := range params {
		if skip == nil || !skip(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString(" <parameters")
	for _, name := range names {
		b.WriteByte(' ')
		b.WriteString(name)
		b.WriteString(`="`)
		digestEscape(&b, params[name])
		b.WriteByte('"')
	}
	b.WriteString("/>\n")
	sum := md5.Sum([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}

// digestEscape writes a value as Pacemaker does when it computes a digest: quotes as entities, a line's end as
// backslash and n, a tab as four blanks.
func digestEscape(b *strings.Builder, s string) {
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
		case '\'':
			b.WriteString("&apos;")
		case '\n':
			b.WriteString(`\n`)
		case '\t':
			b.WriteString("    ")
		default:
			b.WriteByte(c)
		}
	}
}

package fencer

import (
	"slices"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// pair is one "name:value" of pcmk_host_map or pcmk_delay_base.
type pair struct{ name, value string }

// parseHostMap reads pcmk_host_map: "node:port;node2=port2", parted by semicolons, blanks or tabs. A
// backslash takes the meaning from what follows it.
func parseHostMap(s string) []pair {
	var out []pair
	var name, word strings.Builder
	inValue := false
	flush := func() {
		if inValue && name.Len() > 0 && word.Len() > 0 {
			out = append(out, pair{name.String(), word.String()})
		}
		name.Reset()
		word.Reset()
		inValue = false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			word.WriteByte(s[i])
		case c == ';' || c == ' ' || c == '\t' || c == '\n' || c == '\r':
			flush()
		case (c == ':' || c == '=') && !inValue:
			name.WriteString(word.String())
			word.Reset()
			inValue = true
		default:
			word.WriteByte(c)
		}
	}
	flush()
	return out
}

// parseHostList reads pcmk_host_list: names parted by commas, semicolons or white space.
func parseHostList(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(",; \t\r\n", r) })
}

// maxTargets bounds what one answer of a list is taken for.
const maxTargets = 1 << 14

// parseList reads what an agent's list printed. Pacemaker takes names, aliases and what else is on a line for
// targets, and so does this: fields parted by white space, commas, semicolons or a literal \n, lines with
// "invalid" or "variable" left out, and so are the words on and off.
func parseList(out string) []string {
	var names []string
	for line := range strings.Lines(strings.ReplaceAll(out, `\n`, "\n")) {
		if strings.Contains(line, "invalid") || strings.Contains(line, "variable") {
			continue
		}
		for _, w := range strings.FieldsFunc(line, func(r rune) bool { return !isNameRune(r) && strings.ContainsRune(",; \t\r\n", r) }) {
			if len(names) == maxTargets {
				return names
			}
			if strings.ContainsFunc(w, func(r rune) bool { return !isNameRune(r) }) {
				continue
			}
			if w != "on" && w != "off" && w != "ON" && w != "OFF" {
				names = append(names, w)
			}
		}
	}
	return names
}

func isNameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '.' || r == '-'
}

// delayBase is pcmk_delay_base for the target: one duration, or one a node ("n1:0s;n2:5s").
func delayBase(s, target string) time.Duration {
	if !strings.Contains(s, ":") {
		return duration(s, 0)
	}
	for _, p := range parseHostMap(s) {
		if strings.EqualFold(p.name, target) {
			return duration(p.value, 0)
		}
	}
	return 0
}

// duration reads a duration as the CIB writes it; what cannot be read is the fallback.
func duration(s string, fallback time.Duration) time.Duration {
	if s == "" {
		return fallback
	}
	ms, ok := cib.ParseDuration(s)
	if !ok || ms < 0 {
		return fallback
	}
	return time.Duration(ms) * time.Millisecond
}

func containsName(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}

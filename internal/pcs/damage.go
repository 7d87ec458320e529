package pcs

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// repair undoes what printing and copying do to a command: typographic dashes and quotes, look-alike letters, blanks that
// are none, long options that have lost a dash or been cut in two. It returns a note for each. Free text, such as a
// description, is left alone.
func repair(args []string) (fixed, notes []string, err error) {
	note := func(format string, a ...any) { notes = append(notes, fmt.Sprintf(format, a...)) }
	args = joinQuoted(args, note)
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "»" || arg == "›" || arg == "≫" {
			return nil, nil, &usageError{fmt.Sprintf("'%s' is what some books print for '>>', which appends to a file: type '>>' instead of it", arg)}
		}
		if strings.HasPrefix(arg, "description=") {
			fixed = append(fixed, arg)
			continue
		}
		plain := plainText(arg)
		if plain != arg {
			note("'%s' is read as '%s'", arg, plain)
		}
		if plain == "-" && i+1 < len(args) && strings.HasPrefix(args[i+1], "-") && isLong(args[i+1][1:]) {
			i++
			note("'- %s' is read as '-%s'", args[i], args[i])
			plain = "-" + args[i]
		}
		if len(plain) > 3 && plain[0] == '-' && plain[1] != '-' && isLong(plain[1:]) {
			note("'%s' is read as '-%s'", plain, plain)
			plain = "-" + plain
		}
		fixed = append(fixed, plain)
	}
	return fixed, notes, nil
}

// isLong reports whether a text is a long option, without its dashes.
func isLong(text string) bool {
	name, _, _ := strings.Cut(text, "=")
	_, known := optionKinds()[name]
	return known
}

// joinQuoted puts together what typographic quotes were meant to hold together: a shell does not know them.
func joinQuoted(args []string, note func(string, ...any)) []string {
	var out []string
	for i := 0; i < len(args); i++ {
		open := strings.IndexFunc(args[i], isOpening)
		if open < 0 || strings.HasPrefix(args[i], "description=") && strings.ContainsFunc(args[i], isClosing) {
			out = append(out, args[i])
			continue
		}
		end := i
		for end < len(args)-1 && !strings.ContainsFunc(args[end][after(args[end], end == i, open):], isClosing) {
			end++
		}
		joined := strings.Join(args[i:end+1], " ")
		if !strings.ContainsFunc(joined[after(joined, true, open):], isClosing) {
			out = append(out, args[i])
			continue
		}
		plain := strings.Map(func(r rune) rune {
			if isOpening(r) || isClosing(r) {
				return -1
			}
			return r
		}, joined)
		note("the quotes of \"%s\" are typographic: it is read as '%s'", joined, plain)
		out = append(out, plain)
		i = end
	}
	return out
}

// after is where to look for the closing quote: behind the opening one.
func after(s string, first bool, open int) int {
	if !first {
		return 0
	}
	for i := range s[open:] {
		if i > 0 {
			return open + i
		}
	}
	return len(s)
}

func isOpening(r rune) bool { return strings.ContainsRune("“„‟‘‚‛”", r) }
func isClosing(r rune) bool { return strings.ContainsRune("”“’‘", r) }

// plainText is a text with plain characters for those that printing has put in their place.
func plainText(s string) string {
	ascii := true
	for i := 0; i < len(s); i++ {
		ascii = ascii && s[i] < 0x80
	}
	if ascii {
		return s
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 0x2010 && r <= 0x2015, r == 0x2212:
			return '-'
		case r == 0x00a0, r == 0x202f, r == 0x2009:
			return ' '
		case r == 0x00ad, r == 0x200b, r == 0xfeff, strings.ContainsRune("“”„‘’‚", r):
			return -1
		}
		return r
	}, s)
	return latin(strings.TrimSpace(s))
}

// latin replaces the Cyrillic letters of words that are Latin otherwise: by those that look the same or, where one has no
// such twin, by those that sound the same.
func latin(s string) string {
	words := strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) })
	for _, w := range words {
		has := func(t *unicode.RangeTable) bool {
			return strings.ContainsFunc(w, func(r rune) bool { return unicode.Is(t, r) })
		}
		if !has(unicode.Cyrillic) || !has(unicode.Latin) {
			continue
		}
		table := map[rune]rune{}
		twins, sounds := []rune("аaеeоoрpсcуyхxіiѕsјjАAВBЕEКKМMНHОOРPСCТTХXУY"), []rune("аaбbвvгgдdеeзzиiкkлlмmнnоoпpрrсsтtуuфfхhАAБBВVГGДDЕEЗZИIКKЛLМMНNОOПPРRСSТTУUФFХH")
		pairs := twins
		if strings.ContainsFunc(w, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) && !slices.Contains(twins, r) }) {
			pairs = sounds
		}
		for i := 0; i+1 < len(pairs); i += 2 {
			table[pairs[i]] = pairs[i+1]
		}
		fixed := strings.Map(func(r rune) rune {
			if to, ok := table[r]; ok {
				return to
			}
			return r
		}, w)
		s = strings.ReplaceAll(s, w, fixed)
	}
	return s
}

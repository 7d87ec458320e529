package guestfence

import (
	"fmt"
	"strings"
)

// Block is a part of a configuration in the words of fence_virt.conf: settings and blocks in braces.
//
//	name { setting = "value"; other { ... } }   # a comment
type Block struct {
	Name     string
	Line     int
	Settings []Setting
	Blocks   []*Block
}

// Setting is a line of a block.
type Setting struct {
	Name, Value string
	Line        int
}

// maxDepth bounds how deep blocks may lie in each other.
const maxDepth = 16

// ParseConf reads a configuration. Errors name the file, by the name given, and the line.
func ParseConf(file string, data []byte) (*Block, error) {
	p := confParser{file: file, rest: string(data), line: 1}
	root := &Block{Line: 1}
	if err := p.block(root, 0); err != nil {
		return nil, err
	}
	return root, nil
}

type confParser struct {
	file string
	rest string
	line int
}

func (p *confParser) errorf(line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", p.file, line, fmt.Sprintf(format, args...))
}

// block reads up to the brace that ends b, or to the end of the file for the outermost.
func (p *confParser) block(b *Block, depth int) error {
	for {
		word, line, err := p.token()
		switch {
		case err != nil:
			return err
		case word == "" && depth == 0:
			return nil
		case word == "":
			return p.errorf(b.Line, "the block %s does not end: a } is missing", b.Name)
		case word == "}" && depth > 0:
			return nil
		case word == ";":
			continue
		case isPunctuation(word) || word[0] == '"':
			return p.errorf(line, "a name is expected, not %s", word)
		}
		if err := p.entry(b, word, line, depth); err != nil {
			return err
		}
	}
}

// entry reads what follows the name of a setting or block.
func (p *confParser) entry(b *Block, name string, line, depth int) error {
	next, _, err := p.token()
	if err != nil {
		return err
	}
	switch next {
	case "{":
		if depth+1 > maxDepth {
			return p.errorf(line, "blocks lie deeper than %d in each other", maxDepth)
		}
		inner := &Block{Name: name, Line: line}
		b.Blocks = append(b.Blocks, inner)
		return p.block(inner, depth+1)
	case "=":
		value, at, err := p.token()
		if err != nil {
			return err
		}
		if value == "" || isPunctuation(value) {
			return p.errorf(at, "%s has no value", name)
		}
		b.Settings = append(b.Settings, Setting{Name: name, Value: strings.Trim(value, `"`), Line: line})
		return nil
	case "":
		return p.errorf(line, "the file ends after %s", name)
	}
	return p.errorf(line, "%s must be followed by = and a value, or by {, and not by %s", name, next)
}

func isPunctuation(word string) bool { return len(word) == 1 && strings.Contains("{}=;", word) }

// token returns the next word, quoted text (with its quotes) or sign; "" at the end of the file.
func (p *confParser) token() (word string, line int, err error) {
	for {
		trimmed := strings.TrimLeft(p.rest, " \t\r\n\v\f")
		p.line += strings.Count(p.rest[:len(p.rest)-len(trimmed)], "\n")
		p.rest = trimmed
		if !strings.HasPrefix(p.rest, "#") {
			break
		}
		_, p.rest, _ = strings.Cut(p.rest, "\n")
		p.line++
	}
	if p.rest == "" {
		return "", p.line, nil
	}
	end := strings.IndexAny(p.rest, " \t\r\n\v\f{}=;#\"")
	switch {
	case p.rest[0] == '"':
		quote := strings.IndexAny(p.rest[1:], "\"\n")
		if quote < 0 || p.rest[1+quote] == '\n' {
			return "", p.line, p.errorf(p.line, "a quoted value does not end on its line")
		}
		end = quote + 2
	case end == 0:
		end = 1
	case end < 0:
		end = len(p.rest)
	}
	word, p.rest = p.rest[:end], p.rest[end:]
	return word, p.line, nil
}

// Block returns the first block of that name; nil if there is none.
func (b *Block) Block(name string) *Block {
	if b == nil {
		return nil
	}
	for _, inner := range b.Blocks {
		if inner.Name == name {
			return inner
		}
	}
	return nil
}

// Get returns the value of a setting, the last if it is there several times, or the default.
func (b *Block) Get(name, def string) string {
	if b != nil {
		for _, s := range b.Settings {
			if s.Name == name {
				def = s.Value
			}
		}
	}
	return def
}

// All returns the values of a setting that may be there several times.
func (b *Block) All(name string) []string {
	var out []string
	if b != nil {
		for _, s := range b.Settings {
			if s.Name == name {
				out = append(out, s.Value)
			}
		}
	}
	return out
}

package cib

import (
	"fmt"
	"strings"
	"unicode/utf8"
	"unsafe"
)

// maxDepth limits how deep elements nest: far beyond any CIB, and harmless to recurse over.
const maxDepth = 256

// SyntaxError says why a document is not XML.
type SyntaxError struct {
	File string
	Line int
	What string
}

func (e *SyntaxError) Error() string {
	file := e.File
	if file == "" {
		file = "XML"
	}
	return fmt.Sprintf("%s:%d: %s", file, e.Line, e.What)
}

// Parse reads an XML document and returns its root element. The elements refer to data instead of
// copying it: it belongs to them from now on and must never be changed.
func Parse(file string, data []byte) (*Element, error) {
	d, err := ParseDocument(file, data)
	if err != nil {
		return nil, err
	}
	return d.Root, nil
}

// Document is an XML document with what is around its root element: comments and processing instructions.
type Document struct {
	Before []*Element // the XML declaration too, as the instruction "xml"
	Root   *Element
	After  []*Element
}

// AppendXML appends the document as Element.AppendXML does.
func (d *Document) AppendXML(b []byte) []byte {
	for _, e := range d.Before {
		b = e.AppendXML(b)
	}
	b = d.Root.AppendXML(b)
	for _, e := range d.After {
		b = e.AppendXML(b)
	}
	return b
}

// ParseDocument is Parse that keeps what is around the root element. A DOCTYPE is read, but not kept.
func ParseDocument(file string, data []byte) (*Document, error) {
	p := parser{file: file, s: unsafe.String(unsafe.SliceData(data), len(data)), line: 1}
	p.s = strings.TrimPrefix(p.s, "\ufeff")
	if !utf8.ValidString(p.s) {
		return nil, p.invalidText()
	}
	return p.document()
}

// parser holds the state of one Parse.
type parser struct {
	file string
	s    string
	pos  int // everything before is read
	line int // line of pos

	before, after []*Element // around the root

	root  *Element
	open  []openElement
	kids  []*Element // children of the open elements so far, those of the innermost last
	slab  []Element
	links []*Element // slab of child lists
	names []string   // attribute names of the current tag, the first manyAttrs
	// hashed holds all names of a tag that has more of them
	hashed map[string]bool
}

// openElement is an element whose end tag has not been seen.
type openElement struct {
	el    *Element
	first int // where its children begin in parser.kids
}

func (p *parser) errorf(format string, args ...any) error {
	return &SyntaxError{File: p.file, Line: p.line, What: fmt.Sprintf(format, args...)}
}

func (p *parser) invalidText() error {
	for i := 0; i < len(p.s); {
		r, n := utf8.DecodeRuneInString(p.s[i:])
		if r == utf8.RuneError && n == 1 {
			p.line += strings.Count(p.s[:i], "\n")
			break
		}
		i += n
	}
	return p.errorf("not UTF-8 text: save the file in UTF-8")
}

// advance moves on by n bytes and counts the lines.
func (p *parser) advance(n int) string {
	part := p.s[p.pos : p.pos+n]
	p.pos += n
	p.line += strings.Count(part, "\n")
	return part
}

// newElement takes an element from the slab.
func (p *parser) newElement() *Element {
	if len(p.slab) == cap(p.slab) {
		p.slab = make([]Element, 0, min(max(32, 2*cap(p.slab)), 4096))
	}
	p.slab = p.slab[:len(p.slab)+1]
	e := &p.slab[len(p.slab)-1]
	e.Line = int32(p.line)
	return e
}

// childList copies the children into a slab, so that each list costs no allocation of its own.
func (p *parser) childList(kids []*Element) []*Element {
	if len(kids) == 0 {
		return nil
	}
	if len(kids) > cap(p.links)-len(p.links) {
		p.links = make([]*Element, 0, max(len(kids), min(max(32, 2*cap(p.links)), 8192)))
	}
	n := len(p.links)
	p.links = append(p.links, kids...)
	return p.links[n:len(p.links):len(p.links)]
}

func (p *parser) document() (*Document, error) {
	for p.pos < len(p.s) {
		lt := strings.IndexByte(p.s[p.pos:], '<')
		if lt < 0 {
			lt = len(p.s) - p.pos
		}
		if err := p.text(lt); err != nil {
			return nil, err
		}
		if p.pos == len(p.s) {
			break
		}
		if err := p.markup(); err != nil {
			return nil, err
		}
	}
	if n := len(p.open); n > 0 {
		e := p.open[n-1].el
		return nil, p.errorf("the file ends inside <%s> of line %d: it is cut off, or </%s> is missing", e.Name, e.Line, e.Name)
	}
	if p.root == nil {
		return nil, p.errorf("no element found: the file is empty or not XML")
	}
	return &Document{p.before, p.root, p.after}, nil
}

// addMarkup adds a comment or processing instruction where the parser is.
func (p *parser) addMarkup(kind Kind, name, text string) {
	e := p.newElement()
	e.Kind, e.Name, e.body = kind, name, text
	switch {
	case len(p.open) > 0:
		p.kids = append(p.kids, e)
	case p.root == nil:
		p.before = append(p.before, e)
	default:
		p.after = append(p.after, e)
	}
}

// text reads n bytes of character data.
func (p *parser) text(n int) error {
	raw := p.s[p.pos : p.pos+n]
	blank := isBlank(raw)
	if blank {
		p.advance(n)
		return nil
	}
	if len(p.open) == 0 {
		p.line += strings.Count(raw[:len(raw)-len(strings.TrimLeft(raw, " \t\r\n"))], "\n")
		return p.errorf("text outside the root element: %.20q", strings.TrimSpace(raw))
	}
	if err := p.checkText(raw); err != nil {
		return err
	}
	if strings.Contains(raw, "]]>") {
		return p.errorf("\"]]>\" in text: write it as \"]]&gt;\"")
	}
	p.addText(unescape(raw, false))
	p.advance(n)
	return nil
}

func isBlank(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isSpace(s[i]) {
			return false
		}
	}
	return true
}

// addText adds character data to the open element; adjacent pieces become one.
func (p *parser) addText(text string) {
	first := p.open[len(p.open)-1].first
	if n := len(p.kids); n > first && p.kids[n-1].Kind == KindText {
		p.kids[n-1].body += text
		return
	}
	e := p.newElement()
	e.Kind, e.body = KindText, text
	p.kids = append(p.kids, e)
}

// checkText makes sure that there are only characters that XML allows and references that unescape
// will understand.
func (p *parser) checkText(s string) error {
	if err := p.checkCharacters(s); err != nil {
		return err
	}
	for {
		i := strings.IndexByte(s, '&')
		if i < 0 {
			return nil
		}
		_, n := reference(s[i:])
		if n == 0 {
			return p.errorf("unknown reference %.12q: a plain & is written &amp;", s[i:])
		}
		s = s[i+n:]
	}
}

// checkCharacters makes sure that there are no control characters.
func (p *parser) checkCharacters(s string) error {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' && !isSpace(c) {
			return p.errorf("control character %#02x, which XML does not allow", c)
		}
	}
	return nil
}

// delimitedText is delimited with its characters checked and its line ends normalised.
func (p *parser) delimitedText(opening, closing, what string) (text string, length int, err error) {
	raw, err := p.delimited(opening, closing, what)
	if err == nil {
		err = p.checkCharacters(raw)
	}
	text = strings.ReplaceAll(strings.ReplaceAll(raw, "\r\n", "\n"), "\r", "\n")
	return text, len(opening) + len(raw) + len(closing), err
}

// markup reads what begins with '<'.
func (p *parser) markup() error {
	rest := p.s[p.pos:]
	switch {
	case len(rest) < 2:
		return p.errorf("the file ends after '<'")
	case rest[1] == '/':
		return p.endTag()
	case strings.HasPrefix(rest, "<!--"):
		return p.comment()
	case strings.HasPrefix(rest, "<![CDATA["):
		return p.cdata()
	case strings.HasPrefix(rest, "<!DOCTYPE"):
		return p.doctype()
	case rest[1] == '?':
		return p.instruction()
	}
	return p.startTag()
}

// delimited reads from opening, which is there, to closing, and returns what is between.
func (p *parser) delimited(opening, closing, what string) (string, error) {
	end := strings.Index(p.s[p.pos+len(opening):], closing)
	if end < 0 {
		return "", p.errorf("%s without %s", what, closing)
	}
	return p.s[p.pos+len(opening) : p.pos+len(opening)+end], nil
}

func (p *parser) comment() error {
	text, length, err := p.delimitedText("<!--", "-->", "comment")
	if err != nil {
		return err
	}
	if strings.Contains(text, "--") || strings.HasSuffix(text, "-") {
		return p.errorf("\"--\" inside a comment")
	}
	p.addMarkup(KindComment, "", text)
	p.advance(length)
	return nil
}

func (p *parser) cdata() error {
	text, length, err := p.delimitedText("<![CDATA[", "]]>", "CDATA section")
	if err != nil {
		return err
	}
	if len(p.open) == 0 {
		return p.errorf("text outside the root element")
	}
	if !isBlank(text) {
		p.addText(text)
	}
	p.advance(length)
	return nil
}

func (p *parser) instruction() error {
	text, length, err := p.delimitedText("<?", "?>", "processing instruction")
	if err != nil {
		return err
	}
	target := nameAt(text, 0)
	if target == "" {
		return p.errorf("processing instruction without a name")
	}
	p.addMarkup(KindInstruction, target, strings.TrimLeft(text[len(target):], " \t\n"))
	p.advance(length)
	return nil
}

// doctype skips a document type declaration, with its internal subset.
func (p *parser) doctype() error {
	if p.root != nil {
		return p.errorf("DOCTYPE after the root element has begun")
	}
	depth, quote := 0, byte(0)
	for i := p.pos; i < len(p.s); i++ {
		c := p.s[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '<' || c == '[':
			depth++
		case c == '>' || c == ']':
			if depth--; depth == 0 {
				p.advance(i + 1 - p.pos)
				return nil
			}
		}
	}
	return p.errorf("DOCTYPE without >")
}

package cib

import "strings"

// manyAttrs is when looking for duplicate attributes turns from comparing to hashing.
const manyAttrs = 40

func (p *parser) startTag() error {
	name := nameAt(p.s, p.pos+1)
	if name == "" {
		return p.errorf("'<' is not followed by a name: a plain < is written &lt;")
	}
	if p.root != nil && len(p.open) == 0 {
		return p.errorf("a second root element <%s>", name)
	}
	if len(p.open) >= maxDepth {
		return p.errorf("<%s> is nested deeper than %d elements", name, maxDepth)
	}
	e := p.newElement()
	e.Name = name
	p.advance(1 + len(name))
	if err := p.attributes(e); err != nil {
		return err
	}
	if p.root == nil {
		p.root = e
	} else {
		p.kids = append(p.kids, e)
	}
	if p.s[p.pos] == '/' {
		p.pos += 2
		return nil
	}
	p.pos++
	p.open = append(p.open, openElement{e, len(p.kids)})
	return nil
}

func (p *parser) endTag() error {
	name := nameAt(p.s, p.pos+2)
	n := len(p.open)
	if n == 0 {
		return p.errorf("</%s> ends nothing", name)
	}
	top := p.open[n-1]
	if name != top.el.Name {
		return p.errorf("</%s> does not end <%s> of line %d", name, top.el.Name, top.el.Line)
	}
	i := p.pos + 2 + len(name)
	for i < len(p.s) && isSpace(p.s[i]) {
		i++
	}
	if i >= len(p.s) || p.s[i] != '>' {
		return p.errorf("</%s without >", name)
	}
	p.advance(i + 1 - p.pos)
	top.el.Children = p.childList(p.kids[top.first:])
	p.kids = p.kids[:top.first]
	p.open = p.open[:n-1]
	return nil
}

// attributes reads the attributes of a start tag up to, not including, its '>' or '/>'.
func (p *parser) attributes(e *Element) error {
	start, plain := p.pos, true
	p.names = p.names[:0]
	for {
		i := p.pos
		for i < len(p.s) && isSpace(p.s[i]) {
			i++
		}
		if i >= len(p.s) {
			return p.errorf("the file ends inside the tag <%s>", e.Name)
		}
		if c := p.s[i]; c == '>' || c == '/' {
			if c == '/' && (i+1 >= len(p.s) || p.s[i+1] != '>') {
				return p.errorf("'/' without '>' in the tag <%s>", e.Name)
			}
			e.body, e.plain = p.s[start:p.pos], plain
			p.advance(i - p.pos)
			return nil
		}
		if i == p.pos {
			return p.errorf("no blank before the next attribute in the tag <%s>", e.Name)
		}
		plain = plain && i == p.pos+1 && p.s[p.pos] == ' '
		p.advance(i - p.pos)
		canonical, err := p.attribute(e)
		if err != nil {
			return err
		}
		plain = plain && canonical
	}
}

// attribute reads one attribute and tells whether it is written as we would.
func (p *parser) attribute(e *Element) (canonical bool, err error) {
	name := nameAt(p.s, p.pos)
	if name == "" {
		return false, p.errorf("%.10q in the tag <%s> is not an attribute name", p.s[p.pos:], e.Name)
	}
	i := p.pos + len(name)
	for i < len(p.s) && isSpace(p.s[i]) {
		i++
	}
	if i >= len(p.s) || p.s[i] != '=' {
		return false, p.errorf("attribute %s of <%s> has no value", name, e.Name)
	}
	for i++; i < len(p.s) && isSpace(p.s[i]); {
		i++
	}
	if i >= len(p.s) || p.s[i] != '"' && p.s[i] != '\'' {
		return false, p.errorf("the value of attribute %s of <%s> is not in quotes", name, e.Name)
	}
	end := strings.IndexByte(p.s[i+1:], p.s[i])
	if end < 0 {
		return false, p.errorf("the value of attribute %s of <%s> has no closing quote", name, e.Name)
	}
	canonical = i == p.pos+len(name)+1 && p.s[i] == '"'
	value := p.s[i+1 : i+1+end]
	for j := 0; j < len(value); j++ {
		switch c := value[j]; {
		case c == '<':
			return false, p.errorf("'<' in the value of attribute %s of <%s>: write it as &lt;", name, e.Name)
		case c == '&' || c == '>' || c < ' ':
			canonical = false
		}
	}
	if !canonical {
		if err := p.checkText(value); err != nil {
			return false, err
		}
	}
	if err := p.unique(e, name); err != nil {
		return false, err
	}
	p.advance(i + end + 2 - p.pos)
	return canonical, nil
}

// unique makes sure that the tag has no attribute of that name yet, and remembers it.
func (p *parser) unique(e *Element, name string) error {
	seen := false
	if n := len(p.names); n < manyAttrs {
		for _, other := range p.names {
			seen = seen || other == name
		}
		p.names = append(p.names, name)
	} else {
		if n == manyAttrs {
			p.hashed = make(map[string]bool)
			for _, other := range p.names {
				p.hashed[other] = true
			}
			p.names = append(p.names, "")
		}
		seen = p.hashed[name]
		p.hashed[name] = true
	}
	if seen {
		return p.errorf("attribute %s of <%s> is given twice", name, e.Name)
	}
	return nil
}

// nameAt returns the XML name at position i, empty if there is none.
func nameAt(s string, i int) string {
	start := i
	for i < len(s) && nameBytes[s[i]] {
		i++
	}
	if i == start || s[start] == '-' || s[start] == '.' || s[start] >= '0' && s[start] <= '9' {
		return ""
	}
	return s[start:i]
}

// nameBytes are the bytes that names are made of; of characters beyond ASCII, any will do.
var nameBytes = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
			c == '_' || c == ':' || c == '-' || c == '.' || c >= 0x80
	}
	return t
}()

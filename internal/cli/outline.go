package cli

import (
	"bufio"
	"io"
	"strings"
)

// outline writes crm_simulate's text. It comes in two dresses: fancy, with headings, bullets and indents,
// and plain, where only what is listed remains.
type outline struct {
	w     *bufio.Writer
	fancy bool
}

func newOutline(w io.Writer, fancy bool) *outline {
	return &outline{w: bufio.NewWriter(w), fancy: fancy}
}

// line writes a line that looks the same in both dresses.
func (o *outline) line(s string) {
	o.w.WriteString(s)
	o.w.WriteByte('\n')
}

func (o *outline) blank() { o.w.WriteByte('\n') }

// heading begins a list.
func (o *outline) heading(s string) {
	if o.fancy {
		o.line(s + ":")
	}
}

// item writes an entry of a list.
func (o *outline) item(s string) {
	if o.fancy {
		o.w.WriteString("  * ")
	}
	o.line(s)
}

// block writes text that is already laid out in the fancy way; plainly, its headings and bullets go.
func (o *outline) block(text string) {
	if o.fancy {
		o.w.WriteString(text)
		return
	}
	for l := range strings.Lines(text) {
		l = strings.TrimRight(l, "\n")
		s := strings.TrimLeft(l, " ")
		s, bullet := strings.CutPrefix(s, "* ")
		switch {
		case bullet && strings.HasSuffix(s, ":"):
			continue
		case strings.HasPrefix(l, "  * "):
			s = plainNodes(s)
		case strings.HasPrefix(l, "    * "):
			s = plainNodes(s)
		}
		o.line(s)
	}
}

// plainNodes takes the label off a line of the node list.
func plainNodes(s string) string {
	for _, label := range []string{"Online: ", "OFFLINE: ", "RemoteOnline: ", "RemoteOFFLINE: ", "GuestOnline: ", "GuestOFFLINE: "} {
		if rest, ok := strings.CutPrefix(s, label); ok {
			return rest
		}
	}
	return s
}

func (o *outline) flush() error { return o.w.Flush() }

package configure

import (
	"fmt"
	"strings"
)

// Kind tells what a note is.
type Kind uint8

const (
	Info        Kind = iota // what is done besides what was asked for
	Warning                 // what may not be meant
	Deprecation             // what there is a newer word for
)

// Note is something to say about a change that is made all the same.
type Note struct {
	Kind Kind
	Text string
}

// Problem is a reason not to make a change. A forcible one is only a doubt.
type Problem struct {
	Text     string
	Forcible bool
}

// Refusal is the error of a change that is not made, with every reason.
type Refusal struct{ List []Problem }

func (r *Refusal) Error() string {
	texts := make([]string, len(r.List))
	for i, p := range r.List {
		texts[i] = p.Text
	}
	return strings.Join(texts, "; ")
}

// Notes are what there is to say, in order.
func (d *Draft) Notes() []Note { return d.notes }

// Info notes what is done besides what was asked for.
func (d *Draft) Info(format string, args ...any) { d.note(Info, format, args...) }

// Warn notes what may not be meant.
func (d *Draft) Warn(format string, args ...any) { d.note(Warning, format, args...) }

// Deprecate notes what there is a newer word for.
func (d *Draft) Deprecate(format string, args ...any) { d.note(Deprecation, format, args...) }

func (d *Draft) note(kind Kind, format string, args ...any) {
	d.notes = append(d.notes, Note{kind, fmt.Sprintf(format, args...)})
}

// Fail notes a reason not to make the change. It returns false, so that a check can end with it.
func (d *Draft) Fail(format string, args ...any) bool {
	d.problems = append(d.problems, Problem{Text: fmt.Sprintf(format, args...)})
	return false
}

// Doubt notes a reason that --force overrides: then it is a warning. It returns whether to go on.
func (d *Draft) Doubt(format string, args ...any) bool {
	if d.Force {
		d.Warn(format, args...)
		return true
	}
	d.problems = append(d.problems, Problem{Text: fmt.Sprintf(format, args...), Forcible: true})
	return false
}

// Refused is a *Refusal with all that was noted against the change, nil if nothing was.
func (d *Draft) Refused() error {
	if len(d.problems) == 0 {
		return nil
	}
	return &Refusal{d.problems}
}

// refuse is Fail for a function that ends with it.
func (d *Draft) refuse(format string, args ...any) error {
	d.Fail(format, args...)
	return d.Refused()
}

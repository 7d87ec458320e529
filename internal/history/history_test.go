package history

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var t0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestEntriesSurviveAndAreBounded(t *testing.T) {
	dir := t.TempDir()
	l, err := Open(dir, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []Entry{{Term: 7, Plan: 9}, {Term: 7, Plan: 10}, {Term: 7, Plan: 11}, {Term: 12, Plan: 1}, {Term: 12, Plan: 2}} {
		e.At, e.Why = t0, "test"
		if err := l.Add(e, []byte("<cib/>")); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.End("12-1", t0.Add(time.Second), "complete"); err != nil {
		t.Fatal(err)
	}
	if l, err = Open(dir, 3); err != nil { // a restart
		t.Fatal(err)
	}
	last, err := l.Last(10)
	if err != nil || len(last) != 3 || last[0].ID() != "7-11" || last[1].Outcome != "complete" || last[2].ID() != "12-2" {
		t.Fatalf("Last = %+v, %v; want 7-11, 12-1 that is complete, and 12-2", last, err)
	}
	if in, err := l.Input("12-2"); err != nil || string(in) != "<cib/>" {
		t.Errorf("Input(12-2) = %q, %v", in, err)
	}
	for _, id := range []string{"7-9", "../../etc/passwd", "07-11", ""} {
		for _, read := range []func() error{
			func() error { _, err := l.Entry(id); return err },
			func() error { _, err := l.Input(id); return err },
			func() error { return l.End(id, t0, "") },
		} {
			if err := read(); !errors.Is(err, ErrNone) {
				t.Errorf("entry %q: %v, want ErrNone", id, err)
			}
		}
	}
}

func TestHalfWrittenEntryIsNotListed(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"9-1.xml.gz", "9-1.json.new", "notes.json"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, err := Open(dir, 3)
	if err != nil {
		t.Fatal(err)
	}
	if last, err := l.Last(10); err != nil || len(last) != 0 {
		t.Errorf("Last = %v, %v; want nothing", last, err)
	}
}

func TestFilesAreTheOwnersOnly(t *testing.T) {
	dir := t.TempDir()
	l, err := Open(dir, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Add(Entry{Term: 1, Plan: 1, At: t0}, []byte("<cib/>")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"1-1.json", "1-1.xml.gz"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v; want 0600", name, info.Mode(), err)
		}
	}
}

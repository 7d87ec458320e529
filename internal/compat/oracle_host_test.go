//go:build host

package compat_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"
)

// TestOracle holds the transcripts against Pacemaker's own tools, where they are installed. With -rewrite it records them.
func TestOracle(t *testing.T) {
	if _, err := exec.LookPath("unshare"); err != nil || os.Geteuid() != 0 {
		t.Skip("needs root and unshare, to have the host called n1")
	}
	for _, name := range []string{"crm_mon", "cibadmin", "crm_attribute", "crm_resource"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip("Pacemaker's tools are not installed: ", err)
		}
	}
	each(t, func(t *testing.T, tr *transcript, file string) {
		for i := range tr.steps {
			s := &tr.steps[i]
			got, code := theirs(t, s, file)
			if *rewrite {
				s.output, s.code = got, code
			} else if got != s.output || code != s.code {
				t.Errorf("$ %s\nrecorded:\n%s? %d\nPacemaker says:\n%s? %d", s.command, s.output, s.code, got, code)
			}
		}
	})
}

func theirs(t *testing.T, s *step, file string) (string, int) {
	t.Helper()
	set, args := environment(words(t, s.command))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "unshare", append([]string{"-u", "sh", "-c", `hostname n1; exec "$@"`, "sh"}, args...)...)
	cmd.Env = append(os.Environ(), "CIB_file="+file, "TZ=UTC", "LC_ALL=C")
	for name, value := range set {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return steady(out.String(), errs.String()), cmd.ProcessState.ExitCode()
}

// BenchmarkStart measures whole calls, from the start of the program to its end, ours beside Pacemaker's, on a file.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	build := exec.Command("go", "build", "-o", dir+"/cerco", "../../cmd/cerco")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	for _, call := range [][]string{{"crm_attribute", "-n", "stonith-enabled", "-G"}, {"crm_resource", "-W", "-r", "web"}, {"crm_mon", "-1"}, {"cibadmin", "-Q"}} {
		for _, side := range []string{"cerco", "pacemaker"} {
			b.Run(call[0]+"/"+side, func(b *testing.B) {
				name, args := dir+"/cerco", call
				if side == "pacemaker" {
					path, err := exec.LookPath(call[0])
					if err != nil {
						b.Skip(err)
					}
					name, args = path, call[1:]
				}
				for b.Loop() {
					cmd := exec.Command(name, args...)
					cmd.Env = append(os.Environ(), "CIB_file=testdata/running.xml")
					if out, err := cmd.CombinedOutput(); err != nil {
						b.Fatalf("%v: %s", err, out)
					}
				}
			})
		}
	}
}

package fencer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// AskOperators tells people by mail (where mailto is set and a sendmail is there) and on all terminals that
// they are waited for. It is a Config.Ask. The log is told by the Fencer itself.
func AskOperators(ctx context.Context, q Question) error {
	var errs []error
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if to := strings.FieldsFunc(q.Params["mailto"], func(r rune) bool { return strings.ContainsRune(", ;\r\n\t", r) }); len(to) > 0 {
		errs = append(errs, sendMail(ctx, q, to))
	}
	if q.Params["wall"] != "false" {
		if wall, err := exec.LookPath("wall"); err == nil {
			cmd := exec.CommandContext(ctx, wall)
			cmd.Stdin = strings.NewReader(q.Text)
			if err := cmd.Run(); err != nil {
				errs = append(errs, fmt.Errorf("wall: %w", err))
			}
		}
	}
	return errors.Join(errs...)
}

func sendMail(ctx context.Context, q Question, to []string) error {
	program := q.Params["sendmail"]
	if program == "" {
		for _, p := range []string{"/usr/sbin/sendmail", "/usr/lib/sendmail"} {
			if _, err := os.Stat(p); err == nil {
				program = p
			}
		}
	}
	if program == "" {
		return errors.New("mailto is set, but there is no sendmail on this node; install one, or set the parameter sendmail")
	}
	cmd := exec.CommandContext(ctx, program, "-i", "-t")
	cmd.Stdin = strings.NewReader(mail(q, to))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, lastLines(string(out), 3))
	}
	return nil
}

// mail is the message. What comes from outside stands on one line in its head.
func mail(q Question, to []string) string {
	return fmt.Sprintf("To: %s\nSubject: [cluster] %s must be switched off by hand\nAuto-Submitted: auto-generated\nContent-Type: text/plain; charset=utf-8\n\n%s",
		strings.Join(to, ", "), clean(q.Target), q.Text)
}

package report

import (
	"context"
	"os"
	"os/exec"
	"time"
)

// patience is how long a host may take for one command.
const patience = 5 * time.Second

// ThisHost is the one that we run on.
func ThisHost() Host {
	return Host{Read: os.ReadFile, Run: func(ctx context.Context, argv ...string) ([]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
		cmd.WaitDelay = time.Second
		return cmd.CombinedOutput()
	}}
}

package cli_test

import (
	"os"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cerco-ha/cerco/internal/cli"
)

func TestMain(m *testing.M) {
	run := func() {
		now := func() time.Time { return time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC) }
		os.Exit(cli.Main(cli.Env{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Now: now}, os.Args))
	}
	testscript.Main(m, map[string]func(){"cerco": run, "crm_simulate": run, "crm_verify": run})
}

// TestScript runs the transcripts in testdata/script: commands with their exact output and exit codes.
// CERCO_REWRITE=1 writes down anew what "cmp" compares.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", UpdateScripts: os.Getenv("CERCO_REWRITE") != ""})
}

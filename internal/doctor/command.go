package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/cerco-ha/cerco/internal/hypervisor"
)

// Exit codes beside the worst severity.
const (
	exitUsage       = 64
	exitInput       = 66
	exitUnavailable = 69
)

const usage = `Usage: cerco doctor guests [FILE] [OPTION...]

Examines how clusters of virtual machines are built: their hosts, guests, fencing and storage. FILE describes them
(docs/doctor.md); --connect finds out what libvirt knows, and what FILE says stands. Without either, the libvirt of
this host is asked.

Exit code: 0 nothing, or only information; 1 advice; 2 a warning; 3 something unsupported.

`

// Command is cerco doctor.
func Command(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := pflag.NewFlagSet("cerco doctor guests", pflag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage, flags.FlagUsages()) }
	connect := flags.StringArrayP("connect", "c", nil, "ask the libvirt at this URI; may be given several times")
	describe := flags.Bool("describe", false, "print the description, to be completed, and judge nothing")
	asJSON := flags.Bool("json", false, "print the report as JSON")
	profile := flags.String("profile", "", "production or development, instead of what FILE says")
	if len(args) == 0 || args[0] != "guests" && !strings.HasPrefix(args[0], "-") {
		flags.Usage()
		return exitUsage
	}
	if args[0] == "guests" {
		args = args[1:]
	}
	if err := flags.Parse(args); err != nil || flags.NArg() > 1 {
		if errors.Is(err, pflag.ErrHelp) {
			return 0
		}
		if err == nil {
			err = errors.New("one file describes everything")
		}
		fmt.Fprintf(stderr, "cerco doctor guests: %v\n", err)
		return exitUsage
	}
	d, code := gather(ctx, flags.Arg(0), *connect, stdin, stderr)
	if code != 0 {
		return code
	}
	if *profile != "" {
		d.Profile = *profile
	}
	if err := d.validate(); err != nil {
		fmt.Fprintf(stderr, "cerco doctor guests: %v\n", err)
		return exitUsage
	}
	return answer(d, *describe, *asJSON, stdout, stderr)
}

func answer(d *Description, describe, asJSON bool, stdout, stderr io.Writer) int {
	var err error
	code := 0
	switch {
	case describe:
		e := yaml.NewEncoder(stdout)
		e.SetIndent(2)
		err = e.Encode(d)
	default:
		r := Examine(d)
		code = int(r.Worst())
		if asJSON {
			err = r.WriteJSON(stdout)
		} else {
			err = r.WriteText(stdout)
		}
	}
	if err != nil {
		fmt.Fprintf(stderr, "cerco doctor guests: %v\n", err)
		return exitUnavailable
	}
	return code
}

// gather reads the description and asks the hypervisors.
func gather(ctx context.Context, file string, uris []string, stdin io.Reader, stderr io.Writer) (*Description, int) {
	d := &Description{}
	if file != "" {
		data, err := io.ReadAll(stdin)
		if file != "-" {
			data, err = os.ReadFile(file)
		}
		if err == nil {
			d, err = Parse(file, data)
		}
		if err != nil {
			fmt.Fprintf(stderr, "cerco doctor guests: %v\n", err)
			return nil, exitInput
		}
	} else if len(uris) == 0 {
		uris = []string{hypervisor.DefaultURI}
	}
	for _, uri := range uris {
		found, err := ask(ctx, uri)
		if err != nil {
			fmt.Fprintf(stderr, "cerco doctor guests: %s: %v\n", uri, err)
			return nil, exitUnavailable
		}
		d.Merge(found)
	}
	return d, 0
}

func ask(ctx context.Context, uri string) (*Description, error) {
	l, err := hypervisor.Open(hypervisor.Config{URI: uri, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		return nil, err
	}
	defer l.Close()
	var root fs.FS
	if l.Local() {
		root = os.DirFS("/")
	}
	return Discover(ctx, l, root)
}

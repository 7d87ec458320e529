package cli

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/cerco-ha/cerco/internal/cib"
)

// verifyOptions are the options of crm_verify.
type verifyOptions struct {
	outputAs, outputTo string
	fancy              bool
	live, pipe         bool
	file, text         string
	save               string
	version, help      bool
	verbose            int
}

func (o *verifyOptions) flags() *pflag.FlagSet {
	f := pflag.NewFlagSet("verify", pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.outputAs, "output-as", "text", "")
	f.StringVar(&o.outputTo, "output-to", "", "")
	f.BoolVar(&o.fancy, "text-fancy", false, "")
	f.BoolVarP(&o.live, "live-check", "L", false, "")
	f.StringVarP(&o.file, "xml-file", "x", "", "")
	f.BoolVarP(&o.pipe, "xml-pipe", "p", false, "")
	f.StringVarP(&o.text, "xml-text", "X", "", "")
	f.StringVarP(&o.save, "save-xml", "S", "", "")
	f.BoolVarP(&o.version, "version", "$", false, "")
	f.CountVarP(&o.verbose, "verbose", "V", "")
	f.BoolVarP(&o.help, "help", "h", false, "")
	for _, topic := range []string{"all", "output", "data", "additional"} {
		f.BoolVar(&o.help, "help-"+topic, false, "")
	}
	return f
}

const verifyHelp = `Usage:
  NAME [OPTION...]

Check a cluster configuration: every error is shown at once, with the file, the line, the id, and what to
do about it. Warnings are shown with -V; they do not make the check fail.

  -x, --xml-file=FILE      the configuration in a file
  -p, --xml-pipe           on standard input
  -X, --xml-text=XML       in this string
  -L, --live-check         the running cluster's
  -S, --save-xml=FILE      save the configuration that was checked
      --output-as=FORMAT   text (default) or xml
      --output-to=FILE     where to write XML, "-" for standard output
  -V, --verbose            warnings too
  -$, --version            the version

The exit code is 0 when there is no error, 78 when there are some, 66 when there is nothing to read.
`

func verifyCommand(c *call) int {
	var o verifyOptions
	if err := parseFlags(o.flags(), c.args); err != nil {
		return c.errorf(exitUsage, "%v", err)
	}
	switch {
	case o.help:
		fmt.Fprint(c.Stdout, strings.ReplaceAll(verifyHelp, "NAME", c.name))
		return exitOK
	case o.version:
		fmt.Fprintln(c.Stdout, versionLine)
		return exitOK
	case o.outputAs != "text" && o.outputAs != "xml":
		return c.errorf(exitFormat, "output format %q is unknown: it is text or xml", o.outputAs)
	}
	in, code := c.verifyInput(&o)
	if in == nil {
		return code
	}
	if o.save != "" {
		if err := c.writeCIB(o.save, in); err != nil {
			return c.errorf(exitCantOut, "cannot save the configuration: %v", err)
		}
	}
	return c.verdict(&o, cib.Check(in))
}

func (c *call) verifyInput(o *verifyOptions) (*cib.CIB, int) {
	if o.text == "" || o.live {
		return c.readCIB(o.file, o.pipe, o.live)
	}
	in, err := cib.Decode("the given text", []byte(o.text))
	if err != nil {
		return nil, c.errorf(exitConfig, "%v", err)
	}
	return in, exitOK
}

// verdict shows the problems and tells how it ends.
func (c *call) verdict(o *verifyOptions, problems []cib.Problem) int {
	errs, warnings := 0, 0
	var list []*cib.Element
	for _, p := range problems {
		kind := "error"
		if p.Severity == cib.Error {
			errs++
		} else {
			warnings++
			kind = "warning"
		}
		if kind == "error" || o.verbose > 0 {
			fmt.Fprintln(c.Stderr, p)
			list = append(list, cib.NewElement(kind, nil, cib.NewText(p.String())))
		}
	}
	code := exitOK
	switch {
	case errs > 0:
		code = c.errorf(exitConfig, "Errors found during check: config not valid")
		if warnings > 0 && o.verbose == 0 {
			fmt.Fprintln(c.Stderr, "-V may provide more details")
		}
	case warnings > 0 && o.verbose > 0:
		c.errorf(exitOK, "Warnings found during check: config may not be valid")
	}
	if o.outputAs == "xml" {
		if err := c.verdictXML(o, code, list); err != nil {
			return c.errorf(exitIOErr, "%v", err)
		}
	}
	return code
}

func (c *call) verdictXML(o *verifyOptions, code int, list []*cib.Element) error {
	w, closeOutput, err := c.output(o.outputTo)
	if err != nil {
		return err
	}
	message := "OK"
	if code != exitOK {
		message = "Invalid configuration"
	}
	status := element("status", "code", strconv.Itoa(code), "message", message)
	if len(list) > 0 {
		status = status.WithChild(cib.NewElement("errors", nil, list...))
	}
	root := element("pacemaker-result", "api-version", apiVersion, "request", c.name+" "+strings.Join(c.args, " ")).WithChild(status)
	_, err = w.Write(root.AppendXML(nil))
	return errors.Join(err, closeOutput())
}

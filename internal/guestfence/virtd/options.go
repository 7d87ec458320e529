package virtd

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// DefaultConf is the configuration that Debian and Red Hat install.
const DefaultConf = "/etc/fence_virt.conf"

// DefaultDir is where the log of requests and the memory of what was seen are.
const DefaultDir = "/var/lib/cerco/fence-virtd"

const usageText = `Usage: %s [options]
  -F         stay in the foreground
  -f FILE    the configuration (default ` + DefaultConf + `)
  -d LEVEL   say more: 1 what is asked for, 2 what is done
  -c         check the configuration, say what is wrong with it, and end
  -l         list listeners and backends
  -w         wait for the hypervisor, however long it takes
  -p FILE    write the number of the process there
  -s DIR     where the log of requests is kept (default ` + DefaultDir + `)
  --install-hook
             have libvirt refuse to take in clustered guests by live migration
             (` + DefaultHook + `)
  --hook     be that hook: what follows is from libvirt
`

// options are those of the command line.
type options struct {
	foreground, check, list, wait bool
	conf, pidFile, dir            string
	debug                         int
	installHook, hook             bool
	rest                          []string // what libvirt says to its hook
}

var errUsage = errors.New("usage")

// parseArgs reads options as getopt does: flags may stand together, and an argument may be joined to its flag.
func parseArgs(name string, args []string, stderr io.Writer) (o options, err error) {
	o = options{conf: DefaultConf, dir: DefaultDir}
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		switch word {
		case "--install-hook":
			o.installHook = true
			continue
		case "--hook":
			o.hook, o.rest = true, args
			return o, nil
		}
		if len(word) < 2 || word[0] != '-' {
			continue
		}
		for rest := word[1:]; rest != ""; {
			flag := rest[0]
			rest = rest[1:]
			value := ""
			if strings.IndexByte("fdps", flag) >= 0 {
				switch {
				case rest != "":
					value, rest = rest, ""
				case len(args) > 0:
					value, args = args[0], args[1:]
				default:
					_, _ = fmt.Fprintf(stderr, "%s: option requires an argument -- '%c'\n", name, flag)
					return o, errUsage
				}
			}
			if !o.set(flag, value) {
				_, _ = fmt.Fprintf(stderr, "%s: invalid option -- '%c'\n", name, flag)
				return o, errUsage
			}
		}
	}
	return o, nil
}

func (o *options) set(flag byte, value string) bool {
	switch flag {
	case 'F':
		o.foreground = true
	case 'c':
		o.check = true
	case 'l':
		o.list = true
	case 'w':
		o.wait = true
	case 'f':
		o.conf = value
	case 'p':
		o.pidFile = value
	case 's':
		o.dir = value
	case 'd':
		n, err := strconv.Atoi(value)
		o.debug = n
		return err == nil
	default:
		return false
	}
	return true
}

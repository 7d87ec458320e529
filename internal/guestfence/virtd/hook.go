package virtd

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/cerco-ha/cerco/internal/guestfence"
)

// DefaultHook is where libvirt (6.5 and later) looks for what it asks before it takes a machine in. Other hooks beside
// it are left alone.
const DefaultHook = "/etc/libvirt/hooks/qemu.d/cerco-fence-virtd"

// hookMark is in every hook of ours: a file without it is somebody else's.
const hookMark = "# Written by cerco fence-virtd --install-hook"

// hookScript asks of nothing but machines that come in: what fails here otherwise keeps machines from starting.
const hookScript = `#!/bin/sh
` + hookMark + `: has libvirt refuse to take in machines that
# guests of this host may have fenced, as long as the hosts on their own cannot follow them.
[ "$2" = migrate ] || exit 0
exec %s fence-virtd -f %s --hook "$@"
`

// installHook writes libvirt's hook.
func installHook(file, conf string, stdout io.Writer) error {
	if _, err := settings(conf); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("the hook must call this program: %w", err)
	}
	if conf, err = filepath.Abs(conf); err != nil {
		return err
	}
	switch old, err := os.ReadFile(file); {
	case err == nil && !strings.Contains(string(old), hookMark):
		return fmt.Errorf("%s is there and not ours; move it away, or have it call cerco fence-virtd --hook \"$@\" for migrate", file)
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // libvirt's own
		return err
	}
	text := fmt.Sprintf(hookScript, quoted(self), quoted(conf))
	if err := os.WriteFile(file+".new", []byte(text), 0o755); err != nil { //nolint:gosec // it is to be run
		return err
	}
	if err := os.Rename(file+".new", file); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s is written. Now: systemctl restart libvirtd (or virtqemud), which harms no machine\n", file)
	return err
}

// quoted is one word of the shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// maxDefinition bounds what is read of a machine's definition.
const maxDefinition = 16 << 20

// hook answers libvirt, which has started us as its hook: with the machine's name, what is to be done with it, and its
// definition on stdin. An error keeps the machine out, and libvirt shows it to whoever wanted to migrate.
func hook(conf string, args []string, stdin io.Reader) error {
	if len(args) < 2 || args[1] != "migrate" {
		return nil
	}
	s, err := settings(conf)
	if err != nil {
		return fmt.Errorf("whether %s is a member of a guest cluster cannot be told: %w", args[0], err)
	}
	if s.Backend != "libvirt" || len(s.URIs) > 1 {
		return nil // these follow a machine
	}
	if name, uuid := whose(stdin); s.Fences(args[0], uuid) || s.Fences(name, uuid) {
		return fmt.Errorf("machine %s must not be migrated live: guests may have it fenced (%s), and a host on its own cannot follow it. "+
			"Shut it down and start it here, or let a Cerco cluster of the hosts answer (docs/guest-fencing.md)", args[0], conf)
	}
	return nil
}

// whose reads who a definition is of; what cannot be read is empty.
func whose(definition io.Reader) (name, uuid string) {
	var d struct {
		Name string `xml:"name"`
		UUID string `xml:"uuid"`
	}
	if xml.NewDecoder(io.LimitReader(definition, maxDefinition)).Decode(&d) != nil {
		return "", ""
	}
	return strings.TrimSpace(d.Name), strings.TrimSpace(d.UUID)
}

// settings reads a configuration, without the keys that it names.
func settings(file string) (*guestfence.Settings, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	root, err := guestfence.ParseConf(file, data)
	if err != nil {
		return nil, err
	}
	return guestfence.ReadSettings(file, root)
}

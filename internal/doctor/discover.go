package doctor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/hypervisor"
)

// Sizes is what tells how large a host and its machines are.
type Sizes interface {
	Capacity(ctx context.Context) (hypervisor.Capacity, error)
}

// Discover describes one hypervisor. root is the file system of its host, or nil where that cannot be seen.
func Discover(ctx context.Context, h Sizes, root fs.FS) (*Description, error) {
	c, err := h.Capacity(ctx)
	if err != nil {
		return nil, err
	}
	host := Host{Name: shortName(c.Host), MemoryMiB: c.MemoryMiB, CPUs: c.CPUs}
	switch strings.ToLower(c.Driver) {
	case "qemu":
		host.Platform = "kvm"
	case "xen":
		host.Platform = "xen"
	}
	d := &Description{Support: "none"}
	if root != nil {
		host.OS = osRelease(root)
		host.Daemon = findDaemon(root)
		host.Key = findKey(root)
		if strings.HasPrefix(host.OS, "rhel ") {
			d.Support = ""
		}
	}
	d.Hosts = []Host{host}
	for _, m := range c.Machines {
		d.Guests = append(d.Guests, Guest{Name: m.Name, Host: host.Name, MemoryMiB: m.MemoryMiB, CPUs: m.CPUs})
	}
	return d, nil
}

func shortName(name string) string {
	short, _, _ := strings.Cut(name, ".")
	return short
}

// osRelease reads which system a host runs, as "debian 12".
func osRelease(root fs.FS) string {
	b, err := fs.ReadFile(root, "etc/os-release")
	if err != nil {
		return ""
	}
	values := map[string]string{}
	for line := range strings.Lines(string(b)) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			values[k] = strings.Trim(v, `"'`)
		}
	}
	if values["ID"] == "" || values["VERSION_ID"] == "" {
		return ""
	}
	return values["ID"] + " " + values["VERSION_ID"]
}

// findDaemon looks in /proc for what answers guests.
func findDaemon(root fs.FS) *Daemon {
	files, err := fs.Glob(root, "proc/[0-9]*/cmdline")
	if err != nil || len(files) == 0 {
		return nil // /proc cannot be seen: that says nothing
	}
	for _, f := range files {
		b, err := fs.ReadFile(root, f)
		if err != nil {
			continue // it ended since
		}
		args := strings.Split(strings.TrimRight(string(b), "\x00"), "\x00")
		d := Daemon{Program: path.Base(args[0]), Arguments: strings.Join(args[1:], " ")}
		switch {
		case d.Program == "fence_xvmd":
		case d.Program == "fence_virtd":
			d.Backend = confBackend(root)
		case d.Program == "cerco" && len(args) > 1 && args[1] == "fence-virtd":
			d.Backend = "standalone"
			if strings.Count(d.Arguments, "--connect") > 1 {
				d.Backend = "remote"
			}
		case d.Program == "cerco" && len(args) > 1 && args[1] == "daemon" && confBackend(root) != "":
			d.Backend = "cluster"
		default:
			continue
		}
		return &d
	}
	return &Daemon{Program: "none"}
}

// confBackend reads the backend of /etc/fence_virt.conf.
func confBackend(root fs.FS) string {
	b, err := fs.ReadFile(root, "etc/fence_virt.conf")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		k, v, ok := strings.Cut(line, "=")
		if ok && strings.TrimSpace(k) == "backend" {
			v, _, _ = strings.Cut(v, ";")
			return strings.Trim(v, " \t\n\"")
		}
	}
	return ""
}

const keyFile = "etc/cluster/fence_xvm.key"

// findKey looks at the usual key. Of its content only the digest goes on.
func findKey(root fs.FS) *Key {
	f, err := root.Open(keyFile)
	if err != nil {
		return nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil
	}
	b, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return nil
	}
	sum := sha256.Sum256(b)
	return &Key{Path: "/" + keyFile, SHA256: hex.EncodeToString(sum[:]), Size: int(info.Size()), Mode: fmt.Sprintf("%04o", info.Mode().Perm())}
}

// Merge adds what was found out to a description. What the description says already stands.
func (d *Description) Merge(found *Description) {
	if d.Support == "" {
		d.Support = found.Support
	}
	for _, h := range found.Hosts {
		if i := slices.IndexFunc(d.Hosts, func(o Host) bool { return o.Name == h.Name }); i >= 0 {
			fill(&d.Hosts[i], h)
		} else {
			d.Hosts = append(d.Hosts, h)
		}
	}
	for _, g := range found.Guests {
		if i := slices.IndexFunc(d.Guests, func(o Guest) bool { return o.Name == g.Name }); i >= 0 {
			fill(&d.Guests[i], g)
		} else {
			d.Guests = append(d.Guests, g)
		}
	}
}

// fill sets the fields that have no value yet.
func fill[T any](to *T, from T) {
	t, f := reflect.ValueOf(to).Elem(), reflect.ValueOf(from)
	for i := range t.NumField() {
		if t.Field(i).IsZero() {
			t.Field(i).Set(f.Field(i))
		}
	}
}

// Package report gathers what is needed to understand a problem of a cluster: what one host can tell of itself, and
// the archive that holds what all of them told.
//
// It owns the list of what a host is asked for, the form of the archive and its limits. It promises that what cannot be had is said
// in its place, that no file is larger than MostFile, that names in an archive stay inside it, and that a given
// secret is in none of its files. It never changes anything on a host.
package report

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/secret"
)

// MostFile is the largest file, and MostFiles the largest number of bytes of all files of one archive. Of what is longer the end is kept.
const (
	MostFile  = 4 << 20
	MostFiles = 256 << 20
)

// File is one file of a report.
type File struct {
	Name string // relative, with slashes
	Data []byte
}

// Window is the time that a report is about.
type Window struct{ From, To time.Time }

// Host is how a host is asked.
type Host struct {
	Read func(path string) ([]byte, error)
	// Run runs a command and returns all that it printed.
	Run func(ctx context.Context, argv ...string) ([]byte, error)
}

// Facts is what a host tells of itself.
func (h Host) Facts(ctx context.Context, w Window) []File {
	var out []File
	for _, f := range []string{"/etc/os-release", "/etc/hosts", "/proc/version", "/proc/uptime", "/proc/loadavg", "/proc/meminfo", "/proc/cpuinfo",
		"/proc/mounts", "/proc/net/dev", "/proc/drbd", "/proc/sys/kernel/hostname", "/proc/pressure/cpu", "/proc/pressure/io", "/proc/pressure/memory"} {
		data, err := h.Read(f)
		out = append(out, told("system/"+strings.ReplaceAll(strings.TrimPrefix(f, "/"), "/", "-"), data, err))
	}
	for _, argv := range h.commands(w) {
		data, err := h.Run(ctx, argv...)
		out = append(out, told(commandFile(argv), data, err))
	}
	return out
}

// commands are what a host is asked to run. None of them changes anything.
func (h Host) commands(w Window) [][]string {
	at := func(t time.Time) string { return "@" + fmt.Sprint(t.Unix()) }
	journal := []string{"journalctl", "--no-pager", "--output=short-iso-precise", "--since=" + at(w.From), "--until=" + at(w.To)}
	return [][]string{
		append(slices.Clone(journal), "--unit=cerco.service"),
		append(slices.Clone(journal), "--dmesg"),
		append(slices.Clone(journal), "--priority=warning"),
		{"systemctl", "status", "--no-pager", "--full", "cerco.service"},
		{"systemctl", "list-units", "--no-pager", "--failed"},
		{"uname", "-a"}, {"ip", "address"}, {"ip", "route"}, {"ss", "-tnlp"}, {"df", "-hT", "/", "/var", "/tmp"}, {"ps", "axfo", "pid,ppid,stat,etime,pcpu,rss,comm"},
		{"timedatectl", "show"}, {"lsblk"}, {"virsh", "--readonly", "list", "--all"}, {"drbdadm", "status"},
		{"dpkg-query", "--list", "*cerco*", "*fence*", "resource-agents*", "libvirt*", "drbd*", "*corosync*", "pacemaker*", "pcs"},
		{"rpm", "-qa", "*cerco*", "*fence*", "resource-agents*", "libvirt*", "drbd*", "*corosync*", "pacemaker*", "pcs"},
	}
}

// commandFile names the file with what a command printed.
func commandFile(argv []string) string {
	if argv[0] == "journalctl" {
		return "logs/" + map[string]string{"--unit=cerco.service": "cerco", "--dmesg": "kernel", "--priority=warning": "warnings"}[argv[len(argv)-1]] + ".log"
	}
	words := []string{argv[0]}
	for _, w := range argv[1:] {
		if !strings.HasPrefix(w, "-") && !strings.ContainsAny(w, "*,./") && len(words) < 3 {
			words = append(words, w)
		}
	}
	return "system/" + strings.Join(words, "-") + ".txt"
}

// told is a file with what there is, or why there is nothing.
func told(name string, data []byte, err error) File {
	if err != nil {
		data = append(data, fmt.Sprintf("(%v)\n", err)...)
	}
	return File{name, tail(data)}
}

// tail is the end of a text that is too long.
func tail(data []byte) []byte {
	if len(data) <= MostFile {
		return data
	}
	const said = "(the beginning is left out)\n"
	return append([]byte(said), data[len(data)-MostFile+len(said):]...)
}

// Hide takes secrets out of files, their names included.
func Hide(files []File, secrets ...*secret.Redactor) []File {
	out := slices.Clone(files)
	for i, f := range out {
		text := string(f.Data)
		for _, s := range secrets {
			text, f.Name = s.Text(text), s.Text(f.Name)
		}
		out[i] = File{f.Name, []byte(text)}
	}
	return out
}

// Below puts files into a directory.
func Below(dir string, files []File) []File {
	out := slices.Clone(files)
	for i := range out {
		out[i].Name = path.Join(dir, out[i].Name)
	}
	return out
}

// Pack writes files as an archive that only its owner can read when it is taken apart.
func Pack(w io.Writer, at time.Time, files []File) error {
	z := gzip.NewWriter(w)
	t := tar.NewWriter(z)
	for _, f := range files {
		data := tail(f.Data)
		if err := t.WriteHeader(&tar.Header{Name: inside(f.Name), Mode: 0o600, Size: int64(len(data)), ModTime: at.Truncate(time.Second)}); err != nil {
			return err
		}
		if _, err := t.Write(data); err != nil {
			return err
		}
	}
	return errors.Join(t.Close(), z.Close())
}

// inside is a name that cannot lead out of an archive.
func inside(name string) string {
	return strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(name, "\x00", "")), "/")
}

// Unpack reads an archive that another host has made.
func Unpack(data []byte) ([]File, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	t := tar.NewReader(io.LimitReader(z, MostFiles))
	var out []File
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if h.Size > MostFile || h.Typeflag != tar.TypeReg {
			return nil, fmt.Errorf("%s: it is no file of a report", h.Name)
		}
		body, err := io.ReadAll(t)
		if err != nil {
			return nil, err
		}
		out = append(out, File{inside(h.Name), body})
	}
}

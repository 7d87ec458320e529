package compat

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// LinkNames are the names that links are made for, of this package and of others. dlm_tool is none of them: where the
// kernel's lock manager is in use, agents need the real one.
func LinkNames() []string {
	names := slices.DeleteFunc(Names(), func(n string) bool { return n == "dlm_tool" })
	return append(names, "crm_simulate", "crm_verify", "pcs", "ccs",
		"fence_virtd", "fence_xvmd", "fence_xvm", "fence_virt")
}

// LinksCommand is "cerco links DIR": symbolic links in a directory, one for each name that the program answers to. Agents
// that have the directory first on their PATH call Cerco. self is the program's path.
func LinksCommand(args []string, self string, stdout, stderr io.Writer) int {
	if len(args) != 1 || args[0] == "-h" || args[0] == "--help" {
		fmt.Fprintf(stderr, "Usage: cerco links DIR\n\nMakes links to this program in DIR, by the names of the tools that it answers like:\n")
		for _, name := range LinkNames() {
			fmt.Fprintf(stderr, "  %s\n", name)
		}
		return exitUsage
	}
	made, err := Link(args[0], self)
	if err != nil {
		fmt.Fprintf(stderr, "cerco links: %v\n", err)
		return exitError
	}
	fmt.Fprintf(stdout, "%d links in %s point to %s\n", made, args[0], self)
	return exitOK
}

// Link makes links to a program, and the directory that they are in. Links that are there are replaced, so that at
// every moment the one or the other is found; anything else of that name is an error.
func Link(dir, self string) (made int, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	for _, name := range LinkNames() {
		path := filepath.Join(dir, name)
		if info, err := os.Lstat(path); err == nil && info.Mode().Type() != fs.ModeSymlink {
			return made, fmt.Errorf("%s is there and is no link: give an empty directory", path)
		}
		if now, err := os.Readlink(path); err == nil && now == self {
			made++
			continue
		}
		next := path + ".new"
		if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return made, err
		}
		if err := errors.Join(os.Symlink(self, next), os.Rename(next, path)); err != nil {
			return made, err
		}
		made++
	}
	return made, nil
}

package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/cli"
	"github.com/cerco-ha/cerco/internal/daemon"
	"github.com/cerco-ha/cerco/internal/pcs"
	"github.com/cerco-ha/cerco/internal/report"
)

// treeCommand finds out whether a command line is one of the command tree that Cerco shares with pcs. name is what the
// program is called in messages.
func treeCommand(args []string) (name string, words []string, ok bool) {
	switch {
	case filepath.Base(args[0]) == "pcs":
		return "pcs", args[1:], true
	case len(args) < 2:
		return "", nil, false
	case args[1] == "pcs":
		return "cerco pcs", args[2:], true
	case args[1] == "-f" || strings.HasPrefix(args[1], "--corosync_conf"):
		return "cerco", args[1:], true
	}
	words = args[1:]
	return "cerco", words, slices.ContainsFunc(pcs.Nouns(), func(n pcs.Noun) bool { return n.Name == words[0] })
}

func tree(ctx context.Context, name string, words []string) int {
	out := bufio.NewWriterSize(os.Stdout, 64<<10)
	code := pcs.Main(pcs.Env{
		Stdin: os.Stdin, Stdout: out, Stderr: os.Stderr, Now: time.Now, Getenv: os.Getenv, Hostname: os.Hostname, Context: ctx, Socket: socket(),
		Agents: pcs.HostAgents(ctx, time.Now, ocfRoots()...), Host: report.ThisHost(),
		Others: func() []pcs.Noun { return otherCommands(ctx) },
		Own: func(args []string) int {
			if err := out.Flush(); err != nil {
				return 74
			}
			return ownCommand(ctx, args)
		},
		Preview: func(w io.Writer, before, after *cib.CIB) error {
			return cli.WhatIf(w, before, after, time.Now())
		},
	}, name, words)
	if out.Flush() != nil && code == 0 {
		code = 74 // the output is lost
	}
	return code
}

// otherCommands are those that are none of the tree.
func otherCommands(ctx context.Context) []pcs.Noun {
	nouns := pcs.Nouns()
	var list []pcs.Noun
	add := func(name, what string) {
		if !slices.ContainsFunc(append(nouns, list...), func(n pcs.Noun) bool { return n.Name == name }) {
			list = append(list, pcs.Noun{Name: name, What: what})
		}
	}
	for _, c := range commands(ctx) {
		add(c.Name, c.What)
	}
	for _, c := range cli.Named() {
		add(c[0], c[1])
	}
	return list
}

// ocfRoots are where OCF agents are before the usual place: a lab has some of its own.
func ocfRoots() []string {
	if root := os.Getenv("OCF_ROOT"); root != "" {
		return []string{filepath.Join(root, "resource.d")}
	}
	return nil
}

// ownCommand runs what a verb of the tree hands on: Cerco's own command of that noun.
func ownCommand(ctx context.Context, args []string) int {
	if args[0] == "cluster" {
		return daemon.ClusterCommand(ctx, args[1:], os.Stdin, os.Stdout, os.Stderr)
	}
	return cli.Main(cli.Env{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Now: time.Now, Context: ctx, Socket: socket()}, append([]string{"cerco"}, args...))
}

// treeCommands lists the nouns of the tree for the help.
func treeCommands(ctx context.Context) []cli.Command {
	list := []cli.Command{{Name: "pcs", What: "the same commands in the words of pcs", Run: func(args []string) int { return tree(ctx, "cerco pcs", args) }}}
	for _, n := range pcs.Nouns() {
		list = append(list, cli.Command{Name: n.Name, What: n.What, Run: func(args []string) int {
			return tree(ctx, "cerco", append([]string{n.Name}, args...))
		}})
	}
	return list
}

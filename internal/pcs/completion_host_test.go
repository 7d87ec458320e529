//go:build host

package pcs

import (
	"strings"
	"testing"
)

func TestZshCompletes(t *testing.T) {
	// What the completion hands to zsh is caught where it would show it.
	var script strings.Builder
	script.WriteString(`source <(cerco completion zsh)
_describe() { for x in "${(P@)2}"; do print -rn -- "|${x%%:*}"; done }
compadd() { print -rn -- "|${(j:|:)open}" }
_files() { print -rn -- "|$(print -l -- ci* | tr '\n' '|')" }
complete_line() { words=("${(@s: :)1}"); CURRENT=${#words}; print -rn -- "|"; _cerco; print }
`)
	for _, x := range completed {
		script.WriteString("complete_line '" + x.line + "'\n")
	}
	out := shell(t, "zsh", script.String())
	checkShell(t, strings.ReplaceAll(out, "--output=yaml", "yaml"), "|")
}

func TestFishCompletes(t *testing.T) {
	var script strings.Builder
	script.WriteString("cerco completion fish | source\n")
	for _, x := range completed {
		script.WriteString("set found (complete -C '" + x.line + "' | string replace -r '\\t.*' '' | string join '|'); echo \"|$found|\"\n")
	}
	out := shell(t, "fish", script.String())
	checkShell(t, strings.ReplaceAll(out, "--output=yaml", "yaml"), "|")
}

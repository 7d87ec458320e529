package xvm

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// usage prints the options of the command line.
func usage(w io.Writer, name string) {
	_, _ = fmt.Fprintf(w, "usage: %s [args]\n\nA machine that is off stays off when it is rebooted.\n\n", name)
	for _, p := range table() {
		if p.flag == 0 || p.old || p.help == "" || !p.of(name) {
			continue
		}
		flag := fmt.Sprintf("-%c", p.flag)
		if p.arg != "" {
			flag += " <" + p.arg + ">"
		}
		helpLine(w, flag, &p)
	}
	_, _ = fmt.Fprintln(w)
}

// inputUsage prints what may be on stdin.
func inputUsage(w io.Writer, name string) {
	for _, p := range table() {
		if p.name != "" && !p.old && p.of(name) {
			helpLine(w, p.name, &p)
		}
	}
	_, _ = fmt.Fprintln(w)
}

func helpLine(w io.Writer, what string, p *option) {
	help := p.help
	if p.def != "" && p.def != "0" {
		help += " [" + p.def + "]"
	}
	_, _ = fmt.Fprintf(w, "  %-20s  %s\n", what, help)
}

// help prints all of it.
func help(w io.Writer, name string) {
	usage(w, name)
	_, _ = fmt.Fprint(w, "Without arguments they are read from stdin, a line each:\n\n    name=value\n\n")
	inputUsage(w, name)
}

// metadata prints what a cluster wants to know of a fence agent.
func metadata(w io.Writer, name string) {
	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\" ?>\n")
	fmt.Fprintf(&b, "<resource-agent name=\"%s\" shortdesc=\"Fences virtual machines through the hosts that they run on\">\n", name)
	b.WriteString("<longdesc>Asks the host of a virtual machine to cut it off, by the protocol of fence_virtd, which the hosts run; cerco does too.\n\n" +
		"A machine that is off stays off when it is rebooted.</longdesc>\n<vendor-url>https://libvirt.org</vendor-url>\n<parameters>\n")
	var last *option
	for _, p := range table() {
		if p.name == "domain" {
			last = &p
			continue
		}
		if p.name != "" && p.help != "" && p.of(name) {
			p.metadata(&b)
		}
	}
	last.metadata(&b)
	b.WriteString("</parameters>\n<actions>\n")
	for _, a := range []string{"null", "on", "off", "reboot", "metadata", "status", "monitor", "list", "list-status", "validate-all"} {
		fmt.Fprintf(&b, "\t<action name=\"%s\" />\n", a)
	}
	b.WriteString("</actions>\n</resource-agent>\n")
	_, _ = io.WriteString(w, b.String())
}

func (p *option) metadata(b *strings.Builder) {
	required, extra := "0", ""
	switch p.name {
	case "plug":
		required, extra = "1", ` obsoletes="port"`
	case "port":
		required, extra = "1", ` deprecated="1"`
	case "domain":
		extra = ` deprecated="1"`
	}
	mixed := ""
	if p.flag != 0 {
		mixed = fmt.Sprintf("-%c", p.flag)
	}
	kind := p.kind
	if kind == "" {
		kind = "string"
	}
	def := ""
	if p.def != "" {
		def = fmt.Sprintf(" default=\"%s\"", p.def)
	}
	fmt.Fprintf(b, "\t<parameter name=\"%s\" unique=\"0\" required=\"%s\"%s>\n\t\t<getopt mixed=\"%s\" />\n\t\t<content type=\"%s\"%s />\n\t\t<shortdesc lang=\"en\">", p.name, required, extra, mixed, kind, def)
	_ = xml.EscapeText(b, []byte(p.help)) // a strings.Builder takes everything
	b.WriteString("</shortdesc>\n\t</parameter>\n")
}

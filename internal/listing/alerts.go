package listing

import (
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Alerts shows the alerts and their recipients.
func Alerts(c *cib.CIB) Lines {
	out := Lines{"Alerts:"}
	for _, a := range children(section(c, "alerts"), "alert") {
		out = append(out, " Alert: "+a.ID()+" (path="+a.Attr("path")+")")
		out = append(out, alertOptions(a).In(2)...)
		recipients := children(a, "recipient")
		if len(recipients) > 0 {
			out = append(out, "  Recipients:")
		}
		for _, r := range recipients {
			out = append(out, "   Recipient: "+r.ID()+" (value="+r.Attr("value")+")")
			out = append(out, alertOptions(r).In(4)...)
		}
	}
	if len(out) == 1 {
		out = append(out, " No alerts defined")
	}
	return out
}

func alertOptions(e *cib.Element) Lines {
	var out Lines
	if d := e.Attr("description"); d != "" {
		out = append(out, "Description: "+d)
	}
	for _, kind := range []struct{ name, title string }{{"instance_attributes", "Options: "}, {"meta_attributes", "Meta options: "}} {
		if options := words(byName(pairsOf(e.Child(kind.name)))); len(options) > 0 {
			out = append(out, kind.title+strings.Join(options, " "))
		}
	}
	return out
}

package compat

import (
	"strconv"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// apiVersion is that of the XML that the tools write.
const apiVersion = "2.25"

// result writes the XML of a whole call: what was found, and how it ended.
func (c *call) result(code int, message string, found ...*cib.Element) int {
	status := cib.NewElement("status", []cib.Attr{{Name: "code", Value: strconv.Itoa(code)}, {Name: "message", Value: exitWords(code)}})
	if message != "" {
		status = status.WithChild(cib.NewElement("errors", nil, cib.NewElement("error", nil, cib.NewText(message))))
	}
	root := cib.NewElement("pacemaker-result", []cib.Attr{{Name: "api-version", Value: apiVersion},
		{Name: "request", Value: strings.Join(c.argv, " ")}}, append(found, status)...)
	c.Stdout.Write(root.AppendXML(nil))
	return code
}

// exitWords is an exit code in words.
func exitWords(code int) string {
	switch code {
	case exitOK:
		return "OK"
	case exitError:
		return "Error occurred"
	case exitUsage:
		return "Incorrect usage"
	case exitConfig:
		return "Invalid configuration"
	case exitDisconnect:
		return "Not connected"
	case exitNoSuch:
		return "No such object"
	case exitUnsafe:
		return "Unsafe to proceed"
	case exitExists:
		return "Requested item already exists"
	case exitMultiple:
		return "Multiple items match request"
	case exitTimeout:
		return "Timeout occurred"
	case exitNoHost:
		return "Host unknown"
	case exitProtocol:
		return "Protocol violated"
	}
	return "Error"
}

// attrs makes attributes from pairs; those without a value are left out.
func attrs(pairs ...string) []cib.Attr {
	var list []cib.Attr
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			list = append(list, cib.Attr{Name: pairs[i], Value: pairs[i+1]})
		}
	}
	return list
}

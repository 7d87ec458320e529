package housetest

import (
	"slices"
	"strings"
	"testing"
)

// mayImport is the table of the house: which of our packages a package may import. Dependencies point
// downwards only. "*" may import everything.
var mayImport = map[string][]string{
	// The core.
	"internal/cib":        {},
	"internal/transition": {"internal/cib"},
	"internal/scheduler":  {"internal/cib", "internal/transition"},
	"internal/controller": {"internal/cib", "internal/transition", "internal/scheduler"},
	"internal/simulate":   {"internal/cib", "internal/transition", "internal/scheduler", "internal/controller"},
	// State and node side.
	"internal/driver":               {"internal/cib"},
	"internal/secret":               {"internal/cib"},
	"internal/executor":             {"internal/cib", "internal/driver", "internal/secret"},
	"internal/watchdog":             {},
	"internal/fencer":               {"internal/cib", "internal/secret"},
	"internal/history":              {},
	"internal/peer":                 {},
	"internal/store":                {"internal/cib"},
	"internal/membership":           {"internal/cib"},
	"internal/agents":               {},
	"internal/guestfence":           {"internal/guestfence/protocol"},
	"internal/guestfence/protocol":  {},
	"internal/hypervisor":           {"internal/guestfence"},
	"internal/owner":                {"internal/cib", "internal/scheduler", "internal/guestfence", "internal/hypervisor"},
	"internal/guestfence/guesttest": {"internal/guestfence"},
	"internal/guestfence/xvm":       {"internal/guestfence/protocol"},
	"internal/guestfence/virtd":     {"internal/guestfence", "internal/guestfence/protocol", "internal/hypervisor", "internal/owner"},
	// The doors.
	"internal/corosync":    {},
	"internal/convert":     {"internal/cib", "internal/corosync"},
	"internal/ccs":         {"internal/cib"},
	"internal/alert":       {"internal/cib", "internal/events"},
	"internal/wire":        {"internal/cib"},
	"internal/events":      {"internal/cib"},
	"internal/api":         {"internal/cib", "internal/scheduler", "internal/events", "internal/wire"},
	"internal/api/apitest": {"internal/cib", "internal/api", "internal/client", "internal/events", "internal/wire"},
	"internal/doctor":      {"internal/hypervisor"},
	"internal/compat":      {"internal/cib", "internal/cibfile", "internal/client", "internal/wire", "internal/scheduler", "internal/status", "internal/api/apitest"},
	"internal/cibfile":     {"internal/cib"},
	"internal/listing":     {"internal/cib"},
	"internal/configure":   {"internal/cib"},
	"internal/declare":     {"internal/cib", "internal/configure", "internal/listing"},
	"internal/pcs":         {"internal/simulate", "internal/convert", "internal/corosync", "internal/scheduler", "internal/status", "internal/cib", "internal/cibfile", "internal/client", "internal/configure", "internal/declare", "internal/report", "internal/listing", "internal/secret", "internal/driver", "internal/fencer", "internal/wire", "internal/api/apitest"},
	"internal/report":      {"internal/cib", "internal/secret"},
	"internal/client":      {"internal/cib", "internal/events", "internal/wire"},
	"internal/status":      {"internal/cib", "internal/scheduler"},
	"internal/cli":         {"internal/cib", "internal/transition", "internal/scheduler", "internal/secret", "internal/simulate", "internal/status", "internal/client", "internal/events", "internal/wire", "internal/api/apitest"},
	"cmd/cerco":            {"internal/ccs", "internal/report", "internal/cibfile", "internal/cib", "internal/pcs", "internal/compat", "internal/cli", "internal/client", "internal/daemon", "internal/guestfence/virtd", "internal/guestfence/xvm", "internal/lab", "internal/doctor"},
	// Composition.
	"internal/daemon": {"internal/*"},
	"internal/lab":    {"internal/agents", "internal/cib", "internal/client", "internal/daemon", "internal/events", "internal/judge", "internal/ordeal", "internal/scheduler", "internal/status", "internal/wire"},
	// Tests and tools.
	"internal/replay":      {"internal/cib", "internal/transition", "internal/scheduler", "internal/controller", "internal/membership"},
	"internal/housetest":   {},
	"internal/nettest":     {"internal/*"},
	"internal/memnet":      {},
	"internal/judge":       {},
	"internal/ordeal":      {"internal/cib", "internal/client", "internal/judge", "internal/scheduler", "internal/transition", "internal/wire"},
	"internal/testcluster": {"internal/*"},
	"tools/vmtest":         {"internal/cib", "internal/client", "internal/wire"},
	"tools/bench":          {"tools/internal/*"},
	"tools/cibgen":         {"tools/internal/*"},
	"tools/corpus":         {"tools/internal/*"},
	"tools/pcsreplay":      {},
	"tools/pcsoracle":      {"internal/cib"},
	"tools/failover":       {"tools/internal/*"},
	"tools/load":           {"internal/client", "internal/cib", "internal/wire", "tools/internal/*"},
	"tools/fuzzoracle":     {"tools/internal/*"},
	"tools/internal/judge": {}, "tools/internal/sim": {}, "tools/internal/cibgen": {}, "tools/internal/hosts": {},
}

func checkImports(p *pkg) []complaint {
	allowed, known := mayImport[p.rel]
	if !known {
		return []complaint{p.at(p.Syntax[0], "package %s is not in the table of imports (internal/housetest); give it a line", p.rel)}
	}
	var out []complaint
	for _, f := range p.Syntax {
		for _, imp := range f.Imports {
			path, ours := strings.CutPrefix(strings.Trim(imp.Path.Value, `"`), module)
			if ours && !slices.ContainsFunc(allowed, func(a string) bool { return matches(a, path) }) {
				out = append(out, p.at(imp, "%s may not import %s; it may import %v", p.rel, path, allowed))
			}
		}
	}
	return out
}

func matches(pattern, path string) bool {
	prefix, wild := strings.CutSuffix(pattern, "*")
	return path == pattern || wild && strings.HasPrefix(path, prefix)
}

func TestImportsPointDownwards(t *testing.T) {
	for _, p := range house(t) {
		report(t, checkImports(p))
	}
}

func TestImportsCatchesPlanted(t *testing.T) {
	p := planted(t, "imports", "internal/cib")
	catches(t, p, checkImports(p))
	p = planted(t, "imports", "internal/newcomer")
	if len(checkImports(p)) != 1 {
		t.Error("a package that is not in the table passes")
	}
}

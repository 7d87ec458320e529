package configure

import (
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// schema is the version of the schema that the document says to follow.
func (d *Draft) schema() string {
	v, ok := strings.CutPrefix(d.root.Attr("validate-with"), "pacemaker-")
	if !ok {
		return latestSchema
	}
	return v
}

// latestSchema is that of Pacemaker 2.1.5.
const latestSchema = "3.9"

// Role is a role by the name that the document's schema has for it, whatever its name in other versions.
func (d *Draft) Role(role string) string {
	old := cib.CompareVersions(d.schema(), "3.7") < 0
	switch strings.ToLower(role) {
	case "master", "promoted":
		if old {
			return "Master"
		}
		return "Promoted"
	case "slave", "unpromoted":
		if old {
			return "Slave"
		}
		return "Unpromoted"
	case "started":
		return "Started"
	case "stopped":
		return "Stopped"
	}
	return role
}

// Require gives the document the newest schema unless it has at least the one that a change needs.
func (d *Draft) Require(version string) {
	if cib.CompareVersions(d.schema(), version) < 0 {
		d.Upgrade()
	}
}

// Upgrade gives the document the newest schema.
func (d *Draft) Upgrade() {
	if d.schema() != latestSchema {
		d.Info("CIB has been upgraded to the latest schema version.")
		d.Replace(d.root.With("validate-with", "pacemaker-"+latestSchema))
	}
}

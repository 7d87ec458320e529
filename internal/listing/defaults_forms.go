package listing

import (
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// DefaultsCommands shows sets of defaults as the commands that make them again.
func DefaultsCommands(c *cib.CIB, kind DefaultsKind) Lines {
	command := map[DefaultsKind]string{ResourceDefaults: "pcs -- resource defaults set create", OperationDefaults: "pcs -- resource op defaults set create"}[kind]
	var list []Lines
	for _, set := range children(section(c, string(kind)), "meta_attributes") {
		lines := Lines{command + " " + shellPairs(attrs(set, "id", "score"))}
		if pairs := byName(pairsOf(set)); len(pairs) > 0 {
			lines = append(lines, "  meta "+shellPairs(pairs))
		}
		if rule := set.Child("rule"); rule != nil {
			words := strings.Fields(RuleString(rule))
			for i := range words {
				words[i] = shell(words[i])
			}
			lines = append(lines, "  rule "+strings.Join(words, " "))
		}
		list = append(list, lines)
	}
	return joinCommands(list)
}

type defaultsJSON struct {
	Params []setJSON `json:"instance_attributes"`
	Meta   []setJSON `json:"meta_attributes"`
}

// DefaultsJSON shows sets of defaults as JSON.
func DefaultsJSON(c *cib.CIB, kind DefaultsKind) Lines {
	e := section(c, string(kind))
	return toJSON(defaultsJSON{Params: setsOf(e, "instance_attributes"), Meta: setsOf(e, "meta_attributes")})
}

// PropertiesJSON shows the sets of cluster properties as JSON.
func PropertiesJSON(c *cib.CIB) Lines {
	return toJSON(struct {
		Sets []setJSON `json:"nvsets"`
	}{setsOf(section(c, "crm_config"), "cluster_property_set")})
}

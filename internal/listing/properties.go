package listing

import (
	"maps"
	"slices"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Properties shows the cluster properties that are set, sorted by name; of a name in several sets the last.
func Properties(c *cib.CIB, names ...string) Lines {
	out := Lines{"Cluster Properties:"}
	return append(out, propertyLines(propertyValues(c), names)...)
}

// PropertiesWith is Properties with the defaults of those that are not set.
func PropertiesWith(c *cib.CIB, defaults map[string]string, names ...string) Lines {
	values := propertyValues(c)
	for name, value := range defaults {
		if _, set := values[name]; !set {
			values[name] = value
		}
	}
	return append(Lines{"Cluster Properties:"}, propertyLines(values, names)...)
}

// PropertyDefaults shows properties with their defaults.
func PropertyDefaults(defaults map[string]string, names ...string) Lines {
	return append(Lines{"Cluster Properties:"}, propertyLines(defaults, names)...)
}

func propertyValues(c *cib.CIB) map[string]string {
	values := make(map[string]string)
	for _, set := range children(section(c, "crm_config"), "cluster_property_set") {
		for _, p := range pairsOf(set) {
			values[p.name] = p.value
		}
	}
	return values
}

func propertyLines(values map[string]string, names []string) Lines {
	var out Lines
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if len(names) == 0 || slices.Contains(names, name) {
			out = append(out, " "+name+": "+values[name])
		}
	}
	return out
}

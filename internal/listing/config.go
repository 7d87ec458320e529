package listing

import (
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Corosync is what the whole configuration says beside the CIB.
type Corosync struct {
	Name   string
	Nodes  []string
	Quorum Lines // the listing of quorum options, moved in already
}

// Config shows the whole configuration.
func Config(c *cib.CIB, corosync Corosync) Lines {
	rules := RuleOptions{Full: true, All: true}
	out := Lines{"Cluster Name: " + corosync.Name, "Corosync Nodes:"}
	out = append(out, nameList(corosync.Nodes)...)
	out = append(out, "Pacemaker Nodes:")
	out = append(out, nameList(NodeNames(c))...)
	out = append(append(out, "", "Resources:"), AllResources(c).Text().In(2)...)
	out = append(append(out, "", "Stonith Devices:"), AllStonith(c).Text().In(2)...)
	out = append(append(out, "Fencing Levels:"), Levels(c).In(2)...)
	out = append(append(out, ""), Constraints(c, rules)...)
	out = append(append(out, ""), Alerts(c)...)
	out = append(append(out, "", "Resources Defaults:"), Defaults(c, ResourceDefaults, rules).In(2)...)
	out = append(append(out, "Operations Defaults:"), Defaults(c, OperationDefaults, rules).In(2)...)
	out = append(append(out, ""), Properties(c)...)
	tags, _ := Tags(c)
	if len(tags) == 0 {
		tags = Lines{"No tags defined"}
	}
	out = append(append(out, "", "Tags:"), tags.In(1)...)
	return append(append(out, "", "Quorum:"), corosync.Quorum...)
}

func nameList(names []string) Lines {
	if len(names) == 0 {
		return nil
	}
	return Lines{" " + strings.Join(names, " ")}
}

package scheduler

import (
	"fmt"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// In a race of two halves, the one that runs more important things shoots first. The values are crm_simulate's.
func TestPriorityFencingDelay(t *testing.T) {
	const runs = `<lrm id="x"><lrm_resources><lrm_resource id="a" class="ocf" provider="heartbeat" type="Dummy">
		<lrm_rsc_op id="a_last_0" operation="start" operation_key="a_start_0" call-id="5" rc-code="0" op-status="0" interval="0"
		transition-key="1:1:0:x" transition-magic="0:0;1:1:0:x"/></lrm_resource></lrm_resources></lrm>`
	const gone, hangs = `in_ccm="false" crmd="offline" join="down"`, `in_ccm="true" crmd="offline" join="down"`
	for name, c := range map[string]struct{ state, here, there, want string }{
		"the target runs it":         {gone, "", runs, "15"},
		"we run it":                  {gone, runs, "", "0"},
		"the target still is heard":  {hangs, "", runs, ""},
		"nobody runs anything of it": {gone, "", "", "0"},
	} {
		t.Run(name, func(t *testing.T) {
			in, err := cib.Decode("test", fmt.Appendf(nil, `<cib have-quorum="1" dc-uuid="1"><configuration><crm_config>
				<cluster_property_set id="o"><nvpair id="o1" name="priority-fencing-delay" value="15s"/></cluster_property_set></crm_config>
				<nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes><resources><primitive id="f" class="stonith" type="fence_xvm"/>
				<primitive id="a" class="ocf" provider="heartbeat" type="Dummy"><meta_attributes id="m"><nvpair id="p" name="priority" value="5"/>
				</meta_attributes></primitive></resources><constraints/></configuration><status>
				<node_state id="1" uname="n1" in_ccm="true" crmd="online" join="member" expected="member">%s</node_state>
				<node_state id="2" uname="n2" %s expected="member">%s</node_state></status></cib>`, c.here, c.state, c.there))
			if err != nil {
				t.Fatal(err)
			}
			got, found := "", false
			for _, a := range Schedule(in, Options{Now: time.Unix(0, 0)}).Graph.Actions {
				if a.Task == "stonith" {
					got, found = a.Attr("CRM_meta_priority_fencing_delay"), true
				}
			}
			if !found || got != c.want {
				t.Errorf("fenced %v, delay %q; want %q", found, got, c.want)
			}
		})
	}
}

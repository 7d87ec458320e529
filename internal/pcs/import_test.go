package pcs

import (
	"strings"
	"testing"
)

// TestMasked holds that no secret of a carried-over file is shown with the commands that it becomes.
func TestMasked(t *testing.T) {
	words := strings.Fields("stonith create f fence_apc ip=1.2.3.4 passwd=geheim snmp_auth=x community=geheim snmp-priv-passwd=geheim op monitor")
	if got := strings.Join(masked(words), " "); got != "stonith create f fence_apc ip=1.2.3.4 passwd=*** snmp_auth=x community=*** snmp-priv-passwd=*** op monitor" {
		t.Error(got)
	}
}

package configure

import (
	"slices"
	"strings"
)

// DevicesChange is a change of the shared disks of a fence device: those that it has from now on, or those that come and go.
type DevicesChange struct{ Set, Add, Remove []string }

// UpdateDevices changes the shared disks of a fence device that cuts nodes off from them.
func UpdateDevices(d *Draft, id string, change DevicesChange) error {
	p := d.Find(id, resourceTags()...)
	if p == nil {
		return d.refuse("resource '%s' does not exist%s", id, d.near(id))
	}
	e := p.Last()
	if typ := e.Attr("type"); e.Attr("class") != "stonith" || typ != "fence_scsi" && typ != "fence_mpath" {
		return d.refuse("Resource '%s' is not a stonith resource or its type '%s' is not supported for devices update. Supported types: 'fence_mpath', 'fence_scsi'",
			id, typ)
	}
	text, _ := Lookup(pairsOf(e, "instance_attributes"), "devices")
	var now []string
	if text != "" {
		now = strings.Split(text, ",")
	}
	for _, gone := range change.Remove {
		if !slices.Contains(now, gone) {
			d.Fail("'%s' has no device '%s'; it has: %s", id, gone, strings.Join(now, ", "))
		}
	}
	for _, come := range change.Add {
		if slices.Contains(change.Remove, come) {
			d.Fail("the device '%s' cannot both come and go", come)
		}
	}
	if len(change.Set) > 0 {
		now = slices.Clone(change.Set)
	}
	now = append(now, change.Add...)
	now = slices.DeleteFunc(now, func(s string) bool { return slices.Contains(change.Remove, s) })
	slices.Sort(now)
	now = slices.Compact(now)
	if len(now) == 0 {
		d.Fail("'%s' would have no device left", id)
	}
	if err := d.Refused(); err != nil {
		return err
	}
	d.SetPairs(p, "instance_attributes", []Pair{{"devices", strings.Join(now, ",")}})
	return nil
}

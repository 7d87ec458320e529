package pcs

import (
	"fmt"

	"github.com/cerco-ha/cerco/internal/configure"
)

func devicesNoun() *verb {
	return &verb{name: "stonith", sub: []*verb{
		{name: "update-scsi-devices", args: "ID set DEVICE... | ID [add DEVICE...] [remove DEVICE...]", live: true, options: []string{"dry-run", "wait"}, run: updateDevices,
			what: "Change the shared disks of a device of fence_scsi or fence_mpath, if no other resource feels it."},
	}}
}

func updateDevices(c *call) error {
	if err := c.want(1, -1); err != nil {
		return err
	}
	var change configure.DevicesChange
	parts := sections(c.words[1:], "set", "add", "remove", "delete")
	if len(parts[0].words) > 0 {
		return c.misused("'%s' does not know what to do with '%s'", "stonith update-scsi-devices", parts[0].words[0])
	}
	for _, p := range parts[1:] {
		list := map[string]*[]string{"set": &change.Set, "add": &change.Add, "remove": &change.Remove, "delete": &change.Remove}[p.keyword]
		if len(p.words) == 0 {
			return c.misused("'%s' needs a device behind it", p.keyword)
		}
		*list = append(*list, p.words...)
	}
	if (len(change.Set) == 0) == (len(change.Add)+len(change.Remove) == 0) {
		return c.misused("you must specify either list of set devices or at least one device for add or delete/remove devices")
	}
	id := c.words[0]
	return c.changeFor(anyhow, []string{id}, func(d *configure.Draft) error {
		before := d.CIB()
		if err := configure.UpdateDevices(d, id, change); err != nil {
			return err
		}
		if len(c.runningOn(before, id, false)) == 0 {
			return fmt.Errorf("unable to perform restartless update of scsi devices: resource '%s' is not running on any node, please use command 'stonith update' instead", id)
		}
		if others := c.affected(c.plan(d.CIB()), []string{id}, false); len(others) > 0 && !c.has("dry-run") {
			return fmt.Errorf("with other devices '%s' would have %s restarted; 'stonith update %s devices=...' does that", id, counted("resource", others), id)
		}
		return nil
	})
}

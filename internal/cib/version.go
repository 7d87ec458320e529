package cib

import (
	"cmp"
	"fmt"
	"strconv"
)

// VersionOf reads the version from the attributes of a <cib> element; what is missing is 0.
func VersionOf(root *Element) Version {
	return Version{
		AdminEpoch: parseInt(root.Attr("admin_epoch"), 0),
		Epoch:      parseInt(root.Attr("epoch"), 0),
		NumUpdates: parseInt(root.Attr("num_updates"), 0),
	}
}

// Compare is negative if v is older than w, positive if it is newer.
func (v Version) Compare(w Version) int {
	return cmp.Or(cmp.Compare(v.AdminEpoch, w.AdminEpoch), cmp.Compare(v.Epoch, w.Epoch), cmp.Compare(v.NumUpdates, w.NumUpdates))
}

// String is the version as "admin_epoch.epoch.num_updates".
func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.AdminEpoch, v.Epoch, v.NumUpdates) }

// attrs is the version as attributes.
func (v Version) attrs() []Attr {
	return []Attr{{"admin_epoch", strconv.Itoa(v.AdminEpoch)}, {"epoch", strconv.Itoa(v.Epoch)}, {"num_updates", strconv.Itoa(v.NumUpdates)}}
}

// WithVersion returns a <cib> element with the version.
func WithVersion(root *Element, v Version) *Element {
	for _, a := range v.attrs() {
		root = root.With(a.Name, a.Value)
	}
	return root
}

// Succeed gives changed, made from old, the version that follows old's: a change of the configuration
// raises epoch and sets num_updates back, anything else raises num_updates. Nothing changes the version of
// what is the same.
func Succeed(old, changed *Element) *Element {
	v := VersionOf(old)
	changed = WithVersion(changed, v)
	switch {
	case !Equal(old.Child("configuration"), changed.Child("configuration")):
		v.Epoch++
		v.NumUpdates = 0
	case !Equal(old, changed):
		v.NumUpdates++
	default:
		return old
	}
	return WithVersion(changed, v)
}

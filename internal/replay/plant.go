package replay

import (
	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
)

// Plant is what is wrong in a world on purpose: the checks are there to find it.
type Plant struct {
	Schedule func(*cib.CIB, scheduler.Options) *scheduler.Plan // decides instead of scheduler.Schedule; nil: that

	DeviceLies  bool // fence devices say that they have done it, and do nothing
	AnyEpoch    bool // executors obey any leader
	NoVerify    bool // leaders do not notice that they have lost their majority
	OneBarrier  bool // a barrier that has failed is not tried again
	NeverAgain  bool // an order that may not have arrived is not given again
	CommitAlone bool // what a leader has on its own disk is committed
}

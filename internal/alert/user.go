package alert

import (
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// agentUser is whom agents run as: hacluster, who may do little, where we are root and there is such a user; else whoever
// we are.
func agentUser() *syscall.Credential {
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup("hacluster")
	if err != nil {
		return nil
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err1 != nil || err2 != nil {
		return nil
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

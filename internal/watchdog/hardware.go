package watchdog

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// ioctls of linux/watchdog.h.
const (
	wdiocSetTimeout = 0xc0045706
	wdiocGetTimeout = 0x80045707
)

// hardware is /dev/watchdog, or a kernel's softdog.
type hardware struct {
	file    *os.File
	timeout time.Duration
}

var _ Device = (*hardware)(nil)

// Hardware opens a watchdog device of the kernel and asks it for the timeout, which is counted in whole
// seconds. The device may choose another: Timeout says which. A file that is no watchdog is refused.
func Hardware(path string, timeout time.Duration) (Device, error) {
	return openHardware(path, timeout, func(fd, seconds int) (int, error) {
		if err := unix.IoctlSetPointerInt(fd, wdiocSetTimeout, seconds); err != nil {
			return 0, err
		}
		return unix.IoctlGetInt(fd, wdiocGetTimeout)
	})
}

func openHardware(path string, timeout time.Duration, set func(fd, seconds int) (int, error)) (Device, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		if errors.Is(err, unix.EBUSY) {
			return nil, fmt.Errorf("%s is used by another program (sbd, watchdog, systemd's RuntimeWatchdogSec?): %w", path, err)
		}
		return nil, fmt.Errorf("the watchdog cannot be opened: %w; without hardware, `modprobe softdog` gives one", err)
	}
	seconds := int((timeout + time.Second - 1) / time.Second)
	got, err := set(int(file.Fd()), max(seconds, 1))
	if err == nil && got <= 0 {
		err = fmt.Errorf("it counts %d seconds", got)
	}
	if err != nil {
		_, _ = file.WriteString("V") // opening has armed it
		return nil, errors.Join(fmt.Errorf("%s does not take a time-out of %d s: %w", path, seconds, err), file.Close())
	}
	return &hardware{file, time.Duration(got) * time.Second}, nil
}

func (h *hardware) Timeout() time.Duration { return h.timeout }

func (h *hardware) Feed() error {
	_, err := h.file.WriteString("\x00")
	return err
}

// Close implements Device. The letter V is what the kernel wants to see before it lets a watchdog go.
func (h *hardware) Close(disarm bool) error {
	var err error
	if disarm {
		_, err = h.file.WriteString("V")
	}
	return errors.Join(err, h.file.Close())
}

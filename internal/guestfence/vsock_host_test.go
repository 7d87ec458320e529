//go:build host

package guestfence_test

import (
	"bytes"
	"context"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cerco-ha/cerco/internal/guestfence"
	"github.com/cerco-ha/cerco/internal/guestfence/protocol"
	"golang.org/x/sys/unix"
)

// TestVsock asks by vsock, which a kernel can have to itself (CID 1). Where this one has not, it is done in one that has.
func TestVsock(t *testing.T) {
	const port = 21229
	s, err := guestfence.New(guestfence.Config{
		Machines: newWorld().Standalone("h1"), Log: testLog(t), Now: time.Now, Dir: t.TempDir(),
		Groups: []guestfence.Group{{Machines: []string{"db"}, Askers: []string{"1"}}, {Machines: []string{"web"}, Askers: []string{"3"}}},
		Listeners: []guestfence.Listener{{Key: []byte("secret"), ListenerSettings: guestfence.ListenerSettings{
			Kind: guestfence.Vsock, Port: port, Hash: protocol.SHA256, Auth: protocol.SHA256,
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		inAnotherKernel(t, err.Error())
		return
	}
	defer s.Stop()
	right, wrong := keyFile(t, "secret"), keyFile(t, "another")
	ask := func(name, key, args string) string {
		code, out := guest(t, name, append([]string{"-S1", "-p", strconv.Itoa(port), "-k", key}, strings.Fields(args)...)...)
		return fmt.Sprint(code, " ", out)
	}
	if got := ask("fence_virt", right, "-o status -n db"); strings.Contains(got, "Unable to connect") {
		inAnotherKernel(t, got)
		return
	}
	for _, c := range []struct{ name, key, args, want string }{
		{"fence_virt", right, "-o status -n db", "0 Status: ON\n"},
		{"fence_virt", right, "-o off -n db", "0 "},
		{"fence_virt", right, "-o status -n " + dbUUID, "2 Status: OFF\n"},
		{"fence-xvm", right, "-o on -n db", "0 "},
		{"fence-xvm", right, "-o off -n web", "3 Permission denied\n"}, // groups know guests by their CID
		{"fence_virt", right, "-o list", "0 db                               " + dbUUID + " on\n"},
		{"fence_virt", right, "-o monitor", "0 "},
		{"fence_virt", wrong, "-o off -n db -t 3", "1 "},
	} {
		if got := ask(c.name, c.key, c.args); got != c.want && !(c.key == wrong && strings.HasPrefix(got, c.want)) {
			t.Errorf("%s %s: %q, want %q", c.name, c.args, got, c.want)
		}
	}
}

const vsockModules = "kernel/net/vmw_vsock/"

// inAnotherKernel runs the test again as the only program of a machine that is emulated. Its kernel is one of Debian's,
// below CERCO_TEST_KERNEL or installed.
func inAnotherKernel(t *testing.T, why string) {
	t.Helper()
	if os.Getpid() == 1 {
		t.Fatal(why)
	}
	root := os.Getenv("CERCO_TEST_KERNEL")
	modules, _ := filepath.Glob(filepath.Join(root, "/lib/modules/*", vsockModules, "vsock_loopback.ko"))
	_, err := exec.LookPath("qemu-system-x86_64")
	if len(modules) == 0 || err != nil {
		t.Skipf("this kernel has no vsock to itself (%s), and there is none for a machine that is emulated (linux-image-cloud-amd64, qemu-system-x86)", strings.TrimSpace(why))
	}
	version := strings.Split(strings.TrimPrefix(modules[0], filepath.Join(root, "/lib/modules")+"/"), "/")[0]
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if f, err := elf.Open(self); err == nil {
		if p, _ := f.DynString(elf.DT_NEEDED); len(p) > 0 {
			t.Skip("this program needs libraries; build it with CGO_ENABLED=0")
		}
		_ = f.Close()
	}
	var disk bytes.Buffer
	for _, d := range []string{"dev", "proc", "tmp", "lib"} {
		archive(&disk, d, unix.S_IFDIR|0o755, 0, nil)
	}
	archive(&disk, "dev/console", unix.S_IFCHR|0o600, unix.Mkdev(5, 1), nil)
	for i, name := range []string{"vsock", "vmw_vsock_virtio_transport_common", "vsock_loopback"} {
		b, err := os.ReadFile(filepath.Join(filepath.Dir(modules[0]), name+".ko"))
		if err != nil {
			t.Skip(err)
		}
		archive(&disk, fmt.Sprintf("lib/%d.ko", i), unix.S_IFREG|0o644, 0, b)
	}
	b, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	archive(&disk, "init", unix.S_IFREG|0o755, 0, b)
	archive(&disk, "TRAILER!!!", 0, 0, nil)
	file := filepath.Join(t.TempDir(), "initrd")
	if err := os.WriteFile(file, disk.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "qemu-system-x86_64", "-accel", "tcg", "-m", "512", "-nographic", "-no-reboot", "-nic", "none",
		"-kernel", filepath.Join(root, "/boot/vmlinuz-"+version), "-initrd", file, "-append", "console=ttyS0 quiet panic=-1").CombinedOutput()
	t.Logf("%s", out)
	if err != nil || !strings.Contains(string(out), "--- PASS: TestVsock") {
		t.Errorf("in a kernel of its own: %v", err)
	}
}

// archive adds a file in the format that a kernel unpacks (cpio, "newc").
func archive(w *bytes.Buffer, name string, mode uint32, device uint64, data []byte) {
	fmt.Fprintf(w, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
		w.Len()+1, mode, 0, 0, 1, 0, len(data), 0, 0, unix.Major(device), unix.Minor(device), len(name)+1, 0, name)
	pad := func() { w.Write(make([]byte, -w.Len()&3)) }
	pad()
	w.Write(data)
	pad()
}

// beTheOnlyProgram is what the emulated machine does.
func beTheOnlyProgram(m *testing.M) {
	_ = unix.Mount("proc", "/proc", "proc", 0, "")
	modules, _ := filepath.Glob("/lib/*.ko")
	for _, name := range modules {
		f, err := os.Open(name)
		if err == nil {
			err = unix.FinitModule(int(f.Fd()), "", 0)
		}
		if err != nil {
			fmt.Println(name, err)
		}
	}
	os.Args = []string{"init", "-test.run=^TestVsock$", "-test.v", "-test.timeout=90s"}
	m.Run()
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
}

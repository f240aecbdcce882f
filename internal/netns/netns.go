//go:build linux

package netns

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// inside is set in the environment of the process that Enter starts.
const inside = "SOTTO_NETNS_INSIDE"

// Inside says whether this process is the one that Enter started.
func Inside() bool { return os.Getenv(inside) != "" }

// Main is the TestMain of a package whose tests run the program in namespaces: it builds it, with
// these flags, and runs the tests inside, where the variable built names what was built.
func Main(m interface{ Run() int }, built string, flags ...string) (code int) {
	if Inside() {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "sotto-built")
	if err == nil {
		defer os.RemoveAll(dir)
		bin := filepath.Join(dir, "sotto")
		args := append([]string{"build", "-trimpath", "-o", bin}, flags...)
		if out, failed := exec.Command("go", append(args, "sotto/cmd/sotto")...).CombinedOutput(); failed != nil {
			err = fmt.Errorf("building sotto: %w\n%s", failed, out)
		} else if code, err = Enter(built + "=" + bin); err == nil {
			return code
		}
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// Enter runs this program again, with these additions to its environment, in a mount and a
// network namespace of its own, and when it is not root in a user namespace too. It answers
// the exit code.
func Enter(env ...string) (code int, err error) {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(append(os.Environ(), inside+"=1"), env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT) // the child gets them too, or ends with us
	defer signal.Stop(stop)
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return max(exit.ExitCode(), 1), nil
	case errors.Is(err, fs.ErrPermission), errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS):
		return 1, fmt.Errorf("this test needs network namespaces of its own, which are forbidden here (%w): run it as root, "+
			"or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0)", err)
	}
	return 0, err
}

// In runs f on a thread that is in the network namespace of a file, such as /run/netns/NAME.
// What f opens stays there.
func In(path string, f func() error) error {
	done := make(chan error)
	go func() {
		// Never unlocked: the thread ends with this goroutine.
		runtime.LockOSThread()
		ns, err := os.Open(path)
		if err == nil {
			err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)
			ns.Close()
		}
		if err == nil {
			err = f()
		}
		done <- err
	}()
	return <-done
}

// Tunnel makes an interface of this thread's namespace whose packets are read and written as a
// file.
func Tunnel(name string) (*os.File, error) {
	const device = "/dev/net/tun"
	fd, err := unix.Open(device, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: it makes the interfaces of the machines, and has to be there and open to this user", device, err)
	}
	r, err := unix.NewIfreq(name)
	if err == nil {
		r.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, r)
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("making an interface: %w", err)
	}
	return os.NewFile(uintptr(fd), device), nil
}

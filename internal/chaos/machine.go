//go:build linux && chaos

package chaos

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"sotto/internal/netns"
)

// machine is a host: a network namespace with one interface, whose other end is a port of
// the fabric. The namespace lives on one thread, which starts the machine's processes; it
// goes when the thread and the processes have ended, however they do.
type machine struct {
	name string
	addr netip.Addr

	fabric *fabric
	port   *port
	calls  chan func()
}

// iface is the name of a machine's interface. Each namespace has its own.
const iface = "net0"

func newMachine(f *fabric, name string, addr netip.Addr, rng *rand.Rand) (*machine, error) {
	m := &machine{name: name, addr: addr, fabric: f, calls: make(chan func())}
	type opened struct {
		wire *os.File
		err  error
	}
	ready := make(chan opened)
	go func() {
		// Never unlocked: the thread ends with this goroutine.
		runtime.LockOSThread()
		var o opened
		if o.err = unix.Unshare(unix.CLONE_NEWNET); o.err == nil {
			o.wire, o.err = netns.Tunnel(iface)
		}
		ready <- o
		for f := range m.calls {
			f()
		}
	}()
	o := <-ready
	if o.err == nil {
		o.err = m.on(func() error { return errors.Join(raise("lo"), m.configure()) })
	}
	if o.err != nil {
		return nil, fmt.Errorf("making the machine %s: %w", name, o.err)
	}
	m.port = f.plug(addr, o.wire, rng)
	return m, nil
}

// on runs f in the machine's network.
func (m *machine) on(f func() error) (err error) {
	done := make(chan struct{})
	m.calls <- func() { defer close(done); err = f() }
	<-done
	return err
}

// close lets the machine go. Its processes have ended.
func (m *machine) close() { close(m.calls) }

// start starts a process on the machine. It is killed if this process ends.
func (m *machine) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return m.on(cmd.Start)
}

// configure gives the interface the machine's address, and brings it up. Everybody is on
// one wide network, so that there are no routes to be made.
func (m *machine) configure() error {
	for _, step := range []struct {
		request uint
		addr    [4]byte
	}{{unix.SIOCSIFADDR, m.addr.As4()}, {unix.SIOCSIFNETMASK, [4]byte{255, 0, 0, 0}}} {
		if err := control(iface, step.request, func(r *unix.Ifreq) error { return r.SetInet4Addr(step.addr[:]) }); err != nil {
			return err
		}
	}
	return raise(iface)
}

// control asks the kernel for something about an interface of this thread's namespace.
func control(name string, request uint, fill func(*unix.Ifreq) error) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	r, err := unix.NewIfreq(name)
	if err == nil {
		err = fill(r)
	}
	if err == nil {
		err = unix.IoctlIfreq(fd, request, r)
	}
	if err != nil {
		return fmt.Errorf("interface %s: %w", name, err)
	}
	return nil
}

func raise(name string) error { return setFlags(name, unix.IFF_UP|unix.IFF_RUNNING) }

func setFlags(name string, flags uint16) error {
	return control(name, unix.SIOCSIFFLAGS, func(r *unix.Ifreq) error { r.SetUint16(flags); return nil })
}

// unplug takes the interface down: whoever sends learns it at once.
func (m *machine) unplug() error { return m.on(func() error { return setFlags(iface, 0) }) }

// replug brings it up again.
func (m *machine) replug() error { return m.on(func() error { return raise(iface) }) }

// roam gives the machine another address, as when a telephone leaves the house.
func (m *machine) roam(to netip.Addr) error {
	m.fabric.readdress(m.port, m.addr, to)
	m.addr = to
	return m.on(m.configure)
}

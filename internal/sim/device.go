package sim

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"sotto/internal/client"
	"sotto/internal/store"
	"sotto/internal/store/sqlite/faultfs"
	"sotto/internal/wire"
)

// patience is how long, in the world's time, somebody waits for what must happen.
const patience = 10 * time.Minute

// Device is one of a person's devices.
type Device struct {
	w      *World
	Name   string
	Person *Person
	Handle string
	Home   *Host
	Client *client.Client // nil while it is off

	Weather     Weather
	Skew        time.Duration // of its clock
	LoseAnswers float64       // how many answers to its requests get lost
	Asleep      bool          // its process stands still
	faulty      bool          // a fault of its disk may strike

	addr   netip.Addr
	disk   *faultfs.Disk
	life   int
	frozen []func()
	lines  []*line
	tasks  []*task
	old    []*faultfs.Disk // copies of its disk, oldest first
	seen   ledger

	id       wire.DeviceName    // zero until it has an account
	linker   *Device            // that showed it the code
	recovers bool               // it comes back by the words
	lost     bool               // nobody has it any more
	stolen   *faultfs.Disk      // a copy of its disk when it was revoked
	attend   func(client.Event) // what the person does when it tells something

	mallory *Mallory // whom it has become
}

// Device makes somebody with one device, and an account at a host.
func (w *World) Device(name string, home *Host) *Device {
	d := w.newDevice(w.somebody(name, home), name)
	if err := d.open(); err != nil {
		w.T.Fatalf("%s: %v", name, err)
	}
	if err := d.Client.CreateAccount(context.Background(), d.Handle, ""); err != nil {
		w.T.Fatalf("%s: account: %v", name, err)
	}
	d.settle()
	d.Person.look()
	return d
}

// newDevice makes a device of somebody's, with an empty disk, and does not switch it on.
func (w *World) newDevice(p *Person, name string) *Device {
	d := &Device{w: w, Name: name, Person: p, Handle: p.Handle, Home: p.Home, addr: address(len(w.Devices) + 1), Weather: fair}
	d.disk = faultfs.New(w.Draws("disk of " + name).Uint64())
	d.seen.init()
	w.Devices = append(w.Devices, d)
	p.devices = append(p.devices, d)
	return d
}

// attends has the person at the device do something when it tells something, in each of its
// lives.
func (d *Device) attends(f func(client.Event)) {
	d.attend = f
	d.Client.Subscribe(f)
}

// open opens the device's database, as its program's start does.
func (d *Device) open() (err error) {
	d.life++
	life := d.life
	d.Client, err = client.Open(client.Options{
		Store:   d.storeOptions(d.disk),
		Network: &deviceNet{d, life}, Clock: &deviceClock{d, life}, Rand: newReader(d.w, fmt.Sprintf("%s %d", d.Name, life)),
		Log: d.w.Log.With("who", d.Name), Suite: d.w.Suite, TTL: d.w.TTL, PrivateHosts: []string{"*"},
		Post: d.post(life), Await: d.w.await,
	})
	if err != nil {
		d.Client = nil
		return err
	}
	d.Client.Subscribe(d.heard)
	if d.attend != nil {
		d.Client.Subscribe(d.attend)
	}
	d.settle()
	return nil
}

// storeOptions are how the device's database is opened on a disk.
func (d *Device) storeOptions(disk *faultfs.Disk) store.Options {
	return store.Options{Path: "sotto.db", Key: sha256.Sum256([]byte(d.Name)), FS: disk}
}

// post implements client.Options.Post for one life.
func (d *Device) post(life int) func(func()) {
	return func(f func()) {
		step := func() {
			if d.life == life && d.Client != nil {
				f()
				d.look()
			}
		}
		if d.Asleep {
			d.frozen = append(d.frozen, step)
			return
		}
		d.w.Turn(func() {
			if d.Asleep { // it fell asleep meanwhile
				d.frozen = append(d.frozen, step)
				return
			}
			step()
		})
	}
}

// Start switches the device on.
func (d *Device) Start() {
	if d.Client != nil || d.mallory != nil || d.lost {
		return
	}
	if err := d.open(); err != nil {
		if d.disk.Crashed() {
			d.crashed()
			return
		}
		if d.faulty { // the person tries again
			d.w.After(time.Second, d.Start)
			return
		}
		d.w.Fail("%s cannot open its database: %v", d.Name, err)
		return
	}
	if err := d.Client.Start(); err != nil && !errors.Is(err, client.ErrNoAccount) {
		d.w.Fail("%s does not start: %v", d.Name, err)
	}
	d.look()
}

// Stop switches it off, as a person does.
func (d *Device) Stop() {
	if d.Client == nil {
		return
	}
	d.Wake()
	c := d.Client
	if err := c.Close(); err != nil && !d.disk.Crashed() && d.disk.Ops() >= 0 {
		d.w.Stats.Count("closing complained", 1)
	}
	d.off()
}

// off forgets a life.
func (d *Device) off() {
	d.Client = nil
	d.life++
	d.frozen = nil
	for _, l := range slices.Clone(d.lines) {
		l.Close()
	}
	tasks := d.tasks
	d.tasks = nil
	for _, t := range tasks {
		d.w.kill(t)
	}
}

// look notices that the device's disk has lost its power.
func (d *Device) look() {
	if d.Client != nil && d.disk.Crashed() {
		d.crashed()
	}
}

// Crash takes the power from the device.
func (d *Device) Crash() {
	if d.Client != nil {
		d.disk.Cut()
		d.crashed()
	}
}

func (d *Device) crashed() {
	d.w.Stats.Fault("device crashed")
	c := d.Client
	d.Asleep = false
	for _, l := range slices.Clone(d.lines) {
		l.lose() // nobody says goodbye
		l.ends = true
	}
	d.off()
	if c != nil {
		_ = c.Close()
	}
	d.disk = d.disk.Restart()
}

// Sleep has the process stand still: a lid that is closed.
func (d *Device) Sleep() {
	d.Asleep = true
	for _, l := range d.lines {
		l.lose()
	}
}

// Wake has it go on.
func (d *Device) Wake() {
	if !d.Asleep {
		return
	}
	d.Asleep = false
	frozen := d.frozen
	d.frozen = nil
	for _, f := range frozen {
		d.w.Turn(f)
	}
}

// Copy keeps a copy of the device's disk.
func (d *Device) Copy() { d.old = append(d.old, d.disk.Clone()) }

// GoBack puts the oldest copy of the disk into the device, as a restored backup does.
func (d *Device) GoBack() bool {
	if len(d.old) == 0 || d.mallory != nil {
		return false
	}
	d.Stop()
	d.disk = d.old[0].Clone()
	d.Start()
	return true
}

// Do has the person do something that may wait; it is given up when the device goes off.
func (d *Device) Do(f func(ctx context.Context, c *client.Client)) {
	if d.Client == nil || d.Asleep {
		return
	}
	c := d.Client
	var t *task
	t = d.w.Go(func() {
		f(context.Background(), c)
		d.tasks = slices.DeleteFunc(d.tasks, func(x *task) bool { return x == t })
	})
	d.tasks = append(d.tasks, t)
}

// deviceClock is the time as one life of a device has it.
type deviceClock struct {
	d    *Device
	life int
}

// Now implements client.Clock.
func (c *deviceClock) Now() time.Time { return c.d.w.now.Add(c.d.Skew) }

// AfterFunc implements client.Clock.
func (c *deviceClock) AfterFunc(d time.Duration, f func()) func() {
	return c.d.w.After(d, func() {
		if c.d.life == c.life {
			f()
		}
	})
}

// reader is randomness of a stream of its own.
type reader struct{ *rand.ChaCha8 }

func newReader(w *World, label string) io.Reader { return reader{rand.NewChaCha8(w.key(label))} }

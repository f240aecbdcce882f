// Package client is one device: its account, its rooms, what it sends and receives.
// It advances in steps on one event queue. Everything that it needs from outside (time,
// randomness, the network, the file system) comes from its Options, so that a simulator
// can order and replay all of it.
//
// Ownership: every field of Client, and everything it points to, belongs to the queue.
// The exported methods put a step on the queue and wait for it.
package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"sotto/internal/backup"
	"sotto/internal/files"
	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mimi"
	"sotto/mls"
)

// Errors that a person can do something about.
var (
	ErrClosed    = errors.New("this client is closed")
	ErrNoAccount = errors.New("there is no account here yet: make one with \"sotto account create NAME@HOST\"")
	ErrAccount   = errors.New("this home has an account already")
	ErrNoRoom    = errors.New("there is no such room or person here")
	ErrNotMember = errors.New("you are not in this room any more")
	ErrChanged   = errors.New("this handle belongs to a different account than before: somebody else may have taken it, so nothing was sent")
	ErrTooLong   = errors.New("this message is too long")
	ErrUnsure    = errors.New("this name could mean several rooms: use the room's id")
)

// Options is everything a client takes from outside.
type Options struct {
	Store   store.Options
	Network Network
	Clock   Clock     // nil: the system's
	Rand    io.Reader // nil: the system's
	Log     *slog.Logger
	Suite   mls.CipherSuite // of rooms made here; 0 is the default
	// Post takes the steps of the client, in order, one at a time; nil: a goroutine of
	// the client's own runs them. A simulator passes its own queue.
	Post func(step func())
	// Await, which goes with Post, takes the place of a wait: it runs start, which calls
	// done when the wait is over, and returns then, or before that when the simulator
	// gives the caller up.
	Await func(start func(done func()))
	// Hosts that may have private addresses besides the account's own home server.
	// "*" stands for all.
	PrivateHosts []string
	// Files is where backups are kept; nil: the system's.
	Files backup.Files
	// Disk is the file system of files that are sent and come; nil: the system's.
	Disk files.System
	// Spool is where sealed copies of files lie until they are sent; "": beside the database.
	Spool string
	// TTL is the lifetime of entries in rooms made here; 0 is wire.EntryLifetime.
	TTL time.Duration
}

// Client is one device.
type Client struct {
	o     Options
	st    *store.Store
	log   *slog.Logger
	queue *queue // nil when Options.Post is set

	keys   *identity.Keys // nil until there is an account
	chain  *identity.Chain
	self   wire.Handle
	opened bool     // the account is registered at its home server
	opens  []string // hosts of links that the person opened by hand

	settings Settings
	sweeping *store.Sweep // the index of words is being swept

	hosts     map[string]*link // /v1/log, by host
	account   *accountLink
	left      map[string]*accountLink // servers that were home, by handle, while something of this device is there
	going     *going                  // the move to another server that was begun here
	begun     *going                  // the same, while the account is on its way
	ahead     map[string]int64        // how much further this clock is than a host's, milliseconds
	reserving *reserving              // a handle that a new server is asked to keep for it
	gens      map[genKey]*gen
	refs      map[uint32]*gen // watched, by ref; refs are never reused
	lastRef   uint32

	prepared map[int64]*preparation // for wants, by row
	mailing  map[int64]bool         // letters under way
	entering map[int64]bool         // invitations under way
	timers   map[string]func()      // armed, by what they are for
	watchers map[int]func(Event)
	lastSub  int
	waiters  []*waiter
	pending  int                               // fetches under way
	held     map[mimi.MessageID]bool           // messages that a host says it holds and that were not read yet
	counted  int64                             // when the key packages at the home server were last counted
	settling bool                              // a look at the waiters is posted
	making   map[string][]func(room.ID, error) // pairs' rooms being made, by handle

	tells     Tells
	active    bool                   // the person is at this device
	typed     map[room.ID]int64      // when it was last told that this person writes
	writing   map[writingKey]*toggle // who writes where
	here      map[room.Owner]*toggle // whose person is here
	hereRooms []room.ID              // that are still to be told that this person is here, or has gone

	retiring []retiring // servers that will be switched off

	talk        *linkTalk        // of the linking under way, or the last one
	selfRooms   map[room.ID]bool // self rooms that this device is or was in
	inSelf      bool             // this device is in one, as was last seen
	selfRoomDue int64            // when this device makes one, Unix milliseconds; 0: it does not
	keepDue     int64            // when the self room is told next, Unix milliseconds

	calls map[room.CallID]*callHere // that run, as far as this device takes part

	there  map[wire.DeviceName]bool // own devices that have published where they take letters
	moving bool                     // a step of the history's transfer is under way

	making24  *makingWords // 24 words that wait to be confirmed
	regain    *regain      // the recovery under way on this device
	backing   bool         // what a recovery brings back is being looked for
	recorded  int64        // when the recovery record was written last, Unix milliseconds
	recording bool         // and it is being written

	relays           *relaysOf           // where the home server helps calls, as it answered last
	moves            map[int64]*carrying // files on their way, by row
	spooling         map[string]bool     // names of copies that are being made
	handed           map[string]*handed
	letting          bool  // a server is asked to erase a file
	freeUp, freeDown int64 // when more may be sent, and asked for, Unix milliseconds

	saving  *saving     // the backup being made
	restore *restoreRun // the backup being restored

	closed bool
}

type genKey struct {
	room   room.ID
	number uint64
}

// Open opens a device. Without an account only CreateAccount is of use.
func Open(o Options) (*Client, error) {
	if o.Clock == nil {
		o.Clock = systemClock{}
	}
	if o.Rand == nil {
		o.Rand = systemRand
	}
	if o.Files == nil {
		o.Files = backup.Disk{}
	}
	if o.Disk == nil {
		o.Disk = files.Disk{}
	}
	if o.Spool == "" {
		o.Spool = filepath.Join(filepath.Dir(o.Store.Path), "files")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Suite == 0 {
		o.Suite = mls.XWing
	}
	if o.TTL == 0 {
		o.TTL = wire.EntryLifetime
	}
	c := &Client{
		o: o, log: o.Log,
		hosts: map[string]*link{}, ahead: map[string]int64{}, gens: map[genKey]*gen{}, refs: map[uint32]*gen{},
		prepared: map[int64]*preparation{}, mailing: map[int64]bool{}, held: map[mimi.MessageID]bool{}, entering: map[int64]bool{}, making: map[string][]func(room.ID, error){}, timers: map[string]func(){}, watchers: map[int]func(Event){},
		moves: map[int64]*carrying{}, spooling: map[string]bool{}, handed: map[string]*handed{},
		calls: map[room.CallID]*callHere{}, there: map[wire.DeviceName]bool{}, left: map[string]*accountLink{}, typed: map[room.ID]int64{}, writing: map[writingKey]*toggle{}, here: map[room.Owner]*toggle{},
	}
	if o.Post == nil {
		c.queue = newQueue()
	}
	if v, ok := o.Network.(Vouching); ok {
		v.Vouch(c.vouch)
	}
	var err error
	c.on(func() { err = c.open() })
	if err != nil {
		c.on(func() { c.shut() })
		if c.queue != nil {
			c.queue.stop()
		}
		return nil, err
	}
	return c, nil
}

func (c *Client) open() error {
	st, err := store.Open(c.o.Store)
	if err != nil {
		return err
	}
	c.st = st
	return c.read(func(tx store.Tx) error {
		if err := c.loadSettings(tx); err != nil {
			return err
		}
		if err := c.loadOpened(tx); err != nil {
			return err
		}
		if err := c.loadTells(tx); err != nil {
			return err
		}
		if err := c.loadRetiring(tx); err != nil {
			return err
		}
		if err := c.loadSelfRooms(tx); err != nil {
			return err
		}
		return c.loadAccount(tx)
	})
}

// Start connects: to the home server, and to the hosts of the rooms.
func (c *Client) Start() error {
	var err error
	c.on(func() {
		if !c.opened {
			err = ErrNoAccount
			return
		}
		err = c.start()
	})
	return err
}

func (c *Client) start() error {
	var gens []store.Generation
	if err := c.read(func(tx store.Tx) (err error) { gens, err = tx.Generations(); return err }); err != nil {
		return err
	}
	c.openAccount()
	c.openLeft()
	for _, row := range gens {
		c.addGen(row)
	}
	c.everyMinute() // which also goes on with what was being cleared
	c.keepLater(0)
	c.resumeRestore()
	c.resumeCalls()
	c.sweepSpool()
	c.pumpFiles()
	c.pump()
	return nil
}

// Close ends everything and closes the store.
func (c *Client) Close() error {
	var err error
	c.on(func() { err = c.shut() })
	if c.queue != nil {
		c.queue.stop()
	}
	return err
}

func (c *Client) shut() error {
	if c.closed {
		return nil
	}
	if c.active && c.tells.Presence {
		c.tellHere(false) // what is queued still leaves
	}
	if c.making24 != nil {
		c.making24.words.Erase()
		c.making24 = nil
	}
	if c.regain != nil {
		c.regain.end(ErrClosed)
	}
	c.stopFiles()
	for name := range c.handed {
		c.dropHanded(name)
	}
	c.closed = true
	for _, stop := range c.timers {
		stop()
	}
	for _, l := range c.sortedHosts() {
		l.close()
	}
	if c.account != nil {
		c.account.link.close()
	}
	c.closeLeft()
	for _, w := range c.waiters {
		w.done(ErrClosed)
	}
	c.waiters = nil
	if c.st == nil {
		return nil
	}
	err := errors.Join(c.keepHeld(), c.st.Close())
	c.o.Store.Key = [32]byte{} // a locked device keeps none of it
	return err
}

// keepHeld writes down which messages their hosts hold, so that the next start tells it
// before it has read them.
func (c *Client) keepHeld() error {
	if len(c.held) == 0 {
		return nil
	}
	return c.st.Update(func(tx store.Tx) error {
		for id := range c.held {
			m, err := tx.FindMessage(id)
			if err != nil {
				return err
			}
			if m == nil {
				continue
			}
			if err := tx.SetMessageState(m.Room, id, store.Stored); err != nil {
				return err
			}
		}
		return nil
	})
}

// on runs a step on the queue and waits for it. With a queue of the caller's own it
// runs at once: the caller is on that queue.
func (c *Client) on(step func()) {
	if c.queue == nil {
		step()
		return
	}
	c.queue.wait(step)
}

// post puts a step on the queue.
func (c *Client) post(step func()) {
	guarded := func() {
		if !c.closed {
			step()
		}
	}
	if c.queue != nil {
		c.queue.post(guarded)
		return
	}
	c.o.Post(guarded)
}

// update runs a transaction. The steps that it leaves in after run when it is durable.
// A failure is logged; the caller puts its part of memory back by reading it again.
func (c *Client) update(fn func(tx store.Tx, after *[]func()) error) error {
	var after []func()
	err := c.write(func(tx store.Tx) error {
		after = after[:0]
		return fn(tx, &after)
	})
	if err != nil {
		return err
	}
	for _, f := range after {
		f()
	}
	return nil
}

// write runs a transaction of the store.
func (c *Client) write(fn func(tx store.Tx) error) error {
	err := c.st.Update(fn)
	if errors.Is(err, store.ErrUnknown) {
		c.reopenSoon()
	}
	return err
}

// read runs a reading transaction of the store.
func (c *Client) read(fn func(tx store.Tx) error) error {
	err := c.st.View(fn)
	if errors.Is(err, store.ErrUnknown) {
		c.reopenSoon()
	}
	return err
}

// reopenSoon opens the store again after a commit of which nobody knows whether it is on
// the disk, and puts memory back to what the disk holds.
func (c *Client) reopenSoon() {
	if c.timers["reopen"] == nil && !c.closed {
		c.timer("reopen", reopenWait, c.reopen)
	}
}

func (c *Client) reopen() {
	c.stopFiles()
	_ = c.st.Close() // it answers the same error that made it useless
	st, err := store.Open(c.o.Store)
	if err != nil {
		c.fail("opening the database again", err)
		c.timer("reopen", 10*reopenWait, c.reopen)
		return
	}
	c.st = st
	for _, l := range c.sortedHosts() {
		if l.conn != nil {
			l.fall(store.ErrUnknown)
		}
	}
	for _, g := range c.sortedGens() {
		c.dropGen(g)
	}
	if a := c.account; a != nil {
		c.registered(store.ErrUnknown)
		a.link.close()
		c.account = nil
	}
	c.closeLeft()
	if !c.opened {
		return
	}
	if err := c.start(); err != nil {
		c.fail("starting again", err)
		c.reopenSoon()
	}
}

// fail tells of an error that no caller waits for.
func (c *Client) fail(what string, err error) {
	c.log.Warn(what, "error", err)
	c.emit(Event{Kind: EventTrouble, Text: fmt.Sprintf("%s: %v", what, err), Err: err})
}

func (c *Client) now() time.Time { return c.o.Clock.Now() }

func (c *Client) nowMS() int64 { return c.now().UnixMilli() }

// timer arms a timer under a name; an earlier one of that name is stopped.
func (c *Client) timer(name string, d time.Duration, f func()) {
	if stop := c.timers[name]; stop != nil {
		stop()
	}
	var stop func()
	live := true
	stop = c.o.Clock.AfterFunc(d, func() {
		c.post(func() {
			if live {
				live = false
				delete(c.timers, name)
				f()
			}
		})
	})
	c.timers[name] = func() {
		live = false
		stop()
	}
}

// stopTimer ends a timer, if it is armed.
func (c *Client) stopTimer(name string) {
	if stop := c.timers[name]; stop != nil {
		stop()
		delete(c.timers, name)
	}
}

// random fills b. The system's source does not fail; an injected one that does is a
// reason to stop.
func (c *Client) random(b []byte) {
	if _, err := io.ReadFull(c.o.Rand, b); err != nil {
		panic(fmt.Sprintf("client: no randomness: %v", err))
	}
}

func (c *Client) newSecret() (s wire.Secret) {
	c.random(s[:])
	return s
}

// wait runs an asynchronous step that calls done once, and waits for it.
func (c *Client) wait(ctx context.Context, step func(done func(error))) error {
	if c.o.Await != nil {
		result := ErrClosed
		c.o.Await(func(done func()) {
			c.post(func() { step(func(err error) { result = err; done() }) })
		})
		return result
	}
	ch := make(chan error, 1)
	c.post(func() { step(func(err error) { ch <- err }) })
	select {
	case err := <-ch:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-c.gone():
		select {
		case err := <-ch:
			return err
		default:
			return ErrClosed
		}
	}
}

func (c *Client) gone() <-chan struct{} {
	if c.queue != nil {
		return c.queue.done
	}
	return nil
}

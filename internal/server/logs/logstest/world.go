// Package logstest is the contract of the logs as tests: every implementation of the
// log passes Run, whatever engine it stands on.
package logstest

import (
	"crypto/sha256"
	"fmt"
	"sync"
	"testing"
	"time"

	"sotto/internal/server/logs"
	"sotto/internal/wire"
)

// Logs is what an implementation offers: the methods of *logs.Logs.
type Logs interface {
	Create(wire.Create) (wire.Created, error)
	Vet(wire.Create) (known bool, err error)
	Append(wire.Append, []byte) (wire.Appended, error)
	AppendAsync(wire.Append, []byte, func(wire.Appended, error))
	Read(wire.Read) (wire.ReadAnswer, error)
	Ack(wire.Ack) error
	Claim(wire.Claim) error
	Drop(wire.Secret) error
	Signal(wire.Signal) error
	Watch(wire.Place, logs.Watcher) (Watch, wire.PlaceState)
	Tick(time.Time)
}

// Watch is what Logs.Watch gives: the methods of *logs.Watch.
type Watch interface {
	Next(maxBytes int) ([]wire.Entry, error)
	Close()
}

// Clock is the time of a test.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock stands at a round time.
func NewClock() *Clock { return &Clock{now: time.Unix(1_800_000_000, 0)} }

// Now is the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Pass moves the clock.
func (c *Clock) Pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// World is one implementation under test. Restart closes it and opens it again with
// what is durable.
type World struct {
	Logs    Logs
	Clock   *Clock
	Restart func() Logs
}

// Secret, Token, Tag and Name are made of words.
func Secret(f string, a ...any) wire.Secret {
	return sha256.Sum256(fmt.Appendf(nil, "secret "+f, a...))
}

// Tag of a word.
func Tag(s string) wire.Tag { h := Secret("tag %s", s); return wire.Tag(h[:16]) }

// Name of a word.
func Name(s string) wire.LogName { h := Secret("log %s", s); return wire.LogName(h[:16]) }

// Room is a log with the people in it, who share a token for each epoch.
type Room struct {
	t     testing.TB
	w     *World
	Log   wire.LogName
	Epoch int
	n     int
}

// NewRoom makes a log with a cursor for each of the people.
func NewRoom(t testing.TB, w *World, name string, people ...string) *Room {
	t.Helper()
	r := &Room{t: t, w: w, Log: Name(name)}
	c := r.create(people...)
	if _, err := w.Logs.Create(c); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *Room) create(people ...string) wire.Create {
	c := wire.Create{Log: r.Log, Token: r.Token(0).Hash(), TTL: 3600}
	for _, p := range people {
		c.Cursors = append(c.Cursors, r.Cursor(p))
	}
	return c
}

// Token is an epoch's write token.
func (r *Room) Token(epoch int) wire.Secret { return Secret("%x token %d", r.Log, epoch) }

// Of is a person's cursor secret.
func (r *Room) Of(person string) wire.Secret { return Secret("%x cursor %s", r.Log, person) }

// Cursor registers a person's cursor.
func (r *Room) Cursor(person string) wire.NewCursor {
	return wire.NewCursor{Tag: Tag(person), Hash: r.Of(person).Hash()}
}

// Entry makes an entry of the epoch.
func (r *Room) Entry() wire.Append { return wire.Append{Log: r.Log, Token: r.Token(r.Epoch)} }

// Commit makes an entry that swaps the token.
func (r *Room) Commit(by string, add, end []string) wire.Append {
	a := r.Entry()
	s := r.Of(by)
	a.Cursor = &s
	a.Swap = &wire.Swap{Next: r.Token(r.Epoch + 1).Hash()}
	for _, p := range add {
		a.Swap.Add = append(a.Swap.Add, r.Cursor(p))
	}
	for _, p := range end {
		a.Swap.End = append(a.Swap.End, Tag(p))
	}
	return a
}

// Say appends a text and fails the test when it is refused.
func (r *Room) Say(text string) wire.Appended {
	r.t.Helper()
	got, err := r.w.Logs.Append(r.Entry(), []byte(text))
	if err != nil {
		r.t.Fatal(err)
	}
	r.n++
	return got
}

// Swap commits, after the pause that the log wants.
func (r *Room) Swap(by string, add, end []string) wire.Appended {
	r.t.Helper()
	r.w.Clock.Pass(wire.SwapInterval)
	got, err := r.w.Logs.Append(r.Commit(by, add, end), fmt.Appendf(nil, "commit %d by %s", r.Epoch, by))
	if err != nil {
		r.t.Fatal(err)
	}
	r.Epoch++
	return got
}

// Reads wants a person to read exactly these texts after a place, and checks the
// running hash from entry to entry.
func (r *Room) Reads(person string, after uint64, want ...string) []wire.Entry {
	r.t.Helper()
	a, err := r.w.Logs.Read(wire.Read{Secret: r.Of(person), After: after, Limit: 1 << 20})
	if err != nil {
		r.t.Fatalf("%s: %v", person, err)
	}
	var got []string
	for i, e := range a.Entries {
		got = append(got, string(e.Bytes))
		if i > 0 && a.Entries[i-1].Seq+1 == e.Seq && e.Chain != wire.NextChain(a.Entries[i-1].Chain, e.Seq, e.Bytes) {
			r.t.Errorf("running hash is wrong at %d", e.Seq)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || len(got) != len(want) {
		r.t.Fatalf("%s reads %q, want %q", person, got, want)
	}
	return a.Entries
}

// Acks acknowledges.
func (r *Room) Acks(person string, through uint64) {
	r.t.Helper()
	if err := r.w.Logs.Ack(wire.Ack{Secret: r.Of(person), Through: through}); err != nil {
		r.t.Fatal(err)
	}
}

// State is what a person's cursor knows.
func (r *Room) State(person string) wire.PlaceState {
	r.t.Helper()
	a, err := r.w.Logs.Read(wire.Read{Secret: r.Of(person), After: 1 << 60})
	if err != nil {
		r.t.Fatal(err)
	}
	return a.State
}

// Ear is a watcher that remembers.
type Ear struct {
	mu      sync.Mutex
	ready   int
	signals []string
	ended   []wire.Code
}

// Ready counts.
func (e *Ear) Ready(uint32) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ready++
}

// Signal remembers.
func (e *Ear) Signal(_ uint32, p []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.signals = append(e.signals, string(p))
}

// Ended remembers.
func (e *Ear) Ended(_ uint32, c wire.Code) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ended = append(e.ended, c)
}

func (e *Ear) wants(t testing.TB, ready bool, signals []string, ended ...wire.Code) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if (e.ready > 0) != ready || fmt.Sprint(e.signals) != fmt.Sprint(signals) || fmt.Sprint(e.ended) != fmt.Sprint(ended) {
		t.Fatalf("heard ready %d, signals %q, ended %v; want %v, %q, %v", e.ready, e.signals, e.ended, ready, signals, ended)
	}
}

func wantCode(t testing.TB, err error, c wire.Code) {
	t.Helper()
	if wire.CodeOf(err) != c {
		t.Fatalf("got %v (%v), want %v", wire.CodeOf(err), err, c)
	}
}

package logs

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"sotto/internal/wire"
)

// Create opens a log. Equal content again answers as the first time did. Durable when
// it returns. A TTL of 0 is wire.EntryLifetime.
// Refusals: CodeLogExists (also for a name that rests), CodeMalformed, CodeCursors,
// CodeStorageFull.
func (l *Logs) Create(c wire.Create) (wire.Created, error) {
	lg := l.acquire(c.Log)
	defer l.release(lg)
	wait, err := l.create(lg, c)
	lg.unlock()
	if err != nil {
		return wire.Created{}, err
	}
	if err := wait(); err != nil {
		return wire.Created{}, err
	}
	return wire.Created{Chain: wire.EmptyChain(c.Log)}, nil
}

func (l *Logs) create(lg *log, c wire.Create) (func() error, error) {
	e, known, err := l.creation(lg, c)
	if err != nil {
		return nil, err
	}
	wait, err := e.commit()
	if err == nil && !known {
		lg.exists, lg.durable, lg.durChain = true, 0, lg.rec.Chain
	}
	return wait, err
}

// Vet says what Create would answer, and creates nothing. Known is a log that an equal
// request made: creating it again costs nothing. Refusals: those of Create.
func (l *Logs) Vet(c wire.Create) (known bool, err error) {
	lg := l.acquire(c.Log)
	defer l.release(lg)
	defer lg.unlock()
	e, known, err := l.creation(lg, c)
	if err != nil {
		return false, err
	}
	e.drop()
	return known, nil
}

// creation is the edit that creates a log, or for a known one the edit that makes sure
// of it.
func (l *Logs) creation(lg *log, c wire.Create) (e *edit, known bool, err error) {
	ttl, err := lifetime(c.TTL)
	if err != nil {
		return nil, false, err
	}
	if len(c.Cursors) == 0 {
		return nil, false, wire.Refuse(wire.CodeMalformed, "a log without cursors could never be read")
	}
	if len(c.Cursors) > wire.MaxCursorsCreate {
		return nil, false, wire.Refuse(wire.CodeCursors, "%d cursors are over the limit of %d", len(c.Cursors), wire.MaxCursorsCreate)
	}
	if e, err = l.edit(lg); err != nil {
		return nil, false, err
	}
	if known, err = e.create(c, ttl); err != nil {
		e.drop()
		return nil, false, err
	}
	return e, known, nil
}

func (e *edit) create(c wire.Create, ttl time.Duration) (known bool, err error) {
	request := wire.Hash(sha256.Sum256(wire.Marshal(c)))
	if e.lg.exists && e.rec.Create == request {
		e.dirty = true // written again and waited for: the first time may not be durable yet
		return true, nil
	}
	now := millis(e.l.now())
	rests, err := e.l.rests(c.Log, now)
	if err != nil {
		return false, err
	}
	if e.lg.exists || rests {
		return false, wire.Refuse(wire.CodeLogExists, "a log of this name exists already")
	}
	e.rec = record{Create: request, TTL: uint64(ttl.Milliseconds()), Token: c.Token, Chain: wire.EmptyChain(c.Log), Tail: 1, NextID: 1}
	e.l.secrets.Lock()
	e.unlock = e.l.secrets.Unlock
	return false, e.l.addAll(e, c.Cursors, now)
}

func lifetime(seconds uint64) (time.Duration, error) {
	if seconds == 0 {
		return wire.EntryLifetime, nil
	}
	if seconds > uint64(wire.MaxEntryLifetime/time.Second) || seconds < uint64(wire.MinEntryLifetime/time.Second) {
		return 0, wire.Refuse(wire.CodeMalformed, "an entry's lifetime is from %v to %v", wire.MinEntryLifetime, wire.MaxEntryLifetime)
	}
	return time.Duration(seconds) * time.Second, nil
}

// rests says whether the name of a log that is over may not be used yet.
func (l *Logs) rests(name wire.LogName, now uint64) (bool, error) {
	until, ok, err := l.rest(name)
	return ok && until > now, err
}

func (l *Logs) rest(name wire.LogName) (until uint64, ok bool, err error) {
	v, ok, err := l.db.Get(restKey(name))
	if err != nil || !ok || len(v) != 8 {
		return 0, false, err
	}
	return binary.BigEndian.Uint64(v), true, nil
}

func millisValue(ms uint64) []byte { return binary.BigEndian.AppendUint64(nil, ms) }

// addAll adds cursors whose secrets no other cursor of this server has, at most
// wire.MaxCursorsLeaf live ones under a tag. Called with Logs.secrets held.
func (l *Logs) addAll(e *edit, add []wire.NewCursor, now uint64) error {
	live := map[wire.Tag]int{}
	for _, c := range e.cursors {
		if c.End == nil {
			live[c.Tag]++
		}
	}
	secrets := map[wire.Hash]bool{}
	for _, n := range add {
		if live[n.Tag]++; live[n.Tag] > wire.MaxCursorsLeaf {
			return wire.Refuse(wire.CodeCursors, "a member has at most %d places in a log", wire.MaxCursorsLeaf)
		}
		taken, err := l.taken(n.Hash)
		if err != nil {
			return err
		}
		if taken || secrets[n.Hash] {
			return wire.Refuse(wire.CodeCursors, "two places in logs cannot share a secret")
		}
		secrets[n.Hash] = true
	}
	for _, n := range add {
		e.add(n, now)
	}
	return nil
}

func (l *Logs) taken(h wire.Hash) (bool, error) {
	return l.db.View(secretKey(h), func([]byte) error { return nil })
}

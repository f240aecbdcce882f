package server

import (
	"time"

	"sotto/internal/wire"
)

// logOperations is all of /v1/log, which carries no account.
var logOperations = map[wire.Op]operation{
	wire.OpHello:    {do: call((*Session).hello)},
	wire.OpAppend:   {do: (*Session).append},
	wire.OpPart:     {do: call((*Session).part)},
	wire.OpSignal:   {do: call((*Session).signal)},
	wire.OpWatch:    {do: (*Session).watch},
	wire.OpCredit:   {do: call((*Session).credit)},
	wire.OpUnwatch:  {do: call((*Session).unwatch)},
	wire.OpRead:     {do: call((*Session).read)},
	wire.OpAck:      {do: call((*Session).ack)},
	wire.OpClaim:    {do: call((*Session).claim)},
	wire.OpDrop:     {do: call((*Session).drop)},
	wire.OpPut:      {do: call((*Session).put)},
	wire.OpVisit:    {do: (*Session).visit},
	wire.OpVisitSay: {do: call((*Session).sayThere)},
}

// append hands an entry to its log and does not wait: a connection may have several
// under way, and gets their answers in the order of its requests.
func (s *Session) append(id uint64, body []byte) {
	var a wire.Append
	err := wire.Unmarshal(body, &a)
	s.submit(id, len(body), a, err)
}

// submit is append for a request that was read, or was not readable.
func (s *Session) submit(id uint64, size int, a wire.Append, err error) {
	slot := s.appends.begin(id, size)
	if slot == nil {
		return // closed
	}
	if err != nil {
		s.finish(slot, wire.Appended{}, err)
		return
	}
	entry, err := s.staging.join(s.srv, a)
	if err != nil {
		s.finish(slot, wire.Appended{}, err)
		return
	}
	if !a.Swap.Fits(entry) {
		s.finish(slot, wire.Appended{}, wire.Refuse(wire.CodeMalformed, "an entry names the swap that it comes with, and no other"))
		return
	}
	s.srv.logs.AppendAsync(a, entry, func(r wire.Appended, err error) { s.finish(slot, r, err) })
}

func (s *Session) finish(slot *slot, r wire.Appended, err error) {
	if err != nil {
		if wire.CodeOf(err) == wire.CodeInternal {
			s.srv.o.Log.Error("an append failed", "err", err)
		}
		s.appends.done(s.out, slot, wire.EncodeError(slot.id, err))
		return
	}
	s.appends.done(s.out, slot, encodeAppended(slot.id, r))
}

// part takes a piece of an entry longer than a frame.
func (s *Session) part(p wire.Part) (wire.Done, error) {
	return wire.Done{}, s.staging.add(s.srv, p)
}

func (s *Session) signal(x wire.Signal) (wire.Done, error) {
	if !s.signals.take(s.srv.o.Now(), wire.SignalsPerSecond) {
		err := wire.Refuse(wire.CodeSlowDown, "at most %d signals a second", wire.SignalsPerSecond)
		err.After = time.Second / wire.SignalsPerSecond
		return wire.Done{}, err
	}
	if len(x.Payload) > wire.MaxSignal {
		return wire.Done{}, wire.Refuse(wire.CodeTooLarge, "a signal is at most %d bytes", wire.MaxSignal)
	}
	return wire.Done{}, s.srv.logs.Signal(x)
}

// readOverhead is what an entry costs in an answer beside its bytes and its Did.
const readOverhead = 96

// read reads once. The answer is cut to what a frame holds: the rest is the next read's.
func (s *Session) read(r wire.Read) (wire.ReadAnswer, error) {
	r.Limit = min(max(r.Limit, 1), wire.MaxEntry)
	a, err := s.srv.logs.Read(r)
	if err != nil {
		return a, err
	}
	size := 0
	for i, e := range a.Entries {
		size += readOverhead + len(e.Bytes)
		if e.Did != nil {
			size += 64 + 64*len(e.Did.Added) + 17*len(e.Did.Ended)
		}
		if i > 0 && (size > wire.MaxFrame-1024 || i >= 2048) {
			a.Entries = a.Entries[:i]
			break
		}
	}
	return a, nil
}

func (s *Session) ack(a wire.Ack) (wire.Done, error) { return wire.Done{}, s.srv.logs.Ack(a) }

func (s *Session) claim(c wire.Claim) (wire.Done, error) { return wire.Done{}, s.srv.logs.Claim(c) }

func (s *Session) drop(d wire.Drop) (wire.Done, error) {
	return wire.Done{}, s.srv.logs.Drop(d.Secret)
}

// put is for strangers too, so it is metered by address; whom the inbox's owner has given a
// capability of their own is no stranger, and has a quota of its own.
func (s *Session) put(p wire.Put) (wire.Done, error) {
	known, err := s.srv.inboxes.Knows(p.Inbox, p.Capability)
	if err == nil && !known {
		err = s.srv.policy.Load().puts.take(s.addr, s.srv.o.Now())
	}
	if err != nil {
		return wire.Done{}, err
	}
	return wire.Done{}, s.srv.inboxes.Put(p)
}

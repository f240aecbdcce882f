package client

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"sotto/chunked"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// Files go in blocks of 128 chunks: what is read, sealed or verified at a time.
const (
	blockChunks = 128
	fetchChunks = 64 // that are asked for at a time
	blockSealed = blockChunks * (chunked.ChunkSize + chunked.TagSize)
	pieceLeast  = 64 << 10 // bytes of one request, least and first on a slow line
	pieceFast   = time.Second
	sideBySide  = 3 // files that go at a time, each way
	tellEvery   = 200 * time.Millisecond
	retryFirst  = 200 * time.Millisecond
	retryMost   = 5 * time.Minute
	triesJunk   = 3 // downloads of a block that does not verify
	triesLine   = 4 // requests in a row that a line loses before others get its place
)

// carrying is a file on its way, in memory. Its row is what counts; what belongs to one that was
// stopped is dropped.
type carrying struct {
	c     *Client
	row   store.Transfer
	way   interface{ close() }
	over  bool
	done  int64 // bytes of the ciphertext
	rate  float64
	since int64 // of what rate is measured, Unix milliseconds
	from  int64 // done then
	told  int64
	piece int64 // bytes of the next request
}

// blockStart is the place at which a block begins. The header goes with the first.
func blockStart(i int64) int64 {
	if i == 0 {
		return 0
	}
	return chunked.HeaderSize + i*blockSealed
}

// blockOf is the block that holds a place.
func blockOf(at int64) int64 { return max(at-chunked.HeaderSize, 0) / blockSealed }

func hexName(b [16]byte) string { return hex.EncodeToString(b[:]) }

// beside runs work beside the queue and done on it, as aside does; nobody who waits for the
// device to be quiet waits for a file.
func (c *Client) beside(work func() error, done func(error)) {
	run := func() {
		err := work()
		c.post(func() {
			done(err)
			c.settle()
		})
	}
	if c.queue == nil {
		run()
		return
	}
	go run()
}

// pumpFiles begins what can go on, three files each way at a time.
func (c *Client) pumpFiles() {
	if c.closed || !c.opened {
		return
	}
	var all, leaving []store.Transfer
	if err := c.read(func(tx store.Tx) (err error) {
		if all, err = tx.TransfersIn(store.TransferRuns); err == nil {
			leaving, err = tx.TransfersIn(store.TransferLeaving)
		}
		return err
	}); err != nil {
		c.fail("reading which files are on their way", err)
		return
	}
	now, next := c.nowMS(), int64(0)
	busy := map[bool]int{}
	for _, m := range c.moves {
		busy[m.row.Sends]++
	}
	for _, x := range all {
		switch {
		case c.moves[x.ID] != nil || busy[x.Sends] >= sideBySide:
		case x.Due > now:
			if next == 0 || x.Due < next {
				next = x.Due
			}
		default:
			busy[x.Sends]++
			c.carry(x)
		}
	}
	c.letFilesGo(leaving)
	if next != 0 {
		c.timer("files", msDuration(next-now), c.pumpFiles)
	}
}

// hurryFiles goes on with what waits only because a host could not be reached.
func (c *Client) hurryFiles() {
	err := c.write(func(tx store.Tx) error {
		all, err := tx.TransfersIn(store.TransferRuns)
		for _, x := range all {
			if x.Due != 0 && x.Code == "" {
				x.Due = 0
				if err := tx.SetTransfer(x); err != nil {
					return err
				}
			}
		}
		return err
	})
	if err != nil {
		c.fail("going on with files", err)
	}
	c.pumpFiles()
}

// carry begins one.
func (c *Client) carry(x store.Transfer) {
	m := &carrying{c: c, row: x, done: x.Done, from: x.Done, since: c.nowMS(), piece: blockSealed / 4}
	c.moves[x.ID] = m
	if x.Sends {
		m.send()
		return
	}
	m.fetch()
}

// stop ends one in memory.
func (m *carrying) stop() {
	if m.over {
		return
	}
	m.over = true
	delete(m.c.moves, m.row.ID)
	if m.way != nil {
		m.way.close()
	}
}

// stopFiles ends all of them in memory.
func (c *Client) stopFiles() {
	for _, m := range c.moves {
		m.stop()
	}
}

// ask makes a request, and goes on with f unless it was stopped meanwhile.
func (m *carrying) ask(r Request, f func(a Answer, err error)) {
	r.Private = m.c.mayBePrivate(r.Host)
	begun := m.c.nowMS()
	m.c.o.Network.Do(r, func(a Answer, err error) {
		m.c.post(func() {
			if m.over {
				return
			}
			switch {
			case err != nil:
				err = fmt.Errorf("%w: %w", ErrUnreachable, err)
				m.piece = max(m.piece/2, pieceLeast)
			case a.Status < 200 || a.Status > 299:
				err = refusal(a)
			case m.c.nowMS()-begun < pieceFast.Milliseconds():
				m.piece = min(m.piece*2, blockSealed+chunked.HeaderSize)
			case m.c.nowMS()-begun > 4*pieceFast.Milliseconds():
				m.piece = max(m.piece/2, pieceLeast)
			}
			f(a, err)
			m.c.settle()
		})
	})
}

// beside is Client.beside for one that may be stopped meanwhile.
func (m *carrying) beside(work func() error, done func(error)) {
	m.c.beside(work, func(err error) {
		if !m.over {
			done(err)
		}
	})
}

// set keeps a change of the row. It stops what the database does not take.
func (m *carrying) set(change func(x *store.Transfer), more func(tx store.Tx, after *[]func()) error) bool {
	x := m.row
	change(&x)
	err := m.c.update(func(tx store.Tx, after *[]func()) error {
		now, err := tx.Transfer(x.ID)
		if err != nil {
			return err
		}
		if now == nil || now.State != m.row.State { // it was taken back or stopped meanwhile
			m.over = true
			return nil
		}
		if err := tx.SetTransfer(x); err != nil || more == nil {
			return err
		}
		return more(tx, after)
	})
	if err != nil {
		m.c.fail("noting how far a file is", err)
		m.stop()
		m.c.timer("files", retryFirst, m.c.pumpFiles)
		return false
	}
	if m.over {
		m.over = false
		m.stop()
		return false
	}
	m.row = x
	return true
}

// end ends it in a state. A message of which a file does not get to its server is not sent.
func (m *carrying) end(s store.TransferState, why string, code string) {
	failed := func(tx store.Tx, after *[]func()) error {
		if !m.row.Sends {
			return nil
		}
		x, err := tx.FindMessage(m.row.Message)
		if err != nil || x == nil || x.State != store.Queued {
			return err
		}
		x.State, x.Why, x.Code = store.Failed, why, code
		*after = append(*after, func() { m.c.emit(Event{Kind: EventState, Room: x.Room, Message: x, Text: why}) })
		return tx.Fail(x.Room, x.ID, why, code)
	}
	if m.set(func(x *store.Transfer) { x.State, x.Why, x.Code, x.Done = s, why, code, m.done }, failed) {
		m.stop()
		m.tell(true)
		m.c.pumpFiles()
	}
}

// trouble puts it off, or ends it where trying again is of no use.
func (m *carrying) trouble(err error) {
	m.c.log.Info("a file waits", "why", err)
	code, wait := "", min(retryFirst<<min(m.row.Tries, 20), retryMost)
	if refused(err) {
		code = codeOf(err)
		wait = max(wait, retryAfter(err))
		switch wire.CodeOf(err) {
		case wire.CodeNoBlob:
			m.end(store.TransferGone, ErrFileGone.Error(), code)
			return
		case wire.CodeTooLarge, wire.CodeMalformed, wire.CodeCapability:
			m.end(store.TransferFailed, err.Error(), code)
			return
		}
	} else if !errors.Is(err, ErrUnreachable) { // of this machine
		m.end(store.TransferFailed, reasonOf(err), "file")
		return
	}
	if m.set(func(x *store.Transfer) {
		x.Tries, x.Due, x.Why, x.Code = x.Tries+1, m.c.nowMS()+wait.Milliseconds(), err.Error(), code
		x.Done = m.done
	}, nil) {
		m.stop()
		m.tell(true)
		m.c.pumpFiles()
	}
}

// moved notes that bytes are over, and tells of it now and then.
func (m *carrying) moved(done int64) {
	m.done = done
	if now := m.c.nowMS(); now-m.since >= 500 {
		rate := float64(m.done-m.from) * 1000 / float64(now-m.since)
		if m.rate == 0 {
			m.rate = rate
		}
		m.rate += (rate - m.rate) / 3
		m.since, m.from = now, m.done
	}
	m.tell(false)
}

func (m *carrying) tell(always bool) {
	now := m.c.nowMS()
	if !always && now-m.told < tellEvery.Milliseconds() {
		return
	}
	m.told = now
	m.c.emit(Event{Kind: EventFile, Room: m.row.Room, ID: m.row.Message, Part: m.row.Part})
	m.c.settle()
}

// onceMore tries again in a moment what a line has lost, and says whether it does: after some
// times in a row the file waits, and another one may go on.
func (m *carrying) onceMore(name string, lost *int, err error, f func()) bool {
	if !errors.Is(err, ErrUnreachable) || *lost >= triesLine {
		return false
	}
	m.c.timer(fmt.Sprintf("file %d %s", m.row.ID, name), retryFirst/8<<*lost, func() {
		if !m.over {
			f()
		}
	})
	*lost++
	return true
}

// pace waits as long as the person's limit asks for after so many bytes, and goes on.
func (m *carrying) pace(bytes int64, f func()) {
	limit, free := m.c.settings.ReceiveRate, &m.c.freeDown
	if m.row.Sends {
		limit, free = m.c.settings.SendRate, &m.c.freeUp
	}
	if limit <= 0 {
		f()
		return
	}
	now := m.c.nowMS()
	*free = max(*free, now) + bytes*1000/(limit<<10)
	if *free <= now {
		f()
		return
	}
	m.c.timer(fmt.Sprintf("pace %d", m.row.ID), msDuration(*free-now), func() {
		if !m.over {
			f()
		}
	})
}

// letFilesGo erases what servers have of files that were taken back, one after the other.
func (c *Client) letFilesGo(leaving []store.Transfer) {
	for _, x := range leaving {
		if m := c.moves[x.ID]; m != nil {
			m.stop()
		}
	}
	now := c.nowMS()
	for _, x := range leaving {
		if c.letting || x.Due > now {
			continue
		}
		c.letting = true
		c.letGoOf(x)
	}
}

func (c *Client) letGoOf(x store.Transfer) {
	body, err := sendBodyOf(x)
	forget := func() {
		c.letting = false
		if err := c.write(func(tx store.Tx) error { return tx.DropTransfer(x.ID) }); err != nil {
			c.fail("forgetting a file", err)
			return
		}
		c.post(c.pumpFiles)
	}
	if err != nil || c.sharedElsewhere(x, body) {
		forget()
		return
	}
	if body.Spool != "" {
		c.beside(func() error { _ = c.o.Disk.Remove(c.spooled(body.Spool)); return nil }, func(error) {})
	}
	r := Request{Host: body.Host, Method: "DELETE", Path: "/v1/uploads/" + hexName(body.Blob), Header: map[string]string{wire.HeaderErase: hex.EncodeToString(body.Erase[:])}, Private: c.mayBePrivate(body.Host), Limit: 4096}
	c.o.Network.Do(r, func(a Answer, err error) {
		c.post(func() {
			if err == nil && a.Status > 299 {
				err = refusal(a)
			}
			if err == nil || errors.Is(err, wire.Refuse(wire.CodeNoBlob, "")) || c.now().Unix() > body.Until {
				forget()
				return
			}
			c.letting = false
			x.Tries++
			x.Due = c.nowMS() + min(retryFirst<<min(x.Tries, 20), retryMost).Milliseconds()
			if err := c.write(func(tx store.Tx) error { return tx.SetTransfer(x) }); err != nil {
				c.fail("putting off the erasure of a file", err)
			}
		})
	})
}

// sharedElsewhere says whether another message of the room has the same blob.
func (c *Client) sharedElsewhere(x store.Transfer, body sendBody) (shared bool) {
	err := c.read(func(tx store.Tx) error {
		whole, err := tx.TransfersIn(store.TransferWhole)
		for _, y := range whole {
			if !y.Sends {
				continue
			}
			other, err := sendBodyOf(y)
			if err != nil {
				return err
			}
			shared = shared || other.Blob == body.Blob
		}
		return err
	})
	return shared || err != nil
}

package client

import (
	"errors"
	"math"
	"time"

	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// Times of the rules of a room.
const (
	moveWait     = time.Hour        // what others than admins wait before they move a room
	lateWait     = 10 * time.Minute // a move waits so long for members whose home cannot be reached
	joinWait     = 24 * time.Hour   // a newcomer that has said nothing is invited again
	deadWait     = 24 * time.Hour   // a host out of reach for so long counts as gone
	youngRoom    = 24 * time.Hour   // a generation that breaks so soon makes the next one wait longer
	replacedWait = time.Minute      // an invitation that a commit announces is late
	rejoinWait   = 24 * time.Hour   // a device that nobody lets in again moves the room
	rivalWait    = 24 * time.Hour   // two moves count as made at once
	mergeWait    = 7 * 24 * time.Hour
	newsWait     = 10 * time.Second // before another device than the one that moved the account tells rooms of it
	alongWait    = 5 * time.Second  // before the first room moves along with its person
	alongEvery   = 2 * time.Second  // before the next one does
	forGood      = math.MaxInt64    // no time at which somebody is left behind
	mostHops     = 8                // servers that one lookup leads to

	reopenWait   = 500 * time.Millisecond // before a store is opened again that failed in a commit
	receiptDelay = 50 * time.Millisecond  // receipts of a burst go together

	typingEvery = 4 * time.Second   // between two signals that one writes
	writingTime = 6 * time.Second   // after which somebody's writing ends by itself
	hereEvery   = time.Minute       // between two signals that one is here
	hereTime    = 150 * time.Second // after which somebody's being here ends by itself
	hereBurst   = 25                // rooms that are told so at once
	hereAgain   = time.Second       // before the next ones are

	profileDelay = 3 * time.Second // what one shows of oneself goes to newcomers a moment later, once for all of them
	profileLate  = time.Minute     // to a room that moved
	profileBurst = 32              // rooms that are told at once
	profileAgain = 2 * time.Second // before the next ones are
	pictureLate  = time.Minute     // before others than who added them give newcomers the room's picture
)

func msDuration(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }

// retryAfter is how long to wait after a refusal: what the server said, or a while.
func retryAfter(err error) time.Duration {
	var e *wire.Error
	if errors.As(err, &e) && e.After > 0 {
		return min(e.After, maxRetry)
	}
	return 5 * time.Second
}

// everyMinute does what is due by the clock.
func (c *Client) everyMinute() {
	c.timer("minute", time.Minute, c.everyMinute)
	now := c.nowMS()
	err := c.update(func(tx store.Tx, after *[]func()) error {
		gone, err := tx.DropExpired(now)
		if err != nil {
			return err
		}
		c.tellGone(after, gone)
		if err := tx.DropOldLinks(now, now-knockKept.Milliseconds()); err != nil {
			return err
		}
		for _, g := range c.sortedGens() {
			if err := g.due(tx, after, now); err != nil {
				return err
			}
		}
		if err := c.leftCalls(tx, after); err != nil {
			return err
		}
		return c.lateJoins(tx, now)
	})
	if err != nil {
		c.fail("the work of every minute", err)
	}
	c.sweepIndex()
	if err := c.st.Tidy(); err != nil {
		c.fail("tidying the database", err)
	}
	c.partHosts()
	c.dropOld()
	c.resumeClearing()
	c.letGo()
	c.payProfiles()
	c.picturesSoon()
	c.backUpIfDue()
	c.pumpFiles()
	for id, at := range c.typed {
		if now-at > time.Minute.Milliseconds() {
			delete(c.typed, id)
		}
	}
	c.indexMore()
	if now-c.counted > time.Hour.Milliseconds() {
		c.counted = now
		c.replenish()
	}
	c.pump()
}

// due is a generation's part of it: our leaf is renewed every quarter of the retention,
// and messages that no host keeps any longer are told as expired.
func (g *gen) due(tx store.Tx, after *[]func(), now int64) error {
	g.dropSignals(false)
	if n, err := tx.Overdue(g.Room, now-int64(g.TTL)*1000); err != nil {
		return err
	} else if n > 0 {
		*after = append(*after, func() { g.c.emit(Event{Kind: EventRoom, Room: g.Room}) })
	}
	if g.over() && now-g.Since > deadWait.Milliseconds() {
		return g.shut(tx, after) // its host does not come back
	}
	if g.State == store.GenLive && g.group != nil && now-g.Updated > int64(g.TTL)*1000/4 {
		if err := tx.AddWant(store.Want{Room: g.Room, Kind: wantUpdate, Body: wire.Marshal(wantGen{Generation: g.Number}), Due: now + g.rank([]byte("update"))}); err != nil {
			return err
		}
	}
	if err := g.hostGone(tx, after, now); err != nil {
		return err
	}
	if err := g.leaveRetiring(tx, now); err != nil {
		return err
	}
	r, err := tx.Room(g.Room)
	if err != nil || r == nil {
		return err
	}
	if r.State == store.RoomMerged && g.State == store.GenLive && now-g.Since > mergeWait.Milliseconds() {
		*after = append(*after, func() { g.forget(); g.c.dropGen(g) })
		return g.c.closeRow(tx, after, g)
	}
	return nil
}

// lateJoins invites again who was added a day ago and has said nothing.
func (c *Client) lateJoins(tx store.Tx, now int64) error {
	late, err := tx.LateJoins(now - joinWait.Milliseconds())
	if err != nil {
		return err
	}
	for _, j := range late {
		if err := tx.DropJoin(j.Room, j.Generation, j.Device); err != nil {
			return err
		}
		w := store.Want{Room: j.Room, Kind: wantAgain, Body: wire.Marshal(wantDevice{Generation: j.Generation, Device: j.Device, Account: j.Account}), Due: now}
		if err := tx.AddWant(w); err != nil {
			return err
		}
	}
	return nil
}

// hostGone moves a room whose host has been out of reach for a day, while our own home
// server is not.
func (g *gen) hostGone(tx store.Tx, after *[]func(), now int64) error {
	l := g.c.hosts[g.Host]
	if g.State != store.GenLive || g.group == nil || l == nil || l.up || l.since == 0 || now-l.since < deadWait.Milliseconds() ||
		g.Host == g.c.self.Host || !g.c.account.link.up {
		return nil
	}
	if err := g.c.notice(tx, after, &g.Room, NoticeFork, said.Of("fault.unreachable")); err != nil {
		return err
	}
	return g.wedge(tx, after, nil, said.Of("why.unreachable"))
}

// partHosts ends the connections to hosts at which nothing is left for this device.
func (c *Client) partHosts() {
	needed := map[string]bool{}
	for _, g := range c.gens {
		needed[g.Host] = true
	}
	err := c.read(func(tx store.Tx) error {
		letters, err := tx.Letters()
		for _, m := range letters {
			needed[m.Host] = true
		}
		return err
	})
	if err != nil {
		return // the next minute
	}
	for _, l := range c.sortedHosts() {
		if needed[l.host] {
			continue
		}
		l.close()
		delete(c.hosts, l.host)
	}
}

package client

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"time"

	"sotto/internal/identity"
	"sotto/internal/recovery"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// Facts of the store.
const (
	factRecorded   = "recorded"    // the hash of what the recovery record held when this device wrote it last
	factRecordedAt = "recorded at" // and when, Unix milliseconds
)

// Times of the recovery record.
const (
	recordSoon  = 2 * time.Second // after a change, since one seldom comes alone
	recordEvery = 3 * time.Minute // at most
)

// recordLater has the recovery record written a little later.
func (c *Client) recordLater() {
	if c.closed || c.chain == nil || c.chain.Recovery() == nil || c.timers["record"] != nil {
		return
	}
	wait := recordSoon
	if c.recorded != 0 {
		wait = max(wait, msDuration(c.recorded+recordEvery.Milliseconds()-c.nowMS()))
	}
	c.timer("record", wait, c.putRecord)
}

// putRecord writes the recovery record, if something in it has changed.
func (c *Client) putRecord() {
	if c.account == nil || !c.account.link.up || c.unlinked() || c.chain.Recovery() == nil {
		return // when the link comes up it is looked at again
	}
	if c.halfway() {
		c.recorded = c.nowMS()
		c.recordLater()
		return
	}
	record, sum, same, err := c.recordNow()
	if err != nil {
		c.fail("reading what belongs into the recovery record", err)
		return
	}
	if same {
		return
	}
	sealed, err := recovery.Seal(c.keys, c.chain, record)
	if err != nil {
		c.fail("sealing the recovery record", err)
		return
	}
	c.recorded, c.recording = c.nowMS(), true
	ask(c.account.link, wire.OpRecord, wire.Record{Sealed: sealed}, func(_ wire.Done, err error) {
		c.recording = false
		if err == nil {
			err = c.write(func(tx store.Tx) error {
				if err := tx.SetFactUint(factRecordedAt, uint64(c.recorded)); err != nil {
					return err
				}
				return tx.SetFact(factRecorded, sum[:])
			})
			c.tellRecovery()
			c.leaveRecords()
		}
		if err != nil && refused(err) {
			c.fail("keeping the recovery record", err)
		}
		if err != nil {
			c.recordLater()
		}
	})
}

// halfway says whether this device still waits for its history from the device that linked it:
// what it knows is less than what the record holds. What has not come in 14 days does not come.
func (c *Client) halfway() bool {
	var in *taking
	if err := c.read(func(tx store.Tx) (err error) { in, err = loadFact[taking](tx, factTaking); return err }); err != nil || in == nil || in.Done {
		return false
	}
	for _, s := range c.chain.Record(0) {
		if s.Device != nil && s.Device.Name == c.keys.Name {
			return c.nowMS()-int64(min(s.Time, 1<<40))*1000 < letterTime
		}
	}
	return false
}

// flushRecord writes the recovery record without waiting for more to change, if it may be
// written already: a command ends sooner than that.
func (c *Client) flushRecord(done func(error)) {
	if c.timers["record"] != nil && c.nowMS()-c.recorded >= recordEvery.Milliseconds() {
		c.stopTimer("record")
		c.putRecord()
	}
	c.until(func() (bool, error) { return !c.recording, nil }, done)
}

// recordNow is the record as it is to be, its hash, and whether this device has written it so.
func (c *Client) recordNow() (record recovery.Record, sum wire.Hash, same bool, err error) {
	err = c.read(func(tx store.Tx) (err error) {
		if record, err = c.record(tx); err != nil {
			return err
		}
		sum = sha256.Sum256(append(wire.Marshal(record), c.chain.Recovery().Seal...))
		last, _, err := tx.Fact(factRecorded)
		same = string(last) == string(sum[:])
		return err
	})
	return record, sum, same, err
}

// record is what the recovery record holds now.
func (c *Client) record(tx store.Tx) (r recovery.Record, err error) {
	own, err := tx.Profile(c.chain.ID())
	if err != nil {
		return r, err
	}
	if own != nil {
		r.Name, r.Status = own.Name, own.Status
	}
	keep := func(p store.Person, standing uint8) {
		r.People = append(r.People, recovery.Contact{Account: p.Account, Handle: p.Handle, Standing: standing, Nickname: p.Nickname, Length: uint64(p.Chain.Len()), Head: p.Chain.Head()})
	}
	for _, s := range []store.Standing{store.Contact, store.Blocked} {
		people, err := tx.People(s)
		if err != nil {
			return r, err
		}
		for _, p := range people {
			keep(p, uint8(s))
		}
	}
	rooms, err := tx.Rooms()
	if err != nil {
		return r, err
	}
	for _, x := range rooms { // another device of this account may have made them a contact
		if x.State != store.RoomActive || x.Peer == nil {
			continue
		}
		if p, err := tx.Person(*x.Peer); err != nil {
			return r, err
		} else if p != nil && p.Standing == store.Stranger {
			keep(*p, recovery.Known)
		}
	}
	for _, x := range rooms {
		g := c.gens[genKey{x.ID, x.Generation}]
		if x.State != store.RoomActive || x.Kind.OfOne() || g == nil || g.group == nil {
			continue
		}
		r.Rooms = append(r.Rooms, recovery.Room{ID: x.ID, Kind: x.Kind, Title: x.Title, Host: g.Host, Generation: x.Generation, Log: g.Log, Members: c.membersFor(g)})
	}
	if still, err := c.back(tx); err != nil || still == nil {
		return r, err
	} else { // what has not come back yet must not be lost a second time
		r.People = append(r.People, still.People...)
		for _, x := range still.Rooms {
			r.Rooms = append(r.Rooms, x.Room)
		}
	}
	return r, nil
}

// membersFor are the members of a room that a record names: who manages it first.
func (c *Client) membersFor(g *gen) (out []recovery.Member) {
	accounts := slices.DeleteFunc(g.accounts(), func(id identity.ID) bool { return id == c.chain.ID() })
	slices.SortStableFunc(accounts, func(a, b identity.ID) int {
		admin := func(id identity.ID) int {
			if g.ctx.IsAdmin(id) {
				return 0
			}
			return 1
		}
		return cmp.Compare(admin(a), admin(b))
	})
	for _, id := range accounts[:min(len(accounts), recovery.MaxMembers)] {
		out = append(out, recovery.Member{Account: id, Handle: g.known[id].Handle()})
	}
	return out
}

package client

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"sotto/internal/archive"
	"sotto/internal/backup"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// A backup at the home server is a row of blobs, an index of them, and a pointer to that, which
// only the 24 words open. A run reads everything and puts what it has not put already: a chunk
// that is the same as last time is where it was.
const (
	factKept    = "backup part " // and a blob's name: kept
	renewBefore = 45 * Daily     // so long before its end a blob is put anew
)

// kept is a blob of this device's backup at the home server, or one that no backup names any
// more and that is still to be erased.
type kept struct {
	Part  backup.Part `cbor:"1,keyasint"`
	Sum   wire.Hash   `cbor:"2,keyasint"` // of the chunk
	Size  uint64      `cbor:"3,keyasint"`
	Until int64       `cbor:"4,keyasint"` // Unix milliseconds
}

func keptFact(blob [16]byte) string { return factKept + hex.EncodeToString(blob[:]) }

func (c *Client) allKept(tx store.Tx) (out []kept, err error) {
	_, values, err := tx.Facts(factKept)
	for _, b := range values {
		var k kept
		if err = errors.Join(err, wire.Unmarshal(b, &k)); err == nil {
			out = append(out, k)
		}
	}
	return out, err
}

// leaveBackup forgets the backup at a home server that this account has left, so that one is made
// at the next. What was put there ends in its time.
func (c *Client) leaveBackup(tx store.Tx) error {
	plan, state, err := c.backupFacts(tx)
	if err != nil || state.Pointer == nil && state.Trying == nil {
		return err
	}
	list, err := c.allKept(tx)
	for _, k := range list {
		if err == nil {
			err = tx.DropFacts(keptFact(k.Part.Blob))
		}
	}
	if err != nil {
		return err
	}
	if plan.Server {
		state = backupState{}
	}
	state.Pointer, state.Index, state.Until, state.Trying = nil, nil, 0, nil
	return tx.SetFact(factBackupState, wire.Marshal(state))
}

// serverRun is a backup that goes to the home server.
type serverRun struct {
	c     *Client
	state backupState
	have  []kept            // before this run, and what it has put
	gone  map[[16]byte]bool // of these: the server has lost them
	parts []kept            // of this run, in order
	count uint64
	begun int64
	next  backupState
}

// saveServer begins a backup that goes to the home server.
func (c *Client) saveServer(state backupState, end func(backupState, error)) {
	r := &serverRun{c: c, gone: map[[16]byte]bool{}, state: state, begun: c.nowMS()}
	err := c.read(func(tx store.Tx) (err error) { r.have, err = c.allKept(tx); return err })
	switch {
	case err != nil:
	case c.chain.Recovery() == nil:
		err = ErrServerOnly
	case !c.homeUp():
		err = ErrUnreachable
	}
	if err != nil {
		end(state, err)
		return
	}
	c.save(r, func(err error) { end(r.next, err) })
}

// homeUp says whether the home server can be asked.
func (c *Client) homeUp() bool { return c.account != nil && c.account.link.up }

// take puts a chunk, unless it stands there.
func (r *serverRun) take(chunk archive.Chunk, done func(error)) {
	if chunk.Last { // it holds nothing
		done(nil)
		return
	}
	r.count += uint64(len(chunk.Messages))
	chunk.Index, chunk.Total = 0, 0 // so that the same content is the same chunk
	b := archive.Encode(chunk)
	sum := hashOf(b)
	i := slices.IndexFunc(r.have, func(k kept) bool {
		return k.Sum == sum && !r.gone[k.Part.Blob] && k.Until-r.c.nowMS() > renewBefore.Milliseconds()
	})
	if i < 0 {
		r.put(b, sum, done)
		return
	}
	k := r.have[i]
	r.stands(k.Part, func(there bool, err error) {
		switch {
		case err != nil:
			done(err)
		case there:
			r.parts = append(r.parts, k)
			done(nil)
		default:
			r.gone[k.Part.Blob] = true
			r.put(b, sum, done)
		}
	})
}

// stands asks the home server for the first byte of a blob.
func (r *serverRun) stands(p backup.Part, done func(bool, error)) {
	q := Request{Host: r.c.self.Host, Method: "GET", Path: blobPath(p.Blob), Header: map[string]string{"Range": "bytes=0-0"}, Limit: wire.MaxBlob}
	r.c.fetchAgain(q, 0, func(_ []byte, err error) {
		if errors.Is(err, wire.Refuse(wire.CodeNoBlob, "")) {
			done(false, nil)
			return
		}
		done(err == nil, err)
	})
}

func blobPath(blob [16]byte) string { return "/v1/blobs/" + hex.EncodeToString(blob[:]) }

// put seals and puts a chunk, and reads it back.
func (r *serverRun) put(b []byte, sum wire.Hash, done func(error)) {
	r.c.putKept(b, sum, func(k kept, err error) {
		clear(b)
		if err == nil {
			r.have, r.parts = append(r.have, k), append(r.parts, k)
		}
		done(err)
	})
}

// putKept seals bytes under a key of their own, puts them for as long as a server keeps
// anything, and reads them back. What was put is noted, so that it is erased some day whatever
// becomes of this run.
func (c *Client) putKept(b []byte, sum wire.Hash, done func(kept, error)) {
	if !c.homeUp() {
		done(kept{}, ErrUnreachable)
		return
	}
	k := kept{Sum: sum, Until: c.nowMS() + wire.MaxBlobLifetime.Milliseconds(), Part: backup.Part{Erase: c.newSecret()}}
	c.random(k.Part.Key[:])
	sealed, err := backup.SealBlob(k.Part.Key, b)
	if err != nil {
		done(k, err)
		return
	}
	k.Size, k.Part.Hash = uint64(len(sealed)), hashOf(sealed)
	c.putBlob(sealed, uint64(wire.MaxBlobLifetime/time.Second), k.Part.Erase, func(blob [16]byte, err error) {
		if err != nil {
			done(k, err)
			return
		}
		k.Part.Blob = blob
		if err := c.write(func(tx store.Tx) error { return tx.SetFact(keptFact(blob), wire.Marshal(k)) }); err != nil {
			done(k, err)
			return
		}
		c.fetchPart(k.Part, func(_ []byte, err error) { done(k, err) })
	})
}

// fetchPart gets a blob and opens it.
func (c *Client) fetchPart(p backup.Part, done func([]byte, error)) {
	c.fetchAgain(Request{Host: c.self.Host, Method: "GET", Path: blobPath(p.Blob), Limit: wire.MaxBlob}, 0, func(b []byte, err error) {
		if err == nil && hashOf(b) != p.Hash {
			err = backup.ErrDamaged
		}
		if err == nil {
			b, err = backup.OpenBlob(p.Key, b)
		}
		done(b, err)
	})
}

// fetchTries is how often a server that asks to slow down is asked again.
const fetchTries = 8

// fetchAgain is fetch that waits where the server says so.
func (c *Client) fetchAgain(r Request, try int, done func([]byte, error)) {
	c.fetch(r, func(b []byte, err error) {
		if errors.Is(err, wire.Refuse(wire.CodeSlowDown, "")) && try < fetchTries {
			c.pending++ // somebody waits for it
			c.timer("fetch again", max(retryAfter(err), time.Second), func() {
				c.pending--
				c.fetchAgain(r, try+1, done)
			})
			return
		}
		done(b, err)
	})
}

// finish puts the index and the pointer, and erases what no backup names any more.
func (r *serverRun) finish(done func(error)) {
	c := r.c
	index := backup.Index{Time: r.begun, Messages: r.count}
	r.next = r.state
	r.next.Messages, r.next.Size, r.next.Until = int64(r.count), 0, 0
	for _, k := range r.parts {
		index.Parts = append(index.Parts, k.Part)
		r.next.Size += int64(k.Size)
		r.next.Until = earlier(r.next.Until, k.Until)
	}
	index.Time = 0
	sum := hashOf(wire.Marshal(index)) // of what it names, whenever that is
	index.Time = r.begun
	old := slices.IndexFunc(r.have, func(k kept) bool { return r.state.Index != nil && k.Part.Blob == r.state.Index.Blob })
	if old >= 0 && r.state.Sum == sum && r.state.Words == c.wordsHash() && r.have[old].Until-c.nowMS() > renewBefore.Milliseconds() {
		r.next.Until = earlier(r.next.Until, r.have[old].Until)
		r.stands(r.have[old].Part, func(there bool, err error) {
			if err != nil || there {
				r.clean(done, err)
				return
			}
			r.name(index, sum, done)
		})
		return
	}
	r.name(index, sum, done)
}

func earlier(a, b int64) int64 {
	if a == 0 {
		return b
	}
	return min(a, b)
}

// name puts an index and the pointer to it.
func (r *serverRun) name(index backup.Index, sum wire.Hash, done func(error)) {
	c := r.c
	b, err := index.Marshal()
	if err != nil {
		done(err)
		return
	}
	c.putKept(b, sum, func(k kept, err error) {
		if err != nil {
			done(err)
			return
		}
		r.have = append(r.have, k)
		r.next.Until = earlier(r.next.Until, k.Until)
		p := backup.Pointer{Time: r.begun, Index: k.Part, Size: uint64(r.next.Size), Count: r.count, Until: r.next.Until}
		sealed, err := backup.SealPointer(c.keys, c.chain, p)
		if err != nil {
			done(err)
			return
		}
		r.next.Time, r.next.Sum, r.next.Words, r.next.Index, r.next.Path = r.begun, sum, c.wordsHash(), &k.Part, ""
		r.replace(sealed, func(err error) {
			if err == nil {
				r.next.Pointer, r.next.Trying = sealed, nil
				err = c.write(func(tx store.Tx) error { return tx.SetFact(factBackupState, wire.Marshal(r.next)) })
			}
			r.clean(done, err)
		})
	})
}

// replace puts the pointer in the place of the last one: of this device's, or, the first time,
// of whichever stands there. One of which this device does not know whether it was put may be
// there, too.
func (r *serverRun) replace(sealed []byte, done func(error)) {
	if !r.c.homeUp() {
		done(ErrUnreachable)
		return
	}
	ask(r.c.account.link, wire.OpBackup, wire.Backup{}, func(v wire.Backup, err error) {
		mine := r.state.Pointer == nil || bytes.Equal(v.Sealed, r.state.Pointer) || r.state.Trying != nil && bytes.Equal(v.Sealed, r.state.Trying)
		if err == nil && !mine {
			err = wire.Refuse(wire.CodeBackupMoved, "another device has put its backup there")
		}
		if err == nil {
			r.state.Trying = sealed
			if v.Sealed != nil {
				r.state.Pointer = v.Sealed
			}
			err = r.c.write(func(tx store.Tx) error { return tx.SetFact(factBackupState, wire.Marshal(r.state)) })
		}
		if err != nil || !r.c.homeUp() {
			done(cmp.Or(err, ErrUnreachable))
			return
		}
		var replaces wire.Hash
		if v.Sealed != nil {
			replaces = hashOf(v.Sealed)
		}
		ask(r.c.account.link, wire.OpBackup, wire.Backup{Sealed: sealed, Replaces: &replaces}, func(_ wire.Backup, err error) { done(err) })
	})
}

// clean erases the blobs that this backup does not name. What could not be erased is tried again
// after the next run.
func (r *serverRun) clean(done func(error), err error) {
	if err != nil {
		done(err)
		return
	}
	named := map[[16]byte]bool{}
	for _, k := range r.parts {
		named[k.Part.Blob] = true
	}
	if r.next.Index != nil {
		named[r.next.Index.Blob] = true
	}
	var rest []kept
	for _, k := range r.have {
		if !named[k.Part.Blob] {
			rest = append(rest, k)
		}
	}
	r.c.eraseKept(rest, func() { r.c.dropOffer(func() { done(nil) }) })
}

// abort leaves what was put: the next run takes it up.
func (r *serverRun) abort() {}

// eraseKept erases blobs, one after the other.
func (c *Client) eraseKept(list []kept, done func()) {
	if len(list) == 0 {
		done()
		return
	}
	p := list[0].Part
	q := Request{Host: c.self.Host, Method: "DELETE", Path: blobPath(p.Blob), Header: map[string]string{wire.HeaderErase: hex.EncodeToString(p.Erase[:])}}
	c.fetchAgain(q, 0, func(_ []byte, err error) {
		if err == nil || errors.Is(err, wire.Refuse(wire.CodeNoBlob, "")) {
			err = c.write(func(tx store.Tx) error { return tx.DropFacts(keptFact(p.Blob)) })
		}
		if err != nil {
			c.log.Info("a blob of an old backup is still there", "why", err)
		}
		c.eraseKept(list[1:], done)
	})
}

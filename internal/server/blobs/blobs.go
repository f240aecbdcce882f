// Package blobs keeps encrypted files: ciphertext under a random name, for a stated
// time, until its time is up or whoever holds the erase secret says so. The server's
// HTTPS handlers put and get them, its account sessions ask for tickets.
//
// It must never know whose a blob is, what is in it, or which blobs belong together.
// There is no listing.
package blobs

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"sotto/internal/server/engine"
	"sotto/internal/wire"
)

// copySize is how much of a piece is written at once, in bytes.
const copySize = 256 << 10

// TicketLifetime is how long a ticket may wait for its blob.
const TicketLifetime = time.Hour

// Options of a set of blobs.
type Options struct {
	Dir      string
	FS       vfs.FS
	Now      func() time.Time
	Rand     io.Reader
	MaxBytes func() uint64 // of all blobs together, as of now
	Far      Far           // where whole blobs are kept; nil: on the disk
}

// Blobs is safe for concurrent use.
type Blobs struct {
	db *engine.DB
	o  Options

	mu       sync.Mutex
	busy     map[Name]bool // being put or erased now
	count    int
	bytes    uint64          // of the blobs that stand
	reserved uint64          // of those being put
	pieces   map[Name]*piece // of blobs that are put in pieces, being written now
	made     map[string]bool
	offers   map[wire.Hash]Name // of tickets that stand, by the hash of the erase secret
	buffers  sync.Pool

	moving sync.Mutex // held by whoever puts blobs away
}

// Name is a blob's address at its host.
type Name = [16]byte

// Key prefixes.
const (
	prefixBlob   = "Bb"
	prefixTicket = "Bt"
)

// Rows declares what the blobs store in the engine. Beside it stands each blob's
// ciphertext, in a file under blobs/ of the blob's name, as long as its row.
var Rows = engine.Inventory{
	{Prefix: prefixBlob, Holds: "a blob's random name, size, end of life, and the hashes of its erase secret and spent ticket, and whether it lies in the store for objects", Until: "the blob's lifetime, or its erasure"},
	{Prefix: prefixUpload, Holds: "a blob that has come in part: as of a blob, how many bytes have come, and until when more are waited for", Until: "it is whole, is erased, 7 days after its last piece, or the blob's lifetime"},
	{Prefix: prefixTicket, Holds: "the right to put one blob: its name, size, lifetime, and the hashes of two secrets", Until: "it is used, or an hour and a minute"},
}

type blobRow struct {
	Size   uint64    `cbor:"1,keyasint"`
	Until  uint64    `cbor:"2,keyasint"` // Unix seconds
	Erase  wire.Hash `cbor:"3,keyasint"`
	Ticket wire.Hash `cbor:"4,keyasint"`           // spent: a put that is tried again answers alike
	Far    bool      `cbor:"5,keyasint,omitempty"` // it lies in Options.Far, and no more on the disk
}

type ticketRow struct {
	Size   uint64    `cbor:"1,keyasint"`
	TTL    uint64    `cbor:"2,keyasint"` // seconds
	Erase  wire.Hash `cbor:"3,keyasint"`
	Ticket wire.Hash `cbor:"4,keyasint"`
	Until  uint64    `cbor:"5,keyasint"`
}

func rowKey(prefix string, n Name) []byte { return append([]byte(prefix), n[:]...) }

func end(prefix string) []byte {
	b := []byte(prefix)
	b[len(b)-1]++
	return b
}

// Open readies the blobs in o.Dir. What a crash left half done is erased: every put
// has a ticket until its row stands, so a file whose ticket still stands is no blob.
func Open(db *engine.DB, o Options) (*Blobs, error) {
	b := &Blobs{db: db, o: o, busy: map[Name]bool{}, made: map[string]bool{}, offers: map[wire.Hash]Name{}, pieces: map[Name]*piece{}}
	b.buffers.New = func() any { buf := make([]byte, copySize); return &buf }
	tmp := o.FS.PathJoin(o.Dir, "tmp")
	if err := o.FS.RemoveAll(tmp); err != nil {
		return nil, fmt.Errorf("blobs: %w", err)
	}
	if err := o.FS.MkdirAll(tmp, 0o700); err != nil {
		return nil, fmt.Errorf("blobs: %w", err)
	}
	for _, dir := range []string{o.Dir, o.FS.PathDir(o.Dir)} {
		if err := b.syncDir(dir); err != nil {
			return nil, fmt.Errorf("blobs: %w", err)
		}
	}
	err := db.Scan([]byte(prefixTicket), end(prefixTicket), func(k, v []byte) (bool, error) {
		n := Name(k[len(prefixTicket):])
		var row ticketRow
		if err := wire.Unmarshal(v, &row); err != nil {
			return false, err
		}
		b.offers[row.Erase] = n
		if b.exists(n) {
			return true, b.remove(n)
		}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	err = db.Scan([]byte(prefixBlob), end(prefixBlob), func(_, v []byte) (bool, error) {
		var row blobRow
		err := wire.Unmarshal(v, &row)
		b.count, b.bytes = b.count+1, b.bytes+row.Size
		return true, err
	})
	if err != nil {
		return nil, err
	}
	if err := b.sweepFar(); err != nil {
		return nil, err
	}
	return b, b.openUploads()
}

// Stats counts blobs and their bytes.
func (b *Blobs) Stats() (count int, bytes uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.count, b.bytes
}

func (b *Blobs) now() uint64 { return uint64(b.o.Now().Unix()) }

// Vet says what Ticket would answer, and gives nothing. Known is a request whose blob
// is still waited for: Ticket answers it with the same blob. Refusals: those of Ticket.
func (b *Blobs) Vet(r wire.TicketRequest) (known bool, err error) {
	switch {
	case r.Size == 0 || r.TTL == 0:
		return false, wire.Refuse(wire.CodeMalformed, "a blob has a size and a lifetime")
	case r.Size > wire.MaxBlob:
		return false, wire.Refuse(wire.CodeTooLarge, "a blob of %d bytes is over the limit of %d", r.Size, wire.MaxBlob)
	case r.TTL > uint64(wire.MaxBlobLifetime/time.Second):
		return false, wire.Refuse(wire.CodeTooLarge, "a blob lives at most %d days", wire.MaxBlobLifetime/(24*time.Hour))
	}
	b.mu.Lock()
	full := b.bytes+b.reserved+r.Size > b.o.MaxBytes()
	name, offered := b.offers[r.Erase]
	b.mu.Unlock()
	if full {
		return false, errFull
	}
	if offered {
		_, known, err = b.offered(name, r)
	}
	return known, err
}

// offered reads the ticket that an equal request was given, if it is still good.
func (b *Blobs) offered(n Name, r wire.TicketRequest) (row ticketRow, ok bool, err error) {
	v, ok, err := b.db.Get(rowKey(prefixTicket, n))
	if err != nil || !ok {
		return row, false, err
	}
	err = wire.Unmarshal(v, &row)
	return row, err == nil && row.Size == r.Size && row.TTL == r.TTL && row.Erase == r.Erase && b.now() < row.Until, err
}

// Ticket gives the right to put one blob of an exact size within TicketLifetime. An
// equal request before the blob is put gets the same blob until the same time, and a
// fresh ticket in place of the first, of which the server knows only the hash.
func (b *Blobs) Ticket(r wire.TicketRequest) (t wire.Ticket, err error) {
	known, err := b.Vet(r)
	if err != nil {
		return t, err
	}
	for _, p := range [][]byte{t.Blob[:], t.Ticket[:]} {
		if _, err := io.ReadFull(b.o.Rand, p); err != nil {
			return t, fmt.Errorf("blobs: randomness: %w", err)
		}
	}
	row := ticketRow{Size: r.Size, TTL: r.TTL, Erase: r.Erase, Until: b.now() + uint64(TicketLifetime/time.Second)}
	if known {
		b.mu.Lock()
		name := b.offers[r.Erase]
		b.mu.Unlock()
		// A put under way ends the ticket, and no ticket may stand beside its blob.
		if err := b.begin(name, 0); err != nil {
			return wire.Ticket{}, err
		}
		defer b.finish(name, 0, 0, 0)
		first, still, err := b.offered(name, r)
		if err != nil {
			return wire.Ticket{}, err
		}
		if still {
			t.Blob, row = name, first
		}
	}
	row.Ticket = t.Ticket.Hash()
	batch := b.db.NewBatch()
	batch.Set(rowKey(prefixTicket, t.Blob), wire.Marshal(row))
	if err := b.db.CommitWait(batch); err != nil {
		return wire.Ticket{}, err
	}
	b.mu.Lock()
	b.offers[r.Erase] = t.Blob
	b.mu.Unlock()
	return t, nil
}

// withdraw forgets a ticket that is spent or too old.
func (b *Blobs) withdraw(erase wire.Hash, n Name) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.offers[erase] == n {
		delete(b.offers, erase)
	}
}

var (
	errFull    = wire.Refuse(wire.CodeStorageFull, "this server has no room for more blobs")
	errNoBlob  = wire.Refuse(wire.CodeNoBlob, "there is no such blob here, or its time is up")
	errNoRight = wire.Refuse(wire.CodeCapability, "this ticket is not good for this blob, or it is over an hour old")
	errBusy    = wire.Refuse(wire.CodeSlowDown, "this blob is being written at this moment")
)

// row reads a blob's row.
func (b *Blobs) row(n Name) (row blobRow, ok bool, err error) {
	v, ok, err := b.db.Get(rowKey(prefixBlob, n))
	if err != nil || !ok {
		return row, false, err
	}
	err = wire.Unmarshal(v, &row)
	return row, err == nil, err
}

// blob reads a row that is still good.
func (b *Blobs) blob(n Name) (row blobRow, ok bool, err error) {
	row, ok, err = b.row(n)
	return row, ok && b.now() < row.Until, err
}

// begin takes the name for one put or erasure.
func (b *Blobs) begin(n Name, reserve uint64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.busy[n]:
		return errBusy
	case b.bytes+b.reserved+reserve > b.o.MaxBytes() && reserve > 0:
		return errFull
	}
	b.busy[n] = true
	b.reserved += reserve
	return nil
}

func (b *Blobs) finish(n Name, reserved uint64, count int, bytes int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.busy, n)
	b.reserved -= reserved
	b.count += count
	b.bytes = uint64(int64(b.bytes) + bytes)
}

// Erase erases a blob, or what has come of it, for whoever holds the secret.
func (b *Blobs) Erase(n Name, secret wire.Secret) error {
	h := secret.Hash()
	if part, ok, err := b.upload(n); err != nil {
		return err
	} else if ok && subtle.ConstantTimeCompare(h[:], part.Erase[:]) == 1 {
		return b.giveUp(n)
	}
	row, ok, err := b.blob(n)
	if err != nil {
		return err
	}
	if !ok || subtle.ConstantTimeCompare(h[:], row.Erase[:]) != 1 {
		return errNoBlob
	}
	return b.drop(n)
}

// drop removes the file first and the row after it: after a crash between the two the
// row stands without a file, which reads as no blob and is dropped again by Tick.
func (b *Blobs) drop(n Name) (err error) {
	if err := b.begin(n, 0); err != nil {
		return err
	}
	count, bytes := 0, int64(0)
	defer func() { b.finish(n, 0, count, bytes) }()
	v, ok, err := b.db.Get(rowKey(prefixBlob, n))
	if err != nil || !ok {
		return err
	}
	var row blobRow
	if err := wire.Unmarshal(v, &row); err != nil {
		return err
	}
	if err := b.forget(n); err != nil {
		return err
	}
	batch := b.db.NewBatch()
	batch.Shrinks()
	batch.Delete(rowKey(prefixBlob, n))
	if err := b.db.CommitWait(batch); err != nil {
		return err
	}
	count, bytes = -1, -int64(row.Size)
	return nil
}

// Tick erases blobs and tickets whose time is up.
func (b *Blobs) Tick(now time.Time) error {
	over, err := collect(b.db, prefixBlob, func(r blobRow) bool { return uint64(now.Unix()) >= r.Until })
	if err != nil {
		return err
	}
	if err := b.tickUploads(uint64(now.Unix())); err != nil {
		return err
	}
	var failed error // a store for objects that cannot be reached keeps back nothing else
	for _, n := range over {
		if err := b.drop(n); err != nil && err != errBusy {
			failed = errors.Join(failed, err)
		}
	}
	return errors.Join(failed, b.tickTickets(now))
}

// tickTickets forgets tickets whose time is up.
func (b *Blobs) tickTickets(now time.Time) error {
	type old struct {
		name  Name
		erase wire.Hash
	}
	var tickets []old
	err := b.db.Scan([]byte(prefixTicket), end(prefixTicket), func(k, v []byte) (bool, error) {
		var row ticketRow
		err := wire.Unmarshal(v, &row)
		if err == nil && uint64(now.Unix()) >= row.Until {
			tickets = append(tickets, old{Name(k[len(prefixTicket):]), row.Erase})
		}
		return len(tickets) < 10_000, err
	})
	if err != nil || len(tickets) == 0 {
		return err
	}
	batch := b.db.NewBatch()
	batch.Shrinks()
	for _, t := range tickets {
		b.withdraw(t.erase, t.name)
		batch.Delete(rowKey(prefixTicket, t.name))
	}
	return b.db.CommitWait(batch)
}

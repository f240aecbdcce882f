package client

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"

	"sotto/chunked"
	"sotto/internal/files"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// sendBody is what a file's way to the server needs. Everything in it is durable before the
// first byte leaves.
type sendBody struct {
	Path    string      `cbor:"1,keyasint,omitempty"` // it is read in its place
	Spool   string      `cbor:"2,keyasint,omitempty"` // or the name of its sealed copy
	Changed int64       `cbor:"3,keyasint"`           // of the file in its place, Unix nanoseconds
	Size    int64       `cbor:"4,keyasint"`
	Host    string      `cbor:"5,keyasint"`
	Blob    [16]byte    `cbor:"6,keyasint"`
	Key     chunked.Key `cbor:"7,keyasint"`
	Salt    [24]byte    `cbor:"8,keyasint"`
	Context []byte      `cbor:"9,keyasint"`
	Ticket  wire.Secret `cbor:"10,keyasint"`
	Erase   wire.Secret `cbor:"11,keyasint"`
	Until   int64       `cbor:"12,keyasint"` // when it ends, Unix seconds
	Same    wire.Hash   `cbor:"13,keyasint"` // by which it is known again
	Guards  []byte      `cbor:"14,keyasint,omitempty"`
	Shared  bool        `cbor:"15,keyasint,omitempty"` // with an earlier message of the room
}

// guardSize is how much of each block of a file that is read in its place is remembered: a
// hash of its chunks' tags. A block that was sealed once is never sealed with another content,
// which would give the key away, also when the file was changed and a restart begins anew.
const guardSize = 16

var errChanged = fmt.Errorf("%w: it is not as it was", ErrFileMoved)

func sendBodyOf(x store.Transfer) (b sendBody, err error) {
	return b, wire.Unmarshal(x.Body, &b)
}

func (c *Client) spooled(name string) string { return filepath.Join(c.o.Spool, name) }

// uploading is a file on its way to its server.
type uploading struct {
	*carrying
	body    sendBody
	src     files.Source
	sealed  io.ReaderAt
	granted bool
	blocks  map[int64]*block // read or being read
	free    [][]byte
	offset  int64 // that the server has
	asking  bool  // a piece is on its way
	lost    int   // requests in a row

	corrected bool // the server has said where it stands
}

// block is a part of the ciphertext in memory.
type block struct {
	data  []byte
	ready bool
}

func (m *carrying) send() {
	body, err := sendBodyOf(m.row)
	if err != nil {
		m.trouble(err)
		return
	}
	s := &uploading{carrying: m, body: body, blocks: map[int64]*block{}}
	m.way = s
	if m.c.now().Unix() >= body.Until {
		m.end(store.TransferGone, ErrFileGone.Error(), "expired")
		return
	}
	m.beside(s.open, func(err error) {
		if errors.Is(err, fs.ErrNotExist) {
			err = ErrFileMoved
		}
		if err != nil {
			m.trouble(err)
			return
		}
		if m.row.Done == 0 && m.row.Tries == 0 {
			s.grant()
			return
		}
		s.look()
	})
}

// open readies what is read.
func (s *uploading) open() (err error) {
	path := s.body.Path
	if s.body.Spool != "" {
		path = s.c.spooled(s.body.Spool)
	}
	if s.src, err = s.c.o.Disk.Open(path); err != nil {
		return err
	}
	s.sealed = s.src
	if s.body.Spool == "" {
		s.sealed = chunked.NewSealing(chunked.New(s.body.Key, s.body.Salt, s.body.Context), s.src, s.body.Size, chunked.Padded(s.body.Size))
	}
	return s.same()
}

// same says whether the file is as it was when it was to be sent.
func (s *uploading) same() error {
	size, changed, err := s.src.Info()
	switch {
	case err != nil:
		return err
	case s.body.Spool != "" && size != s.row.Size, s.body.Spool == "" && (size != s.body.Size || changed.UnixNano() != s.body.Changed):
		return errChanged
	}
	return nil
}

func (s *uploading) close() {
	if s.src != nil {
		_ = s.src.Close() // it was only read
	}
}

func (s *uploading) header() map[string]string {
	return map[string]string{wire.HeaderTicket: hex.EncodeToString(s.body.Ticket[:])}
}

func (s *uploading) path() string { return "/v1/uploads/" + hexName(s.body.Blob) }

// grant asks for the right to put the file, over the connection of the account.
func (s *uploading) grant() {
	s.granted = true
	if s.c.account == nil || !s.c.account.link.up || s.c.self.Host != s.body.Host {
		s.trouble(fmt.Errorf("%w: %s", ErrUnreachable, s.body.Host))
		return
	}
	ttl := s.body.Until - s.c.now().Unix()
	q := wire.UploadRequest{Blob: s.body.Blob, Size: uint64(s.row.Size), TTL: uint64(max(ttl, 1)), Erase: s.body.Erase.Hash(), Ticket: s.body.Ticket.Hash()}
	ask(s.c.account.link, wire.OpUpload, q, func(_ wire.Done, err error) {
		switch {
		case s.over:
		case err != nil:
			s.trouble(err)
		default:
			s.advance() // if it has more than nothing, it says so
		}
	})
}

// look asks how much the server has. What it does not know it is asked to take, once.
func (s *uploading) look() {
	s.ask(Request{Host: s.body.Host, Method: "HEAD", Path: s.path(), Header: s.header(), Limit: 4096}, func(a Answer, err error) {
		switch {
		case a.Status == 404 && !s.granted:
			s.grant()
		case s.onceMore("look", &s.lost, err, s.look):
		case err != nil:
			s.trouble(err)
		default:
			s.stands(a.Offset)
		}
	})
}

// stands takes the server's word for how much it has.
func (s *uploading) stands(at int64) {
	if at < 0 || at > s.row.Size {
		s.trouble(wire.Refuse(wire.CodeInternal, "%s says that it has more of a file than there is", s.body.Host))
		return
	}
	s.offset, s.from = at, at
	s.moved(at)
	s.advance()
}

// advance sends the next piece, and has the block after it read meanwhile.
func (s *uploading) advance() {
	if s.asking || s.over {
		return
	}
	if s.offset == s.row.Size {
		s.finish()
		return
	}
	i := blockOf(s.offset)
	for j, b := range s.blocks {
		if j < i && b.ready {
			s.free = append(s.free, b.data[:0])
			delete(s.blocks, j)
		}
	}
	s.read(i)
	if b := s.blocks[i]; b == nil || !b.ready || s.over {
		return
	}
	s.push(i)
	if next := blockStart(i + 1); !s.over && next < s.row.Size {
		s.read(i + 1)
	}
}

// read has a block read and sealed, unless it is.
func (s *uploading) read(i int64) {
	if s.blocks[i] != nil {
		return
	}
	start := blockStart(i)
	size := min(blockStart(i+1), s.row.Size) - start
	var buf []byte
	if n := len(s.free); n > 0 {
		buf, s.free = s.free[n-1], s.free[:n-1]
	} else {
		buf = make([]byte, 0, blockSealed+chunked.HeaderSize)
	}
	b := &block{data: buf[:size]}
	s.blocks[i] = b
	s.beside(func() error {
		if n, err := s.sealed.ReadAt(b.data, start); int64(n) < size {
			return errors.Join(errChanged, err)
		}
		return s.same()
	}, func(err error) {
		if err == nil {
			err = s.guard(i, b.data)
		}
		if err != nil {
			s.trouble(err)
			return
		}
		b.ready = true
		s.advance()
	})
}

// guard holds a block against what was sealed of it before, and remembers it durably before it
// leaves. A sealed copy does not change.
func (s *uploading) guard(i int64, data []byte) error {
	if s.body.Spool != "" {
		return nil
	}
	h := sha256.New()
	rest := data
	if i == 0 {
		rest = rest[chunked.HeaderSize:]
	}
	for len(rest) > 0 {
		n := min(len(rest), chunked.ChunkSize+chunked.TagSize)
		h.Write(rest[n-chunked.TagSize : n])
		rest = rest[n:]
	}
	sum := h.Sum(nil)[:guardSize]
	at := int(i) * guardSize
	switch {
	case at+guardSize <= len(s.body.Guards):
		if string(s.body.Guards[at:at+guardSize]) != string(sum) {
			return errChanged
		}
		return nil
	case at != len(s.body.Guards):
		return errors.New("a block of a file was read out of its order")
	}
	body := s.body
	body.Guards = append(body.Guards[:at:at], sum...)
	if s.set(func(x *store.Transfer) { x.Body, x.Done = wire.Marshal(body), s.done }, nil) {
		s.body = body
	}
	return nil
}

// push sends a piece of a block.
func (s *uploading) push(i int64) {
	data := s.blocks[i].data[s.offset-blockStart(i):]
	piece := data[:min(int64(len(data)), s.piece)]
	header := s.header()
	header["Content-Type"], header[wire.HeaderOffset] = wire.TypePiece, strconv.FormatInt(s.offset, 10)
	header[wire.HeaderComplete] = "?0"
	if s.offset+int64(len(piece)) == s.row.Size {
		header[wire.HeaderComplete] = "?1"
	}
	s.asking = true
	s.ask(Request{Host: s.body.Host, Method: "PATCH", Path: s.path(), Header: header, Body: piece, Limit: 4096}, func(a Answer, err error) {
		s.asking = false
		switch {
		case errors.Is(err, wire.Refuse(wire.CodeOffset, "")) && !s.corrected:
			s.corrected = true
			s.stands(a.Offset)
		case errors.Is(err, wire.Refuse(wire.CodeOffset, "")), err == nil && a.Offset <= s.offset:
			s.trouble(fmt.Errorf("%w: %s stands elsewhere in a file", ErrUnreachable, s.body.Host))
		case s.onceMore("piece", &s.lost, err, s.look):
		case err != nil:
			s.trouble(err)
		case a.Offset > s.offset+int64(len(piece)):
			s.trouble(wire.Refuse(wire.CodeInternal, "%s says that it has more of a file than was sent", s.body.Host))
		default:
			sent := a.Offset - s.offset
			s.offset = a.Offset
			s.row.Tries, s.lost, s.corrected = 0, 0, false
			s.moved(s.offset)
			s.pace(sent, s.advance)
		}
	})
}

// finish notes that the server has all of it; with the last file its message goes out.
func (s *uploading) finish() {
	spool := s.body.Spool
	body := s.body
	body.Guards = nil
	whole := func(x *store.Transfer) {
		x.State, x.Done, x.Due, x.Tries, x.Why, x.Code, x.Body = store.TransferWhole, x.Size, 0, 0, "", "", wire.Marshal(body)
	}
	if !s.set(whole, func(tx store.Tx, after *[]func()) error { return s.c.release(tx, after, s.row.Message) }) {
		return
	}
	s.stop()
	s.tell(true)
	if spool != "" {
		s.c.beside(func() error { return s.c.o.Disk.Remove(s.c.spooled(spool)) }, func(error) {}) // what is left goes at the next start
	}
	s.c.pump()
	s.c.pumpFiles()
}

// syncSpool makes the names of sealed copies durable.
func (c *Client) syncSpool() error {
	names, err := c.o.Disk.Names(c.o.Spool)
	if err != nil || len(names) == 0 {
		return err
	}
	return c.o.Disk.Sync(c.o.Spool)
}

// sweepSpool removes copies that no row names: of a start that ended before the row, or after
// the file was whole.
func (c *Client) sweepSpool() {
	var names, over []string
	c.beside(func() (err error) { names, err = c.o.Disk.Names(c.o.Spool); return err }, func(err error) {
		if err == nil {
			over, err = c.unwanted(names)
		}
		if err != nil {
			c.fail("looking for what is left of files", err)
			return
		}
		c.beside(func() error {
			for _, n := range over {
				_ = c.o.Disk.Remove(c.spooled(n)) // or at the next start
			}
			return nil
		}, func(error) {})
	})
}

// unwanted are the names of copies that nobody needs.
func (c *Client) unwanted(names []string) (out []string, err error) {
	wanted := map[string]bool{}
	err = c.read(func(tx store.Tx) error {
		all, err := tx.Transfers()
		for _, x := range all {
			if b, err := sendBodyOf(x); x.Sends && err == nil && x.State != store.TransferWhole {
				wanted[b.Spool] = true
			}
		}
		return err
	})
	for _, n := range names {
		if !wanted[n] && !c.spooling[n] {
			out = append(out, n)
		}
	}
	return out, err
}

package client

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"

	"sotto/chunked"
	"sotto/internal/files"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// fetchBody is what a file's way to a folder needs.
type fetchBody struct {
	Host    string      `cbor:"1,keyasint"`
	Blob    [16]byte    `cbor:"2,keyasint"`
	Key     chunked.Key `cbor:"3,keyasint"`
	Context []byte      `cbor:"4,keyasint"`
	Size    int64       `cbor:"5,keyasint"` // bytes, without padding
	Until   int64       `cbor:"6,keyasint"` // Unix seconds
	Dir     string      `cbor:"7,keyasint"`
	Name    string      `cbor:"8,keyasint"`            // safe
	Partial string      `cbor:"9,keyasint"`            // in Dir, until it is whole
	Header  []byte      `cbor:"10,keyasint,omitempty"` // of the sealed file, once it was verified
	Placed  string      `cbor:"11,keyasint,omitempty"` // the name that it gets, or has
}

func fetchBodyOf(x store.Transfer) (b fetchBody, err error) {
	return b, wire.Unmarshal(x.Body, &b)
}

// errJunk is a server, or somebody on the way, that changed a file.
var errJunk = errors.New("what the server has of this file is not what was sent")

// downloading is a file on its way from a server: blocks are asked for, two at a time, verified,
// written and made durable in their order.
type downloading struct {
	*carrying
	body    fetchBody
	cipher  *chunked.Cipher
	to      files.Target
	next    int64 // the chunk that is asked for next
	waiting []*part
	writing bool
	syncing bool
	wrote   int64  // bytes of the ciphertext whose content was written
	plain   []byte // that a part is opened into

	whole, there bool // as a start found it: without its name, with it
}

// mostUnsynced is how many bytes of the ciphertext are asked for beyond what is durable.
const mostUnsynced = 4 << 20

// part is a run of chunks that was asked for.
type part struct {
	first, chunks int64
	at            int64 // in the ciphertext
	data          []byte
	here          bool
	lost          int // requests in a row
}

func (m *carrying) fetch() {
	body, err := fetchBodyOf(m.row)
	if err != nil {
		m.trouble(err)
		return
	}
	f := &downloading{carrying: m, body: body, plain: make([]byte, 0, fetchChunks*chunked.ChunkSize)}
	m.way = f
	m.beside(f.open, func(err error) {
		if err != nil {
			m.trouble(err)
			return
		}
		f.resume()
	})
}

// open readies what is written. Once a name was chosen all of it was there: a crash came before
// or after the file got its name.
func (f *downloading) open() (err error) {
	disk := f.c.o.Disk
	partial := filepath.Join(f.body.Dir, f.body.Partial)
	if f.body.Placed != "" {
		if f.whole = f.stands(partial); f.whole {
			return nil
		}
		if f.there = f.stands(filepath.Join(f.body.Dir, f.body.Placed)); f.there {
			return nil
		}
		f.done = 0
	}
	if f.done > 0 {
		if f.to, err = disk.Reopen(partial); err == nil || !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		f.done = 0 // somebody has removed it
	}
	if err := disk.MakeDir(f.body.Dir); err != nil {
		return err
	}
	if err := disk.Remove(partial); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f.to, err = disk.Create(partial)
	return err
}

// stands says whether a file of the right size is somewhere.
func (f *downloading) stands(path string) bool {
	src, err := f.c.o.Disk.Open(path)
	if err != nil {
		return false
	}
	size, _, err := src.Info()
	return errors.Join(err, src.Close()) == nil && size == f.body.Size
}

func (f *downloading) close() {
	if to := f.to; to != nil {
		f.to = nil
		f.shut(to)
	}
}

// shut closes what is written, once nobody writes any more. What counts was synced.
func (f *downloading) shut(to files.Target) {
	if !f.writing && !f.syncing {
		_ = to.Close()
		clear(f.plain[:cap(f.plain)])
	}
}

// resume begins at the chunk after the last one that is durable.
func (f *downloading) resume() {
	switch {
	case f.there:
		f.placed()
		return
	case f.whole:
		f.finish()
		return
	case f.done > 0 && len(f.body.Header) == chunked.HeaderSize:
		cipher, err := chunked.Open(f.body.Key, [chunked.HeaderSize]byte(f.body.Header), f.body.Context)
		if err != nil {
			f.trouble(err)
			return
		}
		f.cipher = cipher
		f.next = (f.done - chunked.HeaderSize) / (chunked.ChunkSize + chunked.TagSize)
	default:
		f.done, f.next, f.row.Done = 0, 0, 0
	}
	f.from, f.wrote = f.done, f.done
	f.more()
}

// chunks is how many chunks the file has.
func (f *downloading) chunks() int64 { return chunked.Padded(f.body.Size)/chunked.ChunkSize + 1 }

// more asks for what comes next, as long as no more than two parts wait.
func (f *downloading) more() {
	for len(f.waiting) < 2 && f.next < f.chunks() && f.next*(chunked.ChunkSize+chunked.TagSize)-f.done < mostUnsynced && !f.over {
		p := &part{first: f.next, chunks: min(max(f.piece/(chunked.ChunkSize+chunked.TagSize), 1), fetchChunks, f.chunks()-f.next)}
		f.next += p.chunks
		f.waiting = append(f.waiting, p)
		f.get(p)
	}
}

// get asks for a part.
func (f *downloading) get(p *part) {
	p.at = chunked.HeaderSize + p.first*(chunked.ChunkSize+chunked.TagSize)
	end := min(p.at+p.chunks*(chunked.ChunkSize+chunked.TagSize), f.row.Size)
	if p.first == 0 {
		p.at = 0
	}
	size := end - p.at
	r := Request{Host: f.body.Host, Method: "GET", Path: blobPath(f.body.Blob), Header: map[string]string{"Range": fmt.Sprintf("bytes=%d-%d", p.at, end-1)}, Limit: size}
	f.ask(r, func(a Answer, err error) {
		switch {
		case err == nil && (a.Status != 206 || int64(len(a.Body)) != size):
			f.junk(errJunk)
		case f.onceMore(strconv.FormatInt(p.first, 10), &p.lost, err, func() { f.get(p) }):
		case err != nil:
			f.trouble(err)
		default:
			p.data, p.here = a.Body, true
			f.write()
		}
	})
}

// junk is a block that is not the sender's: it is asked for again, and then given up.
func (f *downloading) junk(err error) {
	f.c.log.Info("a server sent a part of a file that was changed", "host", f.body.Host, "why", err)
	if f.row.Tries+1 >= triesJunk {
		f.end(store.TransferFailed, errJunk.Error(), "changed")
		return
	}
	f.trouble(fmt.Errorf("%w: %w", ErrUnreachable, errJunk))
}

// write verifies the first part that waits and makes it durable.
func (f *downloading) write() {
	if f.writing || len(f.waiting) == 0 || !f.waiting[0].here || f.over {
		return
	}
	p := f.waiting[0]
	body, cipher, to := f.body, f.cipher, f.to
	f.writing = true
	var bad bool
	f.c.beside(func() (err error) {
		if p.first == 0 {
			body.Header = p.data[:chunked.HeaderSize]
			if cipher, err = chunked.Open(body.Key, [chunked.HeaderSize]byte(body.Header), body.Context); err != nil {
				bad = true
				return err
			}
		}
		if bad, err = f.unseal(cipher, p); err != nil {
			return err
		}
		at := p.first * chunked.ChunkSize
		if n := min(int64(len(f.plain)), body.Size-at); n > 0 {
			_, err = to.WriteAt(f.plain[:n], at)
		}
		return err
	}, func(err error) {
		f.writing = false
		switch {
		case f.over:
			f.shut(to)
		case bad:
			f.junk(err)
		case err != nil:
			f.trouble(err)
		default:
			f.cipher, f.body = cipher, body
			f.written(p)
		}
	})
}

// unseal opens the chunks of a part. What lies beyond the end of the file has to be zero.
func (f *downloading) unseal(cipher *chunked.Cipher, p *part) (bad bool, err error) {
	f.plain = f.plain[:0]
	rest := p.data
	if p.first == 0 {
		rest = rest[chunked.HeaderSize:]
	}
	for i := range p.chunks {
		n := min(len(rest), chunked.ChunkSize+chunked.TagSize)
		if f.plain, err = cipher.Unseal(f.plain, p.first+i, rest[:n]); err != nil {
			return true, err
		}
		rest = rest[n:]
	}
	pad := max(f.body.Size-p.first*chunked.ChunkSize, 0)
	for _, b := range f.plain[min(pad, int64(len(f.plain))):] {
		if b != 0 {
			return true, fmt.Errorf("%w: its padding says something", chunked.ErrChunk)
		}
	}
	return false, nil
}

// written goes on after a part was written, and has it made durable.
func (f *downloading) written(p *part) {
	f.waiting = f.waiting[1:]
	f.wrote = p.at + int64(len(p.data))
	f.sync()
	f.pace(int64(len(p.data)), func() {
		f.more()
		f.write()
	})
}

// sync makes durable what was written, while more comes, and notes how far that is.
func (f *downloading) sync() {
	if f.syncing || f.over || f.wrote == f.done {
		return
	}
	f.syncing = true
	through, body, to := f.wrote, f.body, f.to
	f.c.beside(to.Sync, func(err error) {
		f.syncing = false
		switch {
		case f.over:
			f.shut(to)
		case err != nil:
			f.trouble(err)
		case f.set(func(x *store.Transfer) {
			x.Done, x.Tries, x.Why, x.Code, x.Body = through, 0, "", "", wire.Marshal(body)
		}, nil):
			f.moved(through)
			if through == f.row.Size {
				f.finish()
				return
			}
			f.sync()
			f.more()
		}
	})
}

// finish gives the file its name, which is durable before it is taken, so that a start after a
// crash knows it.
func (f *downloading) finish() {
	to := f.to
	f.to = nil
	f.name(1, func(err error) {
		if err != nil {
			f.trouble(err)
			return
		}
		f.placed()
	}, func() error {
		if to == nil {
			return nil
		}
		return to.Close()
	})
}

// mostNumbers is how many files of one name a folder may have.
const mostNumbers = 1000

// name tries the names that a file may get, one after the other.
func (f *downloading) name(n int, done func(error), first func() error) {
	body := f.body
	body.Placed = files.Numbered(body.Name, n)
	if !f.set(func(x *store.Transfer) { x.Body = wire.Marshal(body) }, nil) {
		return
	}
	f.body = body
	f.beside(func() error {
		if first != nil {
			if err := first(); err != nil {
				return err
			}
		}
		return f.place()
	}, func(err error) {
		if errors.Is(err, fs.ErrExist) && n < mostNumbers {
			f.name(n+1, done, nil)
			return
		}
		done(err)
	})
}

// place gives the partial file its name.
func (f *downloading) place() error {
	disk := f.c.o.Disk
	from := filepath.Join(f.body.Dir, f.body.Partial)
	disk.Mark(from)
	return disk.Place(from, filepath.Join(f.body.Dir, f.body.Placed))
}

// placed notes that the file is there.
func (f *downloading) placed() {
	if f.set(func(x *store.Transfer) {
		x.State, x.Done, x.Due, x.Tries, x.Why, x.Code = store.TransferWhole, x.Size, 0, 0, "", ""
	}, nil) {
		f.stop()
		f.tell(true)
		f.c.pumpFiles()
	}
}

// newFetch is the row of a file that is to come into a folder.
func (c *Client) newFetch(m store.Message, index int64, file room.File, dir string) store.Transfer {
	var mark [4]byte
	c.random(mark[:])
	name := files.SafeName(file.Name)
	body := fetchBody{
		Host: file.Host, Blob: file.Blob, Key: file.Key, Context: file.Context(), Size: int64(file.Size), Until: int64(file.Until),
		Dir: dir, Name: name, Partial: fmt.Sprintf(".sotto-%x.partial", mark),
	}
	return store.Transfer{Room: m.Room, Message: m.ID, Part: index, Size: int64(file.Sealed), Body: wire.Marshal(body)}
}

package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"image"
	_ "image/gif" // whose bounds are read
	_ "image/jpeg"
	_ "image/png"
	"io"
	"path/filepath"
	"time"

	"sotto/chunked"
	"sotto/internal/files"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mimi"
)

const (
	spoolMost = 32 << 20            // bytes of a file that is copied before it is sent; larger ones are read in their place
	fileTime  = 30 * 24 * time.Hour // how long a file can be had, unless said otherwise
	// MaxFiles is how many files one message holds.
	MaxFiles   = 32
	maxPreview = 128 << 10 // bytes of all previews of a message
)

// Errors of files.
var (
	ErrNoFiles   = errors.New("there is no file to send")
	ErrManyFiles = errors.New("this is too much for one message: send the files in several")
	ErrNoSuch    = errors.New("this message has no such file")
	ErrFileGone  = errors.New("this file cannot be had any more: its time is up, or its sender has taken it back")
	ErrPicture   = files.ErrPicture
	ErrFileMoved = errors.New("the file was changed or removed while it was being sent: send it again")
)

// SendFile is a file that is to be sent.
type SendFile struct {
	Path    string // of this machine
	Handed  string // or the id of one that was handed over: see HandFile
	Name    string // for the others; "" as it is called here
	Type    string // media type; "" by its name
	Raw     bool   // a picture goes as it is, with what the camera wrote into it
	Preview []byte // a small picture of it, for CheckPicture
	Details room.FileDetails
}

// SendFiles is a message with files.
type SendFiles struct {
	Text  string // in Markdown; "" for none
	Reply *mimi.MessageID
	Files []SendFile
	Keep  time.Duration // how long they can be had; 0 is 30 days
}

// prepared is a file that is ready to be sent.
type prepared struct {
	file    room.File
	body    sendBody
	preview []byte
	handed  *handed
	spool   string // the name of its sealed copy, if there is to be one
}

// SendFiles writes a message with files to a person or a room, as Send does, and answers when
// it is durable on this device: the message follows its files, which go on after a restart.
func (c *Client) SendFiles(ctx context.Context, to string, s SendFiles) (*store.Message, error) {
	var m *store.Message
	err := c.wait(ctx, func(done func(error)) {
		switch {
		case !c.opened:
			done(ErrNoAccount)
			return
		case len(s.Files) == 0:
			done(ErrNoFiles)
			return
		case len(s.Files) > MaxFiles:
			done(ErrManyFiles)
			return
		}
		c.prepareFiles(s, func(all []prepared, err error) {
			end := func(err error) {
				for _, f := range s.Files {
					c.dropHanded(f.Handed)
				}
				for _, p := range all {
					delete(c.spooling, p.spool)
				}
				if err != nil {
					c.unspool(all)
				}
				done(err)
			}
			if err != nil {
				end(err)
				return
			}
			c.reach(to, nil, func(id room.ID, err error) {
				if err == nil {
					m, err = c.enqueueFiles(id, s, all)
				}
				end(err)
			})
		})
	})
	return m, err
}

// prepareFiles makes files ready, one after the other: keys and names are drawn here, what is read
// and written is done beside the queue.
func (c *Client) prepareFiles(s SendFiles, done func([]prepared, error)) {
	keep := s.Keep
	if keep <= 0 {
		keep = fileTime
	}
	until := c.now().Add(min(keep, wire.MaxBlobLifetime-time.Hour)).Unix()
	all := make([]prepared, len(s.Files))
	for i, f := range s.Files {
		p := &all[i]
		c.random(p.file.Key[:])
		c.random(p.file.Blob[:])
		c.random(p.body.Salt[:])
		p.body.Ticket, p.body.Erase = c.newSecret(), c.newSecret()
		p.body.Host, p.file.Host = c.self.Host, c.self.Host
		p.body.Blob, p.body.Key = p.file.Blob, p.file.Key
		p.file.Until, p.body.Until = uint32(until), until
		p.file.FileDetails = f.Details
		p.preview = f.Preview
		if f.Handed != "" {
			if p.handed = c.handed[f.Handed]; p.handed == nil {
				done(nil, wire.Refuse(wire.CodeMalformed, "no such file was handed over: begin anew"))
				return
			}
		}
		p.spool = hexName(p.file.Blob)
		c.spooling[p.spool] = true
	}
	var next func(i int)
	next = func(i int) {
		if i == len(all) {
			c.beside(func() error { return c.syncSpool() }, func(err error) { done(all, err) })
			return
		}
		c.beside(func() error { return c.spool(&all[i], s.Files[i]) }, func(err error) {
			if err != nil {
				done(all, err)
				return
			}
			next(i + 1)
		})
	}
	next(0)
}

// spool looks at a file and copies it, sealed, beside the database: what becomes of it where it
// lies is nobody's concern then. A large one is only looked at.
func (c *Client) spool(p *prepared, f SendFile) error {
	var from io.ReaderAt
	var size int64
	if p.handed != nil {
		var err error
		if from, err = p.handed.content(); err != nil {
			return err
		}
		size = p.handed.size
	} else {
		src, err := c.o.Disk.Open(f.Path)
		if err != nil {
			return err
		}
		defer src.Close()
		var changed time.Time
		if size, changed, err = src.Info(); err != nil {
			return err
		}
		from, p.body.Changed = src, changed.UnixNano()
	}
	name := f.Name
	if name == "" {
		name = filepath.Base(f.Path)
	}
	p.file.Name, p.file.Type = files.SafeName(name), f.Type
	if p.file.Type == "" {
		p.file.Type = files.TypeOf(p.file.Name)
	}
	if err := room.CheckPicture(p.preview); p.preview != nil && err != nil {
		return err
	}
	switch {
	case size <= spoolMost:
		content := make([]byte, size)
		if n, err := from.ReadAt(content, 0); int64(n) < size {
			return errors.Join(ErrFileMoved, err)
		}
		if !f.Raw {
			var err error
			if content, err = files.StripPicture(content); err != nil {
				return err
			}
		}
		p.body.Same = sha256.Sum256(content)
		from, size = bytes.NewReader(content), int64(len(content))
		p.body.Spool = p.spool
	case p.handed != nil:
		p.body.Spool, p.body.Same = p.spool, wire.Hash(sha256.Sum256([]byte(f.Handed)))
	default:
		p.body.Path = f.Path
		p.body.Same = sha256.Sum256(wire.Marshal([]any{f.Path, size, p.body.Changed}))
	}
	p.file.Size = uint64(size)
	if p.file.Width == 0 {
		bounds(&p.file, from, size)
	}
	p.file.Sealed = room.SealedSize(p.file.Size)
	p.body.Size, p.body.Context = size, p.file.Context()
	if p.body.Spool == "" {
		return nil
	}
	return c.writeSpool(p, from, size)
}

// bounds reads how large a picture is.
func bounds(f *room.File, from io.ReaderAt, size int64) {
	if cfg, _, err := image.DecodeConfig(io.NewSectionReader(from, 0, min(size, 1<<20))); err == nil && cfg.Width < 1<<16 && cfg.Height < 1<<16 {
		f.Width, f.Height = uint32(cfg.Width), uint32(cfg.Height)
	}
}

// writeSpool writes the sealed copy of a file.
func (c *Client) writeSpool(p *prepared, from io.ReaderAt, size int64) error {
	if err := c.o.Disk.MakeDir(c.o.Spool); err != nil {
		return err
	}
	sealed := chunked.NewSealing(chunked.New(p.file.Key, p.body.Salt, p.body.Context), from, size, chunked.Padded(size))
	to, err := c.o.Disk.Create(c.spooled(p.body.Spool))
	if err != nil {
		return err
	}
	buf := make([]byte, blockSealed)
	for at := int64(0); err == nil && at < sealed.Size(); {
		var n int
		n, err = sealed.ReadAt(buf[:min(int64(len(buf)), sealed.Size()-at)], at)
		if errors.Is(err, io.EOF) {
			err = nil
		}
		if err == nil {
			_, err = to.WriteAt(buf[:n], at)
		}
		at += int64(n)
	}
	return errors.Join(err, to.Sync(), to.Close())
}

// unspool removes the copies of files that are not sent after all. What is left goes at the
// next start.
func (c *Client) unspool(all []prepared) {
	var names []string
	for _, p := range all {
		names = append(names, c.spooled(p.spool))
	}
	c.beside(func() error {
		for _, n := range names {
			_ = c.o.Disk.Remove(n)
		}
		return nil
	}, func(error) {})
}

// content makes the message that names files.
func (c *Client) filesContent(s SendFiles, all []prepared) (*mimi.Content, error) {
	var parts []mimi.External
	for _, p := range all {
		parts = append(parts, p.file.External())
	}
	content, err := mimi.NewAttachment(c.o.Rand, s.Text, parts...)
	if err != nil {
		return nil, err
	}
	content.InReplyTo = s.Reply
	return content, addPreviews(content, all)
}

// addPreviews puts the preview of each file behind it.
func addPreviews(content *mimi.Content, all []prepared) error {
	parts := []mimi.Part{content.Body}
	if m, ok := content.Body.Body.(mimi.Multi); ok {
		parts = m.Parts
	}
	var out []mimi.Part
	size, i := 0, 0
	for _, p := range parts {
		out = append(out, p)
		if _, ok := p.Body.(mimi.External); !ok {
			continue
		}
		if b := all[i].preview; b != nil {
			size += len(b)
			out = append(out, mimi.Part{Disposition: mimi.Preview, Body: mimi.Single{ContentType: room.PictureType(b), Content: b}})
		}
		i++
	}
	if size > maxPreview {
		return ErrTooLong
	}
	if len(out) > len(parts) {
		content.Body = mimi.Part{Disposition: mimi.Render, Body: mimi.Multi{Semantics: mimi.ProcessAll, Parts: out}}
	}
	return nil
}

// enqueueFiles keeps a message and the ways of its files, in one transaction. The message goes
// into the outbox when they are whole.
func (c *Client) enqueueFiles(id room.ID, s SendFiles, all []prepared) (*store.Message, error) {
	if err := c.reuse(id, all); err != nil {
		return nil, err
	}
	content, err := c.filesContent(s, all)
	if err != nil {
		return nil, err
	}
	m, err := c.compose(id, content)
	if err != nil {
		return nil, err
	}
	err = c.update(func(tx store.Tx, after *[]func()) error {
		if err := c.keepMine(tx, id, m, content); err != nil {
			return err
		}
		for i, p := range all {
			x := store.Transfer{Room: m.Room, Message: m.ID, Part: int64(i), Sends: true, Size: int64(p.file.Sealed), Body: wire.Marshal(p.body)}
			if p.body.Shared {
				x.State, x.Done = store.TransferWhole, x.Size
			}
			if _, err := tx.AddTransfer(x); err != nil {
				return err
			}
		}
		queued := *m
		*after = append(*after, func() {
			c.emit(Event{Kind: EventQueued, Room: queued.Room, Message: &queued})
			c.pumpFiles()
		})
		if err := c.tellChange(tx, after, *m); err != nil {
			return err
		}
		return c.release(tx, after, m.ID)
	})
	if err == nil {
		c.pump()
	}
	return m, err
}

// reuse lets a file that this room was sent before, and that its members can have for a day
// more, be the one that was sent then. In another room it would be a fresh one: the server must
// not see that two rooms were given the same.
func (c *Client) reuse(id room.ID, all []prepared) error {
	return c.read(func(tx store.Tx) error {
		home, err := c.shownIn(tx, id)
		if err != nil {
			return err
		}
		sent, err := tx.TransfersIn(store.TransferWhole)
		for _, x := range sent {
			if !x.Sends || x.Room != home {
				continue
			}
			body, err := sendBodyOf(x)
			if err != nil {
				return err
			}
			for i := range all {
				p := &all[i]
				if p.body.Shared || body.Same != p.body.Same || body.Size != p.body.Size || !bytes.Equal(body.Context, p.body.Context) || body.Until < c.now().Add(24*time.Hour).Unix() {
					continue
				}
				c.unspool(all[i : i+1])
				p.file.Blob, p.file.Key, p.file.Host, p.file.Until = body.Blob, body.Key, body.Host, uint32(body.Until)
				p.body = body
				p.body.Shared = true
			}
		}
		return err
	})
}

// release puts a message into the outbox if all of its files are whole.
func (c *Client) release(tx store.Tx, after *[]func(), id mimi.MessageID) error {
	ways, err := tx.TransfersOf(id)
	if err != nil {
		return err
	}
	for _, x := range ways {
		if x.Sends && x.State != store.TransferWhole {
			return nil
		}
	}
	m, err := tx.FindMessage(id)
	if err != nil || m == nil || m.State != store.Queued || m.Flags&store.FlagDeleted != 0 {
		return err
	}
	*after = append(*after, c.pump)
	_, err = tx.Enqueue(store.Outgoing{Room: m.Room, Kind: room.PayloadContent, Body: m.Content, Message: &m.ID})
	return err
}

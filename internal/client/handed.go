package client

import (
	"errors"
	"io"

	"sotto/chunked"
	"sotto/internal/files"
	"sotto/internal/wire"
)

// A file that a window hands over in parts, to be sent. It lies sealed beside the database under
// a key that is in memory only: what a crash leaves of it nobody reads.

const mostHanded = 64 // files that are handed over and not sent

type handed struct {
	name string // in the spool
	key  chunked.Key
	to   files.Target
	at   int64 // bytes of the ciphertext
	w    *chunked.Writer
	size int64
}

// Write implements io.Writer for what seals it.
func (h *handed) Write(b []byte) (int, error) {
	n, err := h.to.WriteAt(b, h.at)
	h.at += int64(n)
	return n, err
}

// HandFile takes the next part of a file that is to be sent, and answers its size so far. id ""
// begins one and answers its id.
func (c *Client) HandFile(id string, at int64, part []byte) (string, int64, error) {
	var h *handed
	err := ErrClosed
	c.on(func() {
		if h, err = c.handing(id); err != nil {
			return
		}
		if at != h.size {
			err = wire.Refuse(wire.CodeOffset, "the next part begins at %d", h.size)
			return
		}
		if _, err = h.w.Write(part); err != nil {
			c.dropHanded(h.name)
			return
		}
		h.size += int64(len(part))
	})
	if err != nil {
		return "", 0, err
	}
	return h.name, h.size, nil
}

func (c *Client) handing(id string) (*handed, error) {
	if h := c.handed[id]; h != nil {
		return h, nil
	}
	if id != "" {
		return nil, wire.Refuse(wire.CodeMalformed, "no such file is being handed over: begin anew")
	}
	if len(c.handed) >= mostHanded {
		return nil, wire.Refuse(wire.CodeQuota, "%d files were handed over and not sent: send some", mostHanded)
	}
	h := &handed{}
	var salt chunked.Salt
	var name [16]byte
	c.random(h.key[:])
	c.random(salt[:])
	c.random(name[:])
	h.name = hexName(name)
	err := c.o.Disk.MakeDir(c.o.Spool)
	if err == nil {
		h.to, err = c.o.Disk.Create(c.spooled(h.name))
	}
	if err == nil {
		h.w, err = chunked.NewWriter(h, chunked.New(h.key, salt, nil))
	}
	if err != nil {
		return nil, err
	}
	c.handed[h.name], c.spooling[h.name] = h, true
	return h, nil
}

// DropFile forgets a file that was handed over and is not to be sent.
func (c *Client) DropFile(id string) { c.on(func() { c.dropHanded(id) }) }

func (c *Client) dropHanded(id string) {
	h := c.handed[id]
	if h == nil {
		return
	}
	clear(h.key[:])
	delete(c.handed, id)
	delete(c.spooling, id)
	c.beside(func() error { return errors.Join(h.to.Close(), c.o.Disk.Remove(c.spooled(h.name))) }, func(error) {}) // what is left goes at the next start
}

// content reads what was handed over, once all of it was.
func (h *handed) content() (io.ReaderAt, error) {
	if h.w != nil {
		if err := h.w.Close(); err != nil {
			return nil, err
		}
		h.w = nil
	}
	return chunked.NewOpening(h.key, nil, h.to, h.at)
}

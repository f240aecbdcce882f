package client

import (
	"context"
	"slices"
	"time"

	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// CreateRoom makes a group with people.
func (c *Client) CreateRoom(ctx context.Context, title string, handles []string) (id room.ID, err error) {
	err = c.wait(ctx, func(done func(error)) {
		if !c.opened {
			done(ErrNoAccount)
			return
		}
		if title == "" || len(title) > room.MaxTitle {
			done(wire.Refuse(wire.CodeMalformed, "a room's name has 1 to %d bytes", room.MaxTitle))
			return
		}
		c.collect(handles, func(guests []newcomer, err error) {
			if err == nil {
				guests = slices.DeleteFunc(guests, func(n newcomer) bool { return n.device.Name == c.keys.Name })
				id, err = c.makeRoom(room.Group, title, guests)
			}
			done(err)
			c.pump()
		})
	})
	return id, err
}

// want notes a change of a room and waits until it is made, or cannot be.
func (c *Client) want(ctx context.Context, to string, kind uint8, body func(tx store.Tx) (any, error)) error {
	return c.wait(ctx, func(done func(error)) {
		id, err := c.resolve(to)
		if err != nil {
			done(err)
			return
		}
		var w store.Want
		err = c.write(func(tx store.Tx) error {
			r, err := tx.Room(id)
			if err != nil {
				return err
			}
			if r.State != store.RoomActive {
				return ErrNotMember
			}
			b, err := body(tx)
			if err != nil {
				return err
			}
			w = store.Want{Room: id, Kind: kind, Body: wire.Marshal(b), Due: c.nowMS()}
			return tx.AddWant(w)
		})
		if err != nil {
			done(err)
			return
		}
		last, err := c.lastNotice()
		if err != nil {
			done(err)
			return
		}
		c.until(func() (bool, error) { return c.wantDone(w, last) }, done)
		c.pump()
	})
}

func (c *Client) lastNotice() (last int64, err error) {
	err = c.read(func(tx store.Tx) (err error) { last, err = tx.LastNotice(); return err })
	return last, err
}

// Undone is a change of a room that could not be made, and what the person is told of it.
type Undone struct{ Said said.Said }

func (u *Undone) Error() string { return u.Said.Text() }

// wantDone says whether a want is gone, and why if it failed.
func (c *Client) wantDone(w store.Want, last int64) (done bool, err error) {
	err = c.read(func(tx store.Tx) error {
		wants, err := tx.Wants(w.Room)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(wants, func(x store.Want) bool { return x.Kind == w.Kind && string(x.Body) == string(w.Body) }) {
			return nil
		}
		done = true
		notices, err := tx.Notices(last)
		for _, n := range notices {
			if n.Kind == NoticeFailed && n.Room != nil && *n.Room == w.Room {
				return &Undone{n.Said}
			}
		}
		return err
	})
	return done || err != nil, err
}

// AddPeople adds people to a room.
func (c *Client) AddPeople(ctx context.Context, to string, handles []string) error {
	return c.want(ctx, to, wantAdd, func(store.Tx) (any, error) { return wantHandles{Handles: handles}, nil })
}

// RemovePerson removes a person from a room.
func (c *Client) RemovePerson(ctx context.Context, to, handle string) error {
	return c.want(ctx, to, wantRemove, func(tx store.Tx) (any, error) {
		p, err := c.person(tx, handle)
		if err != nil {
			return nil, err
		}
		return wantAccount{p.Account}, nil
	})
}

func (c *Client) person(tx store.Tx, handle string) (*store.Person, error) {
	h, err := wire.ParseHandle(handle)
	if err != nil {
		return nil, err
	}
	p, err := tx.PersonByHandle(h.String())
	if err == nil && p == nil {
		err = ErrNoRoom
	}
	return p, err
}

// Rename changes a room's title.
func (c *Client) Rename(ctx context.Context, to, title string) error {
	if len(title) > room.MaxTitle {
		return wire.Refuse(wire.CodeMalformed, "a room's name has at most %d bytes", room.MaxTitle)
	}
	return c.want(ctx, to, wantContext, func(store.Tx) (any, error) { return wantChange{Title: &title}, nil })
}

// SetDisappear lets what is written in a room from now on disappear so long after it was
// read; 0 ends that.
func (c *Client) SetDisappear(ctx context.Context, to string, after time.Duration) error {
	seconds := uint64(after / time.Second)
	if after < 0 || after > maxDisappear*time.Second || after != 0 && seconds == 0 {
		return wire.Refuse(wire.CodeMalformed, "a disappearing time is between a second and a year")
	}
	return c.want(ctx, to, wantContext, func(store.Tx) (any, error) { return wantChange{Disappear: &seconds}, nil })
}

// SetAdmin changes a person's role in a room.
func (c *Client) SetAdmin(ctx context.Context, to, handle string, admin bool) error {
	return c.want(ctx, to, wantContext, func(tx store.Tx) (any, error) {
		p, err := c.person(tx, handle)
		if err != nil {
			return nil, err
		}
		return wantChange{Role: &p.Account, Admin: admin}, nil
	})
}

// Leave leaves a room. Another member has to commit it: it is proposed in every epoch
// until then, and waits for it with ctx.
func (c *Client) Leave(ctx context.Context, to string) error {
	return c.want(ctx, to, wantLeave, func(store.Tx) (any, error) { return wantGen{}, nil })
}

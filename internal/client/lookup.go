package client

import (
	"context"
	"errors"
	"strings"
	"time"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mimi"
)

// Find looks somebody up by a handle, or by the link of a person. A link names an account:
// whoever else the server names is not them.
func (c *Client) Find(ctx context.Context, handleOrLink string) (out *Person, err error) {
	l := wire.Link{Handle: strings.TrimSpace(handleOrLink)}
	if wire.IsLink(handleOrLink) {
		if l, err = wire.ParseLink(handleOrLink); err != nil {
			return nil, err
		}
		if l.Kind == wire.LinkRoom || l.Handle == "" {
			return nil, wire.Refuse(wire.CodeMalformed, "this link leads to no person")
		}
	}
	var account identity.ID
	err = c.wait(ctx, func(done func(error)) {
		if !c.opened {
			done(ErrNoAccount)
			return
		}
		c.lookup(l.Handle, func(f *found, err error) {
			if err == nil {
				err = c.isLinks(l, f)
			}
			if err == nil && f.chain.ID() == c.chain.ID() {
				err = wire.Refuse(wire.CodeMalformed, "that is yourself")
			}
			if err == nil {
				account = f.chain.ID()
			}
			done(err)
		})
	})
	if err != nil {
		return nil, err
	}
	return c.Person(account)
}

// NewContactLink makes a link by which people find this person, until a time, and with which
// one of them may register at this person's home server, where it lets its people invite.
func (c *Client) NewContactLink(ctx context.Context, until time.Time) (l wire.Link, err error) {
	err = c.wait(ctx, func(done func(error)) {
		switch {
		case !c.opened:
			done(ErrNoAccount)
			return
		case !until.After(c.now()), until.After(c.now().Add(maxLinkTime)):
			done(wire.Refuse(wire.CodeMalformed, "a link lasts at most 30 days"))
			return
		}
		l = wire.Link{Kind: wire.LinkContact, Host: c.self.Host, Handle: c.self.String(), Account: wire.Hash(c.chain.ID()), Until: uint64(until.UnixMilli())}
		err := c.read(func(tx store.Tx) (err error) {
			if l.Name, err = c.ownName(tx); err == nil {
				l.Name = wire.LinkText(l.Name)
				l.Pin, err = c.pinOf(tx, l.Host)
			}
			return err
		})
		if err != nil {
			done(err)
			return
		}
		if c.account == nil || !c.account.link.up {
			done(ErrUnreachable)
			return
		}
		lifetime := max(until.Sub(c.now()), wire.MinInvitationLifetime)
		ask(c.account.link, wire.OpInvite, wire.Invite{Lifetime: uint64(lifetime / time.Second)}, func(a wire.Invited, err error) {
			switch {
			case err == nil:
				l.Kind, l.Code = wire.LinkAccount, a.Code
			case refused(err): // it gives nobody, or not now, the right to bring somebody in
				err = nil
			}
			done(err)
		})
	})
	return l, err
}

// ServerInfo asks a server what it says of itself. It needs no account. The person typed the
// host, so it may have a private address.
func (c *Client) ServerInfo(ctx context.Context, host string) (info wire.ServerInfo, err error) {
	host, err = wire.ParseHost(strings.TrimSpace(host))
	if err != nil {
		return info, err
	}
	err = c.wait(ctx, func(done func(error)) {
		c.fetchFrom(Request{Host: host, Private: true, Method: "GET", Path: "/v1/server", Limit: 4096}, func(b []byte, err error) {
			if err == nil {
				if err = wire.Unmarshal(b, &info); err != nil {
					err = wire.Refuse(wire.CodeMalformed, "%s is no server of sotto", host)
				}
			}
			done(err)
		})
	})
	return info, err
}

// NameFree asks whether a handle can be had, and says why not. It needs no account. A name
// whose account was deleted lately cannot be had although nobody has it: the server says so
// when it is asked for.
func (c *Client) NameFree(ctx context.Context, handle string) (free bool, why string, err error) {
	h, err := wire.ParseHandle(strings.TrimSpace(handle))
	if err != nil {
		var e *wire.Error
		if errors.As(err, &e) {
			return false, e.Sentence, nil
		}
		return false, "", err
	}
	err = c.wait(ctx, func(done func(error)) {
		c.fetchFrom(Request{Host: h.Host, Private: true, Method: "GET", Path: "/v1/directory/" + h.Name, Limit: 4 << 20}, func(_ []byte, err error) {
			switch {
			case err == nil:
				why = h.String() + " is taken: choose another name"
			case errors.Is(err, wire.Refuse(wire.CodeNoHandle, "")):
				free, err = true, nil
			}
			done(err)
		})
	})
	return free, why, err
}

// Notes is the room for notes to oneself: only this person's devices are in it. It is made
// when there is none.
func (c *Client) Notes(ctx context.Context) (id room.ID, err error) {
	err = c.wait(ctx, func(done func(error)) {
		if !c.opened {
			done(ErrNoAccount)
			return
		}
		var have *room.ID
		err := c.read(func(tx store.Tx) (err error) { have, err = activeSelf(tx); return err })
		if have != nil {
			id = *have
		} else if err == nil {
			id, err = c.makeRoom(room.Self, "", nil)
			c.pump()
		}
		done(err)
	})
	return id, err
}

// Forwarded marks what is composed as a message of somebody's that is passed on.
func (c *Client) Forwarded(compose Compose) Compose {
	return func(c *Client) (*mimi.Content, error) {
		content, err := compose(c)
		if err == nil {
			content.SetForwarded()
		}
		return content, err
	}
}

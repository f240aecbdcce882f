package client

import (
	"encoding/hex"
	"errors"
	"slices"

	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/internal/wire"
)

// A server on somebody's own network has no certificate that others vouch for. It vouches
// for itself by a key: a device takes the key that an invitation link names, or else the
// one it meets first, and after that no other (trust at first contact). What the device
// keeps of it is a fact of its store for each host.
const (
	factPin     = "pin "           // + host: the hash of its key, or of nothing when others vouch for it
	factRefused = "pin refused "   // + host: the hash of the last key that was refused, and told
	factOpened  = "servers opened" // hosts of links that the person opened by hand, a CBOR array
)

// ErrServerKey is a server that answers with another key than it did before.
var ErrServerKey = errors.New("this server answers with another key than before, so nothing was said to it: either it was set up anew, or somebody stands between; ask whoever runs it for a new invitation link, and open that")

// ErrServerUnknown is a server that vouches for itself where only an invitation can say
// which key is right.
var ErrServerUnknown = errors.New("nobody vouches for this server: open an invitation link of somebody who is there, which names its key")

// Vouch decides about the key (SHA-256 of its SPKI) of a server that may vouch for itself;
// public says that others vouch for it. It is called from any goroutine and may wait.
type Vouch func(host string, key wire.Hash, public bool) error

// Vouching is a Network on which servers may vouch for themselves.
type Vouching interface {
	Vouch(check Vouch)
}

// vouch is the client's answer, from the network's goroutines. What it decides is durable
// before the connection is used.
func (c *Client) vouch(host string, key wire.Hash, public bool) error {
	err := ErrClosed
	c.on(func() {
		if !c.closed {
			err = c.judgeKey(host, key, public)
		}
	})
	return err
}

// judgeKey compares a server's key with what is known. Where others vouch for a server on
// the own network, its keys may change, and from then on it has to be so.
func (c *Client) judgeKey(host string, key wire.Hash, public bool) (verdict error) {
	seen := key
	if public {
		seen = wire.Hash{}
	}
	err := c.update(func(tx store.Tx, after *[]func()) error {
		verdict = nil
		known, ok, err := tx.Fact(factPin + host)
		switch {
		case err != nil:
			return err
		case ok && (string(known) == string(seen[:]) || string(known) == string(key[:])):
			return nil
		case !ok && (public || wire.LocalNetwork(host)):
			return tx.SetFact(factPin+host, seen[:])
		case !ok:
			verdict = ErrServerUnknown
			return nil
		}
		verdict = ErrServerKey
		if told, _, err := tx.Fact(factRefused + host); err != nil || string(told) == string(key[:]) {
			return err
		}
		if err := tx.SetFact(factRefused+host, key[:]); err != nil {
			return err
		}
		return c.notice(tx, after, nil, NoticeServerKey, said.Of("server-key", "host", host, "key", hex.EncodeToString(key[:4])))
	})
	return errors.Join(err, verdict)
}

// OpenServer lets this device contact the server of a link that the person has opened by
// hand, or a server that this person runs: also at an address in a private range, and with
// the key that the link names. A link changes nothing about a server that is known by
// another key, unless that server has answered with the link's key and was refused: one who
// can send links and one who stands between would have to be the same.
func (c *Client) OpenServer(host string, pin wire.Hash) error {
	normal, err := wire.ParseHost(host)
	if err != nil {
		return err
	}
	c.on(func() { err = c.openServer(normal, pin) })
	return err
}

func (c *Client) openServer(host string, pin wire.Hash) error {
	hosts := c.opens
	if !slices.Contains(hosts, host) {
		hosts = append(slices.Clone(hosts), host)
		hosts = hosts[max(0, len(hosts)-mostOpened):]
	}
	err := c.write(func(tx store.Tx) error {
		if err := c.takePin(tx, host, pin); err != nil {
			return err
		}
		return tx.SetFact(factOpened, wire.Marshal(hosts))
	})
	if err == nil {
		c.opens = hosts
	}
	return err
}

func (c *Client) takePin(tx store.Tx, host string, pin wire.Hash) error {
	if pin == (wire.Hash{}) || !wire.SelfVouched(host) {
		return nil
	}
	_, known, err := tx.Fact(factPin + host)
	if err != nil {
		return err
	}
	refused, _, err := tx.Fact(factRefused + host)
	if err != nil || known && string(refused) != string(pin[:]) {
		return err
	}
	if err := tx.DropFacts(factRefused + host); err != nil {
		return err
	}
	return tx.SetFact(factPin+host, pin[:])
}

// pinOf is the key by which a server is known, for a link that leads there; zero where
// others vouch for it, or nothing is known.
func (c *Client) pinOf(tx store.Tx, host string) (pin wire.Hash, err error) {
	b, ok, err := tx.Fact(factPin + host)
	if err == nil && ok && len(b) == len(pin) {
		pin = wire.Hash(b)
	}
	return pin, err
}

// mostOpened is how many servers a device remembers that it may contact anywhere.
const mostOpened = 256

func (c *Client) loadOpened(tx store.Tx) error {
	b, ok, err := tx.Fact(factOpened)
	if err == nil && ok {
		err = wire.Unmarshal(b, &c.opens)
	}
	return err
}

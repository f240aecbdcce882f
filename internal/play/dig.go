package play

import (
	"crypto/ed25519"
	"crypto/sha256"
	"path/filepath"

	"sotto/internal/client"
	"sotto/internal/dial"
	"sotto/internal/identity"
	"sotto/internal/store"
	"sotto/internal/wire"
)

type storeTx = store.Tx

// dig looks into a device's database; its person is away for a moment.
func (p *Person) dig(f func(tx store.Tx) error) {
	p.w.T.Helper()
	back := p.Client != nil
	p.Away()
	st, err := store.Open(store.Options{Path: filepath.Join(p.Home, "sotto.db"), Key: sha256.Sum256([]byte(p.Name))})
	if err != nil {
		p.w.T.Fatal(err)
	}
	err = st.View(f)
	if err2 := st.Close(); err == nil {
		err = err2
	}
	if err != nil {
		p.w.T.Fatal(err)
	}
	if back {
		p.Back()
	}
}

// chain is a person's chain as its device keeps it.
func (p *Person) chain() (c *identity.Chain) {
	p.w.T.Helper()
	p.dig(func(tx store.Tx) error {
		b, _, err := tx.Fact("chain")
		if err != nil {
			return err
		}
		var statements [][]byte
		if err := wire.Unmarshal(b, &statements); err != nil {
			return err
		}
		c, err = identity.Verify(statements)
		return err
	})
	return c
}

// Greet opens a bare connection as a device of an account, proven by its keys.
func (p *Person) Greet(k *identity.Keys) *Raw {
	w := p.w
	w.T.Helper()
	n := dial.New(dial.Options{})
	w.T.Cleanup(n.Close)
	r := &Raw{t: w.T, frames: make(chan wire.Frame, 1024)}
	up := make(chan client.Conn, 1)
	n.Dial(p.Host.Name, "/v1/account", true, func(c client.Conn) { up <- c }, func(b []byte) {
		if f, err := wire.DecodeFrame(b); err == nil {
			r.frames <- f
		}
	}, func(error) { close(r.frames) })
	r.conn = <-up
	f, err := r.Call(wire.OpHello, wire.Hello{Lowest: 1, Highest: 1})
	if err != nil {
		w.T.Fatal(err)
	}
	var h wire.Hello
	if err := wire.Unmarshal(f.Body, &h); err != nil {
		w.T.Fatal(err)
	}
	msg := wire.AuthMessage(h.Nonce, p.Host.Name, p.Handle, k.Name)
	if _, err := r.Call(wire.OpAuth, wire.Auth{Handle: p.Handle, Device: k.Name, Signature: ed25519.Sign(k.Signature, msg)}); err != nil {
		w.T.Fatal(err)
	}
	return r
}

// Steps waits until the device has worked off what came so far and what that led to,
// without waiting for what others hold back.
func (p *Person) Steps() {
	for range 3 {
		_ = p.Client.Hosts()
	}
}

// keysOf are a device's keys; its person is away for a moment.
func (p *Person) keysOf() *identity.Keys {
	p.w.T.Helper()
	var k *identity.Keys
	p.dig(func(tx storeTx) error {
		b, _, err := tx.Fact("keys")
		if err == nil {
			k, err = identity.ParseKeys(b)
		}
		return err
	})
	return k
}

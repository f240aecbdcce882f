package client

import (
	"errors"
	"path/filepath"
	"testing"

	"sotto/internal/store"
	"sotto/internal/wire"
)

// still is a network on which nothing happens.
type still struct{ check Vouch }

func (*still) Dial(_, _ string, _ bool, _ func(Conn), _ func([]byte), down func(error)) {
	go down(errors.New("nothing happens here"))
}

func (*still) Do(_ Request, done func(Answer, error)) { go done(Answer{}, ErrUnreachable) }

func (s *still) Vouch(check Vouch) { s.check = check }

// TestServerKeys: the first key of a server on the own network is taken, or the one that a
// link names; another is refused, told once, and stays refused after a restart, until the
// person opens a link with it.
func TestServerKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sotto.db")
	n := &still{}
	open := func(existing bool) *Client {
		t.Helper()
		c, err := Open(Options{Store: store.Options{Path: path, Key: [32]byte{1}, Existing: existing}, Network: n})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := open(false)
	judge := func(host string, key byte, public bool, want error) {
		t.Helper()
		if err := n.check(host, wire.Hash{key}, public); !errors.Is(err, want) || want == nil && err != nil {
			t.Fatalf("%s with key %d, public %v: %v, not %v", host, key, public, err, want)
		}
	}
	notices := func(want int) {
		t.Helper()
		all, err := c.Notices(0)
		if err != nil || len(all) != want {
			t.Fatalf("%v, %v", all, err)
		}
	}
	judge("nas:7700", 1, false, nil) // first contact
	judge("nas:7700", 1, false, nil)
	judge("nas:7700", 2, false, ErrServerKey)
	judge("nas:7700", 2, false, ErrServerKey)
	notices(1)
	judge("nas:7700", 3, false, ErrServerKey)
	notices(2)
	judge("nas:7700", 2, true, ErrServerKey) // nobody is let in by a new authority either
	judge("8.8.8.8", 1, false, ErrServerUnknown)
	judge("192.168.1.7", 5, true, nil) // an operator's own authority, whose keys may change
	judge("192.168.1.7", 6, true, nil)
	judge("192.168.1.7", 6, false, ErrServerKey)
	if err := c.OpenServer("8.8.8.8", wire.Hash{9}); err != nil {
		t.Fatal(err)
	}
	judge("8.8.8.8", 1, false, ErrServerKey)
	judge("8.8.8.8", 9, false, nil)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := n.check("nas:7700", wire.Hash{1}, false); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
	c = open(true)
	defer c.Close()
	judge("nas:7700", 1, false, nil)
	judge("nas:7700", 2, false, ErrServerKey)
	if c.mayBePrivate("nas:7700") || !c.mayBePrivate("8.8.8.8") {
		t.Error("what was opened by hand is not known any more, or more than that is")
	}
	// A link with a key that the server never showed changes nothing; one with the key that
	// was refused last does.
	for _, key := range []byte{4, 3} {
		if err := c.OpenServer("nas:7700", wire.Hash{key}); err != nil {
			t.Fatal(err)
		}
	}
	judge("nas:7700", 1, false, nil)
	judge("nas:7700", 2, false, ErrServerKey)
	if err := c.OpenServer("NAS:7700", wire.Hash{2}); err != nil {
		t.Fatal(err)
	}
	judge("nas:7700", 1, false, ErrServerKey)
	judge("nas:7700", 2, false, nil)
	if err := c.OpenServer("two words", wire.Hash{}); wire.CodeOf(err) != wire.CodeMalformed {
		t.Error(err)
	}
	for i := range 2 * mostOpened {
		if err := c.openServer("h"+string(rune('a'+i%26))+"x:"+"7"+string(rune('0'+i%10)), wire.Hash{}); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.opens) > mostOpened {
		t.Errorf("%d hosts", len(c.opens))
	}
}

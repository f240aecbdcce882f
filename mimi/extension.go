package mimi

import (
	"bytes"
	"slices"
)

// Key names an extension: a text when Text is not empty, else an integer.
// Negative integers and texts are for private use, positive integers are
// IANA's (section 4.3).
type Key struct {
	Int  int64
	Text string
}

// Keys of section 4.3.
var (
	senderKey = Key{Int: 1}
	roomKey   = Key{Int: 2}
)

// forwardedKey is sotto's own: the message is somebody else's, passed on by its sender. Its
// value is true. Negative keys are for private use (section 4.3); sotto's are -0xF001 and
// below.
var forwardedKey = Key{Int: -0xF001}

// Extensions maps keys to values, each one item of deterministic CBOR.
type Extensions map[Key][]byte

// text returns the value under k if it is a text.
func (e Extensions) text(k Key) (string, bool) {
	v, ok := e[k]
	if !ok {
		return "", false
	}
	r := &reader{b: v}
	s, err := r.text(MaxURI, "extension")
	return s, err == nil && r.end() == nil
}

// SenderURI is the sender that the message names, if it does. It is a claim:
// MessageID compares it with the sender that MLS proves.
func (c *Content) SenderURI() (string, bool) { return c.Extensions.text(senderKey) }

// RoomURI is the room that the message names, if it does.
func (c *Content) RoomURI() (string, bool) { return c.Extensions.text(roomKey) }

// From makes the message name its sender and room, and returns it.
func (c *Content) From(sender, room string) *Content {
	if c.Extensions == nil {
		c.Extensions = Extensions{}
	}
	c.Extensions[senderKey] = appendText(nil, sender)
	c.Extensions[roomKey] = appendText(nil, room)
	return c
}

// Forwarded says whether the sender says of the message that it is somebody else's, passed on.
func (c *Content) Forwarded() bool {
	return bytes.Equal(c.Extensions[forwardedKey], appendBool(nil, true))
}

// SetForwarded makes the message say so, and returns it.
func (c *Content) SetForwarded() *Content {
	if c.Extensions == nil {
		c.Extensions = Extensions{}
	}
	c.Extensions[forwardedKey] = appendBool(nil, true)
	return c
}

// check holds every value to one item of deterministic CBOR. Without it a
// value of two items would shift the map, and mean something else.
func (e Extensions) check() error {
	for k, v := range e {
		r := &reader{b: v}
		if err := r.extensionValue(k); err != nil {
			return err
		}
		if err := r.end(); err != nil {
			return err
		}
	}
	return nil
}

func appendKey(b []byte, k Key) []byte {
	switch {
	case k.Text != "":
		return appendText(b, k.Text)
	case k.Int < 0:
		return appendHead(b, majorNegative, uint64(-1-k.Int))
	}
	return appendUint(b, uint64(k.Int))
}

// append writes the map, keys in the order of their encodings (section 6.1).
func (e Extensions) append(b []byte) []byte {
	type pair struct{ key, value []byte }
	pairs := make([]pair, 0, len(e))
	for k, v := range e {
		pairs = append(pairs, pair{appendKey(nil, k), v})
	}
	slices.SortFunc(pairs, func(x, y pair) int { return bytes.Compare(x.key, y.key) })
	b = appendHead(b, majorMap, uint64(len(pairs)))
	for _, p := range pairs {
		b = append(append(b, p.key...), p.value...)
	}
	return b
}

func (r *reader) extensions() (Extensions, error) {
	n, err := r.expect(majorMap, "extensions")
	if err != nil {
		return nil, err
	}
	if n > MaxExtensions {
		return nil, r.fail(ErrTooMany, "%d extensions", n)
	}
	e := Extensions{}
	var k Key
	err = r.sortedMap(n,
		func() (err error) { k, err = r.key(); return err },
		func() error {
			start := r.off
			if err := r.extensionValue(k); err != nil {
				return err
			}
			e[k] = bytes.Clone(r.b[start:r.off])
			return nil
		})
	return e, err
}

// key reads a key of the extensions map (sections 4.3 and 6.2).
func (r *reader) key() (Key, error) {
	start := r.off
	h, err := r.head()
	if err != nil {
		return Key{}, err
	}
	switch h.major {
	case majorUint:
		return Key{Int: int64(h.arg)}, r.checkInteger(h)
	case majorNegative:
		return Key{Int: -1 - int64(h.arg)}, r.checkInteger(h)
	case majorText:
		r.off = start
		s, err := r.text(MaxExtensionKey, "extension key")
		if err == nil && s == "" {
			err = r.fail(ErrMalformed, "empty extension key")
		}
		return Key{Text: s}, err
	}
	return Key{}, r.fail(ErrMalformed, "extension key has the wrong type")
}

func (r *reader) extensionValue(k Key) error {
	if k == senderKey || k == roomKey {
		_, err := r.text(MaxURI, "sender or room URI")
		return err
	}
	return r.value(1)
}

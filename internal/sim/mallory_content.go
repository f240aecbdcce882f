package sim

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"sotto/internal/room"
	"sotto/internal/wire"
	"sotto/mimi"
)

// contentAttacks post what is too much, too deep or not what it says.
var contentAttacks = []MemberAttack{
	{
		Name: "nested content", Does: "posts content that is nested thousands deep, endless, or cut off", Told: passedOver, Within: soon,
		Try: func(m *Mallory) {
			text := m.text("hi")
			for _, b := range [][]byte{
				{}, bytes.Repeat([]byte{0x81}, 100_000), bytes.Repeat([]byte{0xa1, 0x01}, 50_000), bytes.Repeat([]byte{0xd8, 0x20}, 50_000),
				append([]byte{0x9f}, bytes.Repeat([]byte{0}, 1000)...), append([]byte{0xbf}, bytes.Repeat([]byte{0x9f}, 10_000)...),
				{0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
				text[:len(text)-1], append(slices.Clone(text), 0), m.bytes(5000),
			} {
				m.say(room.PayloadContent, b)
			}
		},
	},
	{
		Name: "nested payload", Does: "posts plaintexts that are no payload", Told: passedOver, Within: soon,
		Try: func(m *Mallory) {
			giant := []byte{0xba, 0, 1, 0, 0} // a map of 65,536 pairs
			for i := range 65_536 {
				giant = append(giant, 0x19, byte(i>>8), byte(i), 0)
			}
			for _, b := range [][]byte{{}, {1}, bytes.Repeat([]byte{0x81}, 200_000), giant[:200_000], m.bytes(200_000), wire.Marshal(map[int]int{1: 1})} {
				m.message(b)
			}
		},
	},
	{
		Name: "long texts", Does: "writes texts as long as they may be, and longer", Told: passedOver, Within: soon,
		Try: func(m *Mallory) {
			m.say(room.PayloadContent, m.text(strings.Repeat("long ", 48_000)))
			m.say(room.PayloadContent, append(m.text("x"), make([]byte, mimi.MaxMessage)...))
			m.put(func() []byte { // beyond what an entry may have
				b, _, err := m.Group.Seal(nil, make([]byte, 1<<20))
				if err != nil {
					return nil
				}
				return m.seal(room.Inner{Message: b})
			})
		},
	},
	{
		Name: "many parts", Does: "writes messages of as many parts, attachments and extensions as there may be, and of more", Told: passedOver, Within: soon,
		Try: func(m *Mallory) {
			files := make([]mimi.External, mimi.MaxParts-2)
			for i := range files {
				files[i] = mimi.External{ContentType: "image/png", URL: "https://evil.test/" + strings.Repeat("x", 100), Filename: "../../etc/passwd"}
			}
			m.content(mimi.NewAttachment(m.rand, "look", files...))
			part := []byte{0x85, 1, 0x60, 1, 0x60, 0x40} // [1, "", 1, "", h'']
			many := append([]byte{0x87, 0x50}, m.bytes(16)...)
			many = append(many, 0xf6, 0x40, 0xf6, 0xf6, 0xa0, 0x85, 1, 0x60, 3, 0, 0x99, 0x27, 0x10) // 10,000 parts
			m.say(room.PayloadContent, append(many, bytes.Repeat(part, 10_000)...))
		},
	},
	{
		Name: "strange text", Does: "writes texts that turn the line around, that are no text at all or try to be commands", Within: soon, Effect: nothingBroken,
		Try: func(m *Mallory) {
			for _, s := range []string{"\u202egnp.exe", "\u2066\u2067\u2068 mixed", "\x1b[2J\x1b]0;hers\x07", "a\x00b", "\r\noverwritten", "<script>alert(1)</script>", strings.Repeat("e\u0301\u0302\u0303", 5000), "'; DROP TABLE messages; --", "\" OR text MATCH *"} {
				m.say(room.PayloadContent, m.text(s))
			}
			b := m.text("valid")
			b[len(b)-1] = 0xff // no UTF-8
			m.say(room.PayloadContent, b)
		},
	},
	{
		Name: "strange expiry", Does: "writes messages that expired long ago, at once, in a century or that never end", Told: passedOver, Within: 2 * time.Minute,
		Try: func(m *Mallory) {
			for _, e := range []mimi.Expiry{{Seconds: 0}, {Seconds: 1}, {Seconds: 1<<32 - 1}, {Relative: true}, {Relative: true, Seconds: 1}, {Relative: true, Seconds: 1<<32 - 1}} {
				if c, err := mimi.NewText(m.rand, "expires"); err == nil {
					c.Expires = &e
					m.content(c, nil)
				}
			}
		},
	},
	{
		Name: "reactions", Does: "reacts hundreds of times to the same message", Within: soon,
		Try: func(m *Mallory) {
			m.sleep(2 * time.Second)
			for i := range 150 {
				if len(m.texts) > 0 && !m.over() {
					m.content(mimi.NewReaction(m.rand, m.texts[0].id, string(rune(0x1F600+i%64))))
				}
			}
		},
	},
}

// text is the content of a text, as it is, not as an honest program would escape it.
func (m *Mallory) text(s string) []byte {
	c, err := mimi.NewText(m.rand, s)
	if err != nil {
		m.cannot(err)
		return nil
	}
	b, err := c.Marshal()
	if err != nil {
		m.cannot(err)
	}
	return b
}

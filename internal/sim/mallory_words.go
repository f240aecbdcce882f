package sim

import (
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mimi"
)

// receiptAttacks say of messages that they came or were read.
var receiptAttacks = []MemberAttack{
	{
		Name: "forged receipts", Does: "says of everybody's messages, and of such as never were, that they are delivered and read, while somebody sleeps", Within: 3 * time.Minute, Sleeps: true,
		Try: func(m *Mallory) {
			for !m.over() {
				m.sleep(time.Second)
				for _, s := range []mimi.Status{mimi.Delivered, mimi.Read, 0, 99} {
					var r mimi.Report
					for _, t := range m.texts {
						r = append(r, mimi.Receipt{ID: t.id, Status: s})
					}
					r = append(r, mimi.Receipt{ID: mimi.MessageID(append([]byte{1}, m.bytes(31)...)), Status: s})
					m.report(r)
				}
			}
		},
		Effect: untold,
	},
	{
		Name: "thousands of receipts", Does: "sends receipts for thousands of messages that never were", Within: 3 * time.Minute, Sleeps: true,
		Try: func(m *Mallory) {
			for range 8 {
				var r mimi.Report
				for range mimi.MaxReports {
					r = append(r, mimi.Receipt{ID: mimi.MessageID(append([]byte{1}, m.bytes(31)...)), Status: mimi.Read})
				}
				m.report(r)
			}
			m.say(room.PayloadStatus, m.bytes(200_000))
			m.say(room.PayloadStatus, slices.Repeat([]byte{0x81}, 100_000))
		},
		Effect: untold,
	},
}

// senderAttacks claim to be somebody else, or act on what is somebody else's.
var senderAttacks = []MemberAttack{
	{
		Name: "another's name", Does: "writes messages that say they are of another sender or of another room", Told: passedOver, Within: soon,
		Try: func(m *Mallory) {
			for _, l := range slices.Concat(m.others(true), m.others(false)) {
				if c, err := mimi.NewText(m.rand, "by somebody else"); err == nil {
					m.content(c.From(uri("a", l.Account[:]), m.uri()), nil)
				}
			}
			if c, err := mimi.NewText(m.rand, "elsewhere"); err == nil {
				self := m.self()
				m.content(c.From(uri("a", self[:]), uri("r", m.bytes(32))), nil)
			}
		},
		Effect: nothingNew,
	},
	{
		Name: "others' messages", Does: "edits, deletes and takes back what others wrote", Within: soon,
		Try: func(m *Mallory) {
			for range 5 {
				m.sleep(time.Second)
				for _, t := range slices.Clone(m.texts[max(0, len(m.texts)-4):]) {
					m.content(mimi.NewEdit(m.rand, t.id, "hers now"))
					m.content(mimi.NewDelete(m.rand, t.id))
					m.content(mimi.NewUnreact(m.rand, t.id, t.id))
				}
			}
		},
		Effect: nothingChanged,
	},
	{
		Name: "answers to nothing", Does: "answers, reacts to, edits and deletes messages of other rooms and such as never were", Within: soon,
		Try: func(m *Mallory) {
			for range 3 {
				id := mimi.MessageID(append([]byte{1}, m.bytes(31)...))
				m.content(mimi.NewReply(m.rand, id, "to nothing"))
				m.content(mimi.NewReaction(m.rand, id, "👍"))
				m.content(mimi.NewEdit(m.rand, id, "of nothing"))
				m.content(mimi.NewDelete(m.rand, id))
			}
		},
		Effect: nothingChanged,
	},
	{
		Name: "joined again", Does: "says again and again that she has just come, and names inboxes of others and hosts that are not there as hers", Within: soon,
		Try: func(m *Mallory) {
			for i := range 10 {
				m.say(room.PayloadJoined, wire.Marshal(room.Joined{Host: []string{evilHost, m.d.Home.Name}[i%2], Inbox: wire.InboxName(m.bytes(16)), Capability: m.secret()}))
			}
			m.say(room.PayloadJoined, m.bytes(1000))
		},
		Effect: uncontacted,
	},
	{
		Name: "later kinds", Does: "posts payloads of every kind that is not in use", Within: soon,
		Try: func(m *Mallory) {
			for kind := room.PayloadKind(4); kind < 40; kind++ {
				if kind != room.PayloadAgain { // what is no content there is junk
					m.say(kind, m.bytes(100))
				}
			}
		},
	},
}

func (m *Mallory) report(r mimi.Report) {
	b, err := r.Marshal()
	if err != nil {
		m.cannot(err)
		return
	}
	m.say(room.PayloadStatus, b)
}

// rows are a room's messages at somebody's.
func (m *Mallory) rows(d *Device) []store.Message {
	all, err := d.Client.Messages(&m.Gen.Room, 0, 1<<20)
	if err != nil {
		m.w.Fail("%s cannot read the room: %v", d.Name, err)
	}
	return all
}

// honest are the devices that are on and did not turn.
func (w *World) honest() (out []*Device) {
	for _, d := range w.Devices {
		if d.Client != nil && d.mallory == nil {
			out = append(out, d)
		}
	}
	return out
}

// untold says that nobody was told that a message came to a device which does not have it.
func untold(m *Mallory) error {
	for _, d := range m.w.honest() {
		for _, x := range m.rows(d) {
			if x.State != store.Delivered && x.State != store.Read {
				continue
			}
			for _, o := range m.w.honest() {
				if has, err := o.Client.Message(x.ID); m.leaf(o) != nil && (err != nil || has == nil) {
					return fmt.Errorf("%s was told that %q is %v, and %s does not have it", d.Name, x.Text, x.State, o.Name)
				}
			}
		}
	}
	return nil
}

// nothingChanged says that what honest people wrote stands as they wrote it.
func nothingChanged(m *Mallory) error {
	for _, d := range m.w.honest() {
		for _, x := range m.rows(d) {
			if x.Account != m.self() && x.Flags&(store.FlagEdited|store.FlagDeleted) != 0 {
				return fmt.Errorf("%s: a message is now %q with flags %b", d.Name, x.Text, x.Flags)
			}
		}
	}
	return nil
}

// nothingBroken says that whatever is shown is text.
func nothingBroken(m *Mallory) error {
	for _, d := range m.w.honest() {
		for _, x := range m.rows(d) {
			if !utf8.ValidString(x.Text) {
				return fmt.Errorf("%s shows %q", d.Name, x.Text)
			}
		}
	}
	return nil
}

// nothingNew says that nothing of hers is shown.
func nothingNew(m *Mallory) error {
	for _, d := range m.w.honest() {
		for _, x := range m.rows(d) {
			if x.Account == m.self() && x.Arrived > m.since.UnixMilli() {
				return fmt.Errorf("%s shows %q", d.Name, x.Text)
			}
		}
	}
	return nil
}

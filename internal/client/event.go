package client

import (
	"slices"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/said"
	"sotto/internal/store"
	"sotto/mimi"
)

// EventKind says what an event tells.
type EventKind string

// The events.
const (
	EventMessage  EventKind = "message"  // a message came, or one of ours took its place
	EventQueued   EventKind = "queued"   // a message of ours was written and waits here
	EventState    EventKind = "state"    // the state of a message of ours changed
	EventChanged  EventKind = "changed"  // a message that is shown changed: an edit, a reaction, a star, another place, or it was taken back
	EventGone     EventKind = "gone"     // a message is not here any more: it vanished or was deleted here
	EventMark     EventKind = "mark"     // what a room is to this person changed, or how much of it was seen
	EventSetting  EventKind = "setting"  // the settings changed
	EventRoom     EventKind = "room"     // a room was made, entered, changed or ended
	EventRequest  EventKind = "request"  // a stranger wrote
	EventNotice   EventKind = "notice"   // something the person should know
	EventOnline   EventKind = "online"   // a host was reached or lost
	EventTrouble  EventKind = "trouble"  // something failed here that may mend itself
	EventWriting  EventKind = "writing"  // somebody writes in a room, or has stopped
	EventHere     EventKind = "here"     // somebody is here, or has gone
	EventPerson   EventKind = "person"   // what is known of a person changed, or what they show
	EventCall     EventKind = "call"     // a call began, changed or is over
	EventMedia    EventKind = "media"    // the other side of a call has said something: Candidates are the new ones
	EventPins     EventKind = "pins"     // a message was pinned in a room, or is no more
	EventHistory  EventKind = "history"  // more of the history came from another device
	EventRecovery EventKind = "recovery" // the 24 words were made, confirmed or dropped, or something came back by them
	EventHome     EventKind = "home"     // this account lives at another server now: Text is its handle
	EventBackup   EventKind = "backup"   // a backup is being made or restored, or has ended
	EventFile     EventKind = "file"     // a file went on its way, or ended it: of message ID, file Part
	EventLinking  EventKind = "linking"  // the linking of a device went on: Text is its LinkStage
)

// Event is something that happened. It is told after it is durable.
type Event struct {
	Kind    EventKind
	Room    room.ID
	Message *store.Message
	ID      mimi.MessageID // of the message that is gone
	Text    string
	Notice  string      // the kind of a notice
	Err     error       // what trouble is; a host's refusal is a *wire.Error
	Account identity.ID // of a person
	On      bool        // writing, here
	Call    *Call       // call
	Media   *CallMedia  // media
	Part    int64       // of a message's files
}

// Subscribe calls f, on the client's queue, for each event until cancel. f must not
// block and must not call the client.
func (c *Client) Subscribe(f func(Event)) (cancel func()) {
	var id int
	c.on(func() {
		c.lastSub++
		id = c.lastSub
		c.watchers[id] = f
	})
	return func() { c.on(func() { delete(c.watchers, id) }) }
}

func (c *Client) emit(e Event) {
	if c.selfRooms[e.Room] { // nobody is shown it
		c.inSelf = false // to be looked at
		return
	}
	if e.Kind == EventRoom || e.Kind == EventPerson {
		c.recordLater()
	}
	for i := 1; i <= c.lastSub; i++ { // in order of subscription
		if f := c.watchers[i]; f != nil {
			f(e)
		}
	}
}

// notice keeps something that the person is told.
func (c *Client) notice(tx store.Tx, after *[]func(), id *room.ID, kind string, says said.Said) error {
	if id != nil && c.selfRooms[*id] {
		if slices.Contains(happenings, kind) {
			return nil
		}
		id = nil
	}
	n := store.Notice{Room: id, Time: c.nowMS(), Kind: kind, Text: says.Text(), Said: says}
	if slices.Contains(provoked, kind) {
		if same, err := tx.NoticesLike(n, n.Time-sameTime); err != nil || same >= sameNotices {
			return err
		}
	}
	e := Event{Kind: EventNotice, Notice: kind, Text: n.Text}
	if id != nil {
		e.Room = *id
		if slices.Contains(happenings, kind) { // it stands in the conversation, where that is shown
			home, err := c.shownIn(tx, *id)
			if err != nil {
				return err
			}
			e.Room, n.Room = home, &home
			if n.Pos, err = tx.NextPos(); err != nil {
				return err
			}
		}
	}
	*after = append(*after, func() { c.emit(e) })
	return tx.AddNotice(n)
}

// What others can cause as often as they like is told so many times in the same words,
// and then not for a while: who floods a room with junk must not fill the database too.
const (
	sameNotices = 32
	sameTime    = 24 * 3_600_000 // milliseconds
)

// happenings are the notices that stand in a conversation, between its messages.
var happenings = []string{NoticeJoined, NoticeLeft, NoticeRenamed, NoticeDisappear, NoticeRemoved, NoticeMoved, NoticeExpired, NoticeCall}

var provoked = []string{NoticeJunk, NoticeFork, NoticeElsewhere, NoticeIdentity, NoticeUpdate}

// The kinds of notices. Each is a state of affairs that a person should know.
const (
	NoticeJoined    = "joined"         // somebody came into a room
	NoticeLeft      = "left"           // somebody left or was removed
	NoticeRenamed   = "renamed"        // a room's title or roles changed
	NoticeDisappear = "disappearing"   // a room's disappearing time changed
	NoticeRemoved   = "removed"        // this person was removed
	NoticeMoved     = "moved"          // a room moved to another log
	NoticeJunk      = "junk"           // somebody posted what cannot be read
	NoticeFork      = "host fault"     // a host dropped, reordered, forked or forgot
	NoticeCopy      = "restored copy"  // this device is a copy, or there is one
	NoticeElsewhere = "read elsewhere" // another program reads with this device's rights
	NoticeIdentity  = "identity"       // a chain that contradicts what was known
	NoticeFailed    = "failed"         // a change of a room that could not be made
	NoticeUpdate    = "update"         // a room moved to rules this program does not know
	NoticeExpired   = "expired"        // messages were gone before this device read them
	NoticeServerKey = "server key"     // a server that vouches for itself answers with another key
	NoticeDevice    = "device"         // a contact's devices or address changed
	NoticeKey       = "key"            // a contact has a new key: numbers are to be compared again
	NoticeKnock     = "knock"          // somebody came by a link and waits
	NoticeCall      = "call"           // there was a call
)

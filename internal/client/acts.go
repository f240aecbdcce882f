package client

import (
	"errors"
	"strings"

	"sotto/internal/store"
	"sotto/mimi"
)

// ErrGone is a change of a message that is not here any more.
var ErrGone = errors.New("this message was taken back or has expired")

// describe fills in what a message is from its content, and whether it names this person.
func (c *Client) describe(m *store.Message, content *mimi.Content) {
	m.Kind = content.Kind()
	switch m.Kind {
	case mimi.KindEdit, mimi.KindDelete, mimi.KindUnreact:
		m.Target = content.Replaces
	case mimi.KindReply, mimi.KindReaction:
		m.Target = content.InReplyTo
	}
	if m.Kind == mimi.KindReaction {
		m.Text = strings.Join(content.Reactions(), " ")
	} else if t, ok := content.Text(); ok {
		m.Text = t.Content
	}
	if m.Account != c.chain.ID() && (store.Shown(m.Kind) || m.Kind == mimi.KindEdit) && c.namedIn(m.Text, content) {
		m.Flags |= store.FlagMentions
	}
}

// namedIn says whether a text names this person: with a link to the account, as MIMI has it,
// or as people type it, with an @ before the handle or its name.
func (c *Client) namedIn(text string, content *mimi.Content) bool {
	self := accountURI(c.chain.ID())
	if len(content.Mentions(func(uri string) bool { return uri == self })) > 0 {
		return true
	}
	for name := range mimi.AtNames(text) {
		if strings.EqualFold(name, c.self.Name) || strings.EqualFold(name, c.self.String()) {
			return true
		}
	}
	return false
}

// said is when a message was said, for people: when it arrived at its host, unless the host
// names a time that is yet to come; else by its sender's clock.
func (c *Client) said(m store.Message) int64 {
	now := c.nowMS()
	if m.Arrived > 0 {
		return max(min(m.Arrived, now), 1)
	}
	return max(min(m.Sent, now), 1)
}

// expiry fills in when a message is to go.
func expiry(m *store.Message, content *mimi.Content) {
	switch {
	case content.Expires == nil:
	case content.Expires.Relative:
		m.Vanish = int64(content.Expires.Seconds)
	default:
		m.Expires = int64(content.Expires.Seconds) * 1000
	}
}

// keep adds a message, unless it is here or was, and lets it act: an edit or a deletion on
// the message that it names, if that is the same person's. What is sent again may come after
// what changes it.
func keep(tx store.Tx, m store.Message) (added bool, err error) {
	gone, err := isGone(tx, m)
	if err != nil || gone {
		return false, err
	}
	if added, err = tx.AddMessage(m); err != nil || !added {
		return false, err
	}
	changes, err := tx.Changes(m)
	for _, x := range changes {
		if err == nil {
			err = act(tx, x)
		}
	}
	if err == nil {
		err = act(tx, m)
	}
	return true, err
}

// isGone says whether a message has expired here, or edits one that has. An edit of what was
// taken back says nothing any more either.
func isGone(tx store.Tx, m store.Message) (bool, error) {
	gone, err := tx.Gone(m.ID)
	if err != nil || gone || m.Kind != mimi.KindEdit {
		return gone, err
	}
	if gone, err = tx.Gone(*m.Target); err != nil || gone {
		return gone, err
	}
	target, err := tx.Message(m.Room, *m.Target)
	if err != nil || target == nil {
		return false, err
	}
	return target.Account == m.Account && target.Flags&store.FlagDeleted != 0, nil
}

// changedBy is the shown message that a message changes: what it edits, takes back or reacts
// to; nil when there is none here.
func changedBy(tx store.Tx, m store.Message) (*store.Message, error) {
	if m.Target == nil || store.Shown(m.Kind) {
		return nil, nil
	}
	target, err := tx.Message(m.Room, *m.Target)
	if err == nil && target != nil && target.Kind == mimi.KindReaction && target.Target != nil { // it takes a reaction back
		target, err = tx.Message(m.Room, *target.Target)
	}
	if err != nil || target == nil || target.At == 0 {
		return nil, err
	}
	return target, nil
}

// tellChange tells that a message changed which another one acts on.
func (c *Client) tellChange(tx store.Tx, after *[]func(), by store.Message) error {
	if by.Kind == mimi.KindDelete { // its files go, too
		*after = append(*after, c.pumpFiles)
	}
	m, err := changedBy(tx, by)
	if err != nil || m == nil {
		return err
	}
	c.overlay(m)
	*after = append(*after, func() { c.emit(Event{Kind: EventChanged, Room: m.Room, Message: m}) })
	return nil
}

// act lets an edit or a deletion act on the message it names.
func act(tx store.Tx, m store.Message) error {
	if m.Target == nil || m.Kind == mimi.KindReply || m.Kind == mimi.KindReaction {
		return nil
	}
	target, err := tx.Message(m.Room, *m.Target)
	if err != nil || target == nil || target.Account != m.Account {
		return err
	}
	switch m.Kind {
	case mimi.KindEdit:
		if target.Flags&store.FlagDeleted != 0 {
			return tx.TakeBack(*target)
		}
		if err := tx.SetText(*target, m); err != nil {
			return err
		}
		if err := tx.ForgetFirst(*target); err != nil {
			return err
		}
		return tx.ShareExpiry(*target)
	case mimi.KindDelete, mimi.KindUnreact:
		return tx.TakeBack(*target)
	}
	return nil
}

package client

import (
	"errors"
	"strings"

	"sotto/internal/store"
	"sotto/mimi"
)

// ErrGone is a change of a message that is not here any more.
var ErrGone = errors.New("this message was taken back or has expired")

// describe fills in what a message is from its content.
func describe(m *store.Message, content *mimi.Content) {
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
		if err := tx.SetText(*target, m.Text); err != nil {
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

package store

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"sotto/internal/identity"
	"sotto/internal/room"
	"sotto/internal/store/sqlite"
	"sotto/internal/store/words"
)

// Query is what is searched for in the messages that are shown. What is said of Words holds
// of all of them at once.
type Query struct {
	Words   []Word
	Room    *room.ID
	Account *identity.ID // who wrote it
	Starred bool
	From    int64 // said at or after this time, Unix milliseconds
	Below   int64 // and before this one; 0: no end
}

// Word is one word to find, in the form that the words package gives it.
type Word struct {
	Text   string
	Prefix bool // or one that begins so
}

// MaxPrefix is the length, in runes, of the longest prefix that is in the index: what it finds
// it finds at once. For a longer one FTS5 first gathers all that match, however few are wanted:
// better to search for its beginning and to look through what is found.
const MaxPrefix = 5

// aside begins the words of the index that stand for a message's room, account and star:
// see the schema.
const aside = "\ue000"

// searched is what a message is put into the index with; the schema has the same in SQL.
func (m Message) searched() string {
	star := ""
	if m.Flags&FlagStarred != 0 {
		star = " " + aside + "s"
	}
	return fmt.Sprintf("%s %sr%X %sa%X%s", words.Join(m.Text), aside, m.Room[:8], aside, m.Account[:8], star)
}

// match writes a query in the language of FTS5: every word a string in quotes, so that nothing
// in it has a meaning there, one beside the other, which is AND.
func (q Query) match() string {
	var b strings.Builder
	add := func(word string, prefix bool) {
		word = strings.ReplaceAll(word, "\x00", " ")
		if b.Len() > 0 {
			b.WriteString(" ")
		}
		b.WriteString(`"` + strings.ReplaceAll(word, `"`, `""`) + `"`)
		if prefix {
			b.WriteString("*")
		}
	}
	for _, w := range q.Words {
		add(w.Text, w.Prefix)
	}
	if q.Room != nil {
		add(aside+"r"+hex.EncodeToString(q.Room[:8]), false)
	}
	if q.Account != nil {
		add(aside+"a"+hex.EncodeToString(q.Account[:8]), false)
	}
	if q.Starred {
		add(aside+"s", false)
	}
	return b.String()
}

// Search calls found for the messages that a query finds, the newest first, until it
// answers false. Below of the query is where a later search goes on: the At of the last
// message of this one.
func (t Tx) Search(q Query, found func(m Message) bool) error {
	below := q.Below
	if below <= 0 {
		below = 1 << 62
	}
	const limit = 64
	for {
		sql, args := `SELECT `+messageColumns+` FROM messages WHERE at >= ? AND at < ? AND flags & 4 = 0 ORDER BY at DESC LIMIT ?`, []any{q.From, below, limit}
		if match := q.match(); match != "" {
			// CROSS JOIN keeps the index in the lead: it answers in the order wanted.
			sql = `SELECT ` + strings.Replace(messageColumns, "text,", "m.text,", 1) + ` FROM search CROSS JOIN messages m ON m.at = search.rowid
				WHERE search MATCH ? AND search.rowid >= ? AND search.rowid < ? ORDER BY search.rowid DESC LIMIT ?`
			args = append([]any{match}, args...)
		}
		list, err := collect(t, sql, scanMessage, args...)
		if err != nil {
			return err
		}
		for _, m := range list {
			below = m.At
			if q.Room != nil && m.Room != *q.Room || q.Account != nil && m.Account != *q.Account {
				continue // the index knows the first eight bytes of their names
			}
			if !found(m) {
				return nil
			}
		}
		if len(list) < limit {
			return nil
		}
	}
}

const factWords = "words" // the version of what the index is made with

// checkIndex puts away an index that was made with other tables of characters.
func (t Tx) checkIndex() error {
	with, ok, err := t.Fact(factWords)
	if err != nil || string(with) == words.Version {
		return err
	}
	if ok {
		if err := t.DropIndex(); err != nil {
			return err
		}
	}
	return t.SetFact(factWords, []byte(words.Version))
}

// DropIndex empties the index, all of which IndexMore has to make anew: where much is erased
// that is faster than to take out each message by itself.
func (t Tx) DropIndex() error {
	if err := t.tx.Exec(`INSERT INTO search (search) VALUES ('delete-all')`); err != nil {
		return err
	}
	return t.tx.Exec(`UPDATE indexed SET since = 1 << 62`)
}

func (t Tx) indexedSince() (since int64, err error) {
	_, err = t.one(`SELECT since FROM indexed`, func(r *sqlite.Row) error { return r.Scan(&since) })
	return since, err
}

// Indexed says whether everything that is to be found is in the index.
func (t Tx) Indexed() (bool, error) {
	since, err := t.indexedSince()
	return since == 0, err
}

// IndexMore puts the newest messages that are not in the index into it, at most limit, and
// says whether there are more.
func (t Tx) IndexMore(limit int) (more bool, err error) {
	since, err := t.indexedSince()
	if err != nil || since == 0 {
		return false, err
	}
	list, err := collect(t, `SELECT `+messageColumns+` FROM messages WHERE at < ? ORDER BY at DESC LIMIT ?`, scanMessage, since, limit)
	if err != nil {
		return false, err
	}
	slices.Reverse(list) // FTS5 gathers what comes in the order of its rows
	for _, m := range list {
		if m.Flags&FlagDeleted == 0 {
			if err := t.tx.Exec(`INSERT INTO search (rowid, text) VALUES (?,?)`, m.At, m.searched()); err != nil {
				return false, err
			}
		}
	}
	if more = len(list) == limit; more {
		since = list[0].At
	} else {
		since = 0
	}
	return more, t.tx.Exec(`UPDATE indexed SET since = ?`, since)
}

package app

import (
	"strings"

	"sotto/internal/app/api"
	"sotto/internal/client"
	"sotto/internal/identity"
)

const (
	maxSought  = 1000 // bytes of what is searched for
	roomsSized = 50   // rooms that Storage lists
)

func search(c *call, q api.SearchQuery) (api.Found, error) {
	ask, err := c.sought(q)
	if err != nil {
		return api.Found{}, err
	}
	v, err := c.viewer()
	if err != nil {
		return api.Found{}, err
	}
	got, err := c.c.Search(ask)
	if err != nil {
		return api.Found{}, err
	}
	out := api.Found{Cursor: got.Cursor, Partial: got.Partial}
	names := map[string]string{}
	for _, h := range got.Hits {
		m := v.message(h.Shown)
		if _, ok := names[m.Room]; !ok {
			row, err := v.row(h.Room)
			if err != nil {
				return out, err
			}
			names[m.Room] = row.Name
		}
		x := api.Hit{Message: m, Room: names[m.Room]}
		x.Snippet, x.Marks = marked(h.Snippet, h.Marks)
		out.Hits = append(out.Hits, x)
	}
	return out, nil
}

func (c *call) sought(q api.SearchQuery) (client.SearchQuery, error) {
	out := client.SearchQuery{Text: q.Text, After: q.After, Before: q.Before, Starred: q.Starred, Cursor: q.Cursor, Limit: q.Limit}
	switch {
	case q.Limit < 0 || q.Limit > client.MaxHits:
		return out, malformed("limit", "a search finds 1 to %d at once", client.MaxHits)
	case len(q.Text) > maxSought:
		return out, malformed("q", "this is too much to search for")
	case strings.TrimSpace(q.Text) == "" && q.Room == "" && q.From == "" && q.After == 0 && q.Before == 0 && !q.Starred:
		return out, malformed("q", "say what to search for")
	}
	var err error
	if out.Room, err = inTheRoom("room", q.Room); err != nil {
		return out, err
	}
	var from identity.ID
	switch q.From {
	case "":
		return out, nil
	case "me":
		self, err := c.c.Self()
		if err != nil {
			return out, err
		}
		from = self.Account
	default:
		if from, err = accountID("from", q.From); err != nil {
			return out, err
		}
	}
	out.From = &from
	return out, nil
}

// marked is a snippet as its author wrote it, with the places of its marks in UTF-16 units.
// What a sender escaped is written out between the marks, so that these stay right.
func marked(snippet string, marks []int) (string, []int) {
	var b strings.Builder
	places := make([]int, 0, len(marks))
	at := 0
	for _, m := range marks {
		if m < at || m > len(snippet) {
			return snippet, nil // a bug there is no reason to fail here
		}
		b.WriteString(strings.ReplaceAll(snippet[at:m], "&lt;", "<"))
		places = append(places, b.Len())
		at = m
	}
	b.WriteString(strings.ReplaceAll(snippet[at:], "&lt;", "<"))
	return b.String(), client.UTF16(b.String(), places)
}

func storage(c *call) (api.Storage, error) {
	s, err := c.c.Storage()
	if err != nil {
		return api.Storage{}, err
	}
	v, err := c.viewer()
	if err != nil {
		return api.Storage{}, err
	}
	out := api.Storage{Database: s.Database, Messages: s.Messages}
	for _, r := range s.Rooms[:min(len(s.Rooms), roomsSized)] {
		row, err := v.row(r.Room)
		if err != nil {
			return out, err
		}
		out.Rooms = append(out.Rooms, api.RoomStorage{Room: text(r.Room[:]), Name: row.Name, Messages: r.Messages, Bytes: r.Bytes})
	}
	return out, nil
}

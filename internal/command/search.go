package command

import (
	"context"
	"strings"
	"unicode/utf16"

	"sotto/internal/app"
	"sotto/internal/app/api"
	"sotto/internal/client"
	"sotto/internal/store"
	"sotto/mimi"
)

// Search finds messages among what this device keeps. It asks no server.
type Search struct {
	Text    []string `arg:"" optional:"" help:"Words that have to be there, or begin words there; in quotes of its own, what stands side by side."`
	Room    string   `help:"Only in this room, or with this person." placeholder:"ROOM" complete:"room"`
	From    string   `help:"Only of this person; me for oneself." placeholder:"HANDLE" complete:"person"`
	After   string   `help:"Only from this date on." placeholder:"DATE"`
	Before  string   `help:"Only before this date." placeholder:"DATE"`
	Starred bool     `help:"Only messages with a star."`
	Limit   int      `help:"How many at most." default:"30" placeholder:"N"`
	Cursor  string   `help:"Go on where an earlier search ended." placeholder:"CURSOR"`
}

// Run searches.
func (o Search) Run(ctx context.Context, d *Device, x *IO) error {
	if o.Limit < 1 || o.Limit > client.MaxHits {
		return Usage("a search finds 1 to %d at once", client.MaxHits)
	}
	ask, err := o.query(d)
	if err != nil {
		return err
	}
	got, err := app.Call[api.Found](ctx, app.Directly(d.Client), "search", ask)
	if err != nil {
		return err
	}
	v := &view{d: d, x: x}
	for _, h := range got.Hits {
		m, err := d.shown(h.Message.ID)
		if err != nil {
			return err
		}
		if x.JSON {
			hit := Hit{Message: v.shownObject(*m), Snippet: h.Snippet, Marks: h.Marks}
			hit.Type = "hit"
			x.object(hit)
			continue
		}
		star := ""
		if h.Message.Starred {
			star = " [star]"
		}
		x.printf("%s %s %s · %s: %s%s\n", date(max(h.Message.Arrived, h.Message.Sent)), short(m.ID), line(h.Room), line(h.Message.Name), marked(h.Snippet, h.Marks, x.Terminal), star)
	}
	return o.end(got, x)
}

func (o Search) query(d *Device) (api.SearchQuery, error) {
	ask := api.SearchQuery{Text: strings.Join(o.Text, " "), Starred: o.Starred, Cursor: o.Cursor, Limit: o.Limit}
	for _, t := range []struct {
		flag, text string
		to         *int64
	}{{"--after", o.After, &ask.After}, {"--before", o.Before, &ask.Before}} {
		if t.text == "" {
			continue
		}
		at, err := moment(t.flag, t.text)
		if err != nil {
			return ask, err
		}
		*t.to = at.UnixMilli()
	}
	if o.Room != "" {
		id, err := d.find(o.Room)
		if err != nil {
			return ask, err
		}
		ask.Room = roomText(id)
	}
	switch o.From {
	case "", "me":
		ask.From = o.From
	default:
		id, err := d.account(o.From)
		if err != nil {
			return ask, err
		}
		ask.From = accountText(id)
	}
	return ask, nil
}

// end says how to go on, and what was not looked at.
func (o Search) end(got api.Found, x *IO) error {
	switch {
	case x.JSON && (got.Cursor != "" || got.Partial):
		x.object(struct {
			Type    string `json:"type"` // "more"
			Cursor  string `json:"cursor,omitempty"`
			Partial bool   `json:"partial,omitempty"`
		}{"more", got.Cursor, got.Partial})
	case x.JSON:
	default:
		if got.Partial {
			x.printf("Older messages are not found yet: the index is being made.\n")
		}
		if got.Cursor != "" {
			x.printf("There may be more: --cursor %s\n", got.Cursor)
		}
	}
	return x.failed
}

// marked is a snippet on one line; on a terminal with what was found in bold.
func marked(snippet string, marks []int, terminal bool) string {
	if !terminal {
		return line(strings.Join(strings.Fields(snippet), " "))
	}
	units := utf16.Encode([]rune(snippet))
	part := func(from, to int) string {
		return line(strings.NewReplacer("\n", " ", "\t", " ").Replace(string(utf16.Decode(units[from:to]))))
	}
	var b strings.Builder
	at := 0
	for i := 0; i+1 < len(marks); i += 2 {
		from, to := marks[i], marks[i+1]
		if from < at || to < from || to > len(units) {
			break
		}
		b.WriteString(part(at, from) + "\x1b[1m" + part(from, to) + "\x1b[0m")
		at = to
	}
	b.WriteString(part(at, len(units)))
	return b.String()
}

// Stars shows the messages with a star, newest first.
type Stars struct {
	Limit int `help:"How many at most." default:"100" placeholder:"N"`
}

// Run prints them.
func (o Stars) Run(_ context.Context, d *Device, x *IO) error {
	if o.Limit < 1 {
		return Usage("--limit is at least 1")
	}
	v := &view{d: d, x: x}
	for left, cursor := o.Limit, ""; left > 0; {
		got, err := d.Client.Starred(cursor, min(left, client.MaxHits))
		if err != nil {
			return err
		}
		for _, h := range got.Hits {
			v.one(h.Shown)
		}
		left -= len(got.Hits)
		if cursor = got.Cursor; cursor == "" || x.failed != nil {
			break
		}
	}
	return x.failed
}

// one prints a message by itself, without marking it as read.
func (v *view) one(s client.Shown) {
	if v.x.JSON {
		v.x.object(v.shownObject(s))
		return
	}
	v.head(s.Room)
	v.message(s.Message)
}

// shownObject is a message with all that this device shows at it.
func (v *view) shownObject(s client.Shown) Message {
	o := v.object(s.Message)
	o.Starred, o.Pinned, o.Forwarded, o.Mentions = s.Starred, s.Pinned, s.Forwarded, s.Mentions
	for _, r := range s.Reactions {
		o.Reactions = append(o.Reactions, Reaction{Emoji: r.Emoji, From: v.handles(r)})
	}
	return o
}

func (v *view) handles(r client.Reaction) (out []string) {
	for _, id := range r.Accounts {
		out = append(out, v.d.Client.Handle(id))
	}
	return out
}

// shown is a message by its whole id.
func (d *Device) shown(id string) (*client.Shown, error) {
	m, err := d.message(id)
	if err != nil {
		return nil, err
	}
	return d.shownAs(m)
}

// shownAs is how a message stands in its conversation.
func (d *Device) shownAs(m *store.Message) (*client.Shown, error) {
	id := m.ID
	if m.Kind == mimi.KindReaction && m.Target != nil {
		id = *m.Target
	}
	s, err := d.Client.Shown(id)
	if err == nil && s == nil {
		err = client.ErrGone
	}
	return s, err
}

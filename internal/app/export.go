package app

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"strings"
	"time"

	"sotto/internal/app/api"
	"sotto/internal/client"
	"sotto/internal/room"
)

// export is everything that this device keeps, as a ZIP archive that is written while it
// is read: docs/api.md says what is in it.
func export(c *call, q api.ExportQuery) error {
	if q.Format == "" {
		q.Format = "json"
	}
	if q.Format != "json" && q.Format != "html" {
		return malformed("format", "the format is json or html")
	}
	x := exporter{c: c, format: q.Format}
	if err := x.gather(); err != nil {
		return err
	}
	c.wrote = true
	h := c.w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="sotto-%s.zip"`, c.app.now().UTC().Format(time.DateOnly)))
	c.w.WriteHeader(http.StatusOK)
	x.zip = zip.NewWriter(unhurried{c.w, http.NewResponseController(c.w)})
	if err := x.write(); err != nil {
		return err
	}
	return x.zip.Close()
}

// unhurried gives each part of a long answer its own time to be taken.
type unhurried struct {
	io.Writer
	out *http.ResponseController
}

func (u unhurried) Write(b []byte) (int, error) {
	_ = u.out.SetWriteDeadline(time.Now().Add(patience))
	return u.Writer.Write(b)
}

type exporter struct {
	c      *call
	format string
	zip    *zip.Writer
	v      *viewer
	self   api.Self
	people []api.Person
	rooms  []api.Room
	ids    []room.ID // of rooms
}

// gather reads all but the messages, so that what fails there is told as a refusal.
func (x *exporter) gather() (err error) {
	if x.v, err = x.c.viewer(); err != nil {
		return err
	}
	if err = x.v.everybody(); err != nil {
		return err
	}
	if x.self, err = x.c.self(); err != nil {
		return err
	}
	if x.people, err = people(x.c); err != nil {
		return err
	}
	for _, archived := range []bool{false, true} {
		list, err := x.c.c.Overview(archived)
		if err != nil {
			return err
		}
		for _, o := range list {
			x.rooms, x.ids = append(x.rooms, x.v.room(o)), append(x.ids, o.ID)
		}
	}
	return nil
}

func (x *exporter) write() error {
	steps := []func() error{x.readme, x.account, x.pictures, x.allRooms}
	if x.format == "html" {
		steps = []func() error{x.index, x.pictures, x.allRooms}
	}
	for _, f := range steps {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

func (x *exporter) file(name string) (io.Writer, error) {
	return x.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: x.c.app.now()})
}

func (x *exporter) put(name string, b []byte) error {
	w, err := x.file(name)
	if err == nil {
		_, err = w.Write(b)
	}
	return err
}

const exportWords = `Everything that this device of sotto kept.

account.json    you: an object "Self"
people.json     contacts and blocked people: a list of "Person"
rooms.json      conversations: a list of "Room"
messages/       for each room a file ROOM.jsonl: one "Message" on each line, oldest first
pictures/       of people (by account) and rooms (by room)

The objects are those of sotto's local interface, described in its openapi.json: times are
Unix milliseconds, ids hexadecimal, texts Markdown as they were written. Nothing in here is
encrypted any more: keep it where nobody else looks.
`

func (x *exporter) readme() error { return x.put("README.txt", []byte(exportWords)) }

func (x *exporter) account() error {
	for _, f := range []struct {
		name string
		v    any
	}{{"account.json", x.self}, {"people.json", x.people}, {"rooms.json", x.rooms}} {
		b, err := json.MarshalIndent(whole(f.v), "", "  ")
		if err != nil {
			return err
		}
		if err := x.put(f.name, append(b, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// pictures are those of people and rooms that are here.
func (x *exporter) pictures() error {
	for _, p := range x.people {
		if p.Picture == "" {
			continue
		}
		id, err := accountID("", p.Account)
		if err != nil {
			return err
		}
		b, err := x.c.c.Picture(id)
		if err = x.picture("pictures/people/"+p.Account, b, err); err != nil {
			return err
		}
	}
	for i, r := range x.rooms {
		if r.Picture == "" || r.Kind != api.RoomGroup {
			continue
		}
		b, err := x.c.c.RoomPicture(x.ids[i])
		if err = x.picture("pictures/rooms/"+r.ID, b, err); err != nil {
			return err
		}
	}
	return nil
}

var pictureEndings = map[string]string{"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}

func (x *exporter) picture(name string, b []byte, err error) error {
	ending := pictureEndings[http.DetectContentType(b)]
	if err != nil || ending == "" {
		return err
	}
	return x.put(name+ending, b)
}

func (x *exporter) allRooms() error {
	for i, r := range x.rooms {
		if err := x.c.ctx.Err(); err != nil {
			return err
		}
		name, write := "messages/"+r.ID+".jsonl", x.line
		if x.format == "html" {
			name, write = "rooms/"+r.ID+".html", htmlMessage
		}
		w, err := x.file(name)
		if err != nil {
			return err
		}
		if err := x.room(w, r, x.ids[i], write); err != nil {
			return err
		}
	}
	return nil
}

func (x *exporter) room(w io.Writer, r api.Room, id room.ID, write func(io.Writer, api.Message) error) error {
	if x.format == "html" {
		if err := pageHead.Execute(w, r); err != nil {
			return err
		}
	}
	err := x.c.c.EachMessage(id, func(s client.Shown) error {
		if err := x.c.ctx.Err(); err != nil {
			return err
		}
		return write(w, x.v.message(s))
	})
	if err == nil && x.format == "html" {
		_, err = io.WriteString(w, "</main></html>\n")
	}
	return err
}

func (x *exporter) line(w io.Writer, m api.Message) error {
	b, err := json.Marshal(whole(m))
	if err == nil {
		_, err = w.Write(append(b, '\n'))
	}
	return err
}

func (x *exporter) index() error {
	w, err := x.file("index.html")
	if err != nil {
		return err
	}
	return indexPage.Execute(w, map[string]any{"Self": x.self, "Rooms": x.rooms, "People": x.people, "Date": x.c.app.now()})
}

// The pages let nothing run and load nothing but the pictures beside them, whatever the
// messages say; html/template escapes all of it.
const htmlHead = `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<style>
body{font:15px/1.45 system-ui,sans-serif;color:#261c21;background:#faf8f7;margin:0 auto;padding:24px;max-width:744px}
h1{font:400 31px/1.2 Palatino,serif}article{margin:12px 0;padding:8px 12px;border:1px solid #e2dadb;border-radius:10px;background:#fff}
article.own{background:#f2dfe5;border-color:#f2dfe5}header,footer{font-size:13px;color:#6b5f65}p{margin:4px 0;white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:plaintext}
blockquote{margin:4px 0;padding-left:8px;border-left:2px solid #7d2c55;color:#5c5056}.event{font-style:italic;color:#6b5f65;text-align:center}a{color:#7d2c55}
</style>
`

var functions = template.FuncMap{
	"time":  func(ms int64) string { return time.UnixMilli(ms).Format("2006-01-02 15:04") },
	"emoji": func(r api.Reaction) string { return r.Emoji + " " + strings.Join(r.Names, ", ") },
}

var (
	indexPage = template.Must(template.New("index").Funcs(functions).Parse(htmlHead + `<title>sotto: {{.Self.Handle}}</title></head>
<h1>{{.Self.Handle}}</h1><p>Everything that this device kept, {{.Date.Format "2006-01-02 15:04"}}. Nothing in here is encrypted any more.</p>
<h2>Conversations</h2><ul>{{range .Rooms}}<li><a href="rooms/{{.ID}}.html">{{.Name}}</a>{{if .Handle}} ({{.Handle}}){{end}}</li>{{end}}</ul>
<h2>People</h2><ul>{{range .People}}<li>{{.Name}} ({{.Handle}}){{if .Status}}: {{.Status}}{{end}}{{if .Blocked}}, blocked{{end}}</li>{{end}}</ul></html>
`))
	pageHead = template.Must(template.New("room").Funcs(functions).Parse(htmlHead + `<title>{{.Name}}</title></head>
<p><a href="../index.html">All conversations</a></p><h1>{{.Name}}</h1>{{if .Handle}}<p>{{.Handle}}</p>{{end}}<main>
`))
	messageParts = template.Must(template.New("message").Funcs(functions).Parse(
		`{{if eq .Kind "event"}}<p class="event">{{.Text}} {{time .Sent}}</p>
{{else}}<article{{if .Own}} class="own"{{end}}><header>{{.Name}} ({{.Handle}}), {{time .Sent}}</header>
{{with .Reply}}<blockquote>{{.Name}}: {{if .Gone}}a message that is not here{{else if .Deleted}}taken back{{else}}{{.Text}}{{end}}</blockquote>{{end}}
<p>{{if .Deleted}}taken back{{else}}{{.Text}}{{end}}</p>
{{range .Reactions}}<footer>{{emoji .}}</footer>{{end}}<footer>{{if ne .State "received"}}{{.State}}{{end}}{{if .Edited}} edited{{end}}{{if .Forwarded}} forwarded{{end}}{{if .Starred}} starred{{end}}</footer></article>
{{end}}`))
)

func htmlMessage(w io.Writer, m api.Message) error { return messageParts.Execute(w, m) }

package app

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"sotto/internal/app/api"
	"sotto/internal/play"
)

// meet lets two people come to know each other: ana writes, bo accepts.
func meet(t *testing.T, ana, bo *desk) (room string) {
	t.Helper()
	var first api.Message
	ana.must("POST", "/messages", api.NewMessage{To: bo.handle(), Text: "hello bo"}, &first)
	var asked []api.Request
	bo.eventually("a request", func() bool { bo.must("GET", "/requests", nil, &asked); return len(asked) == 1 })
	if asked[0].Handle != ana.handle() || asked[0].Text != "hello bo" || asked[0].Kind != api.RoomPair {
		t.Fatalf("%+v", asked)
	}
	bo.must("POST", "/requests/"+asked[0].Account, api.AnswerRequest{Answer: "accept"}, nil)
	bo.eventually("the first message", func() bool { return slices.Contains(bo.texts(first.Room), "hello bo") })
	return first.Room
}

func (d *desk) page(room string) (p api.Page) {
	d.t.Helper()
	d.must("GET", "/rooms/"+room+"/messages", nil, &p)
	return p
}

func (d *desk) texts(room string) (out []string) {
	d.t.Helper()
	for _, m := range d.page(room).Messages {
		out = append(out, m.Text)
	}
	return out
}

func (d *desk) room(id string) (r api.RoomDetail) {
	d.t.Helper()
	d.must("GET", "/rooms/"+id, nil, &r)
	return r
}

// TestConversation is the events and the views of a whole conversation of two.
func TestConversation(t *testing.T) {
	w := play.New(t)
	ana, bo := deskOf(w, "ana"), deskOf(w, "bo")
	room := meet(t, ana, bo)
	hears, anaHears := bo.listen(), ana.listen()

	var m api.Message
	ana.must("POST", "/messages", api.NewMessage{To: room, Text: "The *papers* <b>are</b> signed"}, &m)
	if !m.Own || m.Text != "The *papers* <b>are</b> signed" || m.Name != "ana" || m.Tint < 1 || m.Tint > 6 {
		t.Errorf("%+v", m)
	}
	is := func(kind api.EventType, id string) func(api.Event) bool {
		return func(e api.Event) bool { return e.Type == kind && e.Message != nil && e.Message.ID == id }
	}
	got := hears.wait("the message", is(api.EventMessage, m.ID))
	if got.Message.Own || got.Message.Seen || got.Message.Text != m.Text || got.Message.State != "received" || got.Message.Handle != ana.handle() {
		t.Errorf("%+v", got.Message)
	}
	row := hears.wait("the room", func(e api.Event) bool { return e.Type == api.EventRoom && e.Room == room })
	if row.Row == nil || row.Row.Last == nil || row.Row.Last.Text != "The papers <b>are</b> signed" || row.Row.Last.From != "ana" || row.Row.Unread == 0 {
		t.Errorf("%+v", row.Row)
	}
	bo.must("POST", "/rooms/"+room+"/typing", api.Typing{On: true}, nil)
	anaHears.wait("writing", func(e api.Event) bool { return e.Type == api.EventWriting && e.Room == room && e.On })
	bo.must("POST", "/rooms/"+room+"/seen", api.Seen{Through: m.ID}, nil)
	anaHears.wait("read", func(e api.Event) bool { return is(api.EventChanged, m.ID)(e) && e.Message.State == "read" })
	if s := bo.state(); s.Unread != 0 || len(s.Hosts) != 1 || !s.Hosts[0].Up || !s.Hosts[0].Home {
		t.Errorf("%+v", s)
	}

	var reply api.Message
	bo.must("POST", "/messages", api.NewMessage{To: room, Text: "good", Reply: m.ID}, &reply)
	if reply.Kind != "reply" || reply.Reply == nil || reply.Reply.ID != m.ID || reply.Reply.Name != "ana" || reply.Reply.Own {
		t.Errorf("%+v", reply)
	}
	anaHears.wait("the reply", is(api.EventMessage, reply.ID))
	ana.must("PUT", "/messages/"+reply.ID+"/reaction", api.React{Emoji: "👍"}, &reply)
	if len(reply.Reactions) != 1 || !reply.Reactions[0].Own || reply.Reactions[0].Names[0] != "ana" {
		t.Errorf("%+v", reply.Reactions)
	}
	hears.wait("the reaction", func(e api.Event) bool { return is(api.EventChanged, reply.ID)(e) && len(e.Message.Reactions) == 1 })
	ana.must("PATCH", "/messages/"+m.ID, api.EditMessage{Text: "The papers are *not* signed"}, &m)
	if !m.Edited || m.Text != "The papers are *not* signed" {
		t.Errorf("%+v", m)
	}
	hears.wait("the edit", func(e api.Event) bool { return is(api.EventChanged, m.ID)(e) && e.Message.Edited })
	bo.refused("PATCH", "/messages/"+m.ID, api.EditMessage{Text: "mine"}, "not yours")
	bo.refused("DELETE", "/messages/"+m.ID, nil, "not yours")
	bo.must("PUT", "/messages/"+m.ID+"/star", api.SetOn{On: true}, &m)
	bo.must("PUT", "/messages/"+m.ID+"/pin", api.SetOn{On: true}, &m)
	if !m.Starred || !m.Pinned {
		t.Errorf("%+v", m)
	}
	ana.eventually("a pin", func() bool { return len(ana.room(room).Pins) == 1 })
	ana.must("DELETE", "/messages/"+m.ID, nil, nil)
	e := hears.wait("the deletion", func(e api.Event) bool { return is(api.EventChanged, m.ID)(e) && e.Message.Deleted })
	if e.Message.Text != "" {
		t.Errorf("%+v", e.Message)
	}
	ana.must("DELETE", "/messages/"+reply.ID+"?here=true", nil, nil)
	anaHears.wait("gone", func(e api.Event) bool { return e.Type == api.EventGone && e.ID == reply.ID })
	ana.refused("GET", "/messages/"+reply.ID, nil, "no such message")

	var who api.Who
	var last api.Message
	ana.must("POST", "/messages", api.NewMessage{To: room, Text: "who sees this", Expire: 3600}, &last)
	hears.wait("it", is(api.EventMessage, last.ID))
	ana.eventually("delivered", func() bool {
		ana.must("GET", "/messages/"+last.ID+"/who", nil, &who)
		return who.Keeps[0].Value == "nothing-erased"
	})
	if who.Others != 1 || who.Devices != 2 || len(who.Holders) != 2 || !who.Holders[0].Self || who.Host != w.Home.Name || who.Quote == nil ||
		!slices.Contains(who.Limits, limitShow) || !slices.Contains(who.Limits, limitCompare) || !slices.Contains(who.Limits, limitVanish) {
		t.Errorf("%+v", who)
	}
	bo.must("GET", "/messages/"+last.ID+"/who", nil, &who)
	if who.Keeps[0].Value != "waiting" || who.Keeps[0].Time == 0 { // it cannot know what ana's device has fetched
		t.Errorf("%+v", who.Keeps)
	}
	bo.must("GET", "/rooms/"+room+"/who", nil, &who)
	bo.must("GET", "/people/"+bo.room(room).Account+"/who", nil, &who)
	if who.Host != w.Home.Name || who.Others != 1 {
		t.Errorf("%+v", who)
	}
}

// TestGroup is a group's whole life.
func TestGroup(t *testing.T) {
	w := play.New(t)
	ana, bo, cy := deskOf(w, "ana"), deskOf(w, "bo"), deskOf(w, "cy")
	meet(t, ana, bo)
	var g api.Room
	ana.must("POST", "/rooms", api.NewRoom{Title: "Papers", With: []string{bo.handle()}, Disappear: 3600}, &g)
	if g.Kind != api.RoomGroup || g.Name != "Papers" || !g.Admin || g.Disappear != 3600 {
		t.Errorf("%+v", g)
	}
	list := func(d *desk) (out []api.Room) { d.must("GET", "/rooms", nil, &out); return out }
	has := func(d *desk, id string) bool {
		return slices.ContainsFunc(list(d), func(r api.Room) bool { return r.ID == id })
	}
	bo.eventually("in the group", func() bool { return has(bo, g.ID) })
	ana.must("POST", "/messages", api.NewMessage{To: g.ID, Text: "welcome @bo"}, nil)
	bo.eventually("the welcome", func() bool { return slices.Contains(bo.texts(g.ID), "welcome @bo") })

	var l api.Link
	ana.must("POST", "/rooms/"+g.ID+"/links", api.NewLink{Hours: 24, Approve: true}, &l)
	if !strings.HasPrefix(l.URL, "http") || !strings.Contains(l.URL, "/i#") || len(strings.Split(l.QR, "\n")) < 21 || !l.Approve {
		t.Errorf("%+v", l)
	}
	var info api.LinkInfo
	cy.must("POST", "/links/inspect", api.InspectLink{Link: l.URL}, &info)
	if info.Kind != api.LinkRoom || info.Handle != ana.handle() || info.Title != "Papers" || !info.Approve || info.Over {
		t.Errorf("%+v", info)
	}
	var joined api.Joined
	cy.must("POST", "/rooms/join", api.JoinByLink{Link: l.URL}, &joined)
	if !joined.Waiting {
		t.Errorf("%+v", joined)
	}
	var d api.RoomDetail
	ana.eventually("a knock", func() bool { d = ana.room(g.ID); return len(d.Waiting) == 1 })
	ana.refused("POST", "/rooms/"+g.ID+"/knocks/999", api.AnswerKnock{Accept: true}, "no such request")
	ana.must("POST", "/rooms/"+g.ID+"/knocks/"+d.Waiting[0].ID, api.AnswerKnock{Accept: true}, nil)
	cy.eventually("let in", func() bool { return has(cy, g.ID) })
	ana.must("DELETE", "/rooms/"+g.ID+"/links/"+l.ID, nil, nil)
	ana.refused("DELETE", "/rooms/"+g.ID+"/links/"+l.ID, nil, "no such link")

	title := "Contracts"
	drawn := picture(t)
	ana.must("PATCH", "/rooms/"+g.ID, api.RoomChange{Title: &title, Picture: &drawn}, &d)
	if d.Picture == "" {
		t.Errorf("%+v", d)
	}
	bo.eventually("the picture", func() bool { return bo.room(g.ID).Picture == d.Picture })
	status, b, h := bo.do(bo.request("GET", "/rooms/"+g.ID+"/picture?v="+d.Picture, nil))
	if status != 200 || !bytes.Equal(b, drawn) || h.Get("Content-Type") != "image/png" || h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Cache-Control"), "immutable") {
		t.Error(status, h)
	}
	bo.eventually("renamed", func() bool { return bo.room(g.ID).Name == "Contracts" })
	var boID string
	for _, p := range ana.room(g.ID).People {
		if p.Handle == bo.handle() {
			boID = p.Account
		}
	}
	mine := "Mine"
	if f := bo.refused("PATCH", "/rooms/"+g.ID, api.RoomChange{Title: &mine}, "change refused"); f.Said == nil || f.Said.Key != "failed.forbidden" || f.Text == "" {
		t.Errorf("%+v", f)
	}
	ana.must("PUT", "/rooms/"+g.ID+"/members/"+boID+"/admin", api.SetAdmin{Admin: true}, &d)
	bo.eventually("an admin", func() bool { return bo.room(g.ID).Admin })
	events := 0
	said := map[string]*api.Said{}
	for _, m := range bo.page(g.ID).Messages {
		if m.Kind == "event" {
			events++
			said[m.Said.Key] = m.Said
			if m.Event == "" || m.Text == "" || !strings.HasPrefix(m.ID, "event-") {
				t.Errorf("%+v", m)
			}
		}
	}
	if events < 2 {
		t.Errorf("%d events", events)
	}
	if s := said["title"]; s == nil || s.Values["title"] != title || s.Values["by"] == "" || said["admin.you"] == nil {
		t.Errorf("%+v", said)
	}
	if l := bo.room(g.ID).Last; l == nil || l.Kind == "event" && l.Said == nil {
		t.Errorf("%+v", l)
	}
	var notices []api.Notice
	bo.must("GET", "/notices?room="+g.ID, nil, &notices)
	if len(notices) < 2 || notices[0].Said == nil {
		t.Errorf("%+v", notices)
	}
	yes, draft := true, "to be said"
	bo.must("PATCH", "/rooms/"+g.ID+"/mine", api.RoomMine{Pinned: &yes, Draft: &draft, Archived: &yes}, &g)
	if !g.Pinned || g.Draft != draft || !g.Archived || has(bo, g.ID) {
		t.Errorf("%+v", g)
	}
	var archived []api.Room
	bo.must("GET", "/rooms?archived=true", nil, &archived)
	if len(archived) != 1 {
		t.Error(archived)
	}
	bo.must("DELETE", "/rooms/"+g.ID+"/members/"+selfID(ana), nil, nil)
	ana.eventually("removed", func() bool { return ana.room(g.ID).State == api.RoomRemoved })
	ana.must("POST", "/rooms/"+g.ID+"/clear", nil, nil)
	ana.must("DELETE", "/rooms/"+g.ID, nil, nil)
	ana.eventually("forgotten", func() bool { return !has(ana, g.ID) })
	cy.must("POST", "/rooms/"+g.ID+"/leave", nil, nil)
	var self api.Room
	cy.must("POST", "/rooms/self", nil, &self)
	if self.Kind != api.RoomSelf || self.Members != 1 {
		t.Errorf("%+v", self)
	}
	cy.must("POST", "/messages", api.NewMessage{To: self.ID, Text: "milk"}, nil)
}

// picture is a small one.
func picture(t *testing.T) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func selfID(d *desk) string { return d.state().Self.Account }

// TestPeople is profiles, contacts, blocking, links and reports.
func TestPeople(t *testing.T) {
	w := play.New(t)
	ana, bo := deskOf(w, "ana"), deskOf(w, "bo")
	room := meet(t, ana, bo)
	name, status := "Ana Lind", "at the sea"
	var self api.Self
	ana.must("PATCH", "/me", api.Profile{Name: &name, Status: &status}, &self)
	if self.Name != name || self.Status != status {
		t.Errorf("%+v", self)
	}
	bo.eventually("her name", func() bool { return bo.room(room).Name == name })
	drawn, junk := picture(t), []byte("<svg onload=alert(1)>")
	ana.refused("PATCH", "/me", api.Profile{Picture: &junk}, "malformed")
	ana.must("PATCH", "/me", api.Profile{Picture: &drawn}, &self)
	bo.eventually("her picture", func() bool { return bo.room(room).Picture == self.Picture })
	r0 := bo.request("GET", "/people/"+selfID(ana)+"/picture?key="+bo.key, nil) // as an element loads it
	r0.Header.Del(keyHeader)
	if status, b, _ := bo.do(bo.request("GET", "/rooms/"+room+"/picture", nil)); status != 200 || !bytes.Equal(b, drawn) {
		t.Error("the conversation of two has not its other person's picture", status)
	}
	if status, b, h := bo.do(r0); status != 200 || !bytes.Equal(b, drawn) || h.Get("Content-Type") != "image/png" || !strings.HasPrefix(h.Get("Content-Disposition"), "inline") {
		t.Error(status, h)
	}
	var p api.PersonDetail
	id := selfID(ana)
	bo.must("GET", "/people/"+id, nil, &p)
	if p.Own != name || p.Status != status || len(strings.Fields(p.Number)) != 12 || len(strings.Split(p.QR, "\n")) < 21 || len(p.Devices) != 1 || p.Room != room || len(p.Rooms) != 1 || len(p.Changes) == 0 {
		t.Errorf("%+v", p)
	}
	var back api.PersonDetail
	ana.must("GET", "/people/"+selfID(bo), nil, &back)
	if back.Number != p.Number {
		t.Error("they see different numbers")
	}
	nick, yes, no := "Annie", true, false
	bo.must("PATCH", "/people/"+id, api.PersonChange{Nickname: &nick, Compared: &yes}, &p)
	if p.Name != nick || p.Compared == 0 {
		t.Errorf("%+v", p)
	}
	if r := bo.room(room); r.Name != nick || !r.Compared {
		t.Errorf("%+v", r)
	}
	var list []api.Person
	bo.must("GET", "/people", nil, &list)
	if len(list) != 1 || list[0].Name != nick {
		t.Errorf("%+v", list)
	}
	bo.must("PATCH", "/people/"+id, api.PersonChange{Blocked: &yes}, &p)
	if bo.room(room).Writable || !p.Blocked {
		t.Error("a blocked person can be written to")
	}
	bo.must("PATCH", "/people/"+id, api.PersonChange{Blocked: &no}, &p)
	var l api.Link
	ana.must("POST", "/me/links", api.NewLink{Hours: 1}, &l)
	var found api.Person
	cy := deskOf(w, "cy")
	cy.must("POST", "/people/find", api.FindPerson{Handle: l.URL}, &found)
	if found.Account != id || found.Handle != ana.handle() {
		t.Errorf("%+v", found)
	}
	cy.refused("POST", "/people/find", api.FindPerson{Handle: "nobody@" + w.Home.Name}, "no such handle")
	cy.refused("GET", "/people/"+strings.Repeat("0", 64), nil, "no such person")
	cy.must("POST", "/messages", api.NewMessage{To: ana.handle(), Text: "buy *my* stuff"}, nil)
	var asked []api.Request
	ana.eventually("a request", func() bool { ana.must("GET", "/requests", nil, &asked); return len(asked) == 1 })
	var r api.Reported
	ana.must("POST", "/reports", api.Report{Account: asked[0].Account, Messages: []string{}}, &r)
	if !strings.Contains(r.Text, "buy *my* stuff") || r.To != w.Home.Name {
		t.Errorf("%+v", r)
	}
	ana.must("POST", "/requests/"+asked[0].Account, api.AnswerRequest{Answer: "later"}, nil)
	if s := ana.state(); s.Requests != 0 {
		t.Error("what was put off asks again")
	}
	ana.must("POST", "/requests/"+asked[0].Account, api.AnswerRequest{Answer: "block"}, nil)
	ana.refused("POST", "/requests/"+asked[0].Account, api.AnswerRequest{Answer: "accept"}, "no such request")
	m := bo.page(room).Messages[0]
	bo.must("POST", "/reports", api.Report{Account: id, Messages: []string{m.ID}}, &r)
	if !strings.Contains(r.Text, m.Text) || !strings.Contains(r.Text, m.ID) {
		t.Errorf("%+v", r)
	}
	var ns []api.Notice
	bo.must("GET", "/notices", nil, &ns)
	bo.must("PUT", "/notices/told", api.Told{Through: 5}, nil)
	if bo.state().NewsThrough != 5 {
		t.Error("not told")
	}
	var to []api.Message
	bo.must("POST", "/messages/"+m.ID+"/forward", api.Forward{To: []string{room}}, &to)
	if len(to) != 1 || !to[0].Forwarded || to[0].Text != m.Text {
		t.Errorf("%+v", to)
	}
}

// TestExport has hostile texts in an export.
func TestExport(t *testing.T) {
	w := play.New(t)
	ana := deskOf(w, "ana")
	var self api.Room
	ana.must("POST", "/rooms/self", nil, &self)
	evil := `</p></article><script>alert(1)</script><img src=x onerror=alert(2)> [x](javascript:alert(3))`
	for _, text := range []string{"first", evil, strings.Repeat("z\u0300", 2000)} {
		ana.must("POST", "/messages", api.NewMessage{To: self.ID, Text: text}, nil)
	}
	ana.eventually("all has its place", func() bool {
		p := ana.page(self.ID)
		return len(p.Messages) == 3 && p.Messages[2].Pos != 0
	})
	load := func(format string) map[string]string {
		status, b, h := ana.do(ana.request("GET", "/export?format="+format, nil))
		if status != 200 || h.Get("Content-Type") != "application/zip" || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") {
			t.Fatal(status, h)
		}
		z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			out[f.Name] = string(b)
		}
		return out
	}
	files := load("json")
	lines := strings.Split(strings.TrimSpace(files["messages/"+self.ID+".jsonl"]), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines", len(lines))
	}
	var m api.Message
	if err := json.Unmarshal([]byte(lines[1]), &m); err != nil || m.Text != evil {
		t.Errorf("%+v %v", m, err)
	}
	var me api.Self
	if err := json.Unmarshal([]byte(files["account.json"]), &me); err != nil || me.Handle != ana.handle() {
		t.Error(err, me)
	}
	files = load("html")
	page := files["rooms/"+self.ID+".html"]
	if strings.Contains(page, "<script") || strings.Contains(page, "<img") || strings.Contains(page, "</article><script") || !strings.Contains(page, "&lt;script&gt;") {
		t.Errorf("the page holds what a message says:\n%s", page)
	}
	if !strings.Contains(files["index.html"], self.ID) {
		t.Error(files["index.html"])
	}
	ana.refused("GET", "/export?format=pdf", nil, "malformed")
	r := ana.request("GET", "/export?format=json&key="+ana.key, nil)
	r.Header.Del(keyHeader) // a download, by an element
	if status, _, _ := ana.do(r); status != http.StatusOK {
		t.Error(status)
	}
}

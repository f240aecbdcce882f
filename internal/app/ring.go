package app

import (
	"fmt"

	"sotto/internal/app/api"
	"sotto/internal/client"
)

// windowOpen says whether a window of the interface is open, which then rings itself.
func (a *App) windowOpen() bool {
	for _, name := range a.windows.names() {
		if a.events.hears(name) {
			return true
		}
	}
	return false
}

// call tells how a call is. Where no window is open a notice of the operating system rings: it
// opens one, and goes when the call does not ring any more.
func (b *batch) call(x client.Call) {
	delete(b.v.cards, x.Peer)
	out := b.v.call(x)
	b.send(api.Event{Type: api.EventCall, Room: out.Room, Call: &out})
	switch {
	case x.Rings && !b.rung[out.ID] && !b.app.windowOpen():
		if b.notifyCall(out, func(w osSaid) (string, string) { return w.call, w.callOf }) {
			b.rung[out.ID] = true
		}
	case !x.Rings && b.rung[out.ID]:
		delete(b.rung, out.ID)
		b.app.withdraw(callTag(out.ID))
	}
}

// missed tells of a call that was missed, as it is told of messages.
func (b *batch) missed(m api.Message) {
	if m.Seen || m.Call == nil || b.app.windows.shows(m.Room) || b.app.browserNotifies() {
		return
	}
	if b.notifyCall(*m.Call, func(w osSaid) (string, string) { return w.missed, w.missedOf }) {
		delete(b.rung, m.Call.ID) // it stands in the place of the one that rang
	}
}

func callTag(id string) string { return "call " + id }

// notifyCall shows a notice about a call, unless its room is muted: with the person's name where
// notices say that much. It says whether it did.
func (b *batch) notifyCall(x api.Call, words func(osSaid) (plain, named string)) bool {
	s, err := b.in.Client.Settings()
	if err != nil || s.Notify == notifyOff || b.app.o.Desktop == nil {
		return false
	}
	id, err := roomID("room", x.Room)
	if err != nil {
		return false
	}
	if row, err := b.v.row(id); err != nil || row.Muted {
		return false
	}
	text, named := words(osWords[b.app.language(s.Language)])
	if s.Notify != notifyPlain {
		text = fmt.Sprintf(named, clean(x.Name))
	}
	b.app.tell(OSNotice{Title: "sotto", Text: text, Tag: callTag(x.ID), Click: b.app.openAt(x.Room)})
	return true
}

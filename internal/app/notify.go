package app

import (
	"fmt"
	"strings"

	"sotto/internal/app/api"
	"sotto/internal/room"
	"sotto/internal/store"
)

// How much a notice of the operating system says. Whoever stands behind the person, and
// the system itself, may read it.
const (
	notifyText   = "text"   // who and what
	notifySender = "sender" // who
	notifyPlain  = "plain"  // that there is something
	notifyOff    = "off"
)

type osSaid struct{ message, request, requestOf, call, callOf, missed, missedOf string }

// osWords are what a notice of the system says by itself, in the languages of the interface.
var osWords = map[string]osSaid{
	"en": {"A new message", "Somebody would like to write to you", "%s would like to write to you",
		"Somebody is calling", "%s is calling", "A missed call", "You missed a call from %s"},
	"de": {"Eine neue Nachricht", "Jemand möchte dir schreiben", "%s möchte dir schreiben",
		"Jemand ruft an", "%s ruft an", "Ein verpasster Anruf", "Du hast einen Anruf von %s verpasst"},
	"es": {"Un mensaje nuevo", "Alguien quiere escribirte", "%s quiere escribirte",
		"Alguien te llama", "%s te llama", "Una llamada perdida", "Perdiste una llamada de %s"},
}

// language is the one of the settings, or where those leave it to the system that of the
// last window: the app itself has no way to ask a system in every case.
func (a *App) language(setting string) string {
	for _, l := range []string{setting, a.windows.language()} {
		l, _, _ = strings.Cut(l, "-") // de-AT
		if _, ok := osWords[l]; ok {
			return l
		}
	}
	return "en"
}

// browserNotifies says whether a window that is open tells of messages by notifications of
// the browser: one message is told once. A window that was closed has no stream any more.
func (a *App) browserNotifies() bool { return a.windows.notifies() && a.events.heard() }

// notify tells of a message where no window shows it: not of muted rooms.
func (b *batch) notify(id room.ID, m api.Message) {
	s, err := b.in.Client.Settings()
	if err != nil || s.Notify == notifyOff || b.app.o.Desktop == nil || m.Seen || m.Deleted {
		return
	}
	row, err := b.v.row(id)
	if err != nil || row.Muted || b.app.windows.shows(m.Room) || b.app.browserNotifies() {
		return
	}
	n := OSNotice{Title: "sotto", Text: osWords[b.app.language(s.Language)].message, Click: b.app.openAt(m.Room)}
	switch s.Notify {
	case notifySender, notifyText:
		n.Title = clean(m.Name)
		if row.Kind == api.RoomGroup {
			n.Title += ", " + clean(row.Name)
		}
	}
	if s.Notify == notifyText {
		n.Text = plain(m.Text)
	}
	b.app.tell(n)
}

// notifyRequest tells that a stranger wrote.
func (b *batch) notifyRequest(id room.ID) {
	s, err := b.in.Client.Settings()
	if err != nil || s.Notify == notifyOff || b.app.o.Desktop == nil || b.app.windows.looked() {
		return
	}
	list, err := b.in.Client.Requests()
	if err != nil {
		return
	}
	for _, r := range list {
		if r.Room == id && r.State == store.Request {
			words := osWords[b.app.language(s.Language)]
			n := OSNotice{Title: "sotto", Text: words.request, Click: b.app.openAt("")}
			if s.Notify != notifyPlain {
				n.Text = fmt.Sprintf(words.requestOf, clean(r.Handle))
			}
			b.app.tell(n)
			return
		}
	}
}

// openAt opens a window when the person clicks on a notice.
func (a *App) openAt(room string) func() {
	return func() {
		url := a.Opening()
		if room != "" {
			url += "&room=" + room
		}
		if err := a.o.Desktop.Open(url); err != nil {
			a.log.Warn("no window could be opened", "why", err)
		}
	}
}

// tell shows a notice of the operating system. That takes a while, and nobody waits for it; but
// what is told of one call comes in its order.
func (a *App) tell(n OSNotice) {
	a.onDesktop(n.Tag, func() error { return a.o.Desktop.Notify(n) })
}

// withdraw takes a notice back.
func (a *App) withdraw(tag string) {
	a.onDesktop(tag, func() error { return a.o.Desktop.Withdraw(tag) })
}

func (a *App) onDesktop(tag string, does func() error) {
	var mine chan struct{}
	var before chan struct{}
	if tag != "" {
		mine = make(chan struct{})
		a.mu.Lock()
		before, a.telling = a.telling, mine
		a.mu.Unlock()
	}
	a.wait.Go(func() {
		if mine != nil {
			defer close(mine)
		}
		if before != nil {
			<-before
		}
		if err := does(); err != nil {
			a.log.Debug("no notice could be shown", "why", err) // there may be no desktop
		}
	})
}

// presence tells contacts whether the person is here, if the person allows it.
func (a *App) presence(here bool) {
	in, leave, err := a.enter(false)
	if err != nil {
		return
	}
	defer leave()
	if err := in.Client.SetActive(here); err != nil {
		a.log.Debug("presence", "why", err)
	}
}

package app

import (
	"maps"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"sotto/internal/app/api"
)

const (
	windowLife = 90 * time.Second // without a word from it a window counts as closed
	goneAfter  = 3 * time.Second  // without a window that is looked at the person has gone
	windowBack = 5 * time.Second  // in which the stream of a window that holds a call may come back
	maxWindows = 32
	// Browsers let a hidden window speak about once a minute, and put the ticks of all together.
	notifyLife = 3 * time.Minute
)

// windows are what the interface's windows told about themselves.
type windows struct {
	clock  Clock
	active func(bool) // tells whether the person is here

	mu    sync.Mutex
	list  map[string]seenWindow
	told  bool   // that the person is here
	spoke string // the language of the last one that told
	stop  func()
	ended bool
}

type seenWindow struct {
	visible  bool
	room     string
	until    time.Time
	notifies time.Time // until then it shows notifications of the browser
}

func newWindows(clock Clock, active func(bool)) *windows {
	return &windows{clock: clock, active: active, list: map[string]seenWindow{}}
}

// windowName says whether a name is one for a window.
func windowName(name string) bool { return name != "" && len(name) <= 64 && utf8.ValidString(name) }

// tell takes what a window says.
func (w *windows) tell(x api.Window) error {
	if !windowName(x.Name) {
		return malformed("name", "a window's name has 1 to 64 letters and digits")
	}
	if _, ok := osWords[x.Language]; !ok && x.Language != "" {
		return malformed("language", "there is no such language")
	}
	w.mu.Lock()
	if _, known := w.list[x.Name]; !known && len(w.list) >= maxWindows {
		w.drop()
		if len(w.list) >= maxWindows {
			w.mu.Unlock()
			return malformed("name", "there are too many windows")
		}
	}
	if x.Language != "" {
		w.spoke = x.Language
	}
	now := w.clock.Now()
	seen := seenWindow{visible: x.Visible, room: x.Room, until: now.Add(windowLife)}
	if x.Notifies {
		seen.notifies = now.Add(notifyLife)
	}
	w.list[x.Name] = seen
	w.settle()
	return nil
}

// drop forgets windows that said nothing for long; mu is held.
func (w *windows) drop() {
	now := w.clock.Now()
	for name, x := range w.list {
		switch {
		case now.Before(x.until):
		case now.Before(x.notifies): // hidden, as browsers hide them: it may speak late
			x.visible = false
			w.list[name] = x
		default:
			delete(w.list, name)
		}
	}
}

// settle looks whether the person is here, and gives mu up. That they have gone is told a
// moment later: whoever looks at another window and comes back was not away, and others
// pass over what changes all the time.
func (w *windows) settle() {
	w.drop()
	here := false
	for _, x := range w.list {
		here = here || x.visible
	}
	w.stopTimer()
	tell := here && !w.told && !w.ended
	switch {
	case w.ended:
	case here:
		w.told = true
		w.stop = w.clock.AfterFunc(windowLife, func() { w.mu.Lock(); w.settle() })
	case w.told:
		w.stop = w.clock.AfterFunc(goneAfter, w.gone)
	}
	w.mu.Unlock()
	if tell {
		w.active(true)
	}
}

// gone tells that the person has gone, unless they came back.
func (w *windows) gone() {
	w.mu.Lock()
	w.drop()
	back := w.ended
	for _, x := range w.list {
		back = back || x.visible
	}
	if back {
		w.mu.Unlock()
		return
	}
	w.told = false
	w.mu.Unlock()
	w.active(false)
}

func (w *windows) stopTimer() {
	if w.stop != nil {
		w.stop()
		w.stop = nil
	}
}

// shows says whether a window that is looked at shows a room.
func (w *windows) shows(room string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drop()
	for _, x := range w.list {
		if x.visible && x.room == room {
			return true
		}
	}
	return false
}

// names are those of the windows that are there.
func (w *windows) names() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drop()
	return slices.Sorted(maps.Keys(w.list))
}

// looked says whether any window is looked at.
func (w *windows) looked() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drop()
	for _, x := range w.list {
		if x.visible {
			return true
		}
	}
	return false
}

// language is the one that the last window spoke; "" before any did.
func (w *windows) language() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.spoke
}

// notifies says whether a window tells of messages by itself.
func (w *windows) notifies() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.clock.Now()
	for _, x := range w.list {
		if now.Before(x.notifies) {
			return true
		}
	}
	return false
}

func (w *windows) close() {
	w.mu.Lock()
	w.ended = true
	w.settle()
}

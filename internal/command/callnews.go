package command

import (
	"strings"

	"sotto/internal/call"
	"sotto/internal/room"
)

// CallNews is what happens in a call, as `call` prints it.
type CallNews struct {
	Type    string   `json:"type"` // "news"
	News    string   `json:"news"` // waiting, calling, ringing, answered, connected, broken, state, words, quality, played, failed or over
	Call    string   `json:"call,omitempty"`
	Room    string   `json:"room,omitempty"`
	Handle  string   `json:"handle,omitempty"`  // the other person's
	Relayed *bool    `json:"relayed,omitempty"` // connected, quality: through a relay
	Path    string   `json:"path,omitempty"`    // connected, quality: this end and the other one: host, srflx, prflx or relay
	Family  string   `json:"family,omitempty"`  // connected, quality: udp4 or udp6
	Words   []string `json:"words,omitempty"`   // words: to say to each other
	Mic     bool     `json:"mic,omitempty"`     // state: what the other side has on
	Camera  bool     `json:"camera,omitempty"`
	Screen  bool     `json:"screen,omitempty"`
	Hold    bool     `json:"hold,omitempty"`
	Delay   float64  `json:"delay,omitempty"`   // quality: milliseconds there and back
	Sent    uint64   `json:"sent,omitempty"`    // quality, over: packets
	Heard   uint64   `json:"heard,omitempty"`   // quality, over: packets
	Lost    uint64   `json:"lost,omitempty"`    // quality, over: packets of the other side
	Thinned uint64   `json:"thinned,omitempty"` // quality, over: pictures left out for want of room
	Rate    uint64   `json:"rate,omitempty"`    // quality: bits a second that were sent since the last one
	End     string   `json:"end,omitempty"`     // over: hung_up, declined, busy, missed, failed or elsewhere
	Seconds float64  `json:"seconds,omitempty"` // over: of talking
	Files   []string `json:"files,omitempty"`   // over: what was recorded
}

// news prints what happens.
func (l *callLine) news(n CallNews, format string, args ...any) {
	l.mu.Lock()
	id := l.id
	l.mu.Unlock()
	n.Type, n.Room, n.Handle = "news", roomText(l.room), l.handle
	if id != (room.CallID{}) {
		n.Call = id.String()
	}
	l.x.say(n, format, args...)
}

// stateText says what the other side has on.
func stateText(s call.State) string {
	on := []string{}
	for _, x := range []struct {
		on   bool
		what string
	}{{s.Mic, "microphone"}, {s.Camera, "camera"}, {s.Screen, "screen"}} {
		if x.on {
			on = append(on, x.what)
		}
	}
	out := "There is on: " + strings.Join(on, ", ") + "."
	if len(on) == 0 {
		out = "There is nothing on."
	}
	if s.Hold {
		out += " The call is on hold."
	}
	return out
}

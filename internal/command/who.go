package command

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"sotto/internal/app"
	"sotto/internal/app/api"
	"sotto/internal/client"
	"sotto/internal/wire"
)

// WhoSees tells who can see a message, a conversation, or what is said to a person: who
// holds the keys, what the server keeps, until when. It says only what this device knows.
type WhoSees struct {
	About string `arg:"" help:"A message's id, a room, or a handle." complete:"room"`
}

// Run prints it.
func (o WhoSees) Run(ctx context.Context, d *Device, x *IO) error {
	w, err := o.ask(ctx, d)
	if err != nil {
		return err
	}
	if x.JSON {
		x.object(whoObject(w))
		return x.failed
	}
	x.printf("%s", whoText(w))
	return x.failed
}

// ask finds what is meant: of a handle the conversation with them, if there is one.
func (o WhoSees) ask(ctx context.Context, d *Device) (api.Who, error) {
	direct := app.Directly(d.Client)
	id, err := d.Client.Resolve(o.About)
	if err == nil {
		return app.Call[api.Who](ctx, direct, "roomWho", nil, "room", roomText(id))
	}
	if _, e := wire.ParseHandle(o.About); e == nil {
		account, err := d.account(o.About)
		if err != nil {
			return api.Who{}, err
		}
		return app.Call[api.Who](ctx, direct, "personWho", nil, "account", accountText(account))
	}
	s, e := d.shown(o.About)
	if e != nil {
		if !errors.Is(err, client.ErrNoRoom) {
			return api.Who{}, err // it is a room, but not one alone
		}
		return api.Who{}, fail("no such room", "%s is no message, room or person here", o.About)
	}
	return app.Call[api.Who](ctx, direct, "messageWho", nil, "message", s.ID.String())
}

// Who is what `who` prints. What, Value and Limits are the stable names of the local
// interface, which docs/api.md lists.
type Who struct {
	Type     string   `json:"type"`  // "who"
	About    string   `json:"about"` // message, room or person
	Name     string   `json:"name"`  // of the room or person
	Message  string   `json:"message,omitempty"`
	Holders  []Holder `json:"holders"`
	Host     string   `json:"host"`
	Keeps    []Kept   `json:"keeps"`
	Timeline []Moment `json:"timeline"`
	Limits   []string `json:"limits"`
}

// Holder is somebody with keys.
type Holder struct {
	Handle   string   `json:"handle"`
	Name     string   `json:"name"`
	Account  string   `json:"account"`
	Self     bool     `json:"self,omitempty"`
	Compared string   `json:"compared,omitempty"`
	Changed  bool     `json:"changed,omitempty"`
	Devices  []string `json:"devices"`
}

// Kept is one line of what the server keeps.
type Kept struct {
	What    string `json:"what"`
	Value   string `json:"value"`
	Bytes   int64  `json:"bytes,omitempty"`
	Until   string `json:"until,omitempty"`
	Count   int    `json:"count,omitempty"`
	Seconds int64  `json:"seconds,omitempty"`
}

// Moment is a point in the life of a message.
type Moment struct {
	What  string `json:"what"`
	Time  string `json:"time,omitempty"`
	Done  bool   `json:"done"`
	Count int    `json:"count,omitempty"`
	Of    int    `json:"of,omitempty"`
}

func whoObject(w api.Who) Who {
	o := Who{Type: "who", About: w.About, Name: w.Name, Host: w.Host, Holders: []Holder{}, Keeps: []Kept{}, Timeline: []Moment{}, Limits: []string{}}
	if w.Quote != nil {
		o.Message = w.Quote.ID
	}
	for _, h := range w.Holders {
		o.Holders = append(o.Holders, Holder{h.Handle, h.Name, h.Account, h.Self, stamp(h.Compared), h.Changed, append([]string{}, h.Devices...)})
	}
	for _, k := range w.Keeps {
		o.Keeps = append(o.Keeps, Kept{k.What, k.Value, k.Bytes, stamp(k.Time), k.Count, k.Seconds})
	}
	for _, m := range w.Timeline {
		o.Timeline = append(o.Timeline, Moment{m.What, stamp(m.Time), m.Done, m.Count, m.Of})
	}
	o.Limits = append(o.Limits, w.Limits...)
	return o
}

// whoText is the page in words.
func whoText(w api.Who) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nWho holds the keys\n", whoAnswer(w))
	for _, h := range w.Holders {
		name := line(h.Name)
		if h.Self {
			name = "you"
		}
		fmt.Fprintf(&b, "  %s (%s), with %s%s\n", name, line(h.Handle), count(len(h.Devices), plural(len(h.Devices), "device", "devices")), whoCompared(h))
	}
	fmt.Fprintf(&b, "\nWhat the server %s keeps\n", line(w.Host))
	for _, k := range w.Keeps {
		if text := keptText(k, w); text != "" {
			fmt.Fprintf(&b, "  %s\n", text)
		}
	}
	if len(w.Timeline) > 0 {
		b.WriteString("\nIts life\n")
	}
	for _, m := range w.Timeline {
		if text := momentText(m); text != "" {
			fmt.Fprintf(&b, "  %-16s %s\n", date(m.Time), text)
		}
	}
	if len(w.Limits) > 0 {
		b.WriteString("\nWhat this cannot help with\n")
	}
	for _, l := range w.Limits {
		if text := limitWords[l]; text != "" {
			fmt.Fprintf(&b, "  %s\n", text)
		}
	}
	return b.String()
}

func whoAnswer(w api.Who) string {
	what := map[string]string{"message": "this message", "room": "what is said here", "person": "what you say to each other"}[w.About]
	switch {
	case w.Others == 0:
		return "Only you can read " + what + "."
	case w.Others == 1:
		for _, h := range w.Holders {
			if !h.Self {
				return "You and " + line(h.Name) + " can read " + what + ". Nobody else can."
			}
		}
	}
	return fmt.Sprintf("You and %d others can read %s. Nobody else can.", w.Others, what)
}

func whoCompared(h api.Holder) string {
	switch {
	case h.Self:
		return ""
	case h.Changed:
		return "; a key changed since: compare numbers"
	case h.Compared != 0:
		return "; numbers compared " + date(h.Compared)
	}
	return "; numbers not compared"
}

// keptText is a line of what the server keeps; "" of what this version does not know.
func keptText(k api.KeptThing, w api.Who) string {
	days := max(1, int(k.Seconds/(24*3600)))
	long := count(days, plural(days, "day", "days"))
	switch k.Value {
	case "not-there":
		return "Nothing: it has not arrived there."
	case "waiting":
		if k.Time == 0 {
			return "The encrypted message, until every device has fetched it."
		}
		return "The encrypted message, until every device has fetched it; at the longest until " + date(k.Time) + "."
	case "nothing-erased":
		return "Nothing any more: it is erased."
	case "one-entry":
		return "Before that: one padded entry and the time at which it came."
	case "words-names-members":
		return "Never: words, names, or a list of who is in it."
	case "until-fetched":
		return "Each encrypted message until every device has fetched it, at the longest " + long + "."
	case "log-and-cursors":
		return fmt.Sprintf("For the room: a log under a random name, and how far %s read it.", count(k.Count, plural(k.Count, "device has", "devices have")))
	case "handle-keys":
		return "For the account: the handle, and its public keys."
	case "invitations-until-fetched":
		return "Sealed invitations until they are fetched, at the longest " + long + "."
	}
	return ""
}

func momentText(m api.Moment) string {
	some := ""
	if m.Of > 1 {
		some = fmt.Sprintf(" (%d of %d)", m.Count, m.Of)
	}
	words := map[string][2]string{
		"written": {"written", ""}, "stored": {"the server has it", "not at the server yet"},
		"delivered": {"arrived" + some, "not everybody has it yet" + some}, "read": {"read" + some, "not read by everybody yet" + some},
		"erased": {"erased at the server", ""}, "expires": {"erased at the server, whoever has fetched it", "erased at the server, whoever has fetched it"},
		"vanishes": {"vanished", "vanishes everywhere"},
	}[m.What]
	if m.Done {
		return words[0]
	}
	return words[1]
}

var limitWords = map[string]string{
	"show-to-others":  "Who can read it can show it to others.",
	"unlocked-device": "Who sits at an open device reads along.",
	"traffic":         "The server sees which addresses connect, and when.",
	"not-compared":    "You have not compared numbers with everybody: until then the server's word stands for who they are.",
	"key-changed":     "A key changed: compare numbers anew.",
	"vanish-honoured": "That it vanishes is done by the others' programs; a changed one can keep it.",
	"members-changed": "People came or went after this was said.",
	"blocked-sees":    "Somebody whom you blocked is in the room, and reads on.",
}

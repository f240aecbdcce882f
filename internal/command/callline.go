package command

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"sotto/internal/call"
	"sotto/internal/client"
	"sotto/internal/mediafile"
	"sotto/internal/room"
)

// callLine is a call of this command: between the client, which speaks with the other
// device, and the peer, which has the media.
type callLine struct {
	o      Phone
	d      *Device
	x      *IO
	room   room.ID
	handle string
	local  bool // the home server is on this machine
	files  [call.Lines]*mediafile.File
	record *call.Recorder
	stop   func() // of the subscription

	mu   sync.Mutex
	id   room.CallID // none: not called yet
	wait []client.Event
	told []call.Event
	wake chan struct{}

	peer    *call.Peer
	stage   client.CallStage
	over    *client.Call // how it ended
	ended   *call.Event  // the media did
	words   bool
	talking time.Time
	until   <-chan time.Time
	bytes   uint64
	measure time.Time
}

func (o Phone) line(d *Device, x *IO, in room.ID) (*callLine, error) {
	l := &callLine{o: o, d: d, x: x, room: in, wake: make(chan struct{}, 1)}
	self, err := d.Client.Self()
	if err != nil {
		return nil, err
	}
	_, host, _ := strings.Cut(self.Handle, "@")
	l.local = loopback(host)
	if l.files, err = o.files(x); err != nil {
		return nil, err
	}
	if o.Record != "" {
		if l.record, err = call.NewRecorder(x.path(o.Record)); err != nil {
			closeAll(l.files)
			return nil, fail("file", "%s: choose another name", err)
		}
	}
	if r, err := d.room(in); err == nil {
		l.handle = r.Name
	}
	l.stop = d.Client.Subscribe(func(e client.Event) {
		if e.Kind == client.EventCall || e.Kind == client.EventMedia {
			l.put(func() { l.wait = append(l.wait, e) })
		}
	})
	return l, nil
}

// put adds something that the line's loop is to look at.
func (l *callLine) put(what func()) {
	l.mu.Lock()
	what()
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *callLine) close() {
	l.stop()
	closeAll(l.files)
}

// options are the peer's.
func (l *callLine) options() call.Options {
	o := call.Options{Signalling: l, Servers: l.servers, Loopback: l.local, Record: l.record,
		Tell: func(e call.Event) { l.put(func() { l.told = append(l.told, e) }) }}
	for i, f := range l.files {
		if f != nil {
			o.Play[i] = f
		}
	}
	return o
}

// servers are the relays of the home server. One that has none is no failure.
func (l *callLine) servers(ctx context.Context) (s call.Servers, err error) {
	if s.Only, err = l.d.Client.RelayedOnly(l.room); err != nil {
		return s, err
	}
	s.Only = s.Only || l.o.Relay
	r, err := l.d.Client.Relays(ctx)
	switch {
	case client.NoRelay(err) && s.Only:
		return s, fail("no relay", "this call has to go through a relay, and your home server has none")
	case client.NoRelay(err):
		return s, nil
	case err == nil:
		s.List = []call.Server{{URLs: r.URLs, Username: r.Username, Credential: r.Password}}
	}
	return s, err
}

// call calls, and stays until the call is over. Where the other person calls at the same
// moment, theirs may be the call: then that one is answered.
func (l *callLine) call(ctx context.Context) error {
	switch c, err := l.rings(); {
	case err != nil:
		return err
	case c != nil:
		return l.answer(ctx, *c)
	}
	l.news(CallNews{News: "calling"}, "Calling %s.", line(l.handle))
	peer, err := call.Call(l.options())
	if err != nil {
		return err
	}
	l.peer = peer
	if err := l.run(ctx); err != nil {
		return err
	}
	theirs, err := l.theirs()
	if err != nil {
		return err
	}
	if theirs == nil {
		return l.outcome()
	}
	again, err := l.o.line(l.d, l.x, l.room)
	if err != nil {
		return err
	}
	defer again.close()
	return again.answer(ctx, *theirs)
}

// theirs is the call of the other person that is to be answered in the stead of this one.
func (l *callLine) theirs() (*client.Call, error) {
	switch {
	case l.over != nil && l.over.Instead != nil:
		c, err := l.d.Client.Call(*l.over.Instead)
		return &c, err
	case errors.Is(l.ended.Err, client.ErrInCall):
		return l.rings()
	}
	return nil, nil
}

// rings is a call of the other person that rings here.
func (l *callLine) rings() (*client.Call, error) {
	list, err := l.d.Client.Calls()
	if i := slices.IndexFunc(list, func(c client.Call) bool { return c.Room == l.room && c.Rings && !c.Outgoing }); i >= 0 {
		return &list[i], err
	}
	return nil, err
}

// answer answers a call that rings, and stays until it is over.
func (l *callLine) answer(ctx context.Context, c client.Call) error {
	l.mu.Lock()
	l.id = c.ID
	l.mu.Unlock()
	m, err := l.d.Client.Media(c.ID)
	if err != nil {
		return err
	}
	l.news(CallNews{News: "ringing"}, "%s calls.", line(l.handle))
	peer, err := call.Answer(l.options(), mediaOf(m))
	if err != nil {
		return errors.Join(err, l.d.Client.EndCall(c.ID, client.EndFailed))
	}
	l.peer = peer
	if err := l.run(ctx); err != nil {
		return err
	}
	return l.outcome()
}

// outcome is the failure of a call that came to nothing.
func (l *callLine) outcome() error {
	switch {
	case l.ended.Err != nil:
		return l.ended.Err
	case l.over == nil || l.over.End == client.EndHungUp:
		return nil
	}
	texts := map[client.CallEnd]string{client.EndDeclined: "%s declined", client.EndBusy: "%s is in another call", client.EndMissed: "%s did not answer",
		client.EndFailed: "no connection to %s came about, or it was lost", client.EndElsewhere: "%s was answered on another device"}
	return fail(string(l.over.End), texts[l.over.End], line(l.handle))
}

// run looks at what happens until both the call and its media are over.
func (l *callLine) run(ctx context.Context) error {
	every := time.NewTicker(qualityEvery)
	defer every.Stop()
	stopped := ctx.Done()
	for l.ended == nil {
		select {
		case <-stopped:
			stopped = nil
			l.peer.HangUp()
		case <-l.until:
			l.until = nil
			l.peer.HangUp()
		case <-every.C:
			if l.o.Verbose && !l.talking.IsZero() {
				l.quality("quality")
			}
		case <-l.wake:
			l.look()
		}
	}
	<-l.peer.Done()
	return l.leave()
}

// look handles what came.
func (l *callLine) look() {
	l.mu.Lock()
	id, told := l.id, l.told
	l.told = nil
	var events []client.Event
	if id != (room.CallID{}) {
		events, l.wait = l.wait, nil
	}
	l.mu.Unlock()
	for _, e := range events {
		switch {
		case e.Kind == client.EventMedia && e.Media.Call.ID == id:
			l.peer.Receive(mediaOf(*e.Media))
		case e.Kind == client.EventCall && e.Call.ID == id:
			l.moved(*e.Call)
		}
	}
	for _, e := range told {
		l.media(e)
	}
}

// moved tells how the call goes on by its log.
func (l *callLine) moved(c client.Call) {
	before := l.stage
	l.stage = c.Stage
	switch {
	case c.Stage == client.StageOver || c.End == client.EndElsewhere:
		l.over = &c
		l.peer.Close()
	case c.Stage == client.StageRinging && c.Outgoing && before != c.Stage:
		l.news(CallNews{News: "ringing"}, "It rings there.")
	case c.Stage == client.StageTalking && before != c.Stage:
		l.news(CallNews{News: "answered"}, "Answered.")
	}
	if len(c.Words) > 0 && !l.words {
		l.words = true
		l.news(CallNews{News: "words", Words: c.Words}, "Say these to each other: %s.", strings.Join(c.Words, ", "))
	}
}

// media tells what becomes of the media.
func (l *callLine) media(e call.Event) {
	switch e.Kind {
	case call.Connected:
		if l.talking.IsZero() {
			l.talking, l.measure = time.Now(), time.Now()
			if l.o.For > 0 {
				l.until = time.After(l.o.For)
			}
		}
		how := "directly"
		if e.Path.Relayed {
			how = "through a relay, which cannot open it"
		}
		l.news(CallNews{News: "connected", Relayed: &e.Path.Relayed, Path: e.Path.Local + " " + e.Path.Remote, Family: e.Path.Family}, "Talking, %s.", how)
	case call.Broken:
		l.news(CallNews{News: "broken"}, "The connection is lost: looking for another.")
	case call.Told:
		l.news(CallNews{News: "state", Mic: e.State.Mic, Camera: e.State.Camera, Screen: e.State.Screen, Hold: e.State.Hold}, "%s", stateText(e.State))
	case call.Played:
		l.news(CallNews{News: "played"}, "Everything is played.")
		if e.Err != nil || l.o.For == 0 && l.record == nil {
			l.peer.HangUp()
		}
	case call.Over:
		l.ended = &e
	}
}

// quality tells how it goes.
func (l *callLine) quality(news string) {
	q := l.peer.Quality()
	n := CallNews{News: news, Relayed: &q.Path.Relayed, Path: q.Path.Local + " " + q.Path.Remote, Family: q.Path.Family,
		Delay: float64(q.Delay) / 1e6, Thinned: q.Thinned}
	var bytes uint64
	for i := range q.Sent {
		n.Sent, n.Heard, n.Lost, bytes = n.Sent+q.Sent[i].Packets, n.Heard+q.Heard[i].Packets, n.Lost+q.Heard[i].Lost, bytes+q.Sent[i].Bytes
	}
	now := time.Now()
	n.Rate = uint64(8 * float64(bytes-min(bytes, l.bytes)) / max(now.Sub(l.measure).Seconds(), 0.001))
	l.bytes, l.measure = bytes, now
	l.news(n, "%d kbit/s, %.0f ms there and back, %d packets heard, %d lost.", n.Rate/1000, n.Delay, n.Heard, n.Lost)
}

// leave says how it ended, when the other side can know.
func (l *callLine) leave() error {
	ctx, cancel := context.WithTimeout(context.Background(), l.x.Timeout)
	defer cancel()
	err := l.d.Client.Sync(ctx) // the end has to leave this device
	l.look()
	n := CallNews{News: "over", End: string(l.ended.End)}
	if l.over != nil {
		n.End = string(l.over.End)
	}
	if !l.talking.IsZero() {
		n.Seconds = time.Since(l.talking).Seconds()
	}
	if l.record != nil {
		n.Files = l.record.Files()
	}
	text := "Over."
	if n.Seconds > 0 {
		text = "Over after " + time.Duration(n.Seconds*float64(time.Second)).Round(time.Second).String() + "."
	}
	if len(n.Files) > 0 {
		text += " Recorded: " + strings.Join(n.Files, ", ")
	}
	l.news(n, "%s", line(text))
	return err
}

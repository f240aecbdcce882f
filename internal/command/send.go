package command

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"sotto/internal/client"
	"sotto/internal/dial"
	"sotto/internal/explain"
	"sotto/internal/room"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mimi"
)

// Send writes messages to a person or a room. It succeeds when the server has each of
// them durably.
type Send struct {
	To     string        `arg:"" help:"A handle, or a room: its name, its id, or the beginning of that." complete:"room"`
	Text   []string      `arg:"" optional:"" help:"The message, in Markdown. - reads one message per line from the input."`
	Reply  string        `xor:"what" help:"Answer this message." placeholder:"ID"`
	Edit   string        `xor:"what" help:"Give this message of yours another text." placeholder:"ID"`
	React  string        `xor:"what" help:"React to this message; the text is the emoji." placeholder:"ID"`
	Delete string        `xor:"what" help:"Take this message of yours back." placeholder:"ID"`
	File   []string      `help:"Send this file, too; may be given several times." placeholder:"PATH" sep:"none" complete:"file"`
	Keep   time.Duration `help:"How long the files can be had; without it, 30 days." placeholder:"DURATION"`
	Raw    bool          `help:"Send pictures with what the camera wrote into them, such as the place."`
	Expire time.Duration `help:"Let the message vanish everywhere after this time, for example 24h." placeholder:"DURATION"`
}

// ahead is how many messages may be queued before the server has the first of them.
const ahead = 256

// Run sends.
func (o Send) Run(ctx context.Context, d *Device, x *IO) error {
	if err := o.check(); err != nil {
		return err
	}
	if len(o.File) > 0 {
		return o.sendFiles(ctx, d, x)
	}
	compose, err := o.composer(d)
	if err != nil && d.sync(ctx, x) == nil { // it may be what has just come
		compose, err = o.composer(d)
	}
	if err != nil {
		return err
	}
	texts := one(strings.Join(o.Text, " "))
	if len(o.Text) == 1 && o.Text[0] == "-" {
		texts = lines(x.In)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	refused, stop := d.refusals()
	defer stop()
	queued := make(chan outcome, ahead)
	go d.queueAll(ctx, o.To, compose, texts, x.Timeout, queued)
	return d.report(ctx, queued, refused, x)
}

func (o Send) check() error {
	if len(o.File) > 0 {
		return o.checkFiles()
	}
	switch {
	case o.Keep != 0 || o.Raw:
		return Usage("--keep and --raw go with --file")
	case o.Delete != "" && len(o.Text) > 0:
		return Usage("a deletion has no text")
	case o.Delete == "" && strings.TrimSpace(strings.Join(o.Text, "")) == "":
		return Usage("what shall be sent? Give a text, or - to read one message per line from the input")
	case o.Expire < 0 || o.Expire > 0 && (o.Delete != "" || o.Edit != "" || o.React != ""):
		return Usage("--expire goes with a new message and a time to come")
	}
	return nil
}

// composer makes the content for a text.
func (o Send) composer(d *Device) (func(text string) client.Compose, error) {
	plain := client.Text
	if _, err := wire.ParseHandle(o.To); err != nil && !strings.Contains(o.To, "@") {
		id, err := d.Client.Resolve(o.To)
		if err != nil {
			return nil, err
		}
		if r, err := d.room(id); err == nil && r.State != store.RoomActive {
			return nil, client.ErrNotMember
		}
	}
	if o.Reply+o.Edit+o.React+o.Delete != "" {
		m, err := d.message(o.Reply + o.Edit + o.React + o.Delete)
		if err != nil {
			return nil, err
		}
		if in, err := d.Client.Resolve(o.To); err != nil {
			return nil, err
		} else if in != m.Room {
			return nil, fail("no such message", "this message is in another conversation")
		}
		if o.Edit+o.Delete != "" && m.State == store.Received {
			return nil, fail("not yours", "only who wrote a message can change it or take it back")
		}
		switch {
		case o.Reply != "":
			plain = func(text string) client.Compose { return client.Reply(m.ID, text) }
		case o.Edit != "":
			plain = func(text string) client.Compose { return client.Edit(m.ID, text) }
		case o.React != "":
			plain = func(text string) client.Compose { return client.React(m.ID, text) }
		default:
			plain = func(string) client.Compose { return client.Delete(m.ID) }
		}
	}
	if o.Expire == 0 {
		return plain, nil
	}
	return func(text string) client.Compose { return client.Expiring(plain(text), time.Now().Add(o.Expire)) }, nil
}

// message finds a message by its id or the beginning of it, with or without the octet
// that names the hash. An edit, reaction or deletion stands for what it acts on.
func (d *Device) message(id string) (*store.Message, error) {
	id = strings.ToLower(id)
	if len(id) < 4 || strings.Trim(id, "0123456789abcdef") != "" {
		return nil, fail("no such message", "%.80q is not a message's id: take the first digits that sotto read shows, four or more", id)
	}
	var whole mimi.MessageID
	if b, err := hex.DecodeString(id); err == nil && len(b) == len(whole) {
		copy(whole[:], b)
		if m, err := d.Client.Message(whole); err != nil || m != nil {
			return m, err
		}
	}
	all, err := d.Client.Messages(nil, 0, everything)
	if err != nil {
		return nil, err
	}
	var found *store.Message
	for i, m := range all {
		full := m.ID.String()
		if !strings.HasPrefix(full, id) && !strings.HasPrefix(full[2:], id) {
			continue
		}
		if found != nil {
			return nil, fail("ambiguous", "several messages begin with %s: give more of the id", id)
		}
		found = &all[i]
	}
	if found == nil {
		return nil, fail("no such message", "there is no message %s here", id)
	}
	switch found.Kind {
	case mimi.KindEdit, mimi.KindDelete, mimi.KindUnreact:
		if m, err := d.Client.Message(*found.Target); err == nil && m != nil {
			return m, nil
		}
	}
	return found, nil
}

// everything is more messages than a device holds.
const everything = 1 << 30

// one yields one text.
func one(text string) func() (string, error) {
	given := false
	return func() (string, error) {
		if given {
			return "", io.EOF
		}
		given = true
		return text, nil
	}
}

// lines yields the lines of an input that are not blank. The last needs no end, but what an
// input that broke held of a line is none: another process that handed its input over and
// was killed has not said the rest.
func lines(in io.Reader) func() (string, error) {
	r := bufio.NewReader(in)
	return func() (string, error) {
		for {
			s, err := r.ReadString('\n')
			if err != nil && !errors.Is(err, io.EOF) {
				return "", err
			}
			if s = strings.TrimRight(s, "\r\n"); strings.TrimSpace(s) != "" {
				return s, nil
			}
			if err != nil {
				return "", err
			}
		}
	}
}

// outcome is a message that was queued, or why it was not.
type outcome struct {
	m   *store.Message
	err error
}

// queueAll queues messages one after the other.
func (d *Device) queueAll(ctx context.Context, to string, compose func(string) client.Compose, next func() (string, error), timeout time.Duration, out chan<- outcome) {
	defer close(out)
	for {
		text, err := next()
		if errors.Is(err, io.EOF) || ctx.Err() != nil {
			return
		}
		var m *store.Message
		if err == nil {
			m, err = d.queue(ctx, to, compose(text), timeout)
		}
		select {
		case out <- outcome{m, err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

func (d *Device) queue(ctx context.Context, to string, c client.Compose, timeout time.Duration) (*store.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	m, err := d.Client.Send(ctx, to, c)
	if errors.Is(err, client.ErrUnreachable) && !errors.Is(err, dial.ErrPrivate) {
		err = unreachable("%s: %s; nothing was queued, since sotto does not know %s yet", client.ErrUnreachable, reason(err), to)
	}
	return m, err
}

// report tells what became of each message. The first failure ends it, but for a host
// that is down: then the rest is queued, and told so.
func (d *Device) report(ctx context.Context, queued <-chan outcome, refused *atomic.Pointer[wire.Error], x *IO) error {
	var down, failed error
	var places *home
	waiting := 0
	for q := range queued {
		if q.err != nil {
			failed = q.err
			break
		}
		if places == nil || places.room != q.m.Room {
			places = d.home(q.m.Room)
		}
		m := q.m
		if down == nil {
			m, down = d.settled(ctx, m, places, refused, x.Timeout)
		}
		x.say(Sent{Type: "sent", ID: m.ID.String(), Room: roomText(m.Room), State: m.State.String()}, "%s %s", short(m.ID), m.State)
		switch m.State {
		case store.Queued:
			waiting++
		case store.Failed:
			failed = fail("failed", "the server does not take this message")
		}
	}
	switch {
	case failed != nil:
		return failed
	case waiting > 0:
		return stillQueued(waiting, down)
	}
	return d.delivered(ctx, x)
}

// delivered waits until also what goes along with the messages is out: the invitation of
// somebody who is written to for the first time.
func (d *Device) delivered(ctx context.Context, x *IO) error {
	ctx, cancel := context.WithTimeout(ctx, x.Timeout)
	defer cancel()
	stop := d.whenDown(func(string) bool { return true }, func(error) { cancel() })
	defer stop()
	if err := d.Client.Sync(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

func stillQueued(n int, why error) error {
	f := Explain(why)
	what := "the message is queued and goes"
	if n > 1 {
		what = "the messages are queued and go"
	}
	return &Failure{Code: "queued", Text: what + " when sotto next runs and reaches the server: " + f.Text, Sort: explain.Unreachable}
}

// home is where a room's messages go.
type home struct {
	room  room.ID
	hosts map[string]bool
}

func (d *Device) home(id room.ID) *home {
	h := &home{id, map[string]bool{}}
	if rooms, err := d.Client.Rooms(); err == nil {
		for _, r := range rooms {
			if r.ID == id {
				h.hosts[r.Host] = true
			}
		}
	}
	return h
}

// settled waits until a message is no longer queued, and answers it as it is then. An
// error says why it still is.
func (d *Device) settled(ctx context.Context, m *store.Message, at *home, refused *atomic.Pointer[wire.Error], timeout time.Duration) (*store.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var down error
	stop := d.whenDown(func(host string) bool { return at.hosts[host] }, func(err error) { down = err; cancel() })
	out, err := d.Client.Settled(ctx, m.Room, []mimi.MessageID{m.ID})
	stop()
	switch {
	case err == nil && len(out) == 1:
		return &out[0], nil
	case err == nil: // expired meanwhile
		return m, nil
	case down != nil:
		err = down
	case errors.Is(err, context.DeadlineExceeded) && refused.Load() != nil:
		err = refused.Load()
	}
	return m, err
}

// refusals holds the last that a host has refused for a reason that may pass, such as a full
// disk: it is tried again all the same.
func (d *Device) refusals() (last *atomic.Pointer[wire.Error], cancel func()) {
	last = new(atomic.Pointer[wire.Error])
	return last, d.Client.Subscribe(func(e client.Event) {
		var refusal *wire.Error
		if e.Kind == client.EventTrouble && errors.As(e.Err, &refusal) {
			last.Store(refusal)
		}
	})
}

package command

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"sotto/internal/call"
	"sotto/internal/client"
	"sotto/internal/mediafile"
	"sotto/internal/room"
)

// Phone calls somebody, or answers calls, without a window: it plays files and records what
// the other side says and shows.
type Phone struct {
	To      string        `arg:"" optional:"" help:"A handle, or a room of two: its name, its id, or the beginning of that. With --answer: only calls from there." complete:"room"`
	Play    []string      `help:"Play this file: Opus in Ogg as what you say, VP8, VP9 or AV1 in IVF as your camera. A second of a kind is your screen." placeholder:"FILE" complete:"file"`
	Record  string        `help:"Keep what the other side says in this file, which ends in .ogg. What it shows comes beside it, in .ivf and .screen.ivf." placeholder:"FILE" complete:"file"`
	Answer  bool          `help:"Wait for calls and answer them, until stopped."`
	Video   bool          `help:"Ring as a video call. One with a camera's file does by itself."`
	For     time.Duration `help:"Hang up after this time of talking." placeholder:"DURATION"`
	Relay   bool          `help:"Take relayed paths only: the other side does not see your address."`
	Verbose bool          `short:"v" help:"Tell every few seconds how it goes."`
}

// Follows says that a call goes on until somebody hangs up.
func (Phone) Follows() bool { return true }

// qualityEvery is how often a call tells how it goes.
const qualityEvery = 3 * time.Second

// Run calls or answers.
func (o Phone) Run(ctx context.Context, d *Device, x *IO) error {
	if err := o.check(x); err != nil {
		return err
	}
	if err := d.sync(ctx, x); err != nil && !o.Answer {
		return err
	}
	var in *room.ID
	if o.To != "" {
		id, err := d.Client.Resolve(o.To)
		if err != nil {
			return err
		}
		in = &id
	}
	if o.Answer {
		return o.answer(ctx, d, x, in)
	}
	l, err := o.line(d, x, *in)
	if err != nil {
		return err
	}
	defer l.close()
	return l.call(ctx)
}

func (o Phone) check(x *IO) error {
	switch {
	case o.To == "" && !o.Answer:
		return Usage("who shall be called? Give a handle or a room, or --answer to wait for calls")
	case o.For < 0:
		return Usage("--for is a time to come")
	case o.Record != "":
		if _, err := call.Names(o.Record); err != nil {
			return Usage("%s", err)
		}
	}
	files, err := o.files(x)
	closeAll(files)
	return err
}

// files opens what is played, each as the line that it is for.
func (o Phone) files(x *IO) (out [call.Lines]*mediafile.File, err error) {
	for _, name := range o.Play {
		f, err := mediafile.Open(x.path(name))
		if err != nil {
			closeAll(out)
			return out, playable(err)
		}
		lines := []call.Line{call.Camera, call.Screen}
		if f.Codec() == mediafile.Opus {
			lines = []call.Line{call.Mic, call.ScreenSound}
		}
		if out[lines[0]] != nil {
			lines = lines[1:]
		}
		if out[lines[0]] != nil {
			f.Close()
			closeAll(out)
			return out, Usage("a call has two sounds and two pictures: %s is one too many", name)
		}
		out[lines[0]] = f
	}
	return out, nil
}

func playable(err error) error {
	if errors.Is(err, mediafile.ErrFormat) {
		return fail("not playable", "%s", err)
	}
	return err
}

func closeAll(files [call.Lines]*mediafile.File) {
	for _, f := range files {
		if f != nil {
			f.Close()
		}
	}
}

// answer answers one call after another.
func (o Phone) answer(ctx context.Context, d *Device, x *IO, in *room.ID) error {
	rings := make(chan client.Call, 16)
	stop := d.Client.Subscribe(func(e client.Event) {
		if e.Kind == client.EventCall && e.Call.Rings && !e.Call.Outgoing {
			select {
			case rings <- *e.Call:
			default: // one is answered at a time, and it rings again
			}
		}
	})
	defer stop()
	list, err := d.Client.Calls()
	if err != nil {
		return err
	}
	for _, c := range list {
		if c.Rings && !c.Outgoing && len(rings) < cap(rings) {
			rings <- c
		}
	}
	x.say(CallNews{Type: "news", News: "waiting"}, "Waiting for calls.")
	for n := 1; x.failed == nil; {
		select {
		case <-ctx.Done():
			return nil
		case c := <-rings:
			if in != nil && c.Room != *in {
				continue
			}
			if now, err := d.Client.Call(c.ID); err != nil || now.Stage != client.StageRinging {
				continue
			}
			one := o
			if n > 1 && o.Record != "" {
				one.Record = numbered(o.Record, n)
			}
			n++
			if err := one.take(ctx, d, x, c); err != nil {
				return err
			}
		}
	}
	return x.failed
}

// take answers one call. What becomes of it is told, and no failure of the command.
func (o Phone) take(ctx context.Context, d *Device, x *IO, c client.Call) error {
	l, err := o.line(d, x, c.Room)
	if err != nil {
		return err
	}
	defer l.close()
	if err := l.answer(ctx, c); err != nil && ctx.Err() == nil {
		x.say(CallNews{Type: "news", News: "failed", Call: c.ID.String(), Room: roomText(c.Room)}, "%s", line(Explain(err).Text))
	}
	return x.failed
}

// numbered is the name of the nth recording: talk.2.ogg.
func numbered(path string, n int) string {
	return strings.TrimSuffix(path, ".ogg") + "." + strconv.Itoa(n) + ".ogg"
}

// loopback says whether the home server is on this machine alone, as in a demonstration:
// then calls stay on it, too.
func loopback(host string) bool {
	u, err := url.Parse("//" + host)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

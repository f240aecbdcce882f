// Command answering is an answering machine: it takes every call of a sotto that runs, plays a
// greeting, records what is said, and hangs up.
//
// It is written from docs/api.md and section 34 of docs/protocol.md, with Pion, and uses
// nothing of sotto's own code: it is what a program in any language would be.
//
//	sotto app --no-window &
//	answering -socket ~/.config/sotto/app.sock -greeting hello.ogg -dir messages -for 1m
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// machine is an answering machine.
type machine struct {
	app      *app
	greeting string        // an Ogg file with Opus; "": none
	dir      string        // where recordings go
	lasts    time.Duration // of a call
	loopback bool          // the home server is on this machine
	log      func(format string, args ...any)
}

func main() {
	m := &machine{log: func(format string, args ...any) { fmt.Printf(format+"\n", args...) }}
	socket := flag.String("socket", "", "the app.sock of the home whose calls are answered")
	flag.StringVar(&m.greeting, "greeting", "", "an Ogg file with Opus, which is played first")
	flag.StringVar(&m.dir, "dir", ".", "where recordings go")
	flag.DurationVar(&m.lasts, "for", time.Minute, "how long a call may last")
	flag.BoolVar(&m.loopback, "loopback", false, "offer addresses of loopback: where everything is on one machine")
	flag.Parse()
	m.app = newApp(*socket)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := m.run(ctx); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "answering:", err)
		os.Exit(1)
	}
}

// run answers calls until ctx ends. Calls that ring when it begins are answered, too.
func (m *machine) run(ctx context.Context) error {
	talks := map[string]*talk{}
	defer func() {
		for _, t := range talks {
			t.close()
		}
	}()
	return m.app.events(ctx, func(e event) error {
		switch {
		case e.Type == "hello":
			var list []call
			if err := m.app.get(ctx, "/calls", &list); err != nil {
				return err
			}
			for _, c := range list {
				m.take(ctx, talks, c)
			}
		case e.Type == "call" && e.Call != nil:
			m.take(ctx, talks, *e.Call)
		case e.Type == "media" && e.Media != nil && talks[e.Media.Call.ID] != nil:
			talks[e.Media.Call.ID].media(ctx, *e.Media)
		}
		return nil
	})
}

// take does what follows from how a call stands.
func (m *machine) take(ctx context.Context, talks map[string]*talk, c call) {
	t := talks[c.ID]
	switch {
	case c.Stage == "over" && t != nil:
		t.close()
		delete(talks, c.ID)
		m.log("%s is over: %s", c.Name, c.End)
	case c.Stage == "ringing" && !c.Outgoing && t == nil && len(talks) == 0:
		t, err := m.answer(ctx, c)
		if err != nil {
			m.log("%s could not be answered: %s", c.Name, err)
			return
		}
		talks[c.ID] = t
		m.log("%s is answered", c.Name)
	}
}

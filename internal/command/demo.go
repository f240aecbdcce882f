package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sotto/internal/server"
	"sotto/internal/store"
	"sotto/internal/wire"
	"sotto/mimi"
)

// Demo lets two people talk through a server on this machine, and shows what the server
// had of it.
type Demo struct {
	Once bool   `help:"End after the talk."`
	Keep string `type:"path" help:"Put everything into this new directory and leave it there." placeholder:"DIR" complete:"dir"`

	Guest Guest `kong:"-"` // runs other processes' commands on Ana's and Bo's devices
}

// What Ana and Bo say.
const (
	anaFirst  = "Bo, the papers are signed. Nobody knows yet."
	anaSecond = "They are at https://example.org/contract-4711"
	boAnswer  = "Thank you, Ana. I have them."
)

// stage is the demonstration while it runs.
type stage struct {
	x       *IO
	dir     string
	host    string
	entries taken // of Ana's messages, as they left her device
}

// Run is the demonstration.
func (o Demo) Run(ctx context.Context, x *IO) (err error) {
	s := &stage{x: x, dir: o.Keep}
	if s.dir == "" {
		if s.dir, err = os.MkdirTemp("", "sotto-demo-"); err != nil {
			return err
		}
		defer os.RemoveAll(s.dir)
	} else if err := os.Mkdir(s.dir, 0o700); err != nil {
		return fail("failed", "the demonstration wants a directory of its own: %s", err)
	}
	stop, ended, err := s.serve()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	if err := s.play(ctx); err != nil || o.Once {
		return err
	}
	closeBoth, err := s.open(o.Guest)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeBoth()) }()
	s.goOn(o.Keep != "")
	select {
	case <-ctx.Done():
		x.printf("\nThe server stops.\n")
		return nil
	case <-ended:
		return fail("server", "the server ended by itself")
	}
}

func (s *stage) data() string             { return filepath.Join(s.dir, "server") }
func (s *stage) home(name string) string  { return filepath.Join(s.dir, name) }
func (s *stage) handle(who string) string { return who + "@" + s.host }

// serve starts the server on a free port of loopback.
func (s *stage) serve() (stop func() error, ended <-chan struct{}, err error) {
	srv, err := server.New(server.Options{Dir: s.data(), Open: true})
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, over := make(chan netip.AddrPort, 1), make(chan struct{})
	var failed error
	go func() {
		defer close(over)
		failed = srv.Serve(ctx, server.ServeOptions{Listen: "127.0.0.1:0", Relay: &server.RelayOptions{}, Ready: func(at netip.AddrPort) { ready <- at }})
	}()
	stop = func() error { cancel(); <-over; return errors.Join(failed, srv.Close()) }
	select {
	case at := <-ready:
		s.host = at.String()
	case <-over:
		return nil, nil, stop()
	}
	return stop, over, nil
}

// person opens a device, with an account the first time, and connects it.
func (s *stage) person(ctx context.Context, name string, x *IO) (*Device, error) {
	first := empty(s.home(name))
	d, err := openDevice(ctx, s.home(name), first, x)
	if err != nil {
		return nil, err
	}
	if first {
		err = d.Client.CreateAccount(ctx, s.handle(name), "")
	}
	if err == nil {
		err = d.Client.Start()
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// play is the talk.
func (s *stage) play(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	quiet := &IO{Out: io.Discard, Err: io.Discard, Timeout: 10 * time.Second}
	tapped := *quiet
	tapped.tap = s.entries.tap
	s.x.printf("A server runs at %s, for this demonstration only.\nAna and Bo have made their accounts there, each on a device of their own.\n\n", s.host)
	bo, err := s.person(ctx, "bo", quiet)
	if err != nil {
		return err
	}
	if err := bo.Close(); err != nil { // Bo is away
		return err
	}
	ana, err := s.person(ctx, "ana", &tapped)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ana.Close()) }()
	sent, err := s.anaWrites(ctx, ana)
	if err != nil {
		return err
	}
	if err := s.look(); err != nil {
		return err
	}
	if bo, err = s.person(ctx, "bo", quiet); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bo.Close()) }()
	if err := s.boAnswers(ctx, bo, quiet); err != nil {
		return err
	}
	return s.anaSees(ctx, ana, sent)
}

func (s *stage) anaWrites(ctx context.Context, ana *Device) (sent []store.Message, err error) {
	s.x.printf("── Bo is away. Ana writes ──\n")
	for _, text := range []string{anaFirst, anaSecond} {
		m, err := ana.queue(ctx, s.handle("bo"), plainText(text), 10*time.Second)
		if err != nil {
			return nil, err
		}
		out, err := ana.Client.Settled(ctx, m.Room, []mimi.MessageID{m.ID})
		if err != nil {
			return nil, err
		}
		sent = append(sent, out...)
		s.x.printf("   Ana: %s  [%s]\n", text, out[0].State)
	}
	return sent, ana.Client.Sync(ctx)
}

// look shows what the server has.
func (s *stage) look() error {
	s.x.printf("\n── What the server keeps of it ──\n")
	files, err := readAll(s.data())
	if err != nil {
		return err
	}
	entries := s.entries.list()
	if len(entries) == 0 {
		return errors.New("no entry left Ana's device")
	}
	for i, e := range entries[:min(len(entries), 2)] {
		name, at, part := files.find(e)
		if name == "" {
			return errors.New("the server has acknowledged an entry that stands in none of its files")
		}
		s.x.printf("Message %d is an entry of %d bytes, padded; here from %s:\n%s", i+1, len(e), name, hexdump(part[:min(len(part), 64)], at))
	}
	for _, secret := range []string{anaFirst, anaSecond, "contract-4711"} {
		if name, _, _ := files.find([]byte(secret)); name != "" {
			return fmt.Errorf("%q stands in %s", secret, name)
		}
	}
	s.x.printf("Searched all %d files of the server, %s: neither the texts nor the link stand in any.\n\n", len(files), size(files.size()))
	return nil
}

func (s *stage) boAnswers(ctx context.Context, bo *Device, quiet *IO) error {
	s.x.printf("── Bo comes back ──\n")
	if err := bo.Client.Sync(ctx); err != nil {
		return err
	}
	requests, err := bo.Client.Requests()
	if err != nil || len(requests) != 1 {
		return errors.Join(err, fmt.Errorf("there are %d requests for Bo", len(requests)))
	}
	s.x.printf("   %s, whom Bo does not know yet, wants to write. Bo accepts.\n", line(requests[0].Handle))
	if err := bo.Client.Accept(ctx, s.handle("ana")); err != nil {
		return err
	}
	if err := bo.Client.Sync(ctx); err != nil {
		return err
	}
	list, err := bo.Client.Messages(nil, 0, everything)
	if err != nil {
		return err
	}
	var got []string
	for _, m := range list {
		got = append(got, m.Text)
		s.x.printf("   Bo reads: %s\n", line(mimi.Written(m.Text)))
	}
	if strings.Join(got, "\n") != anaFirst+"\n"+anaSecond {
		return fmt.Errorf("what Bo reads is something else: %q", got)
	}
	if err := bo.Client.Seen(list); err != nil {
		return err
	}
	m, err := bo.queue(ctx, s.handle("ana"), plainText(boAnswer), 10*time.Second)
	if err != nil {
		return err
	}
	out, err := bo.Client.Settled(ctx, m.Room, []mimi.MessageID{m.ID})
	if err != nil {
		return err
	}
	s.x.printf("   Bo: %s  [%s]\n\n", boAnswer, out[0].State)
	return bo.Client.Sync(ctx)
}

func (s *stage) anaSees(ctx context.Context, ana *Device, sent []store.Message) error {
	s.x.printf("── Ana sees ──\n")
	ready := func() (lines []string, ok bool, err error) {
		ok = true
		for _, m := range sent {
			now, err := ana.Client.Message(m.ID)
			if err != nil || now == nil {
				return nil, false, errors.Join(err, errors.New("a message is gone"))
			}
			ok = ok && now.State == store.Read
			lines = append(lines, fmt.Sprintf("   Ana: %s  [%s]", line(mimi.Written(now.Text)), now.State))
		}
		list, err := ana.Client.Messages(nil, 0, everything)
		for _, m := range list {
			if m.State == store.Received {
				lines = append(lines, "   Bo: "+line(mimi.Written(m.Text)))
			}
		}
		return lines, ok && len(lines) == len(sent)+1, err
	}
	for {
		lines, ok, err := ready()
		if err != nil {
			return err
		}
		if ok {
			s.x.printf("%s\n\nBoth have everything now, so the server erases it: within %d minutes it is gone from its files too.\n",
				strings.Join(lines, "\n"), int(wire.ErasedWithin.Minutes()))
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// goOn prints how to go on as either of them.
func (s *stage) goOn(kept bool) {
	self := "sotto"
	if path, err := os.Executable(); err == nil {
		self = path
		if wd, err := os.Getwd(); err == nil {
			if rel, err := filepath.Rel(wd, path); err == nil && len(rel) < len(path) {
				self = rel
			}
		}
	}
	s.x.printf(`
Go on in another terminal, as Ana or as Bo:

  %[1]s --home %[2]s send %[3]s "hello Bo"
  %[1]s --home %[4]s read --follow
  %[1]s --home %[4]s app
  %[1]s --home %[4]s send %[5]s "hello Ana"
  %[1]s server status --data %[6]s

`, self, s.home("ana"), s.handle("bo"), s.home("bo"), s.handle("ana"), s.data())
	if kept {
		s.x.printf("The server runs until Ctrl-C. Start it again with\n\n  %s server --data %s --listen %s --open\n\n", self, s.data(), s.host)
		return
	}
	s.x.printf("The server runs until Ctrl-C; then everything in %s is removed.\n", s.dir)
}

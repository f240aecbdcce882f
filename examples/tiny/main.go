// Command tiny is a second client of sotto, written from docs/protocol.md alone. It reads and
// writes in rooms that others make.
//
//	tiny -home FILE create HANDLE [INVITE]
//	tiny -home FILE run
//
// It is an example and no client to live with. Its state is one file that is written whole and
// never synced: a crash can lose keys or use one twice. It accepts every invitation, where a
// real client asks the person about strangers. It makes no rooms and no commits and sends no
// receipts. It follows no room that moves (section 19) and does not ask to be let in again
// (section 20): it says why it stopped, and a new invitation begins anew. A connection that ends
// is the end of the program: start it again.
package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/fxamacker/cbor/v2"

	"sotto/mls"
)

type state struct {
	Handle              string
	Device, Seed, XWing octets // its name; the seeds of its Ed25519 and X-Wing keys
	Chain               []any
	Inbox, Public       octets // name, public capability
	Through             uint64 // what was read of the inbox
	Seen                map[octets]bool
	Packages            map[octets][]byte
	Published           int64
	Rooms               []*room
}

type client struct {
	state
	file       string
	out, notes io.Writer
	ctx        context.Context
	conns      map[string]*conn
	refs       []*room
	events     chan event
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "tiny:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, in io.Reader, out, notes io.Writer) error {
	flags := flag.NewFlagSet("tiny", flag.ContinueOnError)
	file := flags.String("home", "tiny.cbor", "the `file` of the account")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	c := &client{file: *file, out: out, notes: notes, ctx: ctx, conns: map[string]*conn{}, events: make(chan event, 1<<14)}
	return guard(func() {
		demand(flags.Arg(0) == "run" || flags.Arg(0) == "create" && flags.NArg() > 1, "usage: tiny -home FILE create HANDLE [INVITE] | run")
		if flags.Arg(0) == "run" {
			c.run(in)
		} else {
			c.create(flags.Arg(1), flags.Arg(2))
		}
	})
}

func (c *client) note(format string, a ...any) {
	fmt.Fprintln(c.notes, plain(fmt.Sprintf("* "+format, a...)))
}
func (c *client) save()                      { try(0, os.WriteFile(c.file, []byte(encode(c.state)), 0o600)) }
func (c *client) signer() ed25519.PrivateKey { return ed25519.NewKeyFromSeed([]byte(c.Seed)) }
func (c *client) sign(label string, message octets) octets {
	return octets(ed25519.Sign(c.signer(), []byte(octets(label)+message)))
}

func (c *client) create(handle, code string) {
	_, err := os.Stat(c.file)
	demand(errors.Is(err, os.ErrNotExist), c.file+" is there already")
	box := try(hpke.MLKEM768X25519().GenerateKey())
	c.state = state{Handle: handle, Device: random(16), Seed: random(32), XWing: octets(try(box.Bytes())),
		Inbox: random(16), Public: random(32), Packages: map[octets][]byte{}, Seen: map[octets]bool{}}
	statement := encode(pack(fields{"version": 1, "kind": 1, "position": 0, "previous": make([]byte, 32), "time": time.Now().Unix(),
		"signer": c.Device, "handle": handle, "device": fields{"name": c.Device, "key": []byte(c.signer().Public().(ed25519.PublicKey)),
			"xwing": box.PublicKey().Bytes()}}, "statement"))
	c.Chain = []any{encode(pack(fields{"statement": statement, "signature": c.sign(chainLabel, statement)}, "signed"))}
	verify(c.Chain)
	c.home().must("register", fields{"statement": c.Chain[0], "code": code})
	c.publish()
}

// publish authenticates, and sees to it that others find enough key packages.
func (c *client) publish() {
	home := c.home()
	message := encode([]any{"sotto auth v1", home.nonce, hostOf(c.Handle), c.Handle, c.Device})
	home.must("auth", fields{"handle": c.Handle, "device": c.Device, "signature": c.sign("", message)})
	if home.must("count", nil).n("left") >= 10 && time.Since(time.Unix(c.Published, 0)) < 20*24*time.Hour {
		return
	}
	packages, last := []any{}, c.keyPackage(mls.Extension{Type: mls.ExtLastResort})
	for range 20 {
		packages = append(packages, c.keyPackage())
	}
	c.Published = time.Now().Unix()
	c.save()
	home.must("publish", fields{"suite": mls.XWing, "packages": packages, "last": last, "inbox": c.Inbox, "capability": c.Public})
}

func (c *client) keyPackage(extensions ...mls.Extension) []byte {
	own := verify(c.Chain)
	who := encode(pack(fields{"version": 1, "account": own.account, "device": c.Device, "head": own.heads[len(own.heads)-1],
		"length": len(own.heads), "handle": c.Handle}, "credential"))
	kp := try(mls.NewKeyPackage(rand.Reader, mls.KeyPackageParams{Signer: c.signer(), Credential: mls.BasicCredential([]byte(who)),
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(80 * 24 * time.Hour), Extensions: extensions, Supported: []uint16{0xF0A0}}))
	ref := kp.Public.Ref()
	c.Packages[octets(ref[:])] = kp.Marshal()
	return kp.Public.Marshal()
}

func (c *client) run(in io.Reader) {
	stored := try(cbor.DecOptions{DefaultByteStringType: octetsType}.DecMode())
	try(0, stored.Unmarshal(try(os.ReadFile(c.file)), &c.state))
	lines := make(chan string)
	go func() {
		for s := bufio.NewScanner(in); s.Scan(); {
			select {
			case lines <- s.Text():
			case <-c.ctx.Done():
				return
			}
		}
	}()
	c.publish()
	for _, r := range c.Rooms {
		if err := guard(func() { c.enter(r) }); err != nil {
			c.note("a room's host is not there: %v", err)
		}
	}
	c.home().must("inbox", fields{"after": c.Through})
	for tick := time.NewTicker(time.Minute); ; {
		select {
		case e := <-c.events:
			c.event(e)
		case line := <-lines:
			c.write(line)
		case <-tick.C: // perhaps a host takes now what it did not
			for _, r := range c.Rooms {
				c.flush(r)
			}
		case <-c.ctx.Done():
			return
		}
	}
}

func (c *client) event(e event) {
	k := e.from
	demand(e.number != 0, "a host ended the connection")
	body := take(e.body, fmt.Sprintf("event-%d", e.number)).(fields)
	ref := body.n("ref")
	if e.number != 68 {
		demand(ref < uint64(len(c.refs)) && c.refs[ref].conn == k, "an event of another host's room")
	}
	switch e.number {
	case 64:
		entry := body.m("entry")
		entry["bytes"] = k.pieces[ref] + entry.b("bytes")
		delete(k.pieces, ref)
		c.entry(c.refs[ref], entry)
	case 66:
		if code := body.n("code"); code != 9 { // 9: read to the end
			c.stop(c.refs[ref], fmt.Sprintf("the watch ended with code %d", code))
		}
	case 67:
		k.pieces[ref] += body.b("piece")
		demand(len(k.pieces[ref]) <= 4<<20, "an entry that is too long")
	case 68:
		demand(k == c.home(), "an envelope from elsewhere")
		if err := guard(func() { c.accept(body.b("bytes")) }); err != nil {
			c.note("an envelope was dropped: %v", err)
		}
		k.must("inbox-ack", fields{"through": body.n("number")})
		c.Through = body.n("number")
		c.save()
	}
}

// Command sotto is all of sotto: a home server, a person's device on the command line,
// and a demonstration of both. This file is the table of its commands; what they do
// stands in internal/command.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"sotto/internal/command"
)

type table struct {
	Home           string        `type:"path" help:"The directory that holds the device." placeholder:"DIR"`
	JSON           bool          `name:"json" help:"Print one JSON object per line."`
	Timeout        time.Duration `default:"15s" help:"How long servers may take to answer."`
	PassphraseFile string        `env:"SOTTO_PASSPHRASE_FILE" help:"The file that holds the passphrase of a locked home. Otherwise a terminal is asked." placeholder:"FILE"`
	AllowPrivate   []string      `help:"A host that may have an address in a private range. Your own home server may." placeholder:"HOST"`

	App        command.App        `cmd:"" default:"withargs" help:"Open sotto: this is what sotto does by itself."`
	Send       command.Send       `cmd:"" help:"Write to a person or a room."`
	Read       command.Read       `cmd:"" help:"Read what is new."`
	Rooms      command.Rooms      `cmd:"" help:"List the conversations."`
	Room       roomTable          `cmd:"" help:"Make and change rooms."`
	Requests   command.Requests   `cmd:"" help:"Show strangers who want to write to you."`
	Accept     command.Accept     `cmd:"" help:"Accept a stranger's request."`
	Block      command.Block      `cmd:"" help:"Show nothing of a person any more."`
	Notices    command.Notices    `cmd:"" help:"Show what you should know."`
	Account    accountTable       `cmd:"" help:"Make and show the account of this device."`
	Passphrase command.Passphrase `cmd:"" help:"Lock this home with a passphrase, or change what guards its key."`
	Server     serverTable        `cmd:"" help:"Run a home server, or talk to the one that runs."`
	Demo       command.Demo       `cmd:"" help:"Let two people talk through a server on this machine."`
	Version    command.Version    `cmd:"" help:"Tell which sotto this is."`
}

type accountTable struct {
	Create command.AccountCreate `cmd:"" help:"Make an account at a home server."`
	Show   command.AccountShow   `cmd:"" help:"Tell who this device is."`
}

type roomTable struct {
	Create command.RoomCreate `cmd:"" help:"Make a room."`
	Show   command.RoomShow   `cmd:"" help:"Tell who is in a room."`
	Add    command.RoomAdd    `cmd:"" help:"Add people."`
	Remove command.RoomRemove `cmd:"" help:"Remove a person."`
	Rename command.RoomRename `cmd:"" help:"Give a room another name."`
	Admin  command.RoomAdmin  `cmd:"" help:"Make a person an admin, or a member again."`
	Leave  command.RoomLeave  `cmd:"" help:"Leave a room."`
}

type serverTable struct {
	Data    string                `type:"path" help:"The server's data directory." placeholder:"DIR"`
	Run     command.Serve         `cmd:"" default:"withargs" help:"Run the server (this is what sotto server does by itself)."`
	Invite  command.ServerInvite  `cmd:"" help:"Make invitation codes."`
	Suspend command.ServerSuspend `cmd:"" help:"Suspend an account."`
	Delete  command.ServerDelete  `cmd:"" help:"Delete an account."`
	Status  command.ServerStatus  `cmd:"" help:"Tell how the server is."`
}

const about = `Messages that only the people in a conversation can read.

Exit codes: 0 done; 1 refused or failed; 2 the arguments make no sense; 3 no server was reached, and what is queued goes when sotto next runs.`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends at once
	x := &command.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
	if info, err := os.Stdout.Stat(); err == nil {
		x.Terminal = info.Mode()&os.ModeCharDevice != 0
	}
	os.Exit(run(ctx, os.Args[1:], x, nil))
}

// run parses arguments and runs the command, on a device that is open if there is one.
func run(ctx context.Context, args []string, x *command.IO, on *command.Device) int {
	var t table
	selected, code, done := parse(&t, args, x)
	if done {
		return code
	}
	switch c := selected.(type) {
	case command.Local:
		return command.Report(x, c.Run(ctx, x))
	case command.OnServer:
		return command.Report(x, c.Run(ctx, t.Server.Data, x))
	case *command.App:
		home, err := homeOf(t.Home)
		if err == nil {
			err = c.Run(ctx, home, x, guest)
		}
		return command.Report(x, err)
	case command.OnHome:
		home, err := homeOf(t.Home)
		if err == nil {
			err = c.RunHome(ctx, home, x)
		}
		return command.Report(x, err)
	case command.OnDevice:
		if on != nil {
			return command.RunHere(ctx, on, c, x)
		}
		home, err := homeOf(t.Home)
		if err != nil {
			return command.Report(x, err)
		}
		return command.RunOn(ctx, home, args, c, x, guest)
	}
	return command.Report(x, fmt.Errorf("%T is not a command", selected))
}

// guest runs the arguments of another process on a device that is open here.
func guest(ctx context.Context, d *command.Device, args []string, x *command.IO) int {
	return run(ctx, args, x, d)
}

func homeOf(home string) (string, error) {
	if home != "" {
		return home, nil
	}
	return command.DefaultHome()
}

// left is how the parser ends early, after printing help.
type left int

// parse finds the command that the arguments select.
func parse(t *table, args []string, x *command.IO) (selected any, code int, done bool) {
	defer func() {
		if r := recover(); r != nil {
			l, ok := r.(left)
			if !ok {
				panic(r)
			}
			code, done = int(l), true
		}
	}()
	p, err := kong.New(t, kong.Name("sotto"), kong.Description(about),
		kong.Writers(x.Out, x.Err), kong.Exit(func(code int) { panic(left(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		return nil, command.Report(x, err), true
	}
	k, err := p.Parse(args)
	x.JSON = t.JSON || err != nil && slices.Contains(args, "--json")
	x.Timeout, x.Private, x.Secret = t.Timeout, t.AllowPrivate, t.PassphraseFile
	if err != nil {
		var wrong *kong.ParseError
		if errors.As(err, &wrong) && !x.JSON {
			fmt.Fprintln(x.Err, usage(wrong))
		}
		return nil, command.Report(x, command.Usage("%s", err)), true
	}
	return k.Selected().Target.Addr().Interface(), 0, false
}

// usage is one line on the command that was meant.
func usage(e *kong.ParseError) string {
	if e.Context == nil || e.Context.Selected() == nil {
		return "Try sotto --help."
	}
	return "Usage: sotto " + e.Context.Selected().Summary()
}

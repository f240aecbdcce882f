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
	Home           string        `type:"path" help:"The directory that holds the device." placeholder:"DIR" complete:"dir"`
	JSON           bool          `name:"json" help:"Print one JSON object per line."`
	Timeout        time.Duration `default:"15s" help:"How long servers may take to answer."`
	PassphraseFile string        `env:"SOTTO_PASSPHRASE_FILE" complete:"file" help:"The file that holds the passphrase of a locked home. Otherwise a terminal is asked." placeholder:"FILE"`
	AllowPrivate   []string      `help:"A host that may have an address in a private range. Your own home server may." placeholder:"HOST"`

	App      command.App     `cmd:"" group:"This device" default:"withargs" help:"Open sotto: this is what sotto does by itself."`
	Status   command.Status  `cmd:"" group:"This device" help:"Tell whether sotto runs, and how it is."`
	Lock     command.Lock    `cmd:"" group:"This device" help:"Close the keys of the sotto that runs."`
	Unlock   command.Unlock  `cmd:"" group:"This device" help:"Open the keys of the sotto that runs."`
	Quit     command.Quit    `cmd:"" group:"This device" help:"End the sotto that runs."`
	Account  accountTable    `cmd:"" group:"This device" help:"Make, show and delete the account of this device."`
	Devices  devicesTable    `cmd:"" group:"This device" help:"List, link and unlink your devices."`
	Recovery recoveryTable   `cmd:"" group:"This device" help:"Make the 24 words that bring your account back when every device is lost."`
	Recover  command.Recover `cmd:"" group:"This device" help:"Make this device the only one of your account, by its 24 words."`
	Backup   backupTable     `cmd:"" group:"This device" help:"Keep what was said in a backup that your 24 words open, or a passphrase."`
	Restore  command.Restore `cmd:"" group:"This device" help:"Take what a backup of your account holds."`
	Move     moveTable       `cmd:"" group:"This device" help:"Move to another home server, or move a conversation to yours."`

	Send    command.Send    `cmd:"" group:"Messages" help:"Write to a person or a room."`
	Read    command.Read    `cmd:"" group:"Messages" help:"Read what is new."`
	Files   command.Files   `cmd:"" group:"Messages" help:"List the files of conversations."`
	Get     command.Get     `cmd:"" group:"Messages" help:"Fetch files into a folder."`
	File    fileTable       `cmd:"" group:"Messages" help:"Pause files that are on their way, or end that."`
	Note    command.Note    `cmd:"" group:"Messages" help:"Write a note to yourself."`
	Call    command.Phone   `cmd:"" group:"Messages" help:"Call somebody, or answer calls, without a window: play files and record."`
	Calls   command.Calls   `cmd:"" group:"Messages" help:"Show calls that go on and calls that are over, or end one."`
	Search  command.Search  `cmd:"" group:"Messages" help:"Search everything that this device keeps."`
	Show    command.Show    `cmd:"" group:"Messages" help:"Show single messages."`
	Forward command.Forward `cmd:"" group:"Messages" help:"Write a message's text to others."`
	Retry   command.Retry   `cmd:"" group:"Messages" help:"Send a message again that failed or expired."`
	Unreact command.Unreact `cmd:"" group:"Messages" help:"Take your reaction to a message back."`
	Forget  command.Forget  `cmd:"" group:"Messages" help:"Remove messages from this device only."`
	Star    command.Star    `cmd:"" group:"Messages" help:"Star messages, to find them again."`
	Unstar  command.Unstar  `cmd:"" group:"Messages" help:"Take stars away."`
	Stars   command.Stars   `cmd:"" group:"Messages" help:"Show messages with a star."`
	Pin     command.Pin     `cmd:"" group:"Messages" help:"Pin a message in its room, for everybody."`
	Unpin   command.Unpin   `cmd:"" group:"Messages" help:"End that a message is pinned."`
	Pins    command.Pins    `cmd:"" group:"Messages" help:"Show what is pinned in a room."`
	Who     command.WhoSees `cmd:"" group:"Messages" help:"Who can see this? Of a message, a room or a person."`

	Rooms   command.Rooms   `cmd:"" group:"Conversations" help:"List the conversations."`
	Mark    command.Mark    `cmd:"" group:"Conversations" help:"Pin, mute, archive a conversation, mark it as unread, keep a draft."`
	Room    roomTable       `cmd:"" group:"Conversations" help:"Make and change rooms."`
	Join    command.Join    `cmd:"" group:"Conversations" help:"Come into a room by a link."`
	Inspect command.Inspect `cmd:"" group:"Conversations" help:"Tell what an invitation link says."`

	Requests command.Requests     `cmd:"" group:"People" help:"Show strangers who want to write to you."`
	Accept   command.Accept       `cmd:"" group:"People" help:"Accept a stranger's request."`
	Later    command.Later        `cmd:"" group:"People" help:"Put a stranger's request off."`
	Block    command.Block        `cmd:"" group:"People" help:"Show nothing of a person any more."`
	Unblock  command.Unblock      `cmd:"" group:"People" help:"End that a person is blocked."`
	Report   command.ReportPerson `cmd:"" group:"People" help:"Make a report about a person, to hand to whoever runs their server."`
	People   command.People       `cmd:"" group:"People" help:"List contacts and who is blocked."`
	Find     command.Find         `cmd:"" group:"People" help:"Look somebody up by a handle or a link."`
	Person   personTable          `cmd:"" group:"People" help:"Tell everything about a person, or change what they are here."`
	Compare  command.Compare      `cmd:"" group:"People" aliases:"verify" help:"Compare numbers with a person."`

	Profile    command.ProfileSet  `cmd:"" group:"You" help:"Show or change what others see of you."`
	Link       command.MyLink      `cmd:"" group:"You" help:"Make a link by which people can write to you."`
	Notices    command.Notices     `cmd:"" group:"You" help:"Show what you should know."`
	Settings   command.Settings    `cmd:"" group:"You" help:"Show or change the settings."`
	Passphrase command.Passphrase  `cmd:"" group:"You" help:"Lock this home with a passphrase, or change what guards its key."`
	Storage    command.StorageShow `cmd:"" group:"You" help:"Tell what this device keeps."`
	Export     command.Export      `cmd:"" group:"You" help:"Write everything into an archive."`

	Doctor     command.Doctor  `cmd:"" group:"More" help:"Try each way that a call may take, and tell what works and what to open."`
	Server     serverTable     `cmd:"" group:"More" help:"Run a home server, or talk to the one that runs."`
	Demo       command.Demo    `cmd:"" group:"More" help:"Let two people talk through a server on this machine."`
	Completion completion      `cmd:"" group:"More" help:"Print what makes a shell complete sotto's commands."`
	Man        man             `cmd:"" group:"More" help:"Write the manual pages."`
	Version    command.Version `cmd:"" group:"More" help:"Tell which sotto this is."`
	Complete   complete        `cmd:"" hidden:"" help:"Tell a shell what a word may go on with."`
	Names      command.Names   `cmd:"" hidden:"" help:"Tell what names there are in a home."`
}

type accountTable struct {
	Create command.AccountCreate `cmd:"" help:"Make an account at a home server."`
	Show   command.AccountShow   `cmd:"" help:"Tell who this device is."`
	Check  command.AccountCheck  `cmd:"" help:"Tell whether a handle can be had."`
	Link   command.AccountLink   `cmd:"" help:"Make this device one of an account's, by the code that another of its devices shows."`
	Delete command.AccountDelete `cmd:"" help:"Delete the account everywhere, and empty this home."`
}

type devicesTable struct {
	List   command.Devices       `cmd:"" default:"withargs" help:"List your devices (this is what sotto devices does by itself)."`
	Link   command.DevicesLink   `cmd:"" help:"Show a code for a new device, and let it in."`
	Unlink command.DevicesUnlink `cmd:"" help:"Take a device out of the account."`
	Rename command.DevicesRename `cmd:"" help:"Call a device something else."`
}

type recoveryTable struct {
	Status command.RecoveryStatus `cmd:"" default:"withargs" help:"Tell how they stand (this is what sotto recovery does by itself)."`
	Words  command.RecoveryMake   `cmd:"" help:"Make 24 words, show them once, and ask for some of them."`
}

type backupTable struct {
	Make   command.Backup       `cmd:"" default:"withargs" help:"Make a backup now, or say when and where they are made (this is what sotto backup does by itself)."`
	Status command.BackupStatus `cmd:"" help:"Tell how backups stand."`
	Check  command.BackupCheck  `cmd:"" help:"Read a backup to its end, and tell what it holds."`
}

type fileTable struct {
	Pause  command.FilePause  `cmd:"" help:"Stop files on their way for now, or let them go on."`
	Cancel command.FileCancel `cmd:"" help:"End the fetching of files."`
}

type moveTable struct {
	Person command.MovePerson `cmd:"" help:"Move your account to another home server. Your contacts follow."`
	Room   command.MoveRoom   `cmd:"" help:"Move a conversation to your home server."`
}

type roomTable struct {
	Create    command.RoomCreate    `cmd:"" help:"Make a room."`
	Show      command.RoomShow      `cmd:"" help:"Tell everything about a room."`
	Add       command.RoomAdd       `cmd:"" help:"Add people."`
	Remove    command.RoomRemove    `cmd:"" help:"Remove a person."`
	Rename    command.RoomRename    `cmd:"" help:"Give a room another name."`
	Admin     command.RoomAdmin     `cmd:"" help:"Make a person an admin, or a member again."`
	Disappear command.RoomDisappear `cmd:"" help:"Let messages vanish after they were read."`
	Picture   command.RoomPicture   `cmd:"" help:"Set, save or remove a room's picture."`
	Link      command.RoomLinkNew   `cmd:"" help:"Make an invitation link to a room."`
	Links     command.RoomLinks     `cmd:"" help:"Show the links to a room that this device made."`
	Unlink    command.RoomUnlink    `cmd:"" help:"End a link."`
	Knocks    command.RoomKnocks    `cmd:"" help:"Show who came by a link and waits."`
	Admit     command.RoomAdmit     `cmd:"" help:"Let somebody in who waits."`
	Refuse    command.RoomRefuse    `cmd:"" help:"Do not let somebody in who waits."`
	Leave     command.RoomLeave     `cmd:"" help:"Leave a room."`
	Clear     command.RoomClear     `cmd:"" help:"Remove a room's messages from this device."`
	Delete    command.RoomDelete    `cmd:"" help:"Remove a room that was left from this device."`
}

type personTable struct {
	Show    command.PersonShow    `cmd:"" default:"withargs" help:"Tell everything that this device knows about a person (this is what sotto person does by itself)."`
	Name    command.PersonName    `cmd:"" help:"Give a person a name that only you see."`
	Keep    command.PersonKeep    `cmd:"" help:"Make a person a contact, or a stranger again."`
	Picture command.PersonPicture `cmd:"" help:"Save a person's picture."`
}

type serverTable struct {
	Data    string                `type:"path" help:"The server's data directory." placeholder:"DIR"`
	Run     command.Serve         `cmd:"" default:"withargs" help:"Run the server (this is what sotto server does by itself)."`
	Invite  command.ServerInvite  `cmd:"" help:"Make invitation codes."`
	Suspend command.ServerSuspend `cmd:"" help:"Suspend an account."`
	Delete  command.ServerDelete  `cmd:"" help:"Delete an account."`
	Retire  command.ServerRetire  `cmd:"" help:"Tell everybody here when the server will be switched off."`
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
	case *command.Demo:
		c.Guest = guest
		return command.Report(x, c.Run(ctx, x))
	case *completion:
		return command.Report(x, c.run(x))
	case *man:
		return command.Report(x, c.run(x))
	case *complete:
		return c.run(ctx, x)
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
	p, err := parser(t, x)
	if err != nil {
		return nil, command.Report(x, err), true
	}
	k, err := p.Parse(args)
	x.JSON = t.JSON || err != nil && slices.Contains(args, "--json")
	x.Timeout, x.Private = t.Timeout, t.AllowPrivate
	if t.PassphraseFile != "" { // an empty variable names no file
		x.Secret = t.PassphraseFile
	}
	if err != nil {
		var wrong *kong.ParseError
		if errors.As(err, &wrong) && !x.JSON {
			fmt.Fprintln(x.Err, usage(wrong))
		}
		return nil, command.Report(x, command.Usage("%s", err)), true
	}
	return k.Selected().Target.Addr().Interface(), 0, false
}

// parser is the table as kong reads it.
func parser(t *table, x *command.IO) (*kong.Kong, error) {
	return kong.New(t, kong.Name("sotto"), kong.Description(about),
		kong.Writers(x.Out, x.Err), kong.Exit(func(code int) { panic(left(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}))
}

// usage is one line on the command that was meant.
func usage(e *kong.ParseError) string {
	if e.Context == nil || e.Context.Selected() == nil {
		return "Try sotto --help."
	}
	return "Usage: sotto " + e.Context.Selected().Summary()
}
